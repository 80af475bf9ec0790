"""People, what they know, and their personal calendars."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import picks, queries, tokens
from app.calendar_feed import BACK
from app.models import Event, Expertise, Feed, FeedEntry, Person, ShownPick
from app.places import Spot

SLATE = 10  # picks a person and week


async def make_guest(session: AsyncSession) -> tuple[Person, str]:
    """Make a person without an address and the token that stands for them."""
    person = Person(key=secrets.token_hex(8), created_at=datetime.now(UTC))
    session.add(person)
    await session.flush()
    token = await tokens.issue(session, "api", person_id=person.id, label="guest")
    return person, token


async def expertise_of(session: AsyncSession, person: Person) -> dict[str, int]:
    """Return slug → level."""
    rows = await session.exec(select(Expertise).where(Expertise.person_id == person.id))
    return {row.topic: row.level for row in rows}


async def set_expertise(session: AsyncSession, person: Person, known: Mapping[str, int]) -> None:
    """Replace what a person knows."""
    await session.exec(delete(Expertise).where(col(Expertise.person_id) == person.id))
    assert person.id is not None
    session.add_all(Expertise(person_id=person.id, topic=topic, level=level) for topic, level in known.items())
    person.profile_version += 1
    await session.flush()


def wish_of(person: Person, known: Mapping[str, int]) -> picks.Wish:
    near = None
    if person.lat is not None and person.lon is not None:
        near = Spot(person.lat, person.lon, person.place or "")
    return picks.Wish(
        known=known,
        near=near,
        within_km=person.within_km,
        online=person.online,
        reach=person.reach,
        days=person.days,
        limit=SLATE,
    )


def iso_week(now: datetime) -> str:
    year, week, _ = now.isocalendar()
    return f"{year}-W{week:02d}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A pick as it was shown, with the event as it is now."""

    listed: queries.Listed
    pick: Mapping[str, Any]


async def slate(session: AsyncSession, person: Person, *, now: datetime) -> list[Shown]:
    """Return a person's stored slate of the ISO week, as events stand now; empty when there is none yet."""
    rows = list(
        await session.exec(
            select(ShownPick)
            .where(
                ShownPick.person_id == person.id,
                ShownPick.week == iso_week(now),
                col(ShownPick.withdrawn_at).is_(None),
                ShownPick.profile_version == person.profile_version,
            )
            .order_by(col(ShownPick.rank))
        )
    )
    return await _as_shown(session, rows)


async def _as_shown(session: AsyncSession, rows: list[ShownPick]) -> list[Shown]:
    ids = [row.event_id for row in rows]
    found = list(await session.exec(select(Event).where(col(Event.id).in_(ids)))) if ids else []
    listed = {item.event.id: item for item in await queries.with_topics(session, found)}
    return [Shown(listed[row.event_id], row.pick) for row in rows if row.event_id in listed]


async def make_slate(session: AsyncSession, person: Person, *, now: datetime) -> list[Shown]:
    """Make and keep the slate of this week if the profile changed since, or there is none; the caller writes.

    What was shown before stays stored: calendars that hold it keep it.
    """
    stored = await slate(session, person, now=now)
    if stored:
        return stored
    known = await expertise_of(session, person)
    if not known:
        return []
    week = iso_week(now)
    fresh = await picks.picks_for(session, wish_of(person, known), now=now)
    before = {
        row.event_id: row
        for row in await session.exec(select(ShownPick).where(ShownPick.person_id == person.id, ShownPick.week == week))
    }
    for rank, pick in enumerate(fresh):
        told = {name: value for name, value in pick.as_json().items() if name != "event"}
        event_id = pick.listed.event.id
        assert event_id is not None and person.id is not None
        row = before.pop(event_id, None) or ShownPick(
            person_id=person.id, week=week, event_id=event_id, rank=rank, pick=told, profile_version=0, shown_at=now
        )
        row.rank, row.pick, row.profile_version, row.withdrawn_at = rank, told, person.profile_version, None
        session.add(row)
    for row in before.values():
        row.withdrawn_at = row.withdrawn_at or now
    await session.flush()
    return await slate(session, person, now=now)


async def make_feed(
    session: AsyncSession, person: Person, name: str, *, kind: str = "picks", subject: str | None = None
) -> tuple[Feed, str]:
    """Make a personal calendar and return it with the token of its address."""
    assert person.id is not None
    feed = Feed(
        key=secrets.token_hex(8),
        person_id=person.id,
        name=name,
        kind=kind,
        subject=subject,
        created_at=datetime.now(UTC),
    )
    session.add(feed)
    await session.flush()
    return feed, await tokens.issue(session, "feed", person_id=person.id, feed_id=feed.id, label=name)


async def fill_feed(session: AsyncSession, feed: Feed, person: Person, *, now: datetime) -> None:
    """Let this week's picks enter a calendar; what is in it stays. The caller writes."""
    stored = set(await session.exec(select(FeedEntry.event_id).where(FeedEntry.feed_id == feed.id)))
    for shown in await make_slate(session, person, now=now):
        event_id = shown.listed.event.id
        if event_id is not None and event_id not in stored and feed.id is not None:
            session.add(FeedEntry(feed_id=feed.id, event_id=event_id, reason=reason_text(shown.pick), entered_at=now))
    await session.flush()


def reason_text(pick: Mapping[str, Any]) -> str:
    path = " → ".join(pick["path"])
    return "\n".join([path, pick["reason"], *pick["evidence"]])


async def feed_events(
    session: AsyncSession, feed: Feed, *, now: datetime
) -> tuple[list[queries.Listed], dict[int, str]]:
    """Return a calendar's events by start, and for each (by id) why it is there."""
    rows = list(
        await session.exec(
            select(Event, FeedEntry.reason)
            .join(FeedEntry, col(FeedEntry.event_id) == Event.id)
            .where(FeedEntry.feed_id == feed.id, or_(col(Event.starts_at) >= now - BACK))
            .order_by(col(Event.starts_at), col(Event.id))
        )
    )
    listed = await queries.with_topics(session, [event for event, _ in rows])
    return listed, {event.id: reason for event, reason in rows if event.id is not None}


async def person_called(session: AsyncSession, name: str) -> Person | None:
    """Return the person an id or an address stands for."""
    return (await session.exec(select(Person).where(or_(Person.key == name, Person.email == name)))).one_or_none()


async def delete_person(session: AsyncSession, person: Person) -> None:
    """Delete a person; everything kept about them goes with the row."""
    await session.delete(person)


async def all_people(session: AsyncSession) -> list[dict[str, Any]]:
    people = list(await session.exec(select(Person).order_by(col(Person.id))))
    return [
        {
            "id": person.key,
            "email": person.email,
            "place": person.place,
            "know": sorted(await expertise_of(session, person)),
        }
        for person in people
    ]
