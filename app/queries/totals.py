"""What a list comes to: how many events it holds, counted up to a bound, and when one of them last changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func
from sqlalchemy import select as core_select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.queries import search_index
from app.queries.clauses import PLAIN_ID
from app.queries.filters import EventFilter
from app.queries.plain_rows import EVENTS, run
from app.queries.plans import Way, way_of

COUNTED = 10_000  # how far lists are counted
SOUGHT = 1_000  # events whose rows are sought one by one; of more, the newest change is soon met among all changes


@dataclass(frozen=True, slots=True)
class Total:
    """How many events a filter finds, counted no further than COUNTED, and when one of them last changed."""

    count: int
    is_lower_bound: bool
    updated_at: datetime | None  # None where there are more than were counted
    earliest: datetime | None  # the first start of all


def total_of(rows: Sequence[Row[Any]]) -> Total:
    """Return what a list comes to that these rows are the whole of."""
    updated_at = max((row.updated_at for row in rows), default=None)
    return Total(len(rows), False, updated_at, min((row.starts_at for row in rows), default=None))


async def total(session: AsyncSession, wanted: EventFilter) -> Total:
    """Return how many events a filter finds."""
    return await total_on(session, await way_of(session, wanted), wanted)


async def total_on(session: AsyncSession, way: Way, wanted: EventFilter) -> Total:
    """Return how many events a filter finds that is gone through on a way."""
    if way.is_through_search and search_index.knows_all(wanted):
        return await _total_of_entries(session, wanted)
    columns = core_select(EVENTS.c.updated_at, EVENTS.c.starts_at).select_from(way.source).where(*way.clauses)
    counted = columns.order_by(*way.order).limit(COUNTED + 1).subquery()
    facts = (func.count(), func.max(counted.c.updated_at), func.min(counted.c.starts_at))
    ((count, updated_at, earliest),) = await run(session, core_select(*facts))
    return _counted(count, updated_at, earliest)


async def _total_of_entries(session: AsyncSession, wanted: EventFilter) -> Total:
    """Return what a list comes to that the search index knows all about, without a look at most of its events."""
    entries = core_select(search_index.SEARCH.c.rowid).where(*search_index.entries(wanted))
    counted = core_select(func.count()).select_from(entries.limit(COUNTED + 1).subquery())
    first = entries.order_by(search_index.SEARCH.c.rowid).limit(1).subquery()
    begins = core_select(EVENTS.c.starts_at).where(EVENTS.c.id == search_index.event_id(first.c.rowid))
    ((count, earliest),) = await run(session, core_select(counted.scalar_subquery(), begins.scalar_subquery()))
    if not 0 < count <= COUNTED:
        return _counted(count, None, earliest)
    found, changes = search_index.event_ids(wanted), core_select(EVENTS.c.updated_at)
    if count <= SOUGHT:
        newest = core_select(func.max(changes.where(EVENTS.c.id.in_(found)).subquery().c.updated_at))
    else:
        last_first = (EVENTS.c.updated_at.desc(), EVENTS.c.id.desc())
        newest = changes.where(PLAIN_ID.in_(found)).order_by(*last_first).limit(1)
    ((updated_at,),) = await run(session, newest)
    return _counted(count, updated_at, earliest)


def _counted(count: int, updated_at: datetime | None, earliest: datetime | None) -> Total:
    is_lower_bound = count > COUNTED
    return Total(min(count, COUNTED), is_lower_bound, None if is_lower_bound else updated_at, earliest)
