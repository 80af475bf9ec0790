"""Mail: built as one multipart message, handed to a server or written to the outbox.

What can go wrong is told apart by who is to blame and by whether the mail may have arrived all the same: that decides
who is asked again, and when (`app.mail.digest_sending`).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from base64 import b64encode, encodebytes
from binascii import b2a_qp
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.mail import outbox
from app.mail.dkim import Signer, load_signer
from app.settings import Settings

PATIENCE = 20.0  # seconds for each answer of the server
DATA_PATIENCE = 120.0  # seconds until it says that it took a mail: many look for viruses before they do
LONGEST_LINE = 998  # RFC 5322 §2.1.1
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")  # controls, bidi overrides
BASE64 = 78 / 57  # bytes a byte: lines of 76 letters and their ends, for 57 each
LINE = 76  # characters of a header's line
ENCODED = 42  # bytes in an encoded word, which has at most 75 letters
CLOSING = 421  # RFC 5321 §4.2.3: the server ends the connection, often after so many mails
NO_SUCH_MAILBOX = frozenset({550, 551, 553})  # what servers say of recipients they do not have


class Undelivered(Exception):  # noqa: N818
    """A mail was not taken. The message holds no address."""

    is_permanent = False  # of no use to repeat


class Unreachable(Undelivered):
    """No server, or one that takes no mail of ours now: nothing was handed over, and the next mail fares no better."""


class Refused(Undelivered):
    """The server refuses this mail."""

    def __init__(self, message: str, *, is_permanent: bool, is_recipient: bool) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent
        self.is_recipient = is_recipient  # there is no such mailbox, for all the server knows


class MaybeDelivered(Undelivered):
    """The connection was lost after the mail was handed over and before the server said that it took it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one person. Header values may hold what strangers wrote: they are scrubbed."""

    to: str  # a plain address
    subject: str
    text: str
    html: str
    sender: str  # "Name <address>"
    headers: Mapping[str, str] = field(default_factory=dict)  # further ones, and Message-ID where it must be stable
    return_path: str | None = None  # where bounces go; the sender's address if None


@dataclass(frozen=True, slots=True)
class Built:
    """A mail as it is sent, and its envelope."""

    return_path: str
    to: str
    content: bytes  # CRLF lines


def build(message: Message, *, now: datetime, signer: Signer | None = None) -> Built:
    """Return a mail as it is sent: text and HTML side by side, no header but ours, nothing that loads or reports.

    Written by hand: EmailMessage takes ten times as long over the same bytes.
    """
    name, address = parseaddr(scrubbed(message.sender))
    headers = {
        "From": f"{_phrase(name)} <{address}>" if name else address,
        "To": scrubbed(message.to),
        "Subject": _words("Subject", scrubbed(message.subject)),
        "Date": format_datetime(now),
        "Message-ID": f"<{secrets.token_hex(16)}@{address.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's absence note answers it
    }
    headers |= {name: _words(name, scrubbed(value)) for name, value in message.headers.items()}
    boundary = f"=_{hashlib.sha256(headers['Message-ID'].encode()).hexdigest()[:24]}"  # "=_" is in no encoded body
    headers |= {"MIME-Version": "1.0", "Content-Type": f'multipart/alternative; boundary="{boundary}"'}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")
    parts = (_part("plain", message.text), _part("html", message.html))
    opening, closing = f"\r\n--{boundary}\r\n".encode(), f"\r\n--{boundary}--\r\n".encode()
    content = head + b"".join(opening + part for part in parts) + closing
    if signer is not None:
        content = signer.signed(content, at=now)
    return Built(message.return_path or address, message.to, content)


def scrubbed(text: str) -> str:
    """Return text without what could end a header or turn it around."""
    return UNPRINTABLE.sub(" ", text).strip()


def _words(name: str, text: str) -> str:
    """Return a header's value as it is written: ASCII, and long ones folded where a header may be."""
    if text.isascii():
        if len(name) + len(text) < LINE or "<" in text:  # addresses in angle brackets stay whole
            return text
        return Header(text, "us-ascii", header_name=name, maxlinelen=LINE).encode(linesep="\r\n")
    encoded, part = [], b""
    for letter in text:  # an encoded word ends between letters (RFC 2047 §5)
        raw = letter.encode("utf-8", "replace")
        if len(part) + len(raw) > ENCODED:
            encoded.append(part)
            part = b""
        part += raw
    return "\r\n ".join(f"=?utf-8?b?{b64encode(one).decode()}?=" for one in (*encoded, part))


def _phrase(name: str) -> str:
    if name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return name if re.fullmatch(r"[\w !#$%&'*+/=?^`{|}~-]+", name) else f'"{quoted}"'
    return _words("From", name)


