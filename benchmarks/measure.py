"""How the benchmarks measure, and how they tell it."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from scrapers.draft import Window

YEAR = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))


class Row(NamedTuple):
    """One line of the table."""

    what: str
    measured: str
    beside: str = ""  # what it is compared with, measured in the same run
    ratio: str = ""


def seconds(*jobs: Callable[[], object], times: int = 3) -> list[float]:
    """Return the least CPU seconds of each job; they take turns, so that a busy machine slows all of them."""
    best = [float("inf")] * len(jobs)
    for _ in range(times):
        for place, job in enumerate(jobs):
            begun = time.process_time()
            job()
            best[place] = min(best[place], time.process_time() - begun)
    return best


def megabytes(job: Callable[[], object]) -> float:
    """Return how much memory a job holds at its highest, what it returns included."""
    tracemalloc.start()
    kept = job()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del kept
    return peak / 1e6


def table(rows: Iterable[Row]) -> str:
    head = ("what", "measured", "beside", "ratio")
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ("---",) * 4, *rows])
