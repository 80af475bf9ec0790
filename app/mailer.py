"""Mail: composed from two templates, built as one multipart message, handed to a server or written to the outbox."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.settings import Settings

PATIENCE = 20  # seconds for one mail
LONGEST_LINE = 998  # RFC 5322 §2.1.1
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")  # controls, bidi overrides

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates" / "mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Undelivered(Exception):  # noqa: N818
    """The server did not take a mail; a permanent refusal (5xx) is of no use to repeat. The message holds no address."""

    def __init__(self, message: str, *, is_permanent: bool) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one person. Header values may hold what strangers wrote: they are scrubbed."""

    to: str  # a plain address
    subject: str
    text: str
    html: str
    sender_name: str  # shown; the address is ADJACENT_MAIL_FROM's
    headers: Mapping[str, str] = field(default_factory=dict)  # further ones, and Message-ID where it must be stable
    return_path: str | None = None  # where bounces go; the sender's address if None


def compose(template: str, **facts: Any) -> tuple[str, str]:
    """Return text and HTML of a mail, from `{template}.txt` and `{template}.html`."""
    text, html = (_templates.get_template(f"{template}.{kind}").render(facts) for kind in ("txt", "html"))
    return text, html


async def send(message: Message, settings: Settings) -> None:
    """Hand a mail to the server of ADJACENT_SMTP_URL, or write it to `data/outbox`; raises Undelivered."""
    built = build(message, settings, now=datetime.now(UTC))
    if settings.smtp_url is None:
        await asyncio.to_thread(_keep, built.as_bytes(), settings.data / "outbox")
        return
    try:
        await aiosmtplib.send(
            built,
            sender=message.return_path or parseaddr(settings.mail_from)[1],
            recipients=[message.to],
            timeout=PATIENCE,
            **server_of(settings.smtp_url),
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = error.recipients[0].code
        raise Undelivered(f"the server refused the recipient ({code})", is_permanent=code >= 500) from None
    except aiosmtplib.SMTPResponseException as error:
        raise Undelivered(f"the server refused the mail ({error.code})", is_permanent=error.code >= 500) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Undelivered(f"the server does not answer ({type(error).__name__})", is_permanent=False) from None


def build(message: Message, settings: Settings, *, now: datetime) -> EmailMessage:
    """Return a mail as it is sent: text and HTML side by side, no header but ours, nothing that loads or reports."""
    _, address = parseaddr(settings.mail_from)
    headers = {name: scrubbed(value) for name, value in message.headers.items()}
    built = EmailMessage(policy=default)
    built["From"] = Address(scrubbed(message.sender_name), addr_spec=address)
    built["To"] = Address(addr_spec=message.to)
    built["Subject"] = scrubbed(message.subject)
    built["Date"] = format_datetime(now)
    host = address.rpartition("@")[2]
    built["Message-ID"] = headers.pop("Message-ID", None) or f"<{secrets.token_hex(16)}@{host}>"
    built["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
    for name, value in headers.items():
        built[name] = value
    built.set_content(message.text, cte=_encoding(message.text))
    built.add_alternative(message.html, subtype="html", cte=_encoding(message.html))
    return built


def scrubbed(text: str) -> str:
    """Return text without what could end a header or turn it around."""
    return UNPRINTABLE.sub(" ", text).strip()


def _encoding(text: str) -> str:
    # What is plain stays readable, in the outbox, too: quoted-printable tears long addresses apart.
    is_plain = text.isascii() and all(len(line) <= LONGEST_LINE for line in text.splitlines())
    return "7bit" if is_plain else "quoted-printable"


def server_of(url: str) -> dict[str, Any]:
    """Return where and how to connect: `smtp[s]://[USER:PASSWORD@]HOST[:PORT]`."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "smtps"
    host = parts.hostname or "localhost"
    username = unquote(parts.username) if parts.username else None
    return {
        "hostname": host,
        "port": parts.port or (465 if is_tls else 587 if username else 25),
        "username": username,
        "password": unquote(parts.password) if parts.password else None,
        "use_tls": is_tls,
        # None: where it is offered. A password is never sent in the clear but to this machine.
        "start_tls": False if is_tls else True if username and not _is_loopback(host) else None,
    }


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _keep(mail: bytes, outbox: Path) -> None:
    outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
    unfinished = outbox / f".{name}"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(mail)
    unfinished.rename(outbox / f"{name}.eml")  # whoever looks for *.eml finds whole ones


def forget(address: str, settings: Settings) -> None:
    """Delete the mails to an address from the outbox."""
    for path in (settings.data / "outbox").glob("*.eml"):
        to = BytesParser(policy=default).parsebytes(path.read_bytes(), headersonly=True)["To"]
        if to is not None and address in {one.addr_spec for one in to.addresses}:
            path.unlink()
