"""Step 7, personal calendars: an address that programs subscribe to, and the events that stand in it.

Reading a calendar writes nothing. A calendar of picks is filled when it is made and whenever its owner's slate is made
or changes (`renew`); what has entered stays. Calendars of saved events, of a topic, of a community, or of all topics near
what somebody knows show what holds now.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.calendars.calendar_feed import oldest
from app.db import Database
from app.models import Event, Feed, Feedback, FeedEntry, Person, Token
from app.people import tokens
from app.people.feedback import KEEPING
from app.picking import slates
from app.picking.barriers import is_hidden, whereabouts
from app.queries import listing
from app.queries.filters import EventFilter
from app.queries.listing import Listed, with_topics
from recommender.topic_worth import next_topics

REPLACED_FOR = timedelta(days=14)  # how long a replaced address says so; then it is gone
MOST = 20  # calendars a person
NEAR = 30  # topics a calendar of all that is near reaches


async def make_feed(
    session: AsyncSession, person: Person, name: str, *, kind: str = "picks", subject: str | None = None, now: datetime
) -> tuple[Feed, str]:
    """Make a personal calendar, filled, and return it with the token of its address."""
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
    await renew(session, person, now=now)
    return feed, await _issue(session, feed)


async def rotate(session: AsyncSession, feed: Feed) -> str:
    """Give a calendar a new address and return its token; the old ones say for a while that they were replaced."""
    clock = datetime.now(UTC)
    rows = await session.exec(select(Token).where(Token.feed_id == feed.id, col(Token.revoked_at).is_(None)))
    for token in rows:
        token.revoked_at = clock
    return await _issue(session, feed)


async def _issue(session: AsyncSession, feed: Feed) -> str:
    return await tokens.issue(session, "feed", person_id=feed.person_id, feed_id=feed.id, label=feed.name)


async def feeds_of(session: AsyncSession, person: Person) -> list[Feed]:
    return list(await session.exec(select(Feed).where(Feed.person_id == person.id).order_by(col(Feed.id))))


async def feed_called(session: AsyncSession, person: Person, key: str) -> Feed | None:
    """Return a person's calendar by its id; another person's is none."""
    rows = await session.exec(select(Feed).where(Feed.person_id == person.id, Feed.key == key))
    return rows.one_or_none()


async def count_of(session: AsyncSession, person: Person) -> int:
    counted = await session.exec(select(func.count()).select_from(Feed).where(Feed.person_id == person.id))
    return counted.one()


async def renew(session: AsyncSession, person: Person, *, now: datetime) -> list[slates.Shown]:
    """Bring a person's slate up to date, let it enter their calendars, and return it; the caller writes."""
    shown = await slates.refresh(session, person, now=now)
    await _fill(session, person, shown, now=now)
    return shown


async def renew_each(database: Database, person_ids: Sequence[int | None], *, now: datetime) -> None:
    """Renew people's slates and calendars, each in a transaction of its own, so that requests get through."""
    for person_id in person_ids:
        async with database.writing() as session:
            person = await session.get(Person, person_id)
            if person is not None:  # they may have left meanwhile
                await renew(session, person, now=now)


async def _fill(session: AsyncSession, person: Person, shown: Sequence[slates.Shown], *, now: datetime) -> None:
    """Let a slate enter the person's calendars of picks; what is in them stays."""
    for feed in await feeds_of(session, person):
        if feed.kind != "picks" or feed.id is None:
            continue
        held = set(await session.exec(select(FeedEntry.event_id).where(FeedEntry.feed_id == feed.id)))
        for one in shown:
            event_id = one.listed.event.id
            if event_id is not None and event_id not in held:
                session.add(FeedEntry(feed_id=feed.id, event_id=event_id, reason=reason_text(one.pick), entered_at=now))
    await session.flush()


def reason_text(pick: Mapping[str, Any]) -> str:
    return "\n".join([" → ".join(pick["path"]), pick["reason"], *pick["evidence"]])


