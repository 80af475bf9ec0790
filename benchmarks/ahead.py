"""What it costs to have the events ahead at hand: reading all of them, and reading on after some changed, in CPU seconds.

`python -m benchmarks.ahead [EVENTS]`
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from app.db import Database
from app.events import turns
from app.picking import ahead_reading
from benchmarks import stock
from benchmarks.measure import Row, table
from recommender.adjacency import load_adjacency

CHANGES = (1, 200, 2_000)  # events of one turn; 200 are a batch of a crawl
TIMES = 3


def rows(events: int = 50_000) -> Iterator[Row]:
    load_adjacency()
    whole, after = asyncio.run(_costs(events))
    for changed, cost in after.items():
        yield Row(
            f"events ahead, {changed:,} of {events:,} changed: reading on",
            f"{cost * 1000:.0f} ms of CPU",
            f"reading all {whole * 1000:,.0f} ms",
            f"{cost / whole:.3f}",
        )


async def _costs(events: int) -> tuple[float, dict[int, float]]:
    """Return the least CPU seconds of a whole reading, and of one after each number of changes."""
    day = stock.NOW.replace(hour=0)
    whole, after = float("inf"), dict.fromkeys(CHANGES, float("inf"))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "adjacent.sqlite3"
        await stock.lay(file, events, base_url="http://127.0.0.1:8000")
        database = Database(f"sqlite+aiosqlite:///{file}")
        await _change(database, every=events)  # all were stored in one turn: the last one is to be of one event
        for _ in range(TIMES):
            async with database.beside() as connection:
                begun = time.process_time()
                kept = await ahead_reading.read(connection, day)
                whole = min(whole, time.process_time() - begun)
            for changed in CHANGES:
                await _change(database, every=events // changed)
                async with database.beside() as connection:
                    begun = time.process_time()
                    kept = await ahead_reading.read_on(connection, kept)
                    after[changed] = min(after[changed], time.process_time() - begun)
                assert len(kept) == events
        await database.close()
    return whole, after


async def _change(database: Database, *, every: int) -> None:
    async with database.writing() as session:
        stamp = await turns.next_stamp(session, now=stock.NOW + timedelta(hours=1))
        changed = text("UPDATE event SET updated_at = :stamp WHERE id % :every = 0")
        await session.exec(changed, params={"stamp": f"{stamp:%Y-%m-%d %H:%M:%S.%f}", "every": every})


if __name__ == "__main__":
    print(table(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)))
