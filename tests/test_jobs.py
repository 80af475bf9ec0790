"""The work behind the requests: what is due becomes jobs, each is done once, and what fails is seen and comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from origin import Asked, Origin
from service import NOW, draft, serving, settings_in
from sqlalchemy import func
from sqlmodel import select
from waiting import PATIENCE, until

from app import jobs, worker
from app.collecting.frontier import add_source, add_sources
from app.db import Database
from app.models import Chore, Event, FetchState, Host, Worker
from app.queue.engine import Engine, engine
from app.queue.holder import Again, Holder, live_workers
from scrapers.fetch import Fetcher

pytest_plugins = ("databases",)

CALENDAR = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Test//EN\r
BEGIN:VEVENT\r
UID:one@example\r
DTSTAMP:20261101T000000Z\r
DTSTART:20261205T180000Z\r
SUMMARY:An evening of letters\r
END:VEVENT\r
END:VCALENDAR\r
"""


@asynccontextmanager
async def running(database: Database, origin: Origin, queue: Engine, tmp_path) -> AsyncIterator[jobs.Work]:
    """Run the jobs of an engine; nothing is put into it but by the test."""
    settings = settings_in(tmp_path, ADJACENT_ALLOW_HOSTS=origin.host)
    stopping = asyncio.Event()
    async with Fetcher(allow_hosts=settings.allow_hosts) as fetcher:
        work = jobs.Work(database, settings, fetcher, Holder(database))
        jobs.register(queue, work)
        task = asyncio.create_task(queue.run(stopping))
        yield work
        stopping.set()
        await work.holder.stop(timedelta(0))
        await asyncio.wait_for(task, PATIENCE)


async def host(database: Database) -> Host:
    async with database.reading() as session:
        return (await session.exec(select(Host))).one()


async def test_due_host_is_collected_once_and_given_back(database: Database, tmp_path) -> None:
    async with Origin() as origin, engine(database) as queue:
        for path in ("/a.ics", "/b.ics"):
            origin.serve(path, CALENDAR, content_type="text/calendar")
        async with database.writing() as session:
            await add_sources(session, [origin.url("/a.ics"), origin.url("/b.ics")])
        assert await jobs.enqueue_due(queue, database, clock=datetime.now(UTC)) == 1
        assert await jobs.enqueue_due(queue, database, clock=datetime.now(UTC)) == 0
        async with running(database, origin, queue, tmp_path):

            async def is_done() -> bool:
                return (await host(database)).next_due > datetime.now(UTC)

            await until(is_done)
        assert sorted(path for path in origin.paths if path.endswith(".ics")) == ["/a.ics", "/b.ics"]
    async with database.reading() as session:
        assert {event.title for event in await session.exec(select(Event))} == {"An evening of letters"}
        row = (await session.exec(select(Host))).one()
        first = min(state.next_fetch_at for state in await session.exec(select(FetchState)))
        assert (row.lease_until, row.holder, row.attempts, row.next_due) == (None, None, 0, first)


async def test_host_that_two_queues_name_is_walked_by_one(database: Database, tmp_path) -> None:
    async with Origin() as origin, engine(database) as one, engine(database) as other:
        origin.serve("/a.ics", CALENDAR, content_type="text/calendar")
        async with database.writing() as session:
            await add_source(session, origin.url("/a.ics"))
        name = (await host(database)).name
        async with running(database, origin, one, tmp_path), running(database, origin, other, tmp_path):
            await one.enqueue(jobs.HOST, [name])
            await other.enqueue(jobs.HOST, [name])

            async def is_empty() -> bool:
                return await one.waiting() + await other.waiting() == 0 and (await host(database)).holder is None

            await until(is_empty)
        assert origin.paths.count("/a.ics") == 1


