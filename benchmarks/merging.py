"""What it costs to find the events other sources tell of, too, as more and more begin at the same hours.

Every event begins at one of 3,000 hours and is told by two sources; titles are made of the same 1,000 words.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from tempfile import TemporaryDirectory

from app.collecting.frontier import add_sources
from app.db import Database, migrate
from app.events import ingest
from app.events.changes import Changes
from benchmarks.measure import Row, table
from benchmarks.rounds import NOW
from scrapers import EventDraft

A_SOURCE = 200  # events
HOURS, WORDS = 3_000, 1_000


def rows(*, most: int = 10_000) -> Iterator[Row]:
    first: tuple[int, float] | None = None
    for stored, cost, merged in asyncio.run(_costs(most)):
        first = first or (stored, cost)
        yield Row(
            f"merging with {stored:,} versions, {merged:.0%} of an answer told before",
            f"{cost * 1000:.2f} ms an event",
            f"with {first[0]:,}: {first[1] * 1000:.2f} ms",
            f"{cost / first[1]:.2f}×",
        )


async def _costs(most: int) -> list[tuple[int, float, float]]:
    """Return, for every power of ten versions stored, CPU seconds an event and the share that was merged."""
    costs = []
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/adjacent.sqlite3")
        await migrate(database)
        async with database.writing() as session:
            urls = [f"https://{number}.example/" for number in range(most // A_SOURCE + 2)]
            sources = await add_sources(session, urls)
        steps = [10**power for power in range(3, 7) if 10**power <= most]
        for number, source in enumerate(sources):
            # Each pair of sources tells of the same events, in other order and letters.
            events = [_event(number // 2 * A_SOURCE + each) for each in range(A_SOURCE)]
            if number % 2:
                events = [replace(one, uid=f"copy-{one.uid}", title=one.title.upper()) for one in reversed(events)]
            begun = time.process_time()
            async with database.writing() as session:
                counts = await ingest.store(session, source, Changes(added=tuple(events)), now=NOW)
            cost = (time.process_time() - begun) / A_SOURCE
            # A source of copies, just past the step.
            if number % 2 and steps and number * A_SOURCE >= steps[0]:
                costs.append((steps.pop(0), cost, counts.merged / A_SOURCE))
        await database.close()
    return costs


def _event(number: int) -> EventDraft:
    rng = random.Random(number)
    words = " ".join(f"word{rng.randrange(WORDS)}" for _ in range(4))
    start = NOW + timedelta(hours=1 + rng.randrange(HOURS))
    return EventDraft(uid=f"{number}@merging.example", title=words, starts_at=start, description=f"About {words}.")


if __name__ == "__main__":
    print(table(rows(most=int(sys.argv[1]) if sys.argv[1:] else 10_000)))
