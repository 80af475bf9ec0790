"""What most commands need open: settings, a migrated database, a guarded fetcher, and their log beside their answer."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings
    from scrapers.fetch import Fetcher

T = TypeVar("T")
Work: TypeAlias = "Callable[[Settings, Database], Awaitable[T]]"


def settings() -> Settings:
    from app.settings import Settings

    return Settings.from_environment(os.environ)


@asynccontextmanager
async def opened(chosen: Settings) -> AsyncIterator[Database]:
    from app.db import migrate

    async with opened_as_it_is(chosen) as database:
        await migrate(database)
        yield database


@asynccontextmanager
async def opened_as_it_is(chosen: Settings) -> AsyncIterator[Database]:
    """Open a database whose schema is not brought up to date, or which is not there yet."""
    from app.db import Database

    database = Database(chosen.database_url)
    try:
        yield database
    finally:
        await database.close()


def run(work: Work[T]) -> T:
    """Run one command's work with settings and database. Of what is logged meanwhile, trouble is told on stderr."""
    return _run(work, opened)


def run_as_it_is(work: Work[T]) -> T:
    """Run one command's work with settings, and a database as it is."""
    return _run(work, opened_as_it_is)


def _run(work: Work[T], open_: Callable[[Settings], AbstractAsyncContextManager[Database]]) -> T:
    from app.operating import logs

    chosen = settings()

    async def inside() -> T:
        async with open_(chosen) as database:
            return await work(chosen, database)

    with logs.written(level=logging.WARNING):
        return asyncio.run(inside())


def fetcher(chosen: Settings) -> Fetcher:
    from scrapers.fetch import Fetcher

    return Fetcher(allow_hosts=chosen.allow_hosts, contact=chosen.contact)
