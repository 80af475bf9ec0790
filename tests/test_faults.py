"""What befalls a service: killed and stopped workers, a database that is locked, full or gone, clocks that jump.

After each: nothing is lost or doubled, and all goes on by itself.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from origin import Asked, Origin, answer
from service import NOW, draft, lay_database, serving
from sqlalchemy import make_url, text
from sqlmodel import select
from test_migrations import content
from waiting import PATIENCE, until

from app import jobs, worker
from app.collecting import frontier
from app.collecting.frontier import add_source, add_sources
from app.db import Database, current_revision, migrate, newest_revision
from app.events import ingest
from app.models import Chore, Event, EventVersion, FetchState, Host, Source, Worker
from app.queue import leases

pytest_plugins = ("databases",)

DAY = timedelta(days=1)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def calendar(number: int) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"]
    for day in (1, 2, 3):
        lines += ["BEGIN:VEVENT", f"UID:{day}@{number}.example", "DTSTAMP:20261101T000000Z"]
        lines += [f"DTSTART:202612{day + 4:02}T{8 + number % 12:02}0000Z", f"SUMMARY:Evening {day} of group {number}"]
        lines += ["END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


@asynccontextmanager
async def working(database: Database, folder: Path, *origins: Origin) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `adjacent worker` as a process of its own."""
    environment = {
        **os.environ,
        "ADJACENT_DATA": str(folder),
        "ADJACENT_DATABASE_URL": database.url.replace("+aiosqlite", "").replace("+asyncpg", ""),
        "ADJACENT_NOW": NOW.isoformat(),
        "ADJACENT_ALLOW_HOSTS": ",".join(origin.host for origin in origins),
    }
    command = str(Path(sys.executable).parent / "adjacent")
    process = await asyncio.create_subprocess_exec(command, "worker", env=environment, stderr=asyncio.subprocess.PIPE)
    reading = asyncio.create_task(process.stderr.read())  # a pipe nobody empties would stop it
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def hosts(database: Database) -> list[Host]:
    async with database.reading() as session:
        return list(await session.exec(select(Host).order_by(Host.name)))


@pytest.mark.long
async def test_killed_workers_lose_and_double_nothing(database: Database, tmp_path: Path) -> None:
    chance = random.Random(20261125)
    each = 8  # calendars an origin

    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        body = calendar(int(asked.path.strip("/")))
        writer.write(answer(200, {"Content-Type": "text/calendar", "Content-Length": str(len(body))}, body))

    async with AsyncExitStack() as stack:
        origins = [await stack.enter_async_context(Origin()) for _ in range(6)]
        urls = []
        for place, origin in enumerate(origins):
            for number in range(place * each, place * each + each):
                origin.handle(f"/{number}", slow)
                urls.append(origin.url(f"/{number}"))
        async with database.writing() as session:
            await add_sources(session, urls)
        async with working(database, tmp_path, *origins):
            for _ in range(5):
                async with working(database, tmp_path, *origins) as victim:
                    await asyncio.sleep(chance.uniform(1.0, 4.0))
                    victim.kill()
            await until(lambda: all_collected(database, len(urls)))
    async with database.reading() as session:
        uids = [row.uid for row in await session.exec(select(EventVersion))]
        titles = list(await session.exec(select(Event.title).where(Event.merged_into == None)))  # noqa: E711
    assert len(uids) == len(set(uids)) == 3 * len(urls)
    assert len(titles) == len(set(titles)) == 3 * len(urls)
    assert max(origin.most_open for origin in origins) <= 8  # 4 lanes, and those of one that was just killed


async def all_collected(database: Database, number: int) -> bool:
    async with database.reading() as session:
        done = await session.exec(select(FetchState.source_id).where(FetchState.last_good_at != None))  # noqa: E711
        return len(done.all()) == number


