"""Step 1, who works on what: rows that come due are spoken for, held by one worker, renewed, and given back.

A schedule speaks for due rows (`claim`) and puts their names into a queue; whoever gets a name from it takes the row
(`take`) and renews its lease. So the queue may lose names or say them twice: what is due stays due, and one works on it.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CursorResult,
    Integer,
    Update,
    bindparam,
    case,
    literal_column,
    or_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Leased

LEASE = timedelta(seconds=15)  # how long a worker that died holds things up
BEAT = LEASE / 3  # between renewals
MOST_ATTEMPTS = 5  # after these in a row a row rests: a dead letter
SKEW = 10 * LEASE  # a lease that ends later was written under a wrong clock
REST = timedelta(days=1)  # then it gets another attempt, for the cause may have gone
FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)


def retry_after(attempts: int) -> timedelta:
    """Return the pause after the nth failed attempt in a row."""
    pause: timedelta = FIRST_RETRY * 2 ** min(attempts - 1, 10)
    return min(pause, LAST_RETRY)


def is_dead(table: type[Leased]) -> ColumnElement[bool]:
    return col(table.attempts) >= MOST_ATTEMPTS


async def lay(session: AsyncSession, table: type[Leased], names: Collection[str], *, clock: datetime) -> None:
    """Write down rows, due now; those that are there are left as they are, also when two write them at once."""
    if not names:
        return
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    unless_known = (sqlite.insert(table) if is_sqlite else postgresql.insert(table)).on_conflict_do_nothing()
    await session.exec(unless_known, params=[{"name": name, "next_due": clock} for name in sorted(names)])


def _is_free(table: type[Leased]) -> ColumnElement[bool]:
    """Tell rows that nobody holds at `clock`, by their lease; `skewed` is a while later."""
    lease = col(table.lease_until)
    return or_(col(table.holder).is_(None), lease <= bindparam("clock"), lease > bindparam("skewed"))


async def claim(session: AsyncSession, table: type[Leased], *, clock: datetime, limit: int) -> list[str]:
    """Speak for up to `limit` due rows for as long as a lease, of those the longest overdue; return their names."""
    values = {"clock": clock, "until": clock + LEASE, "skewed": clock + SKEW, "rested": clock - REST, "limit": limit}
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return list((await _execute(session, _claiming(table, is_sqlite=is_sqlite), values)).scalars().all())


@functools.cache  # asked every few seconds for ever, and building it takes longer than running it
def _claiming(table: type[Leased], *, is_sqlite: bool) -> Any:
    # A million names make an index larger than SQLite's cache, and its rows have a shorter way to them.
    key: Any = literal_column("rowid") if is_sqlite else col(table.name)
    instants: list[BindParameter[datetime]] = [bindparam(name) for name in ("clock", "until", "skewed", "rested")]
    clock, until, skewed, rested = instants
    lease = col(table.lease_until)
    due = (
        select(key.label("key"))
        .select_from(table)
        .where(
            col(table.next_due) <= clock,
            or_(lease.is_(None), lease <= clock, lease > skewed),
            or_(~is_dead(table), col(table.next_due) <= rested),
        )
        # Not by name, too: a long list of sources is due at one instant, and would be sorted each time.
        .order_by(col(table.next_due))
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True)  # SQLite has one writer and needs none
        .cte("due")
    )
    return (
        update(table)
        .where(key.in_(select(due.c.key)))
        .values(lease_until=until, holder=None)
        .returning(col(table.name))
    )


async def take(
    session: AsyncSession, table: type[Leased], names: Collection[str], holder: str, *, clock: datetime
) -> set[str]:
    """Hold due rows, but those that somebody holds; return which. The attempt counts from now on."""
    values = {"names": names, "by": holder, "clock": clock, "until": clock + LEASE, "skewed": clock + SKEW}
    return set((await _execute(session, _taking(table), values)).scalars().all())


@functools.cache
def _taking(table: type[Leased]) -> Any:
    clock: BindParameter[datetime] = bindparam("clock")
    return (
        update(table)
        .where(_is_named(table), col(table.next_due) <= clock, _is_free(table))
        # Whatever kills its worker goes to the end of the line.
        .values(holder=bindparam("by"), lease_until=bindparam("until"), attempts=table.attempts + 1, next_due=clock)
        .returning(col(table.name))
    )


async def renew(
    session: AsyncSession, table: type[Leased], names: Collection[str], holder: str, *, clock: datetime
) -> set[str]:
    """Hold on to rows; return the names that are still the holder's."""
    values = {"names": names, "by": holder, "until": clock + LEASE}
    return set((await _execute(session, _renewing(table), values)).scalars().all())


@functools.cache
def _renewing(table: type[Leased]) -> Any:
    return _of_holder(table).values(lease_until=bindparam("until")).returning(col(table.name))


@functools.cache
def _of_holder(table: type[Leased]) -> Update:
    return update(table).where(_is_named(table), col(table.holder) == bindparam("by"))


def _is_named(table: type[Leased]) -> ColumnElement[bool]:
    return col(table.name).in_(bindparam("names", expanding=True))


async def release(
    session: AsyncSession, table: type[Leased], names: Collection[str], holder: str, **values: Any
) -> None:
    """Give back rows that were worked on well; `values` are what else changes: when each is due again."""
    released = _of_holder(table).values(lease_until=None, holder=None, attempts=0, error=None, **values)
    await _execute(session, released, {"names": names, "by": holder})


async def fail(
    session: AsyncSession, table: type[Leased], name: str, holder: str, error: str, *, clock: datetime
) -> None:
    """Give back a row whose work failed; it is due again after a pause that grows."""
    row = await session.get(table, name, with_for_update=True)
    if row is not None and row.holder == holder:
        row.holder, row.lease_until, row.error = None, None, error
        row.next_due = clock + retry_after(row.attempts)


async def give_up(session: AsyncSession, table: type[Leased], names: Collection[str], holder: str) -> None:
    """Let go of rows whose work was only interrupted; that was no attempt."""
    attempts = case((col(table.attempts) > 0, table.attempts - 1), else_=0)
    interrupted = _of_holder(table).values(lease_until=None, holder=None, attempts=attempts)
    await _execute(session, interrupted, {"names": names, "by": holder})


async def requeue(session: AsyncSession, table: type[Leased], name: str, *, clock: datetime) -> bool:
    """Make a row due now with all attempts ahead of it, unless somebody is at it; return whether it was free."""
    freed = (
        update(table)
        .where(col(table.name) == name, _is_free(table))
        .values(next_due=clock, attempts=0, error=None, lease_until=None, holder=None)
    )
    return (await _execute(session, freed, {"clock": clock, "skewed": clock + SKEW})).rowcount == 1


async def _execute(session: AsyncSession, statement: Any, values: dict[str, Any] | None = None) -> CursorResult[Any]:
    # Through the connection rather than the session: a thousand names need no objects, and nobody has such rows loaded.
    await session.flush()
    result: CursorResult[Any] = await (await session.connection()).execute(statement, values)
    return result
