"""Whether anything has changed: counters that triggers raise in the transaction that changes something.

An answer that was made after its counters were read is as good as new while they stand where they stood, whichever of
any number of processes writes: staleness is nil, for the price of one indexed read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlmodel import SQLModel

from app.db import Database

EVENTS = "events"
COUNTERS = SQLModel.metadata.tables["revision"]


def of_person(person_id: int) -> str:
    """Return the counter of a person's profile and feedback."""
    return f"person/{person_id}"


def of_feed(feed_id: int) -> str:
    """Return the counter of a personal calendar, its entries and its addresses."""
    return f"feed/{feed_id}"


class Revisions:
    """Reads counters for everybody who asks at the same time at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()
        self._wanted: set[str] = set()
        self._next: asyncio.Task[Mapping[str, int]] | None = None

    async def numbers(self, names: Collection[str]) -> dict[str, int]:
        """Return where these counters stand, at a moment not before this call."""
        self._wanted.update(names)
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        found = await asyncio.shield(self._next)
        return {name: found.get(name, 0) for name in names}

    async def _read(self) -> Mapping[str, int]:
        async with self._turn:
            # A read under way may have missed what was committed since: who asks from here on waits for the next.
            wanted, self._wanted, self._next = self._wanted, set(), None
            async with self._database.engine.connect() as connection:
                rows = await connection.execute(select(COUNTERS).where(COUNTERS.c.name.in_(wanted)))
                return {name: number for name, number in rows}  # noqa: C416 (rows are no pairs to mypy)