@pytest.mark.long
async def test_work_of_a_killed_worker_is_taken_up_within_thirty_seconds(database: Database, tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def silence(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with Origin() as origin, working(database, tmp_path, origin) as first:
        origin.handle("/a", silence)
        async with database.writing() as session:
            await add_source(session, origin.url("/a"))
        await asyncio.wait_for(asked.wait(), PATIENCE)
        async with working(database, tmp_path, origin):
            await until(lambda: workers(database, 2))
            asked.clear()
            first.kill()
            await asyncio.wait_for(asked.wait(), 30)


async def workers(database: Database, number: int) -> bool:
    async with database.reading() as session:
        return len(list(await session.exec(select(Worker)))) == number


async def test_worker_that_is_told_to_stop_gives_back_what_it_holds(database: Database, tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def silence(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with Origin() as origin:
        origin.handle("/a", silence)
        async with database.writing() as session:
            await add_source(session, origin.url("/a"))
        async with working(database, tmp_path, origin) as process:
            await asyncio.wait_for(asked.wait(), PATIENCE)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    assert [(host.holder, host.lease_until, host.attempts) for host in await hosts(database)] == [(None, None, 0)]
    assert await workers(database, 0)


@pytest.mark.long
async def test_killed_migrations_leave_a_schema_that_goes_on(empty_url: str, tmp_path: Path) -> None:
    database = Database(empty_url)
    await migrate(database)
    async with database.writing() as session:
        source = await add_source(session, "https://reading.example/a.ics")
        drafts = [draft(f"{number}", f"Evening {number}") for number in range(50)]
        await ingest.store(session, source, ingest.Changes(added=tuple(drafts)), now=NOW)
    await migrate(database, "0007")
    before = await content(database)
    chance = random.Random(20261125)
    environment = {**os.environ, "ADJACENT_DATA": str(tmp_path)}
    environment["ADJACENT_DATABASE_URL"] = empty_url.replace("+aiosqlite", "").replace("+asyncpg", "")
    command = str(Path(sys.executable).parent / "adjacent")
    for _ in range(8):
        process = await asyncio.create_subprocess_exec(
            command, "migrate", env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await asyncio.wait_for(process.wait(), chance.uniform(0.5, 4.0))
        except TimeoutError:
            process.kill()
            await process.wait()
        assert await current_revision(database) in {"0007", newest_revision()}  # all or nothing
        if await current_revision(database) != "0007":
            await migrate(database, "0007")
    assert {name: len(rows) for name, rows in (await content(database)).items()} == {
        name: len(rows) for name, rows in before.items()
    }
    await migrate(database)
    assert await current_revision(database) == newest_revision()
    await database.close()


@on_postgresql
async def test_worker_outlives_the_loss_of_its_connections(database: Database, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(Origin())
        origin.serve("/a", calendar(1), content_type="text/calendar")
        changes = {"ADJACENT_DATABASE_URL": database.url, "ADJACENT_ALLOW_HOSTS": origin.host}
        service = await stack.enter_async_context(serving(tmp_path, **changes))
        await stack.enter_async_context(worker.working(database, service.settings, service.app.state.fetcher))
        await until(lambda: workers(database, 1))
        await disconnect_all(database)
        async with service.database.writing() as session:
            await add_source(session, origin.url("/a"))
        await until(lambda: all_collected(service.database, 1))
        assert (await service.client.get("/api/v1/events")).json()["meta"]["count"] == 3


async def disconnect_all(database: Database) -> None:
    """End all connections to a database, as a server does that is restarted."""
    admin = Database(make_url(database.url).set(database="postgres").render_as_string(hide_password=False))
    ending = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    async with admin.engine.connect() as connection:
        await connection.execute(ending, {"name": make_url(database.url).database})
    await admin.close()


@pytest.mark.sqlite
async def test_database_that_is_gone_is_503_and_back_by_itself(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.store(draft("a", "Letters"))
        file = tmp_path / "adjacent.sqlite3"
        locked = sqlite3.connect(file, isolation_level=None)
        async with service.database.engine.connect() as connection:
            await connection.execute(text("PRAGMA busy_timeout=0"))
        locked.execute("BEGIN IMMEDIATE")
        assert (await service.client.get("/api/v1/events")).status_code == 200  # reading goes on
        async with service.database.engine.connect() as connection:
            await connection.execute(text("PRAGMA busy_timeout=0"))
        refused = await service.client.post("/api/v1/me")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        locked.execute("ROLLBACK")
        assert (await service.client.post("/api/v1/me")).status_code == 201
        locked.close()


@on_postgresql
async def test_database_that_is_slow_is_503_where_it_is_and_answers_elsewhere(
    database: Database, tmp_path: Path
) -> None:
    async with serving(tmp_path, ADJACENT_DATABASE_URL=database.url) as service, database.engine.connect() as hanging:
        await service.store(draft("a", "Letters"))
        async with service.database.engine.connect() as connection:  # the one that requests in turn are lent
            await connection.execute(text("SET lock_timeout = 50"))
            await connection.commit()
        await hanging.execute(text("LOCK TABLE person IN EXCLUSIVE MODE"))
        refused = await service.client.post("/api/v1/me")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert (await service.client.get("/api/v1/events")).json()["meta"]["count"] == 1
        await hanging.rollback()
        assert (await service.client.post("/api/v1/me")).status_code == 201


@on_postgresql
async def test_database_whose_disk_is_full_is_503(database: Database, tmp_path: Path) -> None:
    refuse = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$
    """
    async with serving(tmp_path, ADJACENT_DATABASE_URL=database.url) as service:
        async with database.writing() as session:
            connection = await session.connection()
            await connection.execute(text(refuse))
            await connection.execute(text("CREATE TRIGGER full_disk BEFORE INSERT ON person EXECUTE FUNCTION refuse()"))
        assert (await service.client.post("/api/v1/me")).status_code == 503
        assert (await service.client.get("/api/v1/events")).status_code == 200


@pytest.mark.sqlite
async def test_cancelled_work_holds_up_no_other(tmp_path: Path) -> None:
    database = Database((await lay_database(tmp_path)).database_url)
    loop, is_read, is_cancelled = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def wait() -> int:
        loop.call_soon_threadsafe(is_read.set)
        is_cancelled.wait(PATIENCE)
        return 1

    async def read_while_writing() -> None:
        async with database.writing() as session:
            session.add(Chore(name="cut short", next_due=NOW))
            await session.flush()
            connection = await session.connection()
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.create_function("wait", 0, wait)
            await connection.execute(text("SELECT wait() UNION ALL SELECT 2"))

    cut_short = asyncio.create_task(read_while_writing())
    await is_read.wait()
    cut_short.cancel()
    is_cancelled.set()
    with pytest.raises(asyncio.CancelledError) as caught:
        await cut_short
    async with database.writing() as session:
        session.add(Chore(name="other", next_due=NOW))
    async with database.reading() as session:
        assert list(await session.exec(select(Chore.name))) == ["other"]
    assert caught.tb is not None  # it held the statement that was cut short, and would have held its locks
    await database.close()


@pytest.mark.sqlite
async def test_full_disk_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.store(draft("a", "Letters"))
        async with service.database.engine.connect() as connection:
            pages = await connection.scalar(text("PRAGMA page_count"))
            await connection.execute(text(f"PRAGMA max_page_count={pages}"))
        statuses = {(await service.client.post("/api/v1/me")).status_code for _ in range(60)}
        assert statuses == {201, 503}  # until the pages that are there were full
        assert (await service.client.get("/api/v1/events")).json()["meta"]["count"] == 1
        async with service.database.engine.connect() as connection:
            await connection.execute(text("PRAGMA max_page_count=1000000"))
            assert await connection.scalar(text("PRAGMA integrity_check")) == "ok"
        assert (await service.client.post("/api/v1/me")).status_code == 201


async def test_clock_that_was_ahead_for_a_while_holds_up_nothing(database: Database) -> None:
    clock = datetime.now(UTC)
    ahead = clock + 300 * DAY
    async with database.writing() as session:
        source = await add_source(session, "https://host.example/a")
        (await session.get_one(FetchState, source.id)).next_fetch_at = ahead
        host = await session.get_one(Host, "host.example:443")
        host.next_due = ahead
        session.add(Chore(name=jobs.TAG, next_due=ahead))
    await jobs.prepare(database)
    async with database.writing() as session:
        assert await leases.claim(session, Host, clock=clock + timedelta(seconds=5), limit=9) == ["host.example:443"]
        assert jobs.TAG in await leases.claim(session, Chore, clock=clock + timedelta(seconds=5), limit=99)
    async with database.writing() as session:
        (await session.get_one(Host, "host.example:443")).lease_until = ahead  # by a worker that had the wrong clock
    async with database.writing() as session:
        assert await leases.claim(session, Host, clock=clock + timedelta(seconds=5), limit=9) == ["host.example:443"]


async def test_sources_that_rest_are_not_made_due_by_mending(database: Database) -> None:
    clock = datetime.now(UTC)
    async with database.writing() as session:
        source = await add_source(session, "https://host.example/a")
        source.state = "gone"
        (await session.get_one(Host, "host.example:443")).next_due = clock + 365 * DAY
    async with database.writing() as session:
        assert await frontier.mend(session, clock=clock) == 0
    assert [host.next_due for host in await hosts(database)] == [clock + 365 * DAY]
    async with database.reading() as session:
        assert (await session.exec(select(Source.state))).one() == "gone"
