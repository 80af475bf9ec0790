"""Step 1's clock: what `serve` and any number of workers do behind the requests.

Every job is derived from rows, so nothing is lost when a process dies: hosts that are due are claimed for a while, and
what is daily has a slot in `Setting` that one worker takes. The schedule keeps the real clock; `settings.now()` says
what is upcoming.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import func, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import about, collect, feeds, first_start, slates, tokens
from app.db import Database
from app.frontier import RESTING
from app.models import FetchState, Host, Person, Setting, Source
from app.settings import Settings
from scrapers.fetch import Fetcher

PAUSE = timedelta(seconds=30)  # between two looks for what is due
LEASE = timedelta(minutes=15)  # after this a claimed host counts as abandoned by a process that died
HOSTS = 20  # claimed at once
GRACE = timedelta(seconds=3)  # service managers kill after some seconds
DAILY = timedelta(days=1)
OFTEN = timedelta(minutes=10)

WORKING = (col(Source.state).not_in(RESTING), col(Source.is_demo).is_(False))

log = structlog.get_logger()


@asynccontextmanager
async def working(database: Database, settings: Settings, fetcher: Fetcher) -> AsyncIterator[None]:
    """Work behind whatever happens inside; at its end what is under way may finish for a moment, then it is rolled back."""
    stopping = asyncio.Event()
    task = asyncio.create_task(work(database, settings, fetcher, stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait([task], timeout=GRACE.total_seconds())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def work(database: Database, settings: Settings, fetcher: Fetcher, stopping: asyncio.Event) -> None:
    """Do what is due until told to stop. Cancelling it is safe at any moment: every step is one transaction."""
    while not stopping.is_set():
        try:
            await step(database, settings, fetcher)
        except Exception:
            # The loop outlives its steps: a fault in one must not end collecting until somebody restarts the service.
            log.exception("job step failed")
        try:
            await asyncio.wait_for(stopping.wait(), PAUSE.total_seconds())
        except TimeoutError:
            continue


async def step(database: Database, settings: Settings, fetcher: Fetcher, *, clock: datetime | None = None) -> None:
    """Do once all that is due."""
    clock = clock or datetime.now(UTC)
    now = settings.now()
    await collect_due(database, fetcher, now=now, clock=clock)
    await once(database, "expand series", DAILY, lambda: collect.expand_series(database, now=now), clock=clock)
    await once(database, "move demonstration on", DAILY, lambda: first_start.move_on(database, now=now), clock=clock)
    await once(database, "forget tokens", DAILY, lambda: _forget_tokens(database, clock), clock=clock)
    await once(database, "renew slates", OFTEN, lambda: renew_slates(database, now=now), clock=clock)


async def collect_due(database: Database, fetcher: Fetcher, *, now: datetime, clock: datetime) -> int:
    """Collect from all hosts that are due, and tag what is new; return how many sources were looked at."""
    looked_at = 0
    visited: set[str] = set()
    while (hosts := await _claimed(database, clock=clock)) and not visited.issuperset(hosts):
        visited.update(hosts)
        try:
            async with database.reading() as session:
                source_ids = await due_at(session, hosts, clock=clock)
            round_ = await collect.collect(database, fetcher, source_ids, now=now)
        except asyncio.CancelledError:
            await asyncio.shield(_release(database, hosts))
            raise
        # After a fault of ours they stay claimed until LEASE is over, so that one bad host cannot occupy every step.
        await _release(database, hosts)
        looked_at += len(round_.outcomes)
    if looked_at:
        tagged = await about.tag_new(database, now=now)
        log.info("collected", sources=looked_at, tagged=tagged)
    return looked_at


async def _claimed(database: Database, *, clock: datetime) -> list[str]:
    async with database.writing() as session:
        return await claim(session, clock=clock, limit=HOSTS)


async def claim(session: AsyncSession, *, clock: datetime, limit: int) -> list[str]:
    """Take up to `limit` due hosts for oneself; other workers leave them alone until they are released or LEASE is over."""
    rows = await session.exec(
        select(Host)
        .where(col(Host.next_due) <= clock, or_(col(Host.lease_until).is_(None), col(Host.lease_until) <= clock))
        .order_by(col(Host.next_due), col(Host.name))
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has one writer and needs none
    )
    hosts = list(rows)
    for host in hosts:
        host.lease_until = clock + LEASE
    return [host.name for host in hosts]


async def _release(database: Database, hosts: list[str]) -> None:
    async with database.writing() as session:
        await release(session, hosts)


async def due_at(session: AsyncSession, hosts: list[str], *, clock: datetime) -> list[int]:
    """Return the sources of these hosts whose time has come, longest overdue first."""
    rows = await session.exec(
        select(Source.id)
        .join(FetchState, col(FetchState.source_id) == Source.id)
        .where(col(Source.host).in_(hosts), col(FetchState.next_fetch_at) <= clock, *WORKING)
        .order_by(col(FetchState.next_fetch_at), col(Source.id))
    )
    return [source_id for source_id in rows if source_id is not None]


async def release(session: AsyncSession, hosts: list[str]) -> None:
    """Give hosts back; each is due again when the first of its sources is."""
    next_fetch = (
        select(func.min(FetchState.next_fetch_at))
        .join(Source, col(Source.id) == FetchState.source_id)
        .where(Source.host == Host.name, *WORKING)
        .scalar_subquery()
    )
    far_away = datetime.now(UTC) + timedelta(days=365)
    await session.exec(
        update(Host)
        .where(col(Host.name).in_(hosts))
        .values(lease_until=None, next_due=func.coalesce(next_fetch, far_away))
    )


async def once(
    database: Database, name: str, every: timedelta, job: Callable[[], Awaitable[object]], *, clock: datetime
) -> bool:
    """Run a job unless some worker took it less than `every` ago; one that failed is due at once. Return whether it ran."""
    slot = f"job: {name}"
    async with database.writing() as session:
        row = await session.get(Setting, slot, with_for_update=True)
        if row is not None and clock - datetime.fromisoformat(row.value) < every:
            return False
        await session.merge(Setting(name=slot, value=clock.isoformat()))
    try:
        await job()
    except BaseException:
        async with database.writing() as session:
            await session.merge(Setting(name=slot, value=(clock - every).isoformat()))
        raise
    return True


async def renew_slates(database: Database, *, now: datetime) -> int:
    """Make this week's slates that are missing or hold what was called off, and fill calendars; return how many."""
    async with database.reading() as session:
        person_ids = await slates.due(session, now=now)
    for person_id in person_ids:
        async with database.writing() as session:
            person = await session.get(Person, person_id)
            if person is not None:
                await feeds.renew(session, person, now=now)
    return len(person_ids)


async def _forget_tokens(database: Database, clock: datetime) -> None:
    async with database.writing() as session:
        await tokens.forget_expired(session, clock=clock)
