"""How much there is of everything, for operators."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Community, Event, EventTopic, Feed, Person, Source


async def count_all(session: AsyncSession, now: datetime) -> dict[str, int]:
    """Return how much there is of everything, for operators."""
    there = (col(Event.deleted_at).is_(None), col(Event.merged_into).is_(None))
    counts = {
        "sources": select(func.count()).select_from(Source),
        "failing sources": select(func.count()).select_from(Source).where(Source.state == "failing"),
        "communities": select(func.count()).select_from(Community),
        "events": select(func.count()).select_from(Event).where(*there),
        "upcoming events": select(func.count()).select_from(Event).where(*there, Event.starts_at >= now),
        "events with topics": select(func.count())
        .select_from(Event)
        .where(*there, col(Event.id).in_(select(EventTopic.event_id))),
        "people": select(func.count()).select_from(Person),
        "people with an address": select(func.count()).select_from(Person).where(col(Person.email).is_not(None)),
        "calendars": select(func.count()).select_from(Feed),
    }
    return {name: (await session.exec(statement)).one() for name, statement in counts.items()}
