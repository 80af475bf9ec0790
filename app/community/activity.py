"""Step 5, communities: how each one meets, whether it is alive and what it is about, worked out once a day.

What is written here changes by this job alone, so that answers change when it has run and not by themselves.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, exists
from sqlalchemy.orm import load_only
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.db import Database
from app.events import turns
from app.events.adoption import TOLD
from app.models import Community, CommunityTopic, Event, EventTopic
from recommender.cadence import LOOKED_BACK, cadence

BATCH = 100  # communities a transaction
ANNOUNCED = timedelta(days=120)  # how far ahead dates say something of a rhythm
WEEKS = 53  # of the strip that shows a year
MOST_TOPICS = 6
FAINT = 0.15  # share of its events' topic weight below which a community is not about a topic
SHARE_DIGITS = 3
NEEDED = (col(Event.community_id), col(Event.starts_at), col(Event.zone), col(Event.purpose))


@dataclass(frozen=True, slots=True)
class Held:
    """An event as far as its community's rhythm needs it."""

    on: date  # local
    topics: Mapping[str, float]
    purpose: Mapping[str, float]


async def renew(database: Database, *, now: datetime) -> int:
    """Bring the activity of all communities up to date; return how many changed."""
    return await _renew(database, (), now=now)


async def introduce(database: Database, *, now: datetime) -> int:
    """Work out what is known of communities whose first events were tagged just now; return how many changed."""
    is_untold = ~exists().where(col(CommunityTopic.community_id) == Community.id)
    is_tagged = exists().where(col(EventTopic.event_id) == Event.id, col(Event.community_id) == Community.id)
    return await _renew(database, (is_untold, is_tagged), now=now)


async def _renew(database: Database, wanted: Sequence[ColumnElement[bool]], *, now: datetime) -> int:
    changed, last_id = 0, 0
    while True:
        async with database.reading() as session:
            rows = await session.exec(
                select(Community.id)
                .where(col(Community.id) > last_id, *wanted)
                .order_by(col(Community.id))
                .limit(BATCH)
            )
            batch = [one for one in rows if one is not None]
            held = await _held(session, batch, now=now)
        if not batch:
            return changed
        last_id = batch[-1]
        told = await asyncio.to_thread(_all_told, held, now)
        async with database.writing() as session:
            changed += await _write(session, told, now=now)


async def _held(session: AsyncSession, community_ids: Sequence[int], *, now: datetime) -> dict[int, list[Held]]:
    """Return what each community held within a year and announces."""
    rows = await session.exec(
        select(Event)
        .where(
            col(Event.community_id).in_(community_ids),
            col(Event.starts_at).between(now - LOOKED_BACK, now + ANNOUNCED),
            col(Event.status) != "cancelled",
            col(Event.deleted_at).is_(None),
            col(Event.merged_into).is_(None),
        )
        .options(load_only(*NEEDED))  # type: ignore[arg-type]
    )
    events = list(rows)
    topics: dict[int, dict[str, float]] = defaultdict(dict)
    for ids in chunks(event.id for event in events):
        for topic in await session.exec(select(EventTopic).where(col(EventTopic.event_id).in_(ids))):
            topics[topic.event_id][topic.topic] = topic.weight
    held: dict[int, list[Held]] = {community_id: [] for community_id in community_ids}
    for event in events:
        on = event.starts_at.astimezone(ZoneInfo(event.zone)).date()
        held[event.community_id or 0].append(Held(on, topics[event.id or 0], event.purpose))
    return held


@dataclass(frozen=True, slots=True)
class Portrait:
    activity: dict[str, Any]
    topics: dict[str, float]
    purpose: dict[str, float]


def _all_told(held: Mapping[int, Sequence[Held]], now: datetime) -> dict[int, Portrait]:
    return {community_id: _told(events, now) for community_id, events in held.items()}


def _told(events: Sequence[Held], now: datetime) -> Portrait:
    return Portrait(activity_of([one.on for one in events], now.date()) if events else {}, *_about(events))


def activity_of(days: Sequence[date], today: date) -> dict[str, Any]:
    """Return what is kept of a community's cadence; `weeks` counts meetings of a year by week, the oldest first."""
    told = cadence(days, today, announced=days)
    weeks = [0] * WEEKS
    for day in days:
        ago = (today - day).days
        if 0 < ago <= 7 * WEEKS:
            weeks[-((ago - 1) // 7) - 1] += 1
    return {
        "label": told.label,
        "rhythm": told.rhythm.rule if told.rhythm else None,
        "words": told.words,
        "alive": round(told.alive, SHARE_DIGITS),
        "again": round(told.again, SHARE_DIGITS),
        "next_on": told.next_on.isoformat() if told.next_on else None,
        "is_guess": told.is_guess,
        "per_month": round(told.per_month, 1),
        "trend": None if told.trend is None else round(told.trend, 2),
        "last_on": told.last_on.isoformat() if told.last_on else None,
        "weeks": weeks,
    }


def _about(events: Sequence[Held]) -> tuple[dict[str, float], dict[str, float]]:
    """Return topics and purpose of a community: the means over its events, without what is faint."""
    topics: dict[str, float] = defaultdict(float)
    purpose: dict[str, float] = defaultdict(float)
    tagged = [one for one in events if one.topics]
    judged = [one for one in events if one.purpose]
    for event in tagged:
        for slug, weight in event.topics.items():
            topics[slug] += weight / len(tagged)
    for event in judged:
        for name, share in event.purpose.items():
            purpose[name] += share / len(judged)
    best = sorted(topics.items(), key=lambda topic: (-topic[1], topic[0]))[:MOST_TOPICS]
    return (
        {slug: round(weight, SHARE_DIGITS) for slug, weight in best if weight >= FAINT},
        {name: round(share, SHARE_DIGITS) for name, share in purpose.items()},
    )


async def _write(session: AsyncSession, told: Mapping[int, Portrait], *, now: datetime) -> int:
    await turns.take_turn(session)  # who stores events writes their communities, too, in the order they are told of
    rows = await session.exec(
        select(Community).where(col(Community.id).in_(told)).order_by(col(Community.id)).with_for_update()
    )
    before: dict[int, dict[str, float]] = defaultdict(dict)
    for topic in await session.exec(select(CommunityTopic).where(col(CommunityTopic.community_id).in_(told))):
        before[topic.community_id][topic.topic] = topic.weight
    changed = 0
    for community in rows:
        assert community.id is not None
        one = told[community.id]
        names_its_topics = community.tagged_digest == TOLD
        topics = before[community.id] if names_its_topics else one.topics
        purpose = community.purpose if names_its_topics else one.purpose
        if (community.activity, before[community.id], community.purpose) == (one.activity, topics, purpose):
            continue
        changed += 1
        community.activity, community.purpose, community.updated_at = one.activity, purpose, now
        if topics != before[community.id]:
            await session.exec(delete(CommunityTopic).where(col(CommunityTopic.community_id) == community.id))
            session.add_all(
                CommunityTopic(community_id=community.id, topic=slug, weight=weight) for slug, weight in topics.items()
            )
    return changed
