"""Events are joined and parted by hand for good, and what changed about them can be read, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from service import NOW, draft
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting import frontier
from app.db import Database
from app.events import by_hand, history, ingest, removal
from app.events.by_hand import NotJoined, NotParted
from app.events.changes import Vanishing, compare
from app.events.ingest import Counts
from app.models import Event, EventVersion, Source, Verdict
from app.queries.event_forms import versions_of
from scrapers import EventDraft, Reading

pytest_plugins = ("databases",)

CLUB, HALL, PAPER = "https://club.example/a.ics", "https://hall.example/all.ics", "https://paper.example/all.ics"
MARBLED = draft("1", "Evening of marbled paper", url="https://club.example/marbled")
ALIKE = draft("x-1", "Evening of marbled paper!")
UNLIKE = draft("x-1", "Suminagashi for beginners", days=1.25)
LATER = NOW + timedelta(hours=1)


async def tell(session: AsyncSession, url: str, *drafts: EventDraft, now: datetime = NOW) -> Counts:
    """Take a complete answer of a source in, as collecting does."""
    source = await frontier.add_source(session, url)
    known = await ingest.stored_versions(session, source.id or 0)
    reading = Reading(events=drafts, last_start=max(one.starts_at for one in drafts), listed=len(drafts))
    return await ingest.store(session, source, compare(reading, known, now=now, vanishing=Vanishing()), now=now)


async def forget(session: AsyncSession, url: str) -> None:
    source = (await session.exec(select(Source).where(Source.url == url))).one()
    await removal.forget_source(session, source, now=LATER)


async def standing(session: AsyncSession) -> list[Event]:
    there = (col(Event.merged_into).is_(None), col(Event.deleted_at).is_(None))
    return list(await session.exec(select(Event).where(*there).order_by(col(Event.id))))


async def told(session: AsyncSession, event: Event) -> list[tuple[str, str | None]]:
    """Return what an event's versions are called and why they are one."""
    return [(one["uid"], one["why"]) for one in await versions_of(session, event)]


async def joined(session: AsyncSession) -> tuple[Event, Event]:
    """Store two events that nothing but a person's word makes one, and join them."""
    await tell(session, CLUB, MARBLED)
    await tell(session, HALL, UNLIKE)
    kept, other = await standing(session)
    await by_hand.join(session, kept, other, why="the same evening", now=LATER)
    return kept, other


async def test_joined_events_are_one_and_lead_there(database: Database) -> None:
    async with database.writing() as session:
        kept, other = await joined(session)
        assert await standing(session) == [kept]
        assert (other.merged_into, other.sequence, other.updated_at) == (kept.id, 1, LATER)
        assert await told(session, kept) == [("1", None), ("x-1", "joined by hand: the same evening")]
        assert await history.history(session, other) == [
            {"at": LATER.isoformat(), "source": None, "changed": {"merged_into": [None, kept.key]}}
        ]
        with pytest.raises(NotJoined, match="both are the event"):
            await by_hand.join(session, other, kept, why="", now=LATER)


async def test_event_that_leads_elsewhere_from_now_on_counts_as_changed(database: Database) -> None:
    async with database.writing() as session:
        kept, other = await joined(session)
        await tell(session, PAPER, draft("c", "Choir", days=9), now=LATER)
        (choir,) = [one for one in await standing(session) if one.id != kept.id]
        latest = LATER + timedelta(hours=1)
        await by_hand.join(session, choir, kept, why="", now=latest)
        await session.refresh(other)
        assert (other.merged_into, other.updated_at) == (choir.id, latest)


async def test_joined_events_stay_joined_whatever_their_sources_say(database: Database) -> None:
    async with database.writing() as session:
        kept, _ = await joined(session)
        changed = replace(UNLIKE, title="Suminagashi", starts_at=UNLIKE.starts_at + timedelta(days=2))
        assert await tell(session, HALL, changed, now=LATER) == Counts(changed=1)
        assert await standing(session) == [kept]
        # The source is removed and added again: it finds its place.
        await forget(session, HALL)
        assert await tell(session, HALL, changed, now=LATER) == Counts(added=1, merged=1)
        assert await standing(session) == [kept]
        assert await told(session, kept) == [("1", None), ("x-1", "joined by hand: the same evening")]


async def test_joined_events_are_joined_again_when_both_sources_were_gone(database: Database) -> None:
    async with database.writing() as session:
        await joined(session)
        await forget(session, HALL)
        await forget(session, CLUB)
        assert await standing(session) == []
        await tell(session, HALL, UNLIKE, now=LATER)
        assert await tell(session, CLUB, MARBLED, now=LATER) == Counts(added=1, merged=1)
        assert len(await standing(session)) == 1


async def test_merged_event_leads_to_the_tombstone_of_the_one_it_was_merged_into(database: Database) -> None:
    async with database.writing() as session:
        kept, other = await joined(session)
        await forget(session, CLUB)
        assert kept.deleted_at is None
        await forget(session, HALL)
    async with database.reading() as session:
        rows = await session.exec(select(Event).order_by(col(Event.id)))
        assert [(one.key, one.merged_into, one.deleted_at) for one in rows] == [
            (kept.key, None, LATER),
            (other.key, kept.id, None),
        ]


