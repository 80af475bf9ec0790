"""Mails as they leave: one multipart message, headers that hold, a real server or the outbox."""

from __future__ import annotations

import email
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from service import settings_in

from app.mailer import Message, Undelivered, build, compose, forget, send, server_of

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MESSAGE = Message(
    to="ada@example.org",
    subject="Ink & paper – für alle",
    text="Open https://adjacent.test/sign-in/adj_l_" + "x" * 80 + "\n",
    html="<!doctype html><p>Größe 5</p>\n",
    sender_name="Adjacent sign-in",
)


def test_mail_is_text_and_html_under_plain_headers(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ADJACENT_MAIL_FROM="Adjacent <hello@adjacent.test>")
    built = email.message_from_bytes(build(MESSAGE, settings, now=NOW).as_bytes(), policy=default)
    assert isinstance(built, EmailMessage)
    assert built.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in built.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content() for part in built.iter_parts())
    assert (text, html) == (MESSAGE.text, MESSAGE.html)
    assert (built["From"], built["To"], built["Subject"]) == (
        "Adjacent sign-in <hello@adjacent.test>",
        "ada@example.org",
        "Ink & paper – für alle",
    )
    assert (built["Auto-Submitted"], built["Date"]) == ("auto-generated", "Tue, 01 Dec 2026 12:00:00 +0000")
    assert built["Message-ID"].endswith("@adjacent.test>")
    assert set(built.keys()) == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }


def test_what_strangers_wrote_ends_no_header(tmp_path: Path) -> None:
    hostile = "An evening\r\nBcc: everybody@example.org\u2028X: 1\x00\u202eend"
    message = Message(
        to="ada@example.org",
        subject=hostile,
        text="",
        html="",
        sender_name=hostile,
        headers={"List-ID": hostile, "Message-ID": "<digest.2026-W48.1@adjacent.test>"},
    )
    built = email.message_from_bytes(build(message, settings_in(tmp_path), now=NOW).as_bytes(), policy=default)
    assert built["Bcc"] is None
    assert built["X"] is None
    assert built["Subject"] == "An evening Bcc: everybody@example.org X: 1 end"
    assert built["List-ID"] == built["Subject"]
    assert built.get_all("Message-ID") == ["<digest.2026-W48.1@adjacent.test>"]


def test_templates_escape_html_and_leave_text_alone() -> None:
    facts = {"link": "https://a.test/?a=1&b=<2>", "code": "012345", "minutes": 15, "base_url": "https://a.test"}
    text, html = compose("sign_in", **facts)
    assert "https://a.test/?a=1&b=<2>" in text
    assert 'href="https://a.test/?a=1&amp;b=&lt;2&gt;"' in html
    assert ("012345" in text, "012345" in html) == (True, True)
    assert "http" not in html.replace("https://a.test/", "")  # nothing is loaded, nothing reports


async def test_without_a_server_mails_stand_in_the_outbox_for_their_owner_only(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    await send(MESSAGE, settings)
    await send(MESSAGE, settings)
    first, _ = sorted((tmp_path / "outbox").iterdir())
    assert first.suffix == ".eml"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
    assert MESSAGE.text.strip().encode() in first.read_bytes()  # an address to click stays in one piece


async def test_outbox_forgets_an_address_and_keeps_the_others(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    await send(MESSAGE, settings)
    await send(Message("bob@example.org", "To Bob, not ada@example.org", "", "", "Adjacent"), settings)
    forget("ada@example.org", settings)
    (left,) = (tmp_path / "outbox").iterdir()
    assert b"To: bob@example.org" in left.read_bytes()


class Postbox:
    def __init__(self, refusal: str | None) -> None:
        self.refusal = refusal
        self.taken: list[tuple[str, list[str], bytes]] = []

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refusal is not None:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope.mail_from or "", envelope.rcpt_tos, envelope.content))
        return "250 taken"


@asynccontextmanager
async def smtp_server(refusal: str | None = None) -> AsyncIterator[tuple[Postbox, str]]:
    import asyncio

    postbox = Postbox(refusal)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postbox, hostname="mail.test", loop=loop), "127.0.0.1", 0)
    async with server:
        yield postbox, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_server_gets_the_mail_and_the_address_for_bounces(tmp_path: Path) -> None:
    async with smtp_server() as (postbox, url):
        await send(MESSAGE, settings_in(tmp_path, ADJACENT_SMTP_URL=url, ADJACENT_MAIL_FROM="A <a@adjacent.test>"))
        bounced = Message("b@example.org", "S", "t", "h", "A", return_path="b+42@bounce.test")
        await send(bounced, settings_in(tmp_path, ADJACENT_SMTP_URL=url))
    assert [(sender, to) for sender, to, _ in postbox.taken] == [
        ("a@adjacent.test", ["ada@example.org"]),
        ("b+42@bounce.test", ["b@example.org"]),
    ]
    arrived = email.message_from_bytes(postbox.taken[0][2], policy=default)
    assert arrived["Subject"] == MESSAGE.subject
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize(
    ("refusal", "is_permanent"), [("550 no such user ada@example.org", True), ("452 too many recipients", False)]
)
async def test_refusals_say_whether_to_try_again_and_name_nobody(
    tmp_path: Path, refusal: str, is_permanent: bool
) -> None:
    async with smtp_server(refusal) as (_, url):
        with pytest.raises(Undelivered) as caught:
            await send(MESSAGE, settings_in(tmp_path, ADJACENT_SMTP_URL=url))
    assert caught.value.is_permanent == is_permanent
    assert "ada" not in str(caught.value)


async def test_silent_server_is_not_final(tmp_path: Path) -> None:
    with pytest.raises(Undelivered) as caught:
        await send(MESSAGE, settings_in(tmp_path, ADJACENT_SMTP_URL="smtp://127.0.0.1:1"))
    assert not caught.value.is_permanent


def test_port_follows_from_scheme_and_password() -> None:
    addresses = ("smtp://mail.example", "smtp://ada:secret@mail.example", "smtps://mail.example", "smtp://[::1]:2525")
    assert [(server["hostname"], server["port"], server["start_tls"]) for server in map(server_of, addresses)] == [
        ("mail.example", 25, None),
        ("mail.example", 587, True),
        ("mail.example", 465, False),
        ("::1", 2525, None),
    ]
