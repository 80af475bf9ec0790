"""Events of a filter, with the topics and the community that are shown beside each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import select as core_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.models import Community, Event
from app.queries.filters import EventFilter
from app.queries.merges import survivors
from app.queries.plain_rows import EVENTS, TOPICS, run
from app.queries.plans import clauses_of


@dataclass(frozen=True, slots=True)
class Listed:
    """An event with what is shown beside it."""

    event: Event  # in lists a plain row of its table: read it, do not write to it
    topics: tuple[tuple[str, float], ...] = ()  # slug, weight; strongest first
    community: Community | None = None
    merged_into: str | None = None  # the id of the event that stands for this one

    @property
    def starts_at(self) -> datetime:
        return self.event.starts_at

    @property
    def held_by(self) -> str | None:
        """Who holds it: its community, or else its organiser; None also where its title says so already."""
        name = self.community.name if self.community else self.event.organizer_name
        return name if name and name != self.event.title else None


async def events(session: AsyncSession, wanted: EventFilter, *, limit: int | None = None) -> list[Listed]:
    """Return the events of a filter by start: all of them, or the first ones."""
    clauses = await clauses_of(session, wanted)
    statement = core_select(EVENTS).where(*clauses).order_by(EVENTS.c.starts_at, EVENTS.c.id).limit(limit)
    return await with_topics(session, cast("list[Event]", await run(session, statement)))


async def listed(session: AsyncSession, *clauses: ColumnElement[bool]) -> list[Listed]:
    return await with_topics(session, cast("list[Event]", await run(session, core_select(EVENTS).where(*clauses))))


async def with_topics(session: AsyncSession, found: Sequence[Event]) -> list[Listed]:
    topics: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for ids in chunks(event.id for event in found):
        for event_id, topic, weight in await run(session, core_select(TOPICS).where(TOPICS.c.event_id.in_(ids))):
            topics[event_id].append((topic, weight))
    known = await communities_by_id(session, {event.community_id for event in found if event.community_id})
    merged = {event.merged_into for event in found if event.merged_into is not None}
    standing = await survivors(session, merged) if merged else {}
    return [
        Listed(
            event,
            tuple(sorted(topics.get(event.id or 0, ()), key=lambda topic: (-topic[1], topic[0]))),
            known.get(event.community_id or 0),
            standing[event.merged_into] if event.merged_into is not None else None,
        )
        for event in found
    ]


async def communities_by_id(session: AsyncSession, ids: Iterable[int]) -> dict[int, Community]:
    found: dict[int, Community] = {}
    for some in chunks(sorted(ids)):
        rows = await session.exec(select(Community).where(col(Community.id).in_(some)))
        found |= {row.id: row for row in rows if row.id is not None}
    return found


async def event_by_key(session: AsyncSession, key: str) -> Event | None:
    """Return the event a permanent name stands for, merged or not."""
    return (await session.exec(select(Event).where(Event.key == key))).one_or_none()
