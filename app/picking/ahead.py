"""Step 6b, the events ahead, kept: read once a process and a day, and after that whatever of them changed.

A ranking of 50,000 events takes milliseconds, reading them seconds. What is kept stands for one number of the events'
counter (app.revisions), which any process raises, and for one day. Who asks after a change waits for the next reading
where there are few, and those are read whole. Where there are many, only what changed is read, and it goes on beside:
who asks meanwhile gets what was kept, at most some six such readings old, some tenths of a second at 50,000 events; only
how alive communities are is told once a day. Whatever is picked is read afresh, so that nothing is shown that does not
take place any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import Database, database_behind
from app.picking.ahead_reading import COUNTED, read, read_on
from app.picking.ahead_table import Ahead
from app.queries import plain_rows
from recommender.adjacency import load_adjacency

FEW = 5_000  # events that people wait for when one of them changed: a few tenths of a second
RESTS = 4  # times a long reading takes before the next begins: collecting changes events all the time

log = structlog.get_logger()


async def events_ahead(session: AsyncSession, *, now: datetime) -> Ahead:
    """Return the events ahead as they are committed; see above for how old they may be."""
    counted = await plain_rows.run(session, COUNTED)
    return await _keeper_of(database_behind(session)).ahead(counted[0].number if counted else 0, _day_of(now))


@asynccontextmanager
async def read_before_anybody_asks(database: Database, *, now: datetime, after: float = 0) -> AsyncIterator[None]:
    """Read the events ahead behind whatever happens inside, so that the first who asks after a start need not wait.

    It begins `after` so many seconds: arithmetic in a thread makes a start longer.
    """
    task = asyncio.create_task(_read_first(database, _day_of(now), after))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _read_first(database: Database, day: datetime, after: float) -> None:
    await asyncio.sleep(after)
    try:
        await asyncio.to_thread(load_adjacency)
        await _keeper_of(database).ahead(0, day)
    except Exception:
        # Nobody waits for this one: who asks reads again, and hears what is wrong.
        log.exception("the events ahead were not read at the start")


async def forget(database: Database) -> None:
    """Drop what is kept of a database, after the reading that is under way."""
    keeper = _KEEPERS.pop(database, None)
    if keeper is not None:
        await keeper.close()


class Keeper:
    """Keeps what was read last, and reads it again when it is asked for after a change: one reading at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: Ahead | None = None
        self._rests_until = 0.0
        self._reading: asyncio.Task[Ahead] | None = None

    async def ahead(self, revision: int, day: datetime) -> Ahead:
        kept = self._kept
        if kept is not None:
            if kept.day == day and kept.revision >= revision:
                return kept
            if len(kept) > FEW and timedelta(0) <= day - kept.day <= timedelta(days=1):
                if time.monotonic() >= self._rests_until:
                    self._begin(day)
                return kept
        had_begun = self._reading is not None
        found = await asyncio.shield(self._begin(day))
        # What had begun before the change that is asked for was committed is as old as anything kept.
        return await self.ahead(revision, day) if had_begun else found

    def _begin(self, day: datetime) -> asyncio.Task[Ahead]:
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(day))
        return self._reading

    async def _read(self, day: datetime) -> Ahead:
        begun, kept = time.monotonic(), self._kept
        try:
            async with self._database.beside() as connection:
                if kept is None or kept.day != day or len(kept) <= FEW:
                    self._kept = await read(connection, day)
                else:
                    self._kept = await read_on(connection, kept)
        finally:
            ended = time.monotonic()
            self._rests_until = ended + RESTS * (ended - begun)
            self._reading = None
        return self._kept

    async def close(self) -> None:
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)


_KEEPERS: WeakKeyDictionary[Database, Keeper] = WeakKeyDictionary()


def _keeper_of(database: Database) -> Keeper:
    return _KEEPERS.setdefault(database, Keeper(database))


def _day_of(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
