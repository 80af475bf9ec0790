"""Mails as they leave: one multipart message, headers that hold, a real server or the outbox."""

from __future__ import annotations

import email
import stat
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path

import pytest
from postbox import Postbox, smtp_server
from service import settings_in

from app.mail.mail_templates import compose
from app.mail.mailer import MaybeDelivered, Refused, Server, Unreachable, forget, send, server_of
from app.mail.message import Built, Message, build
from app.words.wording import wording_of

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
MESSAGE = Message(
    to="ada@example.org",
    subject="Ink & paper – für alle",
    text="Open https://adjacent.test/sign-in/adj_l_" + "x" * 80 + "\n",
    html="<!doctype html><p>Größe 5</p>\n",
    sender="Adjacent sign-in <hello@adjacent.test>",
)


def test_mail_is_text_and_html_under_plain_headers() -> None:
    built = email.message_from_bytes(build(MESSAGE, now=NOW).content, policy=default)
    assert isinstance(built, EmailMessage)
    assert built.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in built.iter_parts()] == ["text/plain", "text/html"]
    text, html = (part.get_content().replace("\r\n", "\n") for part in built.iter_parts())
    assert (text, unescape(html)) == (MESSAGE.text, MESSAGE.html)
    assert html.isascii()  # and so it is not encoded
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


def test_what_strangers_wrote_ends_no_header() -> None:
    hostile = "An evening\r\nBcc: everybody@example.org\u2028X: 1\x00\u202eend"
    message = Message(
        to="ada@example.org",
        subject=hostile,
        text="",
        html="",
        sender=f'"{hostile}" <a@adjacent.test>',
        headers={"List-ID": hostile, "Message-ID": "<digest.2026-W48.1@adjacent.test>"},
    )
    built = email.message_from_bytes(build(message, now=NOW).content, policy=default)
    assert built["Bcc"] is None
    assert built["X"] is None
    assert built["Subject"] == "An evening Bcc: everybody@example.org X: 1 end"
    assert built["List-ID"] == built["Subject"]
    assert built.get_all("Message-ID") == ["<digest.2026-W48.1@adjacent.test>"]


def test_templates_escape_html_and_leave_text_alone() -> None:
    facts = {
        "link": "https://a.test/?a=1&b=<2>",
        "code": "012345",
        "lasts": "Both work once.",
        "base_url": "https://a.test",
    }
    text, html = compose("sign_in", wording_of("en"), subject="S", preview="P", width="narrow", **facts)
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
    await send(
        Message("bob@example.org", "To Bob, not ada@example.org", "", "", "Adjacent <a@adjacent.test>"), settings
    )
    forget("ada@example.org", settings)
    (left,) = (tmp_path / "outbox").iterdir()
    assert b"To: bob@example.org" in left.read_bytes()


async def test_server_gets_the_mail_and_the_address_for_bounces(tmp_path: Path) -> None:
    postbox = Postbox()
    async with smtp_server(postbox) as url:
        settings = settings_in(tmp_path, ADJACENT_SMTP_URL=url)
        await send(MESSAGE, settings)
        await send(
            Message("b@example.org", "S", "t", "h", "A <a@adjacent.test>", return_path="b+42@bounce.test"), settings
        )
    assert [(taken.return_path, taken.to) for taken in postbox.taken] == [
        ("hello@adjacent.test", "ada@example.org"),
        ("b+42@bounce.test", "b@example.org"),
    ]
    assert postbox.taken[0].mail["Subject"] == MESSAGE.subject
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize(
    ("at", "answer", "is_permanent", "is_recipient"),
    [
        ("recipient", "550 no such user ada@example.org", True, True),
        ("recipient", "554 5.7.1 ada@example.org is on a list", True, False),
        ("recipient", "452 too many recipients", False, False),
        ("data", "552 too large", True, False),
        ("data", "451 come back later, ada@example.org", False, False),
    ],
)
async def test_refusals_say_whose_fault_it_is_and_name_nobody(
    tmp_path: Path, at: str, answer: str, is_permanent: bool, is_recipient: bool
) -> None:
    async with smtp_server(Postbox(**{f"at_{at}": {"*": answer}})) as url:
        with pytest.raises(Refused) as caught:
            await send(MESSAGE, settings_in(tmp_path, ADJACENT_SMTP_URL=url))
    assert (caught.value.is_permanent, caught.value.is_recipient) == (is_permanent, is_recipient)
    assert "ada" not in str(caught.value)


async def test_a_connection_takes_many_mails_and_is_opened_again_when_the_server_ends_it() -> None:
    postbox = Postbox(mails_a_connection=2, at_recipient={"gone@example.org": "550 gone"})
    async with smtp_server(postbox) as url:
        server = Server(url)
        for name in ("a", "gone", "b", "c", "d", "e"):
            mail = Built("from@adjacent.test", f"{name}@example.org", b"Subject: S\r\n\r\nt\r\n")
            if name == "gone":
                with pytest.raises(Refused):
                    await server.carry(mail)
            else:
                await server.carry(mail)
        await server.close()
    assert [taken.to[0] for taken in postbox.taken] == ["a", "b", "c", "d", "e"]
    assert postbox.connections == 3


@pytest.mark.parametrize("answer", ["hang up", "hang up after"])
async def test_a_connection_lost_in_the_mail_leaves_open_whether_it_arrived(answer: str) -> None:
    async with smtp_server(Postbox(at_data={"*": answer})) as url:
        server = Server(url)
        with pytest.raises(MaybeDelivered):
            await server.carry(Built("from@adjacent.test", "a@example.org", b"Subject: S\r\n\r\nt\r\n"))


async def test_a_server_that_takes_too_long_leaves_it_open_too() -> None:
    async with smtp_server(Postbox(dawdles=0.3)) as url:
        server = Server(url, data_patience=0.05)
        with pytest.raises(MaybeDelivered):
            await server.carry(Built("from@adjacent.test", "a@example.org", b"Subject: S\r\n\r\nt\r\n"))


async def test_silent_server_is_not_final(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught:
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