async def test_chore_is_done_once_a_period(database: Database, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    async def sweep(_: jobs.Work) -> None:
        done.append("swept")

    monkeypatch.setattr(jobs, "CHORES", {"sweep": (jobs.DAILY, sweep)})
    async with Origin() as origin, engine(database) as queue, running(database, origin, queue, tmp_path):
        await jobs.prepare(database)
        clock = datetime.now(UTC)
        assert await jobs.enqueue_due(queue, database, clock=clock) == 1

        async def is_done() -> bool:
            return (await chore(database)).done_at is not None

        await until(is_done)
        assert await jobs.enqueue_due(queue, database, clock=clock + timedelta(hours=23)) == 0
    assert done == ["swept"]
    row = await chore(database)
    assert row.next_due - row.done_at == jobs.DAILY


async def test_chore_that_fails_says_why_and_comes_again(
    database: Database, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: jobs.Work) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(jobs, "CHORES", {"sweep": (jobs.DAILY, broken)})
    async with Origin() as origin, engine(database) as queue, running(database, origin, queue, tmp_path):
        await jobs.prepare(database)
        await jobs.enqueue_due(queue, database, clock=datetime.now(UTC))

        async def has_failed() -> bool:
            return (await chore(database)).error is not None

        await until(has_failed)
    row = await chore(database)
    assert (row.error, row.attempts, row.holder, row.done_at) == ("ValueError: broken", 1, None, None)


async def chore(database: Database) -> Chore:
    async with database.reading() as session:
        return (await session.exec(select(Chore))).one()


async def test_chores_that_are_no_more_are_forgotten(database: Database) -> None:
    async with database.writing() as session:
        session.add(Chore(name="of an older version", next_due=NOW))
    await jobs.prepare(database)
    await jobs.prepare(database)
    async with database.reading() as session:
        assert set(await session.exec(select(Chore.name))) == set(jobs.CHORES)


async def test_worker_does_all_that_is_due_and_shows_that_it_lives(tmp_path) -> None:
    async with serving(tmp_path) as service:
        await service.store(draft("a", "Letters"), topics={"a": {"typography": 0.9}})
        me = await service.guest(know={"JavaScript": 4, "React": 4})
        await service.client.post("/api/v1/me/feeds", json={"name": "Mine"}, headers=me)
        async with service.database.writing() as session:
            (await session.exec(select(Host))).one().next_due = datetime.now(UTC) + timedelta(days=1)
        async with worker.working(service.database, service.settings, service.app.state.fetcher):

            async def all_are_done() -> bool:
                async with service.database.reading() as session:
                    undone = select(func.count()).select_from(Chore).where(Chore.done_at == None)  # noqa: E711
                    workers = select(func.count()).select_from(Worker)
                    chores = select(func.count()).select_from(Chore)
                    counts = [(await session.exec(one)).one() for one in (undone, workers, chores)]
                    return counts == [0, 1, len(jobs.CHORES)]

            await until(all_are_done)
        async with service.database.reading() as session:
            assert list(await session.exec(select(Worker))) == []


async def test_stopping_lets_go_of_a_source_that_does_not_answer(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "GRACE", timedelta(milliseconds=200))
    asked = asyncio.Event()

    async def silence(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with Origin() as origin, serving(tmp_path, ADJACENT_ALLOW_HOSTS=origin.host) as service:
        origin.handle("/a.ics", silence)
        async with service.database.writing() as session:
            await add_sources(session, [origin.url("/a.ics")])
        async with worker.working(service.database, service.settings, service.app.state.fetcher):
            await asyncio.wait_for(asked.wait(), PATIENCE)
        row = await host(service.database)
        assert (row.lease_until, row.holder, row.attempts) == (None, None, 0)
        assert row.next_due <= datetime.now(UTC)


async def test_what_was_lost_to_another_worker_is_stopped(tmp_path, database: Database) -> None:
    async with database.writing() as session:
        await add_source(session, "https://host.example/a")
    late, other = Holder(database), Holder(database)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def walk() -> Again:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {"next_due": NOW}

    walking = asyncio.create_task(late.work(Host, "host.example:443", walk))
    await begun.wait()
    async with database.writing() as session:
        (await session.get_one(Host, "host.example:443")).holder = other.name
    await late.beat()
    await asyncio.wait_for(ended.wait(), PATIENCE)
    await walking
    assert (await host(database)).holder == other.name


async def test_worker_that_was_not_seen_of_late_does_not_count(database: Database) -> None:
    clock = datetime.now(UTC)
    async with database.writing() as session:
        session.add(Worker(name="alive", started_at=clock, seen_at=clock - timedelta(seconds=20)))
        session.add(Worker(name="silent", started_at=clock, seen_at=clock - timedelta(seconds=40)))
    async with database.reading() as session:
        assert await live_workers(session, clock=clock) == ["alive"]
