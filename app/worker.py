"""The process behind the requests: it keeps an engine running until told to stop, whatever befalls the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog

from app import jobs
from app.db import Database
from app.queue.engine import engine
from app.queue.holder import Holder
from app.settings import Settings
from scrapers.fetch import Fetcher

GRACE = timedelta(seconds=3)  # service managers kill after some seconds
FIRST_PAUSE, LAST_PAUSE = 1.0, 30.0  # seconds before a lost engine is opened again

log = structlog.get_logger()


@asynccontextmanager
async def working(database: Database, settings: Settings, fetcher: Fetcher, *, after: float = 0) -> AsyncIterator[None]:
    """Work behind whatever happens inside; at its end what is under way may finish for a moment, then it is let go.

    It begins `after` so many seconds: what is done at every start would make those wait who ask for the first page.
    """
    stopping = asyncio.Event()

    async def begin() -> None:
        await _rest(stopping, after)
        await work(database, settings, fetcher, stopping)

    task = asyncio.create_task(begin())
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(task, return_exceptions=True)


async def work(database: Database, settings: Settings, fetcher: Fetcher, stopping: asyncio.Event) -> None:
    """Work until told to stop. Being killed is safe at any moment: every step is one transaction."""
    pause = FIRST_PAUSE
    while not stopping.is_set():
        begun = datetime.now(UTC)
        try:
            await _work(database, settings, fetcher, stopping)
        except Exception:
            # The loop outlives the database's absence: nobody should have to restart workers after it.
            log.exception("the engine was lost", pause=pause)
            pause = FIRST_PAUSE if datetime.now(UTC) - begun > timedelta(minutes=1) else min(pause * 2, LAST_PAUSE)
            await _rest(stopping, pause)


async def _rest(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


async def _work(database: Database, settings: Settings, fetcher: Fetcher, stopping: asyncio.Event) -> None:
    holder = Holder(database)
    await jobs.prepare(database)
    async with engine(database) as queue, holder.alive():
        jobs.register(queue, jobs.Work(database, settings, fetcher, holder))
        await jobs.enqueue_due(queue, database, clock=datetime.now(UTC))  # the first tick may be seconds away
        running = asyncio.create_task(queue.run(stopping))
        told = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
            await holder.stop(GRACE)
            await running
        finally:
            told.cancel()
            running.cancel()
