"""Whole rounds, fetched from an origin on loopback, read in guarded processes and stored: the first and an unchanged one.

The origin sends no validators and renews its stamps with every answer, as many calendars do.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from app.collecting.collect import Round, collect
from app.collecting.frontier import add_sources
from app.db import Database, migrate
from benchmarks.measure import Row, table
from scrapers.fetch import Fetcher

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ORIGIN = Path(__file__).with_name("origin.py")


def rows(sources: int = 300) -> Iterator[Row]:
    for name, (outcome, wall, cpu) in zip(("first", "unchanged"), asyncio.run(_rounds(sources)), strict=True):
        counts = outcome.counts
        yield Row(
            f"{name} round over {sources:,} sources of 3 events: {counts.added:,} added, "
            f"{outcome.number('unchanged'):,} unchanged, {outcome.number('failed')} failed",
            f"{sources / wall:,.0f} sources/s",
            f"{cpu / sources * 1000:.1f} ms of CPU a source (its own process; reading apart)",
        )


async def _rounds(sources: int) -> list[tuple[Round, float, float]]:
    """Return two rounds, each with its seconds by the clock and of CPU."""
    measured = []
    with TemporaryDirectory() as folder, _origin() as port:
        database = Database(f"sqlite+aiosqlite:///{folder}/adjacent.sqlite3")
        await migrate(database)
        async with database.writing() as session:
            urls = [f"http://127.0.0.1:{port}/{number}.ics" for number in range(sources)]
            ids = [source.id for source in await add_sources(session, urls) if source.id is not None]
        async with Fetcher(allow_hosts={("127.0.0.1", port)}) as fetcher:
            for _ in range(2):
                begun, cpu = time.perf_counter(), time.process_time()
                outcome = await collect(database, fetcher, ids, now=lambda: NOW)
                measured.append((outcome, time.perf_counter() - begun, time.process_time() - cpu))
        await database.close()
    return measured


@contextmanager
def _origin() -> Iterator[int]:
    with subprocess.Popen([sys.executable, str(ORIGIN)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


if __name__ == "__main__":
    print(table(rows(int(sys.argv[1]) if sys.argv[1:] else 300)))
