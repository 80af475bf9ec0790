"""The schedule behind the requests: due hosts are claimed once, collected, given back; daily work has one taker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from origin import Asked, Origin
from service import NOW, draft, lay_database, serving
from sqlmodel import select

from app import jobs
from app.db import Database
from app.frontier import add_source, add_sources
from app.models import Event, FetchState, Host, Setting, Source
from scrapers.fetch import Fetcher

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


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database((await lay_database(tmp_path)).database_url)
    yield database
    await database.close()


async def test_due_host_is_collected_once_and_given_back(database: Database) -> None:
    async with Origin() as origin:
        for path in ("/a.ics", "/b.ics"):
            origin.serve(path, CALENDAR, content_type="text/calendar")
        async with database.writing() as session:
            await add_sources(session, [origin.url("/a.ics"), origin.url("/b.ics")])
        async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
            clock = datetime.now(UTC)
            assert await jobs.collect_due(database, fetcher, now=NOW, clock=clock) == 2
            assert await jobs.collect_due(database, fetcher, now=NOW, clock=clock) == 0
        assert sorted(path for path in origin.paths if path.endswith(".ics")) == ["/a.ics", "/b.ics"]
    async with database.reading() as session:
        assert {event.title for event in await session.exec(select(Event))} == {"An evening of letters"}
        row = (await session.exec(select(Host))).one()
        first = min(state.next_fetch_at for state in await session.exec(select(FetchState)))
        assert (row.lease_until, row.next_due) == (None, first)


async def test_host_is_claimed_by_one_worker_until_its_lease_is_over(database: Database) -> None:
    clock = datetime.now(UTC) + timedelta(seconds=1)
    async with database.writing() as session:
        for number in range(5):
            await add_source(session, f"https://host{number}.example/a.ics")
    async with database.writing() as session:
        first = await jobs.claim(session, clock=clock, limit=3)
    async with database.writing() as session:
        second = await jobs.claim(session, clock=clock, limit=3)
    assert (len(first), len(second), set(first) & set(second)) == (3, 2, set())
    async with database.writing() as session:
        assert await jobs.claim(session, clock=clock, limit=3) == []
    async with database.writing() as session:
        assert len(await jobs.claim(session, clock=clock + jobs.LEASE, limit=9)) == 5


async def test_resting_sources_are_left_alone(database: Database) -> None:
    async with database.writing() as session:
        for state in ("new", "paused", "gone"):
            source = await add_source(session, f"https://host.example/{state}.ics")
            source.state = state
        demo = await add_source(session, "https://host.example/demo.ics", is_demo=True)
        clock = datetime.now(UTC)
        assert await jobs.due_at(session, ["host.example:443"], clock=clock) == [1]
        assert demo.id == 4


async def test_daily_job_runs_once_a_day_and_again_after_a_failure(database: Database) -> None:
    ran: list[str] = []

    async def job() -> None:
        ran.append("job")

    async def broken() -> None:
        raise ValueError("broken")

    clock = datetime.now(UTC)
    assert await jobs.once(database, "sweep", jobs.DAILY, job, clock=clock)
    assert not await jobs.once(database, "sweep", jobs.DAILY, job, clock=clock + timedelta(hours=23))
    assert await jobs.once(database, "sweep", jobs.DAILY, job, clock=clock + timedelta(hours=24))
    with pytest.raises(ValueError, match="broken"):
        await jobs.once(database, "other", jobs.DAILY, broken, clock=clock)
    assert await jobs.once(database, "other", jobs.DAILY, job, clock=clock)
    assert ran == ["job", "job", "job"]


async def test_step_does_all_that_is_due(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.store(draft("a", "Letters"), topics={"a": {"typography": 0.9}})
        async with service.database.writing() as session:
            (await session.exec(select(Source))).one().state = "paused"
        me = await service.guest(know={"JavaScript": 4, "React": 4})
        await service.client.post("/api/v1/me/feeds", json={"name": "Mine"}, headers=me)
        await jobs.step(service.database, service.settings, service.app.state.fetcher)
        async with service.database.reading() as session:
            slots = {row.name for row in await session.exec(select(Setting)) if row.name.startswith("job: ")}
    assert slots == {
        f"job: {name}" for name in ("expand series", "move demonstration on", "forget tokens", "renew slates")
    }


async def test_stopping_lets_go_of_a_source_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE", timedelta(milliseconds=200))
    asked = asyncio.Event()

    async def silence(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with Origin() as origin, serving(tmp_path, ADJACENT_ALLOW_HOSTS=origin.host) as service:
        origin.handle("/a.ics", silence)
        async with service.database.writing() as session:
            await add_sources(session, [origin.url("/a.ics")])
        async with jobs.working(service.database, service.settings, service.app.state.fetcher):
            await asyncio.wait_for(asked.wait(), 5)
        async with service.database.reading() as session:
            assert (await session.exec(select(Host))).one().lease_until is None
