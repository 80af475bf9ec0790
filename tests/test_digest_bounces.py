"""What comes back: undeliverable mails and complaints stop the mail after a rule, and made-up ones stop nobody's."""

from __future__ import annotations

import mailbox
from datetime import timedelta
from pathlib import Path

import pytest
from readers import add_reader
from service import NOW
from sqlmodel import select

from app.db import Database
from app.mail.bounces import Report, mails_in, note, note_each, read_report
from app.mail.digest_sending import links_of
from app.mail.mail_links import Links
from app.models import Digest, Person, Subscription

pytest_plugins = ("databases",)

MARK = Links("https://adjacent.test", b"secret").mark("ada" + "x" * 13, "2026-W49")


def returned(status: str = "5.1.1", *, action: str = "failed", week: str = "2026-W49", mark: str = MARK) -> bytes:
    """Return what a mail server sends when it cannot deliver (RFC 3464 §6)."""
    return f"""From: MAILER-DAEMON@mx.example.org
To: bounces@adjacent.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you …

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Arrival-Date: Tue, 1 Dec 2026 08:00:03 +0000

Final-Recipient: rfc822; ada@example.org
Action: {action}
Status: {status} (no such user)
Diagnostic-Code: smtp; 550 {status} no such user

--b
Content-Type: text/rfc822-headers

From: Adjacent <weekly@adjacent.test>
Message-ID: <digest.{week}.{mark}@adjacent.test>
Subject: Evening 2

--b--
""".replace("\n", "\r\n").encode()


COMPLAINT = f"""From: feedback@provider.example
To: abuse@adjacent.test
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1.0
Version: 1
Original-Mail-From: <bounces+{MARK}@adjacent.test>

--b
Content-Type: message/rfc822

From: Adjacent <weekly@adjacent.test>
Subject: Evening 2

--b--
""".encode()

# In prose, as Exim and qmail write.
EXIM = f"""From: Mail Delivery System <Mailer-Daemon@mx.example.org>
Auto-Submitted: auto-replied
X-Failed-Recipients: ada@example.org
Subject: Mail delivery failed

  ada@example.org
    SMTP error from 192.0.2.1: 550 5.1.1 unknown user

Message-ID: <digest.2026-W49.{MARK}@adjacent.test>
""".encode()
QMAIL = f"""From: MAILER-DAEMON@mx.example.org
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.

<ada@example.org>:
This mailbox is full. (#4.2.2)

Message-ID: <digest.2026-W49.{MARK}@adjacent.test>
""".encode()
ABSENT = b"From: ada@example.org\r\nAuto-Submitted: auto-replied\r\nSubject: On holiday\r\n\r\nBack in May.\r\n"