def _part(kind: str, text: str) -> bytes:
    plain = text
    if kind == "html":  # letters beyond ASCII can be told in it: encoding whole mails took a third of building them
        plain = text.encode("ascii", "xmlcharrefreplace").decode()
    lines = plain.splitlines()
    # What is plain stays readable, in the outbox, too: quoted-printable tears long addresses apart.
    if plain.isascii() and max(map(len, lines), default=0) <= LONGEST_LINE:
        encoding, encoded = "7bit", "\r\n".join((*lines, "")).encode()
    else:
        raw = "\r\n".join((*text.splitlines(), "")).encode("utf-8", "replace")
        encoding, encoded = "quoted-printable", b2a_qp(raw, istext=True)
        if len(encoded) > BASE64 * len(raw):  # Arabic or Chinese takes three letters a byte there
            encoding, encoded = "base64", encodebytes(raw).replace(b"\n", b"\r\n")
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + encoded


class Carrier(Protocol):
    """Takes mails somewhere, one after another."""

    async def carry(self, mail: Built) -> None:
        """Deliver one mail; raises Undelivered, and is of further use after it."""


@asynccontextmanager
async def carrier(settings: Settings) -> AsyncIterator[Carrier]:
    """Open the way of mails: one connection to the server of ADJACENT_SMTP_URL, or the outbox where none is set."""
    if settings.smtp_url is None:
        yield Outbox(settings.data / "outbox")
        return
    server = Server(settings.smtp_url)
    try:
        yield server
    finally:
        await server.close()


async def send(message: Message, settings: Settings) -> None:
    """Deliver one mail at once; raises Undelivered."""
    built = build(message, now=datetime.now(UTC), signer=signer_of(settings))
    async with carrier(settings) as way:
        await way.carry(built)


def signer_of(settings: Settings) -> Signer | None:
    """Return what signs mails; None where ADJACENT_DKIM_KEY is not set, since mail servers often sign themselves."""
    if settings.dkim_key is None:
        return None
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    return _signer(settings.dkim_key, settings.dkim_selector, domain)


@cache
def _signer(pem: Path, selector: str, domain: str) -> Signer:
    return load_signer(pem, selector=selector, domain=domain)


@dataclass(frozen=True, slots=True)
class Outbox:
    folder: Path

    async def carry(self, mail: Built) -> None:
        await asyncio.to_thread(outbox.keep, mail.content, self.folder)


class Server:
    """One connection for many mails, opened when the first of them is there and again when the server ends it."""

    def __init__(self, url: str, *, patience: float = PATIENCE, data_patience: float = DATA_PATIENCE) -> None:
        self._client = aiosmtplib.SMTP(timeout=patience, **server_of(url))
        self._data_patience = data_patience

    async def carry(self, mail: Built) -> None:
        await self._announce(mail)
        try:
            await self._client.data(mail.content, timeout=self._data_patience)
        except aiosmtplib.SMTPDataError as error:
            await self._start_over(error.code)
            # Refused for what it is or for the moment, not for whom it is to.
            raise Refused(
                f"the server refused the mail ({error.code})", is_permanent=error.code >= 500, is_recipient=False
            ) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise MaybeDelivered(f"the connection was lost in the mail ({type(error).__name__})") from None

    async def _announce(self, mail: Built) -> None:
        """Say from whom and to whom; a connection that has ended since the last mail is opened again, once."""
        was_open = self._client.is_connected
        try:
            await self._envelope(mail)
        except Unreachable:
            if not was_open:
                raise
            await self._envelope(mail)

    async def _envelope(self, mail: Built) -> None:
        try:
            if not self._client.is_connected:
                await self._client.connect()
            await self._client.mail(mail.return_path)
            await self._client.rcpt(mail.to)
        except aiosmtplib.SMTPRecipientRefused as error:
            await self._start_over(error.code)
            if error.code == CLOSING:
                raise Unreachable("the server ends the connection (421)") from None
            raise Refused(
                f"the server refused the recipient ({error.code})",
                is_permanent=error.code >= 500,
                is_recipient=error.code in NO_SUCH_MAILBOX,
            ) from None
        except aiosmtplib.SMTPResponseException as error:
            self._client.close()
            raise Unreachable(f"the server takes no mail of ours ({error.code})") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            self._client.close()
            raise Unreachable(f"the server does not answer ({type(error).__name__})") from None

    async def _start_over(self, code: int) -> None:
        """Forget the envelope, or the connection where the server has had enough of it."""
        try:
            if code != CLOSING:
                await self._client.rset()
                return
        except (aiosmtplib.SMTPException, OSError):
            pass
        self._client.close()

    async def close(self) -> None:
        try:
            if self._client.is_connected:
                await self._client.quit()
        except (aiosmtplib.SMTPException, OSError):  # it has taken all it was given already
            pass
        self._client.close()


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


def forget(address: str, settings: Settings) -> None:
    """Delete the mails to an address from the outbox."""
    outbox.forget(address, settings.data / "outbox")
