"""Sending: once a person and week whatever happens, to those who want it, through servers that misbehave."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from postbox import Postbox, smtp_server
from readers import TUESDAY, add_reader, event, pick, show
from service import NOW, settings_in
from sqlmodel import col, select

from app.db import Database
from app.mail import digest, letter
from app.mail.digest_sending import send_all, send_due
from app.models import Digest, Person, ShownPick, Subscription
from app.settings import Settings

pytest_plugins = ("databases",)

LATER = timedelta(minutes=6)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, ADJACENT_MAIL_RATE="10000")


def through(url: str, tmp_path: Path, **changes: str) -> Settings:
    return settings_in(tmp_path, ADJACENT_MAIL_RATE="10000", ADJACENT_SMTP_URL=url, **changes)


async def add_readers(database: Database, *names: str, **fields: Any) -> None:
    async with database.writing() as session:
        evening = event(2)
        for name in names:
            await add_reader(session, name, slate=[(evening, pick())], **fields)


async def states(database: Database) -> dict[str, str]:
    async with database.reading() as session:
        rows = await session.exec(
            select(Person.email, Digest.week, Digest.state)
            .join(Digest, col(Digest.person_id) == Person.id)
            .order_by(col(Digest.week), col(Person.email))
        )
        return {f"{(email or '').split('@')[0]} {week}": state for email, week, state in rows}


async def send(database: Database, settings: Settings, clock: datetime = NOW) -> dict[str, int]:
    return dict(await send_due(database, settings, now=clock, clock=clock))


async def test_a_mail_is_due_at_its_hour_and_goes_out_once_a_week(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada")
    assert await send(database, settings, TUESDAY - timedelta(seconds=1)) == {}
    assert await send(database, settings, TUESDAY) == {"sent": 1}
    assert await send(database, settings, TUESDAY + timedelta(days=5)) == {}
    async with database.reading() as session:
        (wish,) = await session.exec(select(Subscription))
        (mailed,) = await session.exec(select(Digest))
    assert wish.next_at == TUESDAY + timedelta(days=7)
    assert (mailed.week, mailed.state, mailed.event_ids) == ("2026-W49", "sent", [1])
    assert mailed.message_id is not None
    assert mailed.message_id.startswith("<digest.2026-W49.")
    assert len(list((settings.data / "outbox").glob("*.eml"))) == 1


@pytest.mark.parametrize(
    "wish",
    [
        {"confirmed_at": None},
        {"rhythm": "off"},
        {"ended_at": NOW, "end_reason": "unsubscribed"},
        {"next_at": None},
    ],
)
async def test_nobody_is_mailed_who_does_not_want_it_or_did_not_confirm(
    database: Database, settings: Settings, wish: dict[str, Any]
) -> None:
    await add_readers(database, "ada")
    async with database.writing() as session:
        (row,) = await session.exec(select(Subscription))
        for name, value in wish.items():
            setattr(row, name, value)
    assert await send(database, settings) == {}
    assert await states(database) == {}


async def test_whoever_leaves_after_being_enrolled_gets_none(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada")
    async with database.writing() as session:
        await digest.enrol(session, clock=NOW, limit=10)
        (wish,) = await session.exec(select(Subscription))
        wish.ended_at = NOW
    assert await send(database, settings) == {}
    assert await states(database) == {}


async def test_whoever_leaves_while_the_mail_is_written_gets_none(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada")
    async with database.writing() as session:
        await digest.enrol(session, clock=NOW, limit=10)
        (claim,) = await digest.claim(session, clock=NOW, limit=10)
        (wish,) = await session.exec(select(Subscription))
        wish.ended_at = NOW
        await session.flush()
        assert not await digest.begin(session, claim, message_id="<1@adjacent.test>", event_ids=[], asked_event_id=None)


async def test_a_move_moves_the_hour(database: Database, settings: Settings) -> None:
    await add_readers(database, "east", "west")
    async with database.writing() as session:
        for person in await session.exec(select(Person)):
            person.zone = {"east": "Asia/Tokyo", "west": "America/New_York"}[(person.email or "").split("@")[0]]
    # Eight o'clock in Tokyo is past, and still this week's; in New York it is yet to come.
    assert await send(database, settings, TUESDAY) == {"sent": 1}
    assert await states(database) == {"east 2026-W49": "sent"}
    assert await send(database, settings, TUESDAY + timedelta(hours=5)) == {"sent": 1}


async def test_a_service_that_was_down_for_days_starts_again_next_week(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada")
    back = TUESDAY + timedelta(days=3, hours=1)
    assert await send(database, settings, back) == {}
    async with database.reading() as session:
        (wish,) = await session.exec(select(Subscription))
    assert wish.next_at == TUESDAY + timedelta(days=7)


async def test_no_mail_goes_out_without_a_pick_and_the_next_one_says_so(database: Database, tmp_path: Path) -> None:
    async with database.writing() as session:
        person = await add_reader(session, rhythm="monthly")
    postbox = Postbox()
    async with smtp_server(postbox) as url:
        settings = through(url, tmp_path)
        assert await send(database, settings, TUESDAY) == {"skipped": 1}
        next_week = TUESDAY + timedelta(days=7)
        async with database.writing() as session:
            await show(session, person, [(event(9), pick())], now=next_week)
        # Whoever hears once a month is not left waiting for another one.
        assert await send(database, settings, next_week) == {"sent": 1}
    assert await states(database) == {"ada 2026-W49": "skipped", "ada 2026-W50": "sent"}
    assert "No mail came on Tue 1 Dec: nothing then was worth an evening" in " ".join(
        postbox.taken[0].part("plain").split()
    )


async def test_only_when_it_is_really_worth_it(database: Database, settings: Settings) -> None:
    async with database.writing() as session:
        await add_reader(session, "ada", slate=[(event(2), pick(score=0.2))], rhythm="worthwhile")
        await add_reader(session, "bea", slate=[(event(3), pick(score=0.9))], rhythm="worthwhile")
    assert await send(database, settings) == {"skipped": 1, "sent": 1}
    assert await states(database) == {"ada 2026-W49": "skipped", "bea 2026-W49": "sent"}


async def test_one_bad_recipient_stops_nobody_and_is_not_written_to_again(database: Database, tmp_path: Path) -> None:
    await add_readers(database, "ada", "bad", "cay")
    postbox = Postbox(at_recipient={"bad@example.org": "550 5.1.1 no such user"})
    async with smtp_server(postbox) as url:
        assert await send(database, through(url, tmp_path)) == {"sent": 2, "bounced": 1}
    assert [taken.to for taken in postbox.taken] == ["ada@example.org", "cay@example.org"]
    assert postbox.connections == 1
    async with database.reading() as session:
        rows = await session.exec(select(Subscription).where(col(Subscription.ended_at).is_not(None)))
        (ended,) = rows
    assert (ended.end_reason, ended.confirmed_at, ended.next_at) == ("bounced", None, None)


async def test_what_cannot_be_written_for_one_is_written_for_the_others(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada", "bad", "cay")
    async with database.writing() as session:
        (broken,) = await session.exec(select(Person).where(Person.email == "bad@example.org"))
        broken.email = "bäd@example.org"  # by hand, past every check
    assert await send(database, settings) == {"sent": 2, "later": 1}


async def test_what_is_not_known_of_one_is_known_of_the_others(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada", "bad", "cay")
    async with database.writing() as session:
        (broken,) = await session.exec(
            select(ShownPick)
            .join(Person, col(Person.id) == ShownPick.person_id)
            .where(Person.email == "bad@example.org")
        )
        broken.pick = {"reason": "of another age"}
    assert await send(database, settings) == {"sent": 2, "later": 1}
    async with database.writing() as session:
        (broken,) = await session.exec(
            select(ShownPick)
            .join(Person, col(Person.id) == ShownPick.person_id)
            .where(Person.email == "bad@example.org")
        )
        broken.pick = pick()
    assert await send(database, settings, NOW + LATER) == {"sent": 1}


async def test_refusals_for_the_moment_are_tried_again_and_given_up_in_the_end(
    database: Database, tmp_path: Path
) -> None:
    await add_readers(database, "ada")
    postbox = Postbox(at_recipient={"*": "452 mailbox busy"})
    clock, waits = NOW, []
    async with smtp_server(postbox) as url:
        settings = through(url, tmp_path)
        for wait in (*digest.RETRIES, None):
            assert await send(database, settings, clock) == ({"later": 1})
            if wait is None:
                break
            assert await send(database, settings, clock + wait - timedelta(seconds=1)) == {}
            clock += wait
            waits.append(wait)
    assert await states(database) == {"ada 2026-W49": "failed"}
    assert sum(waits, timedelta()) < digest.LATEST


async def test_a_mail_refused_for_good_is_not_tried_again_but_the_next_one_is(
    database: Database, tmp_path: Path
) -> None:
    await add_readers(database, "ada")
    async with smtp_server(Postbox(at_data={"*": "554 5.7.1 looks like spam"})) as url:
        assert await send(database, through(url, tmp_path)) == {"failed": 1}
        assert await send(database, through(url, tmp_path), NOW + timedelta(days=1)) == {}
    async with database.reading() as session:
        (wish,) = await session.exec(select(Subscription))
    assert (wish.ended_at, wish.next_at) == (None, TUESDAY + timedelta(days=7))


async def test_without_a_server_all_wait_and_none_counts_as_tried(database: Database, tmp_path: Path) -> None:
    await add_readers(database, "ada", "bea")
    assert await send(database, through("smtp://127.0.0.1:1", tmp_path)) == {"waiting": 2}
    async with database.reading() as session:
        waiting = list(await session.exec(select(Digest)))
    assert {(one.state, one.attempts, one.error) for one in waiting} == {
        ("due", 0, "the server does not answer (SMTPConnectError)")
    }
    postbox = Postbox()
    async with smtp_server(postbox) as url:
        assert await send(database, through(url, tmp_path), NOW + LATER) == {"sent": 2}


async def test_a_server_that_stays_away_for_days_costs_the_week(database: Database, tmp_path: Path) -> None:
    await add_readers(database, "ada")
    settings = through("smtp://127.0.0.1:1", tmp_path)
    for hours in (0, 24, 48):
        assert await send(database, settings, NOW + timedelta(hours=hours)) == {"waiting": 1}
    assert await send(database, settings, NOW + timedelta(hours=73)) == {}
    assert await states(database) == {"ada 2026-W49": "failed"}


@pytest.mark.parametrize("how", ["hang up", "hang up after"])
async def test_a_connection_lost_in_the_mail_is_unknown_and_only_a_person_sends_it_again(
    database: Database, tmp_path: Path, how: str
) -> None:
    await add_readers(database, "ada", "bea")
    lossy, good = Postbox(at_data={"ada@example.org": how}), Postbox()
    async with smtp_server(lossy) as url:
        assert await send(database, through(url, tmp_path)) == {"unknown": 1, "sent": 1}
        assert await send(database, through(url, tmp_path), NOW + timedelta(hours=2)) == {}
    async with smtp_server(good) as url, database.writing() as session:
        assert await digest.resend_unknown(session, clock=NOW + LATER) == 1
    async with smtp_server(good) as url:
        assert await send(database, through(url, tmp_path), NOW + LATER) == {"sent": 1}
    assert [taken.to for taken in good.taken] == ["ada@example.org"]
    if how == "hang up after":  # it had arrived: who gets it twice can tell
        assert good.taken[0].mail["Message-ID"] == lossy.taken[0].mail["Message-ID"]


async def test_what_a_dead_process_left_in_sending_is_unknown(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada")
    async with database.writing() as session:
        await digest.enrol(session, clock=NOW, limit=10)
        (claim,) = await digest.claim(session, clock=NOW, limit=10)
        assert await digest.begin(session, claim, message_id="<1@adjacent.test>", event_ids=[1], asked_event_id=None)
    assert await send(database, settings, NOW + digest.LEASE - timedelta(seconds=1)) == {}
    assert await send(database, settings, NOW + digest.LEASE) == {"unknown": 1}
    assert await states(database) == {"ada 2026-W49": "unknown"}


async def test_what_a_dead_process_only_claimed_is_sent_by_another(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada")
    async with database.writing() as session:
        await digest.enrol(session, clock=NOW, limit=10)
        (late,) = await digest.claim(session, clock=NOW, limit=10)
    assert await send(database, settings, NOW + timedelta(minutes=59)) == {}
    assert await send(database, settings, NOW + digest.LEASE) == {"sent": 1}
    async with database.writing() as session:  # should it live after all, it finds that the mail is no longer its own
        assert not await digest.begin(session, late, message_id="<1@adjacent.test>", event_ids=[1], asked_event_id=None)


async def test_many_processes_at_once_send_each_mail_once(database: Database, tmp_path: Path) -> None:
    names = [f"reader{number}" for number in range(30)]
    await add_readers(database, *names)
    postbox = Postbox()
    others = [Database(database.url) for _ in range(3)]
    async with smtp_server(postbox) as url:
        settings = through(url, tmp_path)
        ended = await asyncio.gather(*(send_due(one, settings, now=NOW, clock=NOW) for one in (database, *others)))
    for one in others:
        await one.close()
    assert sum(counts["sent"] for counts in ended) == 30
    assert sorted(taken.to for taken in postbox.taken) == sorted(f"{name}@example.org" for name in names)


async def test_a_call_sends_a_bounded_number_and_the_next_one_the_rest(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_readers(database, *(f"reader{number}" for number in range(7)))
    monkeypatch.setattr("app.mail.digest_sending.BATCH", 2)
    monkeypatch.setattr("app.mail.digest_sending.MOST", 4)
    assert [await send(database, settings) for _ in range(3)] == [{"sent": 4}, {"sent": 3}, {}]


async def test_mails_of_a_week_go_to_all_who_have_none_of_it(database: Database, settings: Settings) -> None:
    await add_readers(database, "ada", "bea")
    async with database.writing() as session:
        (wish, _) = await session.exec(select(Subscription).order_by(col(Subscription.person_id)))
        wish.next_at = TUESDAY + timedelta(days=7)
    assert await send(database, settings) == {"sent": 1}
    async with database.writing() as session:
        assert await digest.enrol_week(session, "2026-W49", clock=NOW) == 1
    assert dict(await send_all(database, settings, now=NOW, clock=NOW)) == {"sent": 1}
    assert await states(database) == {"ada 2026-W49": "sent", "bea 2026-W49": "sent"}


def test_no_longer_subject_than_phones_show() -> None:
    assert len(letter.one_line("word " * 40, letter.LONGEST_SUBJECT)) <= letter.LONGEST_SUBJECT
