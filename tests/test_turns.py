"""Whoever writes events takes turns before touching a row of theirs, so that no two wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from service import BASE_URL, NOW, draft
from sqlalchemy import text, update
from sqlmodel import col, select

from app.calendars import renderings
from app.collecting import frontier
from app.community import activity
from app.db import Database
from app.events import about, by_hand, ingest, turns
from app.events.changes import Changes
from app.models import Community, Event, EventVersion, Feedback
from app.people import people

pytest_plugins = ("databases",)


async def three_events(database: Database) -> None:
    async with database.writing() as session:
        for number, title in enumerate(("Letters", "Chess", "Choir")):
            source = await frontier.add_source(session, f"https://club{number}.example/a.ics")
            club = Community(key=title.casefold(), name=title, updated_at=NOW)
            session.add(club)
            await session.flush()
            source.community_id = club.id
            await ingest.store(session, source, Changes(added=(draft(title, title, days=1 + number),)), now=NOW)


async def waits_or_ends(database: Database, task: asyncio.Future[object]) -> None:
    """Return when another transaction waits for a lock; on SQLite they wait in this process before they begin."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    is_waiting = database.is_sqlite
    while not (is_waiting or task.done()):
        async with database.beside() as connection:
            is_waiting = bool((await connection.execute(waiting)).scalar())


async def beside_a_turn(database: Database, work: Callable[[], Awaitable[object]]) -> None:
    """Let something work while a turn is at one event and one community, and goes on to the others afterwards."""
    async with database.writing() as session:
        await turns.take_turn(session)
        for table in (Event, Community):
            await session.exec(update(table).where(col(table.id) == 2).values(language="en"))
        task = asyncio.ensure_future(work())
        await waits_or_ends(database, task)
        for table in (Event, Community):
            await session.exec(update(table).values(language="en"))
    await task


async def test_rendering_and_storing_never_wait_for_each_other(database: Database) -> None:
    await three_events(database)
    await beside_a_turn(database, lambda: renderings.store_missing(database, base_url=BASE_URL, now=NOW))


async def test_looking_at_communities_and_storing_never_wait_for_each_other(database: Database) -> None:
    await three_events(database)
    await beside_a_turn(database, lambda: activity.renew(database, now=NOW))


async def test_correcting_a_purpose_and_storing_never_wait_for_each_other(database: Database) -> None:
    await three_events(database)

    async def correct() -> None:
        async with database.writing() as session:
            event = await session.get_one(Event, 1)
            await about.correct_purpose(session, event, "social", now=NOW)

    await beside_a_turn(database, correct)
    async with database.reading() as session:
        event = await session.get_one(Event, 1)
        assert (event.purpose, event.language) == ({"social": 1.0}, "en")


async def test_events_joined_at_one_moment_lead_to_one_that_stands(database: Database) -> None:
    await three_events(database)

    async def join(kept: int, other: int) -> None:
        async with database.writing() as session:
            one, another = await session.get_one(Event, kept), await session.get_one(Event, other)
            await by_hand.join(session, one, another, why="", now=NOW)

    await asyncio.gather(join(3, 2), join(2, 1))
    async with database.reading() as session:
        (standing,) = await session.exec(select(Event).where(col(Event.merged_into).is_(None)))
        assert set(await session.exec(select(EventVersion.event_id))) == {standing.id}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
async def test_rendering_waits_for_nobody_who_gives_feedback(database: Database) -> None:
    await three_events(database)
    async with database.writing() as session:
        person = await people.make_person(session)
        session.add(Feedback(person_id=person.id or 0, event_id=3, kind="saved", given_at=NOW))
        await session.flush()
        assert await renderings.store_missing(database, base_url=BASE_URL, now=NOW) == 3
