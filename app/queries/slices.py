"""A list in parts that neither skip nor repeat while events arrive, and what the whole list comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, and_, func, or_, true
from sqlalchemy import select as core_select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.places import Spot
from app.queries.filters import EventFilter, conditions, is_within
from app.queries.plain_rows import EVENTS, run

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
    clauses = conditions(wanted, session.get_bind().dialect.name)
    beyond: list[ColumnElement[bool]] = []
    if position is not None:
        further = column < position.value if descending else column > position.value
        further_id = EVENTS.c.id < position.id if descending else EVENTS.c.id > position.id
        beyond.append(or_(further, and_(column == position.value, further_id)))
    if wanted.near is None:
        keys = core_select(EVENTS.c.id, EVENTS.c.starts_at, EVENTS.c.updated_at)
        found = await run(session, keys.where(*clauses, *beyond).order_by(*order).limit(limit + 1))
        total = await _total(session, clauses)
    else:
        found, total = await _in_circle(
            session, clauses, beyond, order=order, near=wanted.near, radius_km=wanted.radius_km
        )
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
    clauses = conditions(wanted, session.get_bind().dialect.name)
    if wanted.near is None:
        return await _total(session, clauses)
    return (await _in_circle(session, clauses, (), order=(EVENTS.c.id,), near=wanted.near, radius_km=wanted.radius_km))[
        1
    ]


async def _total(session: AsyncSession, clauses: Sequence[ColumnElement[bool]]) -> Total:
    # Ordered, so that the same ones are counted every time and the answer stays the same.
    columns = core_select(EVENTS.c.updated_at, EVENTS.c.starts_at).where(*clauses)
    counted = columns.order_by(EVENTS.c.starts_at, EVENTS.c.id).limit(COUNTED + 1).subquery()
    facts = (func.count(), func.max(counted.c.updated_at), func.min(counted.c.starts_at))
    ((count, updated_at, earliest),) = await run(session, core_select(*facts))
    return Total(min(count, COUNTED), count > COUNTED, updated_at, earliest)


async def _in_circle(
    session: AsyncSession,
    clauses: Sequence[ColumnElement[bool]],
    beyond: Sequence[ColumnElement[bool]],
    *,
    order: Sequence[ColumnElement[Any]],
    near: Spot,
    radius_km: float,
) -> tuple[list[Row[Any]], Total]:
    """Return the keys of the events in a circle that lie beyond a position, in order, and what the circle holds in all.

    The box of `clauses` has found them by index; what is left to do is done on four columns of each.
    """
    is_beyond = and_(true(), *beyond).label("is_beyond")
    columns = (EVENTS.c.id, EVENTS.c.lat, EVENTS.c.lon, EVENTS.c.starts_at, EVENTS.c.updated_at, is_beyond)
    rows = await run(session, core_select(*columns).where(*clauses).order_by(*order))
    inside = [row for row in rows if is_within(row.lat, row.lon, near, radius_km)]
    updated_at = max((row.updated_at for row in inside), default=None)
    earliest = min((row.starts_at for row in inside), default=None)
    total = Total(min(len(inside), COUNTED), len(inside) > COUNTED, updated_at, earliest)
    return [row for row in inside if row.is_beyond], total
