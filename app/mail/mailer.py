"""Mail handed to a server or written to the outbox.

What can go wrong is told apart by who is to blame and by whether the mail may have arrived all the same: that decides
who is asked again, and when (`app.mail.digest_sending`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.mail import outbox
from app.mail.dkim import Signer, load_signer
from app.mail.message import Built, Message, build
from app.settings import Settings

PATIENCE = 20.0  # seconds for each answer of the server
DATA_PATIENCE = 120.0  # seconds until it says that it took a mail: many look for viruses before they do
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
