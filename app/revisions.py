"""Whether anything has changed: counters that triggers raise in the transaction that changes something.

An answer that was made after its counters were read is as good as new while they stand where they stood, whichever of
any number of processes writes: staleness is nil, for the price of one indexed read.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection, Mapping
from typing import Protocol

from sqlalchemy import make_url, select
from sqlmodel import SQLModel

from app.db import Database
from app.models import Revision

EVENTS = "events"
COUNTERS = SQLModel.metadata.tables[str(Revision.__tablename__)]


def of_person(person_id: int) -> str:
    """Return the counter of a person's profile and feedback."""
    return f"person/{person_id}"


def of_feed(feed_id: int) -> str:
    """Return the counter of a personal calendar, its entries and its addresses."""
    return f"feed/{feed_id}"


class Revisions(Protocol):
    async def numbers(self, names: Collection[str]) -> Mapping[str, int]:
        """Return where these counters stand, at a moment not before this call."""

    async def close(self) -> None:
        """Let go of the database, after what is under way."""


def revisions_of(database: Database) -> Revisions:
    return FileRevisions(database) if database.is_sqlite else SharedRevisions(database)


class FileRevisions:
    """Reads counters where it is asked: SQLite tells them in 8 µs, and nobody who reads a WAL database waits.

    Handing the read to the thread of a pooled connection takes twenty times as long. All who ask in one turn of the event
    loop share a read: whatever woke them had come before the turn began.
    """

    def __init__(self, database: Database) -> None:
        self._file = make_url(database.url).database or ""
        self._connection: sqlite3.Connection | None = None
        self._read_in_this_turn: dict[str, int] = {}

    async def numbers(self, names: Collection[str]) -> Mapping[str, int]:
        if not self._read_in_this_turn:
            asyncio.get_running_loop().call_soon(self._read_in_this_turn.clear)
        if not self._read_in_this_turn.keys() >= set(names):
            self._read_in_this_turn |= self._read(names)
        return {name: self._read_in_this_turn[name] for name in names}

    def _read(self, names: Collection[str]) -> dict[str, int]:
        if self._connection is None:
            self._connection = sqlite3.connect(self._file, isolation_level=None)
            self._connection.execute("PRAGMA query_only=ON")
        marks = ",".join("?" * len(names))
        rows = self._connection.execute(f"SELECT name, number FROM revision WHERE name IN ({marks})", tuple(names))  # noqa: S608
        return dict.fromkeys(names, 0) | dict(rows)

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class SharedRevisions:
    """Reads counters for everybody who asks at the same time at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._wanted: set[str] = set()
        self._next: asyncio.Task[Mapping[str, int]] | None = None
        self._under_way: set[asyncio.Task[Mapping[str, int]]] = set()

    async def numbers(self, names: Collection[str]) -> Mapping[str, int]:
        self._wanted.update(names)
        if self._next is None:
            self._next = asyncio.create_task(self._read())
            self._under_way.add(self._next)
            self._next.add_done_callback(self._under_way.discard)
        # Shielded: others wait for it, too, when whoever asked first goes away.
        found = await asyncio.shield(self._next)
        return {name: found.get(name, 0) for name in names}

    async def _read(self) -> Mapping[str, int]:
        async with self._turn:
            # A read under way may have missed what was committed since: who asks from here on waits for the next.
            wanted, self._wanted, self._next = self._wanted, set(), None
            async with self._database.engine.connect() as connection:
                rows = await connection.execute(select(COUNTERS).where(COUNTERS.c.name.in_(wanted)))
                return {name: number for name, number in rows}  # noqa: C416 (rows are no pairs to mypy)

    async def close(self) -> None:
        await asyncio.gather(*self._under_way, return_exceptions=True)