@dataclass(frozen=True, slots=True)
class Opened:
    """What an address leads to: a calendar, or, where it was replaced, since when."""

    feed: Feed
    replaced_at: datetime | None


async def open_feed(session: AsyncSession, secret: str) -> Opened | None:
    """Return what a calendar's token opens, or None where it opens nothing."""
    token = await tokens.find_any(session, secret, "feed")
    if token is None or token.feed_id is None:
        return None
    feed = await session.get(Feed, token.feed_id)
    return Opened(feed, token.revoked_at) if feed is not None else None


def is_gone(opened: Opened, clock: datetime) -> bool:
    """Whether a replaced address has said so for long enough."""
    return opened.replaced_at is not None and clock - opened.replaced_at > REPLACED_FOR


async def feed_events(session: AsyncSession, feed: Feed, *, now: datetime) -> tuple[list[Listed], dict[int, str]]:
    """Return a calendar's events by start, and for each (by id) why it is there."""
    if feed.kind in ("topic", "community", "near"):
        return await _subject_events(session, feed, now=now), {}
    reasons = await (_entered if feed.kind == "picks" else _saved)(session, feed)
    events = await _survivors(session, reasons)
    recent = [event for event in events if event.starts_at >= oldest(now)]
    listed = await with_topics(session, sorted(recent, key=lambda event: (event.starts_at, event.id)))
    return listed, {event_id: reasons.get(event_id, "") for event_id in (one.event.id or 0 for one in listed)}


async def _entered(session: AsyncSession, feed: Feed) -> dict[int, str]:
    rows = await session.exec(select(FeedEntry).where(FeedEntry.feed_id == feed.id))
    return {row.event_id: row.reason for row in rows}


async def _saved(session: AsyncSession, feed: Feed) -> dict[int, str]:
    rows = await session.exec(
        select(Feedback.event_id, Feedback.note).where(
            Feedback.person_id == feed.person_id, col(Feedback.kind).in_(KEEPING)
        )
    )
    return {event_id: note or "" for event_id, note in rows}


async def _survivors(session: AsyncSession, reasons: dict[int, str]) -> list[Event]:
    """Return the events with these ids, or those they were merged into, to which the reasons then belong."""
    events: dict[int, Event] = {}
    wanted = set(reasons)
    while wanted:
        rows = list(await session.exec(select(Event).where(col(Event.id).in_(wanted))))
        wanted = set()
        for event in rows:
            assert event.id is not None
            if event.merged_into is None:
                events[event.id] = event
            else:
                reasons.setdefault(event.merged_into, reasons.get(event.id, ""))
                wanted.add(event.merged_into)
        wanted -= set(events)
    return list(events.values())


async def _subject_events(session: AsyncSession, feed: Feed, *, now: datetime) -> list[Listed]:
    person = await session.get_one(Person, feed.person_id)
    wish = await slates.wish_of(session, person, now=now)
    topics = near_topics(wish.known) if feed.kind == "near" else (feed.subject,) if feed.subject else ()
    if not topics:
        return []
    wanted = EventFilter(
        start=oldest(now),
        topics=topics if feed.kind != "community" else (),
        community=feed.subject if feed.kind == "community" else None,
        include_deleted=True,  # calendars must learn that an event is off
    )
    listed = await listing.events(session, wanted)
    if feed.kind == "community":  # who subscribes to a community means all of it
        return listed
    refusals = wish.refusals if feed.kind == "near" else replace(wish.refusals, topics=frozenset())
    # A topic's events elsewhere are of no use.
    return [one for one in listed if whereabouts(one.event, wish) is None and not is_hidden(one, refusals)]


def near_topics(known: Mapping[str, int]) -> tuple[str, ...]:
    """Return the topics people who know these want most, most wanted first."""
    return tuple(topic.slug for topic, _ in next_topics(known)[:NEAR]) if known else ()