@pytest.mark.parametrize(
    ("raw", "report"),
    [
        (returned(), Report("final", (MARK,), "5.1.1")),
        (returned("5.2.2"), Report("for-now", (MARK,), "5.2.2")),  # a mailbox that is full
        (returned("5.7.1"), Report("for-now", (MARK,), "5.7.1")),  # a policy
        (returned("4.4.7"), Report("for-now", (MARK,), "4.4.7")),  # given up after days
        (returned(action="delayed"), None),
        (returned(action="relayed"), None),
        (COMPLAINT, Report("complaint", (MARK,), "abuse")),
        (COMPLAINT.replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam"), None),
        (returned("5.1.10"), Report("final", (MARK,), "5.1.10")),  # Exchange: no such recipient
        (  # an address beyond ASCII (RFC 6533)
            returned().replace(b"message/delivery-status", b"message/global-delivery-status"),
            Report("final", (MARK,), "5.1.1"),
        ),
        (EXIM, Report("final", (MARK,), "5.1.1")),
        (EXIM.replace(b"550 5.1.1 ", b""), Report("final", (MARK,), "5.0.0")),
        (EXIM.replace(b"X-Failed-Recipients: ada@example.org\n", b""), None),  # a warning that it takes longer
        (QMAIL, Report("for-now", (MARK,), "4.2.2")),
        (ABSENT, None),
        (b"", None),
        (b"\xff\xfe\x00", None),
        (b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n", Report("final", (), "5.0.0")),
    ],
)
def test_reports_are_told_from_everything_else(raw: bytes, report: Report | None) -> None:
    assert read_report(raw) == report


async def a_reader(database: Database, *weeks: str) -> None:
    async with database.writing() as session:
        await add_reader(session, "ada")
        links = Links("https://adjacent.test", b"secret")
        for week in weeks:
            mark = links.mark("ada" + "x" * 13, week)
            message_id = f"<digest.{week}.{mark}@adjacent.test>"
            session.add(Digest(person_id=1, week=week, state="sent", changed_at=NOW, message_id=message_id))


async def the_wish(database: Database) -> Subscription:
    async with database.reading() as session:
        return (await session.exec(select(Subscription))).one()


async def test_a_mailbox_that_is_not_there_ends_the_mail_at_once(database: Database) -> None:
    await a_reader(database, "2026-W49")
    async with database.writing() as session:
        counts = await note_each(session, [returned(), ABSENT, returned()], clock=NOW)
    assert dict(counts) == {"ended": 1, "no report": 1, "known": 1}
    wish = await the_wish(database)
    assert (wish.end_reason, wish.confirmed_at, wish.next_at, wish.bounces) == ("bounced", None, None, 1)


async def test_trouble_for_now_ends_it_after_three_mails_in_a_row(database: Database) -> None:
    weeks = ("2026-W46", "2026-W47", "2026-W48", "2026-W49")
    await a_reader(database, *weeks)
    links = Links("https://adjacent.test", b"secret")
    said = []
    for week in (weeks[0], *weeks[2:]):  # the second mail arrived
        async with database.writing() as session:
            report = read_report(returned("5.2.2", week=week, mark=links.mark("ada" + "x" * 13, week)))
            assert report is not None
            said.append((await note(session, report, clock=NOW), (await session.get_one(Subscription, 1)).bounces))
    assert said == [("counted", 0), ("counted", 0), ("counted", 2)]
    async with database.writing() as session:
        mark = links.mark("ada" + "x" * 13, "2026-W50")
        session.add(
            Digest(person_id=1, week="2026-W50", state="sent", changed_at=NOW, message_id=f"<digest.2026-W50.{mark}@a>")
        )
    async with database.writing() as session:
        report = read_report(returned("4.4.7", week="2026-W50", mark=mark))
        assert report is not None
        assert await note(session, report, clock=NOW) == "ended"
    assert (await the_wish(database)).end_reason == "bounced"


async def test_a_complaint_ends_it_and_asking_again_needs_a_new_confirmation(database: Database) -> None:
    await a_reader(database, "2026-W49")
    async with database.writing() as session:
        assert dict(await note_each(session, [COMPLAINT, COMPLAINT], clock=NOW)) == {"complained": 2}
    wish = await the_wish(database)
    assert (wish.end_reason, wish.confirmed_at) == ("complained", None)
    from app.mail import subscription

    async with database.writing() as session:
        person = await session.get_one(Person, 1)
        asked = await subscription.ask(session, person, {"rhythm": "weekly"}, clock=NOW)
        assert (asked.next_at, subscription.state_of(asked, person, clock=NOW)) == (None, "unconfirmed")
        confirmed = await subscription.confirm(session, person, clock=NOW)
        assert confirmed.next_at is not None
        assert confirmed.next_at - NOW < timedelta(days=7)


async def test_a_made_up_report_ends_nobodys_mail(database: Database) -> None:
    await a_reader(database, "2026-W49")
    async with database.writing() as session:
        assert dict(await note_each(session, [returned(mark="a" * 20), returned(mark="%" * 20)], clock=NOW)) == {
            "unknown": 2
        }
    assert (await the_wish(database)).ended_at is None


def test_mails_are_read_from_a_maildir_an_mbox_and_a_file(tmp_path: Path) -> None:
    maildir = mailbox.Maildir(tmp_path / "maildir")
    maildir.add(returned())
    box = mailbox.mbox(tmp_path / "mbox")
    box.add(returned())
    box.add(COMPLAINT)
    box.close()
    (tmp_path / "one.eml").write_bytes(returned())
    kinds = [
        [report.kind for raw in mails_in(tmp_path / name) if (report := read_report(raw))]
        for name in ("maildir", "mbox", "one.eml")
    ]
    assert kinds == [["final"], ["final", "complaint"], ["final"]]


def test_marks_are_made_by_the_instance(tmp_path: Path) -> None:
    from service import settings_in

    links = links_of(settings_in(tmp_path))
    assert links.mark("a" * 16, "2026-W49") == links_of(settings_in(tmp_path)).mark("a" * 16, "2026-W49")
    assert links.mark("a" * 16, "2026-W49") != links.mark("b" * 16, "2026-W49")
