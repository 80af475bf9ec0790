"""A list in parts that neither skip nor repeat while events arrive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, and_, or_
from sqlalchemy import select as core_select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.queries import search_index, totals
from app.queries.filters import EventFilter
from app.queries.plain_rows import EVENTS, run
from app.queries.plans import Way, clauses_of, way_of
from app.queries.totals import Total

Sort = Literal["start", "-start", "updated", "-updated"]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a list: next to the event with these keys. It stays where it is while others arrive or leave."""

    value: datetime  # of the column that is sorted by
    id: int
    backwards: bool = False  # towards the beginning


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
    backwards = position is not None and position.backwards
    descending = sort.startswith("-") != backwards
    by_start = await way_of(session, wanted)
    way = by_start if sort.endswith("start") else await _by_change(session, wanted)
    beyond = _beyond(way, position, descending=descending) if position is not None else []
    order = [column.desc() if descending else column for column in way.order]
    keys = core_select(EVENTS.c.id, EVENTS.c.starts_at, EVENTS.c.updated_at).select_from(way.source)
    found = await run(session, keys.where(*way.clauses, *beyond).order_by(*order).limit(limit + 1))
    is_all = position is None and len(found) <= limit
    total = totals.total_of(found) if is_all else await totals.total_on(session, by_start, wanted)
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


async def _by_change(session: AsyncSession, wanted: EventFilter) -> Way:
    return Way(EVENTS, await clauses_of(session, wanted), [EVENTS.c.updated_at, EVENTS.c.id])


def _beyond(way: Way, position: Position, *, descending: bool) -> list[ColumnElement[bool]]:
    """Return the clause for what comes after a position."""
    if way.is_through_search:
        (number,), here = way.order, search_index.place_of(position.value, position.id)
        return [number < here if descending else number > here]
    column, id_ = way.order
    further = column < position.value if descending else column > position.value
    further_id = id_ < position.id if descending else id_ > position.id
    return [or_(further, and_(column == position.value, further_id))]


def _position(row: Row[Any], sort: Sort, *, backwards: bool = False) -> Position:
    return Position(row.updated_at if sort.endswith("updated") else row.starts_at, row.id, backwards=backwards)
