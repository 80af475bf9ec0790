"""What most commands need open: settings, a migrated database, a guarded fetcher, and their log beside their answer."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings
    from scrapers.fetch import Fetcher

T = TypeVar("T")


def settings() -> Settings:
    from app.settings import Settings

    return Settings.from_environment(os.environ)


@asynccontextmanager
async def opened(chosen: Settings) -> AsyncIterator[Database]:
    from app.db import Database, migrate

    database = Database(chosen.database_url)
    try:
        await migrate(database)
        yield database
    finally:
        await database.close()


def run(work: Callable[[Settings, Database], Awaitable[T]]) -> T:
    """Run one command's work with settings and database."""

    async def inside(chosen: Settings) -> T:
        async with opened(chosen) as database:
            return await work(chosen, database)

    return run_alone(inside)


def run_alone(work: Callable[[Settings], Coroutine[Any, Any, T]]) -> T:
    """Run one command's work that opens its database itself. Of what is logged meanwhile, trouble is told on stderr."""
    from app.operating import logs

    chosen = settings()
    with logs.written(level=logging.WARNING):
        return asyncio.run(work(chosen))


def fetcher(chosen: Settings) -> Fetcher:
    from scrapers.fetch import Fetcher

    return Fetcher(allow_hosts=chosen.allow_hosts, contact=chosen.contact)
