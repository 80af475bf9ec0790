"""Which way SQLite goes through the events of a filter. It keeps no count of what its indexes hold, so it is told.

Where few events match a topic, a word or a place it begins with those and sorts them. Where many do, it goes by start
until a page is full: of 100,000 events that match, sorting takes 80 to 120 ms, and going by start a fifth of that or
less. Words and purposes are gone through in their own index, which is in that order (search_index). PostgreSQL counts for
itself, where it is let.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, func, select, text
from sqlmodel.ext.asyncio.session import AsyncSession

from app.queries import search_index
from app.queries.clauses import Part, common, conditions, parts
from app.queries.filters import EventFilter
from app.queries.plain_rows import EVENTS, run
from app.queries.search_index import SEARCH

FEW = 3_000  # rows that sorting is no worse for


@dataclass(frozen=True, slots=True)
class Way:
    """What of to read the events of a filter, and by which columns they come in the order of lists."""

    source: FromClause
    clauses: Sequence[ColumnElement[bool]]
    order: Sequence[ColumnElement[Any]]

    @property
    def is_through_search(self) -> bool:
        return self.source is not EVENTS


async def way_of(session: AsyncSession, wanted: EventFilter) -> Way:
    """Return the way that suits what matches a filter."""
    if _is_sqlite(session) and search_index.is_in_order(wanted):
        found = list(parts(wanted, "sqlite"))
        leader = await _smallest(session, found) if len(found) > 1 else None
        if leader is None or leader.is_search:
            ordered = EVENTS.c.id == search_index.event_id(SEARCH.c.rowid)
            clauses = [*search_index.entries(wanted), *(part.clause for part in found if not part.is_search)]
            if not search_index.knows_all(wanted):
                clauses += common(wanted, "sqlite")
            return Way(SEARCH.join(EVENTS, ordered), clauses, [SEARCH.c.rowid])
        clauses = _led_by(leader, found, wanted)
    else:
        clauses = await clauses_of(session, wanted)
    return Way(EVENTS, clauses, [EVENTS.c.starts_at, EVENTS.c.id])


async def clauses_of(session: AsyncSession, wanted: EventFilter) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses, on the table of events alone, in the form that suits what matches a filter."""
    if not _is_sqlite(session):
        # A plan that suits any words and values suits none: it goes by start for a word that no event holds.
        await (await session.connection()).execute(text("SET LOCAL plan_cache_mode TO force_custom_plan"))
        return conditions(wanted, session.get_bind().dialect.name)
    found = list(parts(wanted, "sqlite"))
    return _led_by(await _smallest(session, found) if found else None, found, wanted)


def _led_by(leader: Part | None, found: Sequence[Part], wanted: EventFilter) -> list[ColumnElement[bool]]:
    told = (part.leading if part is leader else part.clause for part in found)
    return [*told, *common(wanted, "sqlite")]


async def _smallest(session: AsyncSession, found: Sequence[Part]) -> Part | None:
    """Return the part that the fewest events match; None where many match any of them."""
    (counts,) = await run(session, select(*(_counted(part.event_ids) for part in found)))
    count, place = min(zip(counts, range(len(found)), strict=True))
    return found[place] if count <= FEW else None


def _counted(found: Select[Any]) -> Any:
    few = found.limit(FEW + 1).subquery()
    return select(func.count()).select_from(few).scalar_subquery()


def _is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"
