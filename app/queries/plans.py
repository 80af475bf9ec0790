"""Which way SQLite goes through the events of a filter. It keeps no count of what its indexes hold, so it is told.

Where few events match a topic, a word or a place it begins with those and sorts them; where many do, it goes by start
until a page is full: of 100,000 events that match, sorting takes 80 to 120 ms, and going by start a fifth of that or less.
PostgreSQL counts for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.queries.filters import EventFilter, boxes, conditions, in_box, numbered
from app.queries.plain_rows import EVENTS, run

FEW = 3_000  # rows that sorting is no worse for


async def clauses_of(session: AsyncSession, wanted: EventFilter) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses of a filter in the form that suits what matches it."""
    dialect = session.get_bind().dialect.name
    narrowing = [_counted(one) for one in _narrowing(wanted, dialect)]
    if dialect != "sqlite" or wanted.community or not narrowing:
        return conditions(wanted, dialect)
    (counts,) = await run(session, select(*narrowing))
    return conditions(wanted, dialect, goes_by_start=min(counts) > FEW)


def _narrowing(wanted: EventFilter, dialect: str) -> Iterator[Select[Any]]:
    """Yield what an index tells of each part of a filter that may match a few of all events."""
    yield from numbered(wanted, dialect)
    for box in boxes(wanted):
        yield select(EVENTS.c.id).where(in_box(box))


def _counted(found: Select[Any]) -> Any:
    few = found.limit(FEW + 1).subquery()
    return select(func.count()).select_from(few).scalar_subquery()