async def test_parted_versions_stay_apart_whatever_their_sources_say(database: Database) -> None:
    async with database.writing() as session:
        await tell(session, CLUB, MARBLED)
        assert await tell(session, HALL, ALIKE) == Counts(added=1, merged=1)
        (event,) = await standing(session)
        reason = "both start at the same time and are called “Evening of marbled paper!” or “Evening of marbled paper”"
        assert await told(session, event) == [("1", None), ("x-1", reason)]
        own = await by_hand.part(session, event, await number(session, "x-1"), why="two rooms", now=LATER)
        assert await standing(session) == [event, own]
        assert (await told(session, event), await told(session, own)) == ([("1", None)], [("x-1", None)])
        assert (own.title, own.starts_at, own.deleted_at) == (ALIKE.title, ALIKE.starts_at, None)
        await tell(session, HALL, replace(ALIKE, description="In the yard."), now=LATER)
        # Even under another uid, and after both were away.
        await tell(session, HALL, replace(ALIKE, uid="y-9", description="In the yard."), now=LATER)
        for url, one in ((HALL, replace(ALIKE, uid="y-9")), (CLUB, MARBLED)):
            await forget(session, url)
            assert await tell(session, url, one, now=LATER) == Counts(added=1)
        assert len(await standing(session)) == 2
        # A third source that tells of it joins one of them.
        assert await tell(session, PAPER, replace(ALIKE, uid="p")) == Counts(added=1, merged=1)


async def test_first_version_parted_from_its_own_event_does_not_come_back_to_it(database: Database) -> None:
    async with database.writing() as session:
        await tell(session, CLUB, MARBLED)
        await tell(session, HALL, ALIKE)
        (event,) = await standing(session)
        own = await by_hand.part(session, event, await number(session, "1"), why="", now=LATER)
        assert (own.key != event.key, await told(session, own)) == (True, [("1", None)])
        await forget(session, CLUB)
        assert await tell(session, CLUB, MARBLED, now=LATER + timedelta(hours=1)) == Counts(added=1)
        first, second = await standing(session)
        assert first.id == event.id
        assert (await told(session, first), await told(session, second)) == ([("x-1", None)], [("1", None)])


async def test_parting_what_was_joined_brings_the_old_event_back(database: Database) -> None:
    async with database.writing() as session:
        kept, other = await joined(session)
        again = await by_hand.part(session, kept, await number(session, "x-1"), why="", now=LATER)
        assert (again.id, again.merged_into, await standing(session)) == (other.id, None, [kept, other])
        assert [(row.is_one, row.why) for row in await session.exec(select(Verdict))] == [(False, "")]


async def test_what_cannot_be_parted_is_said(database: Database) -> None:
    async with database.writing() as session:
        await tell(session, CLUB, MARBLED)
        (event,) = await standing(session)
        version = await number(session, "1")
        with pytest.raises(NotParted, match=f"version {version} is all there is of the event {event.key}"):
            await by_hand.part(session, event, version, why="", now=LATER)
        with pytest.raises(NotParted, match=f"has no version 99; it has {version}"):
            await by_hand.part(session, event, 99, why="", now=LATER)


async def number(session: AsyncSession, uid: str) -> int:
    return (await session.exec(select(EventVersion.id).where(EventVersion.uid == uid))).one() or 0


async def changes(session: AsyncSession, event: Event) -> Sequence[tuple[str | None, dict[str, Any]]]:
    return [(one["source"], one["changed"]) for one in await history.history(session, event)]


async def test_history_tells_what_changed_and_who_said_so(database: Database) -> None:
    moved = replace(MARBLED, starts_at=MARBLED.starts_at + timedelta(days=7), description="Bring paper. " * 40)
    async with database.writing() as session:
        await tell(session, CLUB, MARBLED)
        (event,) = await standing(session)
        assert await changes(session, event) == []  # the beginning is no change
        await tell(session, CLUB, moved, now=LATER)
        await tell(session, HALL, replace(ALIKE, starts_at=moved.starts_at, price="free"), now=LATER)
        await tell(session, CLUB, draft("9", "Ink", days=30), now=LATER)
        assert await changes(session, event) == [
            (
                CLUB,
                {
                    "starts_at": [MARBLED.starts_at.isoformat(), moved.starts_at.isoformat()],
                    "description": ["", moved.description[:299] + "…"],
                },
            ),
            (HALL, {"price": [None, "free"]}),
            (
                CLUB,
                {
                    "title": [MARBLED.title, ALIKE.title],
                    "url": [MARBLED.url, None],
                    "description": [moved.description[:299] + "…", ""],
                },
            ),
        ]


async def test_history_keeps_the_latest_changes(database: Database) -> None:
    async with database.writing() as session:
        for step in range(history.MOST + 5):
            await tell(session, CLUB, replace(MARBLED, price=f"{step} EUR"))
        (event,) = await standing(session)
        kept = [changed["price"] for _, changed in await changes(session, event)]
        assert kept == [[f"{step - 1} EUR", f"{step} EUR"] for step in range(5, history.MOST + 5)]
        await forget(session, CLUB)
        assert [*await changes(session, event)][-1] == (CLUB, {"deleted_at": [None, LATER.isoformat()]})
        assert len(await changes(session, event)) == history.MOST
