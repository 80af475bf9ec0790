"""Step 7, what stands in a personal calendar now, and why.

A calendar of picks holds what has entered it; one of saved events, of a topic, of a community, or of all topics near
what somebody knows holds what is so now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.calendars.calendar_feed import oldest
from app.calendars.feed_reasons import path_words, reason_retold
from app.models import Event, Feed, Feedback, FeedEntry, Person
from app.people.feedback import KEEPING
from app.picking import slates
from app.picking.barriers import is_hidden, whereabouts
from app.queries import listing
from app.queries.filters import EventFilter
from app.queries.listing import Listed, with_topics
from app.topic_names import label_of
from app.words.wording import Wording
from recommender.reasons import source_of
from recommender.topic_worth import next_topics

NEAR = 30  # topics a calendar of all that is near reaches


async def feed_events(
    session: AsyncSession, feed: Feed, wording: Wording, *, now: datetime
) -> tuple[list[Listed], dict[int, str]]:
    """Return a calendar's events by start, and for each (by id) why it is there, where that is more than its subject."""
    if feed.kind in ("topic", "community", "near"):
        return await _subject_events(session, feed, wording, now=now)
    reasons = await _entered(session, feed, wording) if feed.kind == "picks" else await _saved(session, feed)
    events = await _survivors(session, reasons, since=oldest(now))
    listed = await with_topics(session, sorted(events, key=lambda event: (event.starts_at, event.id)))
    return listed, {event_id: reasons.get(event_id, "") for event_id in (one.event.id or 0 for one in listed)}


async def _entered(session: AsyncSession, feed: Feed, wording: Wording) -> dict[int, str]:
    rows = await session.exec(select(FeedEntry).where(FeedEntry.feed_id == feed.id))
    return {row.event_id: reason_retold(row.reason, wording) for row in rows}


async def _saved(session: AsyncSession, feed: Feed) -> dict[int, str]:
    rows = await session.exec(
        select(Feedback.event_id, Feedback.note)
        .where(Feedback.person_id == feed.person_id, col(Feedback.kind).in_(KEEPING))
        .order_by(col(Feedback.id))
    )
    notes: dict[int, str] = {}
    for event_id, note in rows:
        notes[event_id] = note or notes.get(event_id, "")
    return notes


async def _survivors(session: AsyncSession, reasons: dict[int, str], *, since: datetime) -> list[Event]:
    """Return the events with these ids, or those they were merged into, to which the reasons then belong."""
    events: dict[int, Event] = {}
    wanted = set(reasons)
    is_shown = or_(col(Event.starts_at) >= since, col(Event.merged_into).is_not(None))
    while wanted:
        rows = list(await session.exec(select(Event).where(col(Event.id).in_(wanted), is_shown)))
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


async def _subject_events(
    session: AsyncSession, feed: Feed, wording: Wording, *, now: datetime
) -> tuple[list[Listed], dict[int, str]]:
    person = await session.get_one(Person, feed.person_id)
    wish = await slates.wish_of(session, person, now=now)
    topics = near_topics(wish.known) if feed.kind == "near" else (feed.subject,) if feed.subject else ()
    if not topics:
        return [], {}
    wanted = EventFilter(
        start=oldest(now),
        topics=topics if feed.kind != "community" else (),
        community=feed.subject if feed.kind == "community" else None,
        include_deleted=True,  # calendars must learn that an event is off
    )
    listed = await listing.events(session, wanted)
    if feed.kind == "community":  # who subscribes to a community means all of it
        return listed, {}
    refusals = wish.refusals if feed.kind == "near" else replace(wish.refusals, topics=frozenset())
    # A topic's events elsewhere are of no use.
    here = [one for one in listed if whereabouts(one.event, wish) is None and not is_hidden(one, refusals)]
    return here, _paths(here, topics, wish.known, wording) if feed.kind == "near" else {}


def _paths(
    listed: Sequence[Listed], topics: Sequence[str], known: Mapping[str, int], wording: Wording
) -> dict[int, str]:
    """Return, by the number of an event, from which known topic one is led to it."""
    told = {
        topic: path_words((label_of(source_of(known, topic)), label_of(topic)), wording)
        for topic in {_leading(one, topics) for one in listed}
    }
    return {one.event.id or 0: told[_leading(one, topics)] for one in listed}


def _leading(listed: Listed, topics: Sequence[str]) -> str:
    """Return the strongest topic of an event that is one of these."""
    return next(slug for slug, _ in listed.topics if slug in topics)


def near_topics(known: Mapping[str, int]) -> tuple[str, ...]:
    """Return the topics people who know these want most, most wanted first."""
    return tuple(topic.slug for topic, _ in next_topics(known)[:NEAR]) if known else ()
