"""Databases for tests: `database` runs a test on SQLite and on a real PostgreSQL, empty and migrated each time.

A test file asks for it with `pytest_plugins = ("databases",)`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import postgresql
import pytest
from service import lay_database

from app.db import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'adjacent.sqlite3'}"
    else:
        url = postgresql.make(migrated=False)
        yield url
        postgresql.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with all tables and no row."""
    if request.param == "sqlite":
        yield asyncio.run(lay_database(tmp_path)).database_url
    else:
        url = postgresql.make()
        yield url
        postgresql.drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()
