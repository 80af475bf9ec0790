"""A list in parts that neither skip nor repeat while events arrive, and what the whole list comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, and_, func, or_
from sqlalchemy import select as core_select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.queries.filters import EventFilter
from app.queries.plain_rows import EVENTS, run
from app.queries.plans import clauses_of

COUNTED = 10_000  # how far lists are counted


Sort = Literal["start", "-start", "updated", "-updated"]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list: next to the event with these keys. It stays where it is while others arrive or leave."""

    value: datetime  # of the column that is sorted by
    id: int
    backwards: bool = False  # towards the beginning


@dataclass(frozen=True, slots=True)
class Total:
    """How many events a filter finds, counted no further than COUNTED, and when one of them last changed."""

    count: int
    is_lower_bound: bool
    updated_at: datetime | None
    earliest: datetime | None  # the first start of all


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a list, whether there is more on either side, and what there is in all."""

    ids: list[int]
    previous: Position | None
    next: Position | None
    total: Total


async def event_slice(
    session: AsyncSession, wanted: EventFilter, *, sort: Sort, limit: int, position: Position | None = None
) -> Slice:
    """Return up to `limit` events next to a position, or from the beginning."""
    column = EVENTS.c.updated_at if sort.endswith("updated") else EVENTS.c.starts_at
    backwards = position is not None and position.backwards
    descending = sort.startswith("-") != backwards
    order = (column.desc(), EVENTS.c.id.desc()) if descending else (column, EVENTS.c.id)
    clauses = await clauses_of(session, wanted)
    beyond: list[ColumnElement[bool]] = []
    if position is not None:
        further = column < position.value if descending else column > position.value
        further_id = EVENTS.c.id < position.id if descending else EVENTS.c.id > position.id
        beyond.append(or_(further, and_(column == position.value, further_id)))
    keys = core_select(EVENTS.c.id, EVENTS.c.starts_at, EVENTS.c.updated_at)
    found = await run(session, keys.where(*clauses, *beyond).order_by(*order).limit(limit + 1))
    is_all = position is None and len(found) <= limit
    total = _total_of(found) if is_all else await _total(session, clauses)
    has_more, shown = len(found) > limit, list(found[:limit])
    if backwards:
        shown.reverse()
    before = has_more if backwards else position is not None
    after = position is not None if backwards else has_more
    return Slice(
        [row.id for row in shown],
        _position(shown[0], sort, backwards=True) if before and shown else None,
        _position(shown[-1], sort) if after and shown else None,
        total,
    )


def _position(row: Row[Any], sort: Sort, *, backwards: bool = False) -> Position:
    return Position(row.updated_at if sort.endswith("updated") else row.starts_at, row.id, backwards=backwards)


async def total(session: AsyncSession, wanted: EventFilter) -> Total:
    """Return how many events a filter finds."""
    return await _total(session, await clauses_of(session, wanted))


def _total_of(rows: Sequence[Row[Any]]) -> Total:
    """Return what a list comes to that these rows are the whole of."""
    updated_at = max((row.updated_at for row in rows), default=None)
    return Total(len(rows), False, updated_at, min((row.starts_at for row in rows), default=None))


async def _total(session: AsyncSession, clauses: Sequence[ColumnElement[bool]]) -> Total:
    # Ordered, so that the same ones are counted every time and the answer stays the same.
    columns = core_select(EVENTS.c.updated_at, EVENTS.c.starts_at).where(*clauses)
    counted = columns.order_by(EVENTS.c.starts_at, EVENTS.c.id).limit(COUNTED + 1).subquery()
    facts = (func.count(), func.max(counted.c.updated_at), func.min(counted.c.starts_at))
    ((count, updated_at, earliest),) = await run(session, core_select(*facts))
    return Total(min(count, COUNTED), count > COUNTED, updated_at, earliest)
