"""SQLite behind asyncio, as SQLAlchemy drives it: a statement is one errand to the thread that holds the connection.

aiosqlite makes four of it (a cursor, the statement, its rows, the cursor's end), and three of a transaction's beginning.
Each way there and back takes a tenth of a millisecond of CPU: more than most statements do.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self, TypeVar

import aiosqlite

from app.folding import folded

T = TypeVar("T")

LOCKED_FOR = 10_000  # milliseconds that a statement waits for somebody else's lock
AT_ONCE = 2_000  # rows that come back with their statement; who streams more asks for the rest
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",  # with WAL: 73,000 commits/s against 6,700 with FULL; a power cut loses the last, tears none
    f"busy_timeout={LOCKED_FOR}",
    "foreign_keys=ON",
    "cache_size=-32000",
    "temp_store=MEMORY",
)


async def connect(file: str) -> Connection:
    connection = Connection(file)
    try:
        await connection
    except BaseException:
        await connection.ended()
        raise
    return connection


class Connection(aiosqlite.Connection):
    """A connection whose transactions begin with their first statement, and end at no cost where there was none."""

    def __init__(self, file: str) -> None:
        super().__init__(partial(_opened, file), iter_chunk_size=AT_ONCE)
        self._thread.daemon = True  # as SQLAlchemy has it of those it makes itself
        self._beginning: str | None = None
        self._is_used = False  # whether anything was asked of it in this transaction

    def begin(self, *, writes: bool) -> None:
        # Read-then-write in a deferred transaction fails at once under contention (450 of 600); IMMEDIATE waits its turn.
        self._beginning = "BEGIN IMMEDIATE" if writes else "BEGIN"

    async def run(self, errand: Callable[[sqlite3.Connection], T]) -> T:
        """Let the connection's thread do something within the transaction."""
        self._is_used = True
        result: T = await self._execute(self._run, errand)  # type: ignore[no-untyped-call]
        return result

    def _run(self, errand: Callable[[sqlite3.Connection], T]) -> T:
        if self._beginning is not None:
            self._conn.execute(self._beginning)
            self._beginning = None
        return errand(self._conn)

    def cursor(self) -> Cursor:  # type: ignore[override]
        return Cursor(self)

    async def ended(self) -> None:
        """Wait for the thread of a connection that could not be opened: its last word is to the event loop."""
        await asyncio.to_thread(self._thread.join)

    async def commit(self) -> None:
        await self._end(super().commit)

    async def rollback(self) -> None:
        await self._end(super().rollback)

    async def _end(self, end: Callable[[], Any]) -> None:
        if self._is_used:
            await end()
        self._beginning, self._is_used = None, False


class Cursor:
    """A statement and what came of it, as far as SQLAlchemy asks."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self._rest: sqlite3.Cursor | None = None  # has more rows than came at once
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        await self._connection.run(lambda connection: self._take(connection.execute(statement, parameters)))

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> None:
        await self._connection.run(lambda connection: self._take(connection.executemany(statement, parameters)))

    def _take(self, cursor: sqlite3.Cursor) -> None:
        self._rows = cursor.fetchmany(AT_ONCE)
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        self._rest = cursor if len(self._rows) == AT_ONCE else None
        if self._rest is None:
            cursor.close()

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        if (rest := self._rest) is not None:
            rows += await self._connection.run(lambda _: rest.fetchall())
            await self.close()
        return rows

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        size = size or self.arraysize
        if len(self._rows) < size and (rest := self._rest) is not None:
            self._rows += await self._connection.run(lambda _: rest.fetchmany(max(size, AT_ONCE)))
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    async def fetchone(self) -> Any:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def close(self) -> None:
        if (rest := self._rest) is not None:
            self._rest = None
            await self._connection.run(lambda _: rest.close())


def _opened(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file,
        isolation_level=None,  # the driver's own BEGIN is deferred; ours says which kind
        check_same_thread=False,
        factory=_Connection,
    )
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    if ("ENABLE_MATH_FUNCTIONS",) not in connection.execute("PRAGMA compile_options"):
        give_cosine(connection)
    connection.create_function("search_words", 1, lambda text: text and folded(text), deterministic=True)
    return connection


def give_cosine(connection: sqlite3.Connection) -> None:
    """Give a connection the function that distances are computed with; not every SQLite is built with it."""
    connection.create_function("cos", 1, lambda angle: None if angle is None else math.cos(angle), deterministic=True)


class _Connection(sqlite3.Connection):
    """A connection that lets go of its locks when it is closed.

    SQLite keeps a connection open behind its closing while one of its statements lives (sqlite3_close_v2), and with it
    the only write lock. A cancelled task leaves such a statement in its traceback, for as long as somebody holds that.
    """

    def close(self) -> None:
        try:
            self.rollback()
        finally:
            super().close()
