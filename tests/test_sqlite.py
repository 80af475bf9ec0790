"""SQLite under SQLAlchemy: a statement is one errand to its thread, and a transaction begins with its first one."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app import sqlite
from app.db import Database

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n"
MANY = 2 * sqlite.AT_ONCE + 1


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(f"sqlite+aiosqlite:///{tmp_path / 'made' / 'a.sqlite3'}")
    async with opened.at_edge() as connection:
        await connection.execute(text("CREATE TABLE thing (name TEXT PRIMARY KEY)"))
    yield opened
    await opened.close()


async def traced(database: Database) -> list[str]:
    """Return a list that holds every statement SQLite runs from now on, on the one connection there is."""
    statements: list[str] = []
    async with database.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        await driver.set_trace_callback(statements.append)
    return statements


async def names(database: Database) -> list[str]:
    async with database.reading() as session:
        return list(
            (await (await session.connection()).execute(text("SELECT name FROM thing ORDER BY name"))).scalars()
        )


async def test_transaction_begins_with_its_first_statement(database: Database) -> None:
    statements = await traced(database)
    async with database.writing() as session:
        connection = await session.connection()
        assert statements == []
        await connection.execute(text("INSERT INTO thing VALUES ('a')"))
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1
    assert statements == ["BEGIN IMMEDIATE", "INSERT INTO thing VALUES ('a')", "SELECT 1", "COMMIT"]


async def test_reading_holds_up_no_writer(database: Database) -> None:
    statements = await traced(database)
    assert await names(database) == []
    assert statements == ["BEGIN", "SELECT name FROM thing ORDER BY name", "ROLLBACK"]


async def test_transaction_without_a_statement_asks_nothing_of_the_database(database: Database) -> None:
    statements = await traced(database)
    async with database.writing() as session:
        await session.connection()
    async with database.reading() as session:
        await session.connection()
    assert statements == []


async def test_statement_that_fails_leaves_the_transaction_to_its_owner(database: Database) -> None:
    async with database.writing() as session:
        connection = await session.connection()
        await connection.execute(text("INSERT INTO thing VALUES ('a')"))
        with pytest.raises(IntegrityError):
            await connection.execute(text("INSERT INTO thing VALUES ('a')"))
        await connection.execute(text("INSERT INTO thing VALUES ('b')"))

    async def change_our_mind() -> None:
        async with database.writing() as session:
            await (await session.connection()).execute(text("DELETE FROM thing"))
            raise KeyError

    with pytest.raises(KeyError):
        await change_our_mind()
    assert await names(database) == ["a", "b"]


@pytest.mark.parametrize("number", [0, 1, sqlite.AT_ONCE, sqlite.AT_ONCE + 1, MANY])
async def test_all_rows_come_whether_at_once_or_streamed(database: Database, number: int) -> None:
    query = text(f"SELECT * FROM ({NUMBERS.format(MANY)}) WHERE i <= {number}")
    async with database.engine.connect() as connection:
        assert (await connection.execute(query)).scalars().all() == list(range(1, number + 1))
        streamed = await connection.stream(query, execution_options={"yield_per": 700})
        assert [row.i async for row in streamed] == list(range(1, number + 1))


async def test_stream_that_is_left_early_holds_no_lock(database: Database) -> None:
    async with database.engine.connect() as connection:
        streamed = await connection.stream(text(NUMBERS.format(MANY)))
        assert [row.i for row in await streamed.fetchmany(3)] == [1, 2, 3]
    async with database.writing() as session:
        await (await session.connection()).execute(text("INSERT INTO thing VALUES ('a')"))
    assert await names(database) == ["a"]


async def test_statement_tells_how_many_rows_it_changed(database: Database) -> None:
    async with database.writing() as session:
        connection = await session.connection()
        many = [{"name": str(each)} for each in range(5)]
        assert (await connection.execute(text("INSERT INTO thing VALUES (:name)"), many)).rowcount == 5
        assert (await connection.execute(text("DELETE FROM thing WHERE name > '2'"))).rowcount == 2
        gone = await connection.execute(text("DELETE FROM thing RETURNING name"))
        assert sorted(gone.scalars()) == ["0", "1", "2"]


async def test_work_that_is_cancelled_before_it_began_leaves_no_transaction_behind(database: Database) -> None:
    async def write() -> None:
        async with database.writing() as session:
            await (await session.connection()).execute(text("INSERT INTO thing VALUES ('cut short')"))
            await asyncio.Event().wait()

    for steps in range(12):
        task = asyncio.create_task(write())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        other = sqlite3.connect(database.engine.url.database or "", isolation_level=None, timeout=5)
        other.execute("BEGIN IMMEDIATE")  # refused while any transaction writes
        other.close()
    assert await names(database) == []


def test_distances_are_computed_where_sqlite_has_no_cosine(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.sqlite3") as connection:
        sqlite.give_cosine(connection)
        assert connection.execute("SELECT cos(0), cos(NULL), cos(3.141592653589793)").fetchone() == (1.0, None, -1.0)
    connection.close()


async def refer_to_nothing(database: Database) -> None:
    async with database.at_edge() as connection:
        await connection.execute(text("CREATE TABLE part (of TEXT REFERENCES thing (name))"))
        await connection.execute(text("INSERT INTO part VALUES ('nothing')"))


async def test_change_of_the_schema_that_leaves_a_reference_hanging_is_taken_back(database: Database) -> None:
    with pytest.raises(ValueError, match="row 1 of part refers to one of thing that is not there"):
        await refer_to_nothing(database)
    async with database.engine.connect() as connection:
        tables = await connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
    assert tables.all() == ["thing"]


async def test_table_that_others_refer_to_is_altered_by_being_copied(database: Database) -> None:
    async with database.at_edge() as connection:
        await connection.execute(text("CREATE TABLE part (of TEXT REFERENCES thing (name) ON DELETE CASCADE)"))
        await connection.execute(text("INSERT INTO thing VALUES ('cart')"))
        await connection.execute(text("INSERT INTO part VALUES ('cart')"))
    async with database.at_edge() as connection:
        await connection.execute(text("CREATE TABLE copy AS SELECT * FROM thing"))
        await connection.execute(text("DROP TABLE thing"))
        await connection.execute(text("CREATE TABLE thing (name TEXT PRIMARY KEY)"))
        await connection.execute(text("INSERT INTO thing SELECT * FROM copy"))
    left = []
    async with database.writing() as session:
        connection = await session.connection()
        for change in ("SELECT 1", "DELETE FROM thing"):  # followed again, as everywhere but there
            await connection.execute(text(change))
            left.append((await connection.scalars(text("SELECT of FROM part"))).all())
    assert left == [["cart"], []]
