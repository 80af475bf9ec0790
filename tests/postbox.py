"""A real mail server in the test's own loop: keeps what it takes, and refuses, dawdles or hangs up as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Taken:
    return_path: str
    to: str
    content: bytes

    @property
    def mail(self) -> EmailMessage:
        mail = BytesParser(policy=default).parsebytes(self.content)
        assert isinstance(mail, EmailMessage)
        return mail

    def part(self, subtype: str) -> str:
        part = self.mail.get_body((subtype,))
        assert part is not None
        return str(part.get_content())


@dataclass
class Postbox:
    at_recipient: Mapping[str, str] = field(default_factory=dict)  # address → answer; "*" for the others
    at_data: Mapping[str, str] = field(default_factory=dict)  # "hang up" and "hang up after" are no answers
    dawdles: float = 0.0  # seconds before each mail is taken
    mails_a_connection: int = 1000
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def holds(self, number: int) -> None:
        """Wait until this many mails have been taken."""
        while len(self.taken) < number:
            self.arrived.clear()
            await self.arrived.wait()

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        session.taken = 0  # type: ignore[attr-defined]
        return responses

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if session.taken >= self.mails_a_connection:
            return "421 enough for one connection"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusal = self.at_recipient.get(address) or self.at_recipient.get("*")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        to = envelope.rcpt_tos[0]
        answer = self.at_data.get(to) or self.at_data.get("*") or "250 taken"
        if self.dawdles:
            await asyncio.sleep(self.dawdles)
        if answer.startswith("250") or answer == "hang up after":
            assert isinstance(envelope.content, bytes)
            self.taken.append(Taken(envelope.mail_from or "", to, envelope.content))
            session.taken += 1
            self.arrived.set()
        if answer.startswith("hang up"):
            assert server.transport is not None
            server.transport.abort()
        return answer if not answer.startswith("hang up") else "250 taken"


@asynccontextmanager
async def smtp_server(postbox: Postbox) -> AsyncIterator[str]:
    """Serve a postbox and yield the ADJACENT_SMTP_URL that reaches it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, hostname="mail.test", loop=loop), "127.0.0.1", 0)
    async with server:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
