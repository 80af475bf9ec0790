"""Step 1's worker as the database knows it: its sign of life, and the work it holds, whose leases it renews.

What somebody else took meanwhile, because the renewals came too late, is stopped: two never walk one host.
"""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import Database
from app.models import Leased, Worker
from app.queue import leases

GONE = timedelta(days=1)  # a worker that was not seen for so long is forgotten

Again = dict[str, Any]  # what a row says once it was worked on: at least `next_due`

log = structlog.get_logger()


class Holder:
    """Works on leased rows, one worker process long."""

    def __init__(self, database: Database) -> None:
        self.name = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._database = database
        self._started_at = datetime.now(UTC)
        self._tasks: dict[tuple[type[Leased], str], asyncio.Task[Again]] = {}

    async def work(self, table: type[Leased], name: str, run: Callable[[], Awaitable[Again]]) -> None:
        """Hold a due row while `run` works on it and says when it is due again; do nothing when it is not to be had.

        An error of `run` is written on the row and raised.
        """
        async with self._database.writing() as session:
            if not await leases.take(session, table, [name], self.name, clock=datetime.now(UTC)):
                return
        task = self._tasks[table, name] = asyncio.ensure_future(run())
        try:
            again = await task
        except asyncio.CancelledError:
            async with self._database.writing() as session:
                await leases.give_up(session, table, [name], self.name)
            if (current := asyncio.current_task()) is not None and current.cancelling():
                raise  # not only the work was cancelled
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            async with self._database.writing() as session:
                await leases.fail(session, table, name, self.name, told, clock=datetime.now(UTC))
            raise
        else:
            async with self._database.writing() as session:
                await leases.release(session, table, [name], self.name, **again)
        finally:
            del self._tasks[table, name]

    async def stop(self, grace: timedelta) -> None:
        """Let what is under way finish for a moment, then interrupt it; it stays due."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=grace.total_seconds())
        for task in self._tasks.values():
            task.cancel()

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Show that this worker lives, and renew what it holds, until the block ends."""
        await self.beat()
        beating = asyncio.create_task(self._beat_on())
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            async with self._database.writing() as session:
                await session.exec(delete(Worker).where(col(Worker.name) == self.name))

    async def _beat_on(self) -> None:
        while True:
            await asyncio.sleep(leases.BEAT.total_seconds())
            try:
                await self.beat()
            except Exception:
                # The database may be back at the next beat; what was lost by then is stopped there.
                log.exception("renewing leases failed")

    async def beat(self) -> None:
        """Renew once, and stop what was lost."""
        clock = datetime.now(UTC)
        held = {table: [name for one, name in self._tasks if one is table] for table in {one for one, _ in self._tasks}}
        lost = []
        async with self._database.writing() as session:
            await session.merge(Worker(name=self.name, started_at=self._started_at, seen_at=clock))
            await session.exec(delete(Worker).where(col(Worker.seen_at) < clock - GONE))
            for table, names in held.items():
                kept = await leases.renew(session, table, names, self.name, clock=clock)
                lost += [(table, name) for name in names if name not in kept]
        for table, name in lost:
            if task := self._tasks.get((table, name)):
                log.warning("lost a lease", table=table.__name__, name=name)
                task.cancel()


async def live_workers(session: AsyncSession, *, clock: datetime) -> list[str]:
    """Return the names of the workers that gave a sign of life of late."""
    return list(await session.exec(select(Worker.name).where(col(Worker.seen_at) >= clock - 2 * leases.LEASE)))
