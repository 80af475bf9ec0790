"""Step 1's queue: jobs by name and key, over PgQueuer; its memory beside SQLite, its tables on PostgreSQL.

The queue is never the only record: jobs are named after rows that come due (app.queue.leases), so that a lost one is said
again. This file is all that knows PgQueuer (docs/decisions).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from app.db import Database

if TYPE_CHECKING:
    from pgqueuer import PgQueuer
    from pgqueuer.adapters.inmemory import InMemoryQueries
    from pgqueuer.models import Job, Schedule
    from pgqueuer.queries import Queries

LANES = 20  # jobs at once in one process
BATCH = LANES // 2  # taken from the queue at once; PgQueuer wants at most half the lanes
LOOK = timedelta(seconds=5)  # between two looks into a silent queue
SILENCE = timedelta(seconds=10)  # after which a worker counts as dead and its jobs are given to others
KEPT_LOG = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Engine:
    """What jobs are put into and run from; any number of processes may share one on PostgreSQL."""

    _queuer: PgQueuer
    _queries: Queries | InMemoryQueries

    def job(self, name: str, run: Callable[[str], Awaitable[None]]) -> None:
        """Run jobs of this name by `run`, which is given their key."""

        @self._queuer.entrypoint(name)
        async def entry(job: Job) -> None:
            await run((job.payload or b"").decode())

    def at(self, times: str, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run `run` at these times (cron, seconds in a sixth field), in one of the processes that share the engine."""

        @self._queuer.schedule(name, times)
        async def entry(_: Schedule) -> None:
            await run()

    async def enqueue(self, name: str, keys: Sequence[str]) -> int:
        """Put in one job a key, unless one waits or runs; return how many are new."""
        if not keys:
            return 0
        ids = await self._queries.enqueue(
            [name] * len(keys),
            [key.encode() for key in keys],
            [0] * len(keys),
            dedupe_key=[f"{name}:{key}" for key in keys],
            on_conflict="skip",
        )
        return sum(one is not None for one in ids)

    async def waiting(self) -> int:
        """Return how many jobs wait or run."""
        return sum(one.count for one in await self._queries.queue_size())

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop, and return when the jobs under way have ended; raise when the queue is lost."""

        async def stop() -> None:
            await stopping.wait()
            self._queuer.shutdown.set()

        watching = asyncio.create_task(stop())
        try:
            await self._queuer.run(
                dequeue_timeout=LOOK,
                batch_size=BATCH,
                max_concurrent_tasks=LANES,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=SILENCE,
                log_aggregation_interval=timedelta(0),
            )
        finally:
            watching.cancel()

    async def forget_log(self) -> None:
        """Delete what PgQueuer noted about jobs long ended; in memory it would keep all of it for ever."""
        from pgqueuer.adapters.inmemory import InMemoryQueries  # noqa: PLC0415 (an engine is open: it is there)

        if isinstance(self._queries, InMemoryQueries):
            await self._queries.clear_queue_log()
            return
        table = self._queries.qbe.settings.qualified.queue_table_log
        await self._queries.driver.execute(f"DELETE FROM {table} WHERE created < now() - $1::interval", KEPT_LOG)  # noqa: S608


@asynccontextmanager
async def engine(database: Database) -> AsyncIterator[Engine]:
    """Open the engine that belongs to a database."""
    # Loaded when one is wanted, beside the event loop: who only answers needs none, who also works answers meanwhile.
    await asyncio.to_thread(import_module, "pgqueuer.adapters.inmemory")
    from pgqueuer import PgQueuer  # noqa: PLC0415
    from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries  # noqa: PLC0415
    from pgqueuer.queries import Queries  # noqa: PLC0415

    if database.is_sqlite:
        driver = InMemoryDriver()
        remembered = InMemoryQueries(driver)
        yield Engine(PgQueuer(driver, queries=remembered), remembered)
        return
    async with _connection(database) as connection:
        stored = Queries.from_asyncpg_connection(connection)
        await stored.apply_upgrade()
        yield Engine(PgQueuer(stored.driver, queries=stored), stored)


async def install(database: Database) -> None:
    """Bring PgQueuer's own tables up to date, where there are any (every worker does at its start)."""
    async with engine(database):
        pass


@asynccontextmanager
async def _connection(database: Database) -> AsyncIterator[Any]:
    """Lend an asyncpg connection of its own, outside the pool: it listens, and waits without a transaction."""
    async with database.engine.connect() as pooled:
        raw = await pooled.get_raw_connection()
        connection: Any = raw.driver_connection
        raw.detach()
        try:
            yield connection
        finally:
            await connection.close()
