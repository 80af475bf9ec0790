"""The database: connections with the right pragmas, one transaction a request or step, migrations at start."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Dialect, event, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel.ext.asyncio.session import AsyncSession

from app import sqlite

MIGRATIONS = Path(__file__).parent.parent / "alembic"
LOCKED_FOR = sqlite.LOCKED_FOR
MIGRATION_LOCK = 0x41444A41  # any constant: two processes that start at once take turns on PostgreSQL
# What PostgreSQL says of itself rather than of the question: it cannot be connected to, lets nobody in, has no such
# database, its resources are used up, an operator intervened, a lock was waited for too long (appendix A of its manual).
OUTAGES = ("08", "28", "3D", "53", "57", "55P03")


class NewerSchema(Exception):  # noqa: N818
    """A newer version has brought the database to a schema this one does not know; the message says what to do."""


class Database:
    """An engine and the two ways into it: `reading()` and `writing()`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"pool_pre_ping": True} if not self.is_sqlite else {}
        options |= {"json_serializer": _dump_json, "json_deserializer": orjson.loads}
        if self.is_sqlite:
            file = make_url(url).database or ":memory:"
            options["async_creator"] = partial(_connect, Path(file))
        else:
            # A transaction that hangs would take all connections with it, and reading from everybody.
            options["connect_args"] = {
                "server_settings": {"lock_timeout": str(LOCKED_FOR)},
                "timeout": LOCKED_FOR / 1000,  # seconds to connect; asyncpg would wait for a minute
            }
        self.engine: AsyncEngine = create_async_engine(url, **options)
        self._beside: AsyncEngine = create_async_engine(url, **options, poolclass=NullPool)
        for engine in (self.engine, self._beside):
            if self.is_sqlite:
                event.listen(engine.sync_engine, "begin", _begin_sqlite)
            else:
                event.listen(engine.sync_engine, "do_connect", _reach)
        self._writer = self.engine.execution_options(adjacent_writes=True)
        # SQLite has one writer: waiting here is fair, waiting for its file lock is a lottery.
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        async with self._session(self.engine) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open one transaction; it is committed when the block ends and rolled back when it raises."""
        if self.is_sqlite:
            async with self._turn, self._session(self._writer) as session, session.begin():
                yield session
        else:
            async with self._session(self._writer) as session, session.begin():
                yield session

    def _session(self, engine: AsyncEngine) -> AsyncSession:
        return AsyncSession(engine, expire_on_commit=False, info={"database": self})

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection to read by that is none of those requests share: they may all be held by who waits for it."""
        async with self._beside.connect() as connection:
            yield connection

    @asynccontextmanager
    async def at_edge(self) -> AsyncIterator[AsyncConnection]:
        """Open the one transaction that may change the schema; another process that wants to waits for its end."""
        edge = self._beside.execution_options(adjacent_writes=True)
        async with self._turn, edge.connect() as connection:
            if self.is_sqlite:
                await _leave_references(connection)
            else:
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            yield connection
            if self.is_sqlite:
                await _check_references(connection)
            await connection.commit()

    async def close(self) -> None:
        await self.engine.dispose()


async def _leave_references(connection: AsyncConnection) -> None:
    """Let tables be altered by being copied: SQLite would take along what refers to the one that is dropped.

    That can be said before a transaction only, and holds as long as the connection.
    """
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, sqlite.Connection)
    await driver.execute("PRAGMA foreign_keys=OFF")


async def _check_references(connection: AsyncConnection) -> None:
    broken = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
    if broken is not None:
        raise ValueError(f"row {broken[1]} of {broken[0]} refers to one of {broken[2]} that is not there")


def is_outage(error: Exception) -> bool:
    """Whether an error says that the database is away, locked or full rather than that it was asked the wrong thing."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, (ConnectionError, PoolTimeout))
    if error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError)):
        return True
    if type(error.orig) is sqlite3.DatabaseError:  # the file is damaged, or no database
        return True
    # asyncpg's errors of these kinds are plain ones to SQLAlchemy.
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state is not None and state.startswith(OUTAGES)


def in_short(error: Exception) -> str:
    """Return what a database or the way to it says is wrong, in one line, without the statement and its values."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def database_behind(session: AsyncSession) -> Database:
    database: Database = session.info["database"]
    return database


async def _connect(file: Path) -> sqlite.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # addresses of people lie there
    return await sqlite.connect(str(file))


def _reach(dialect: Dialect, _: object, arguments: Any, options: dict[str, Any]) -> Any:
    """Connect as the dialect does; a socket that is missing and a name nobody knows are refused connections, too."""
    try:
        return dialect.connect(*arguments, **options)
    except OSError as error:
        raise ConnectionError(str(error) or type(error).__name__) from error


def _dump_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _begin_sqlite(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite.Connection)
    driver.begin(writes=bool(connection.get_execution_options().get("adjacent_writes")))


def revisions() -> list[str]:
    """Return all revisions, oldest first, from the file names alone: importing alembic costs half a start."""
    return sorted(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def newest_revision() -> str:
    return revisions()[-1]


async def current_revision(database: Database) -> str | None:
    async with database.engine.connect() as connection:
        try:
            revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        except DBAPIError:  # an empty database has no such table
            return None
        return revision


def refuse_newer(revision: str | None) -> None:
    """Raise NewerSchema for a revision this version has no migration of."""
    newest = newest_revision()
    if revision is not None and revision > newest:
        raise NewerSchema(
            f"the database is at schema {revision}, and this version knows {newest} at most: start the newer version, "
            f"bring the schema down with it (`adjacent migrate {newest}`), or restore a backup"
        )


async def migrate(database: Database, revision: str = "head") -> None:
    """Bring the schema to `revision`; a second process that starts meanwhile waits and finds it done."""
    there = await current_revision(database)
    refuse_newer(there)
    if revision == "head" and there == newest_revision():
        return
    async with database.at_edge() as connection:
        await connection.run_sync(bring_schema, revision)


def bring_schema(connection: Connection, revision: str) -> None:
    """Run the migrations up or down to `revision` in the connection's transaction."""
    from alembic import command  # noqa: PLC0415 (slow to import, rarely needed)
    from alembic.config import Config  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    here = MigrationContext.configure(connection).get_current_revision() or ""
    is_down = revision == "base" or (revision != "head" and revision < here)
    (command.downgrade if is_down else command.upgrade)(config, revision)
