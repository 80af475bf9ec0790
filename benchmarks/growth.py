"""What storing one more event costs when 1,000, 10,000 or 100,000 are stored: finding its twins must not grow with them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from tempfile import TemporaryDirectory

from app.collecting.collect import keep
from app.collecting.frontier import add_sources
from app.db import Database, migrate
from benchmarks.measure import Row, table
from benchmarks.rounds import NOW
from scrapers import EventDraft, Page, Reading

A_SOURCE = 500  # events


def rows(*, most: int = 10_000) -> Iterator[Row]:
    smallest = 0.0
    for stored, cost in asyncio.run(_costs(most)):
        smallest = smallest or cost
        yield Row(
            f"storing one more event beside {stored:,}",
            f"{cost * 1000:.2f} ms",
            f"beside {A_SOURCE:,} {smallest * 1000:.2f} ms",
            f"{cost / smallest:.2f}×",
        )


async def _costs(most: int) -> list[tuple[int, float]]:
    """Return CPU seconds an event after 500, 1,000, 10,000 … are stored, up to `most`; each source tells of new ones."""
    costs = []
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/adjacent.sqlite3")
        await migrate(database)
        async with database.writing() as session:
            urls = [f"https://{number}.example/" for number in range(most // A_SOURCE + 1)]
            sources = await add_sources(session, urls)
        for number, source in enumerate(sources):
            events = tuple(_event(number * A_SOURCE + each) for each in range(A_SOURCE))
            reading = Reading(events=events, kind="icalendar", listed=A_SOURCE)
            begun = time.process_time()
            await keep(database, source, Page(source.url, b""), reading, now=NOW)
            stored = number * A_SOURCE
            if stored in (A_SOURCE, 1_000, 10_000, 100_000):
                costs.append((stored, (time.process_time() - begun) / A_SOURCE))
        await database.close()
    return costs


def _event(number: int) -> EventDraft:
    return EventDraft(
        uid=f"{number}@growth.example",
        title=f"Evening {number} about subject {number % 997}",
        starts_at=NOW + timedelta(hours=1 + number % 8_000),
        description=f"What is told on evening {number}.",
    )


if __name__ == "__main__":
    print(table(rows(most=int(sys.argv[1]) if sys.argv[1:] else 10_000)))
