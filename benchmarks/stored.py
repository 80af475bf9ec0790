"""How much longer an answer that nobody asked for before takes where more events are stored: p50 of one worker.

All events are still to come and in one city, which is the most there can be to read: what is past costs a list nothing.
Common words and topics find a share of them, among twenty times as many twenty times as many, and all of these up to
10,000 are counted; rare ones find the same number however many there are.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import httpx

from benchmarks import stock
from benchmarks.measure import Row, table
from benchmarks.servers import FEW, MANY, MOST, Server, adjacent

TIMES = 25  # of each question, each time by an address that is new …
NEW = count()  # … by a number that none had before
PATIENCE = 300  # seconds for a server to have read what it keeps in memory
CALENDAR = 200  # events


def rows(*numbers: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        few = stack.enter_context(adjacent(Path(name) / "few", FEW))
        for number in numbers:
            with adjacent(Path(name) / f"{number}", number) as many:
                yield from compared(few, many, number)


def compared(few: Server, many: Server, number: int) -> Iterator[Row]:
    for server in (few, many):
        _wait_until_idle(server)
    there = questions(number)
    for what, path in questions(FEW).items():
        short, long = _medians((few, path), (many, there[what]))
        told = f"p50 of {what} nobody asked before, {number:,} events"
        yield Row(told, f"{long:.1f} ms", f"{FEW:,}: {short:.1f} ms", f"{long / short:.1f}")


def questions(events: int) -> Mapping[str, str]:
    """Return what is asked of that many events; the calendar begins with the first ones."""
    start, end = (
        f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (stock.NOW, stock.NOW + CALENDAR * stock.SPREAD / events)
    )
    return {
        "a list": "/api/v1/events?",
        "a list of a topic": "/api/v1/events?topic=typography&",
        "a list around a place": "/api/v1/events?near=48.1,11.5&",
        "a list that none is in": "/api/v1/events?mode=online&",
        f"a list that {stock.RARE} are in": "/api/v1/events?mode=hybrid&",
        f"a list of a purpose that {stock.RARE} have": "/api/v1/events?purpose=sell&",
        "a search of common words": "/api/v1/events?q=violin+bread&",
        f"a search of a word that {stock.RARE} hold": "/api/v1/events?q=harpsichord&",
        "a search that finds nothing": "/api/v1/events?q=zebra&",
        f"a calendar of {CALENDAR}": f"/api/v1/events.ics?start={start}&end={end}&",
    }


def _medians(*asked: tuple[Server, str]) -> list[float]:
    """Return the median of each in ms; they take turns."""
    took: list[list[float]] = [[] for _ in asked]
    with httpx.Client(timeout=60) as client:
        for number in range(-1, TIMES):  # the first round only warms up
            for (server, path), times in zip(asked, took, strict=True):
                begun = time.perf_counter()
                client.get(f"{server.address}{path}radius_km={19_000 - next(NEW) / 100}").raise_for_status()
                if number >= 0:
                    times.append(1000 * (time.perf_counter() - begun))
    return [sorted(times)[TIMES // 2] for times in took]


def _wait_until_idle(server: Server) -> None:
    httpx.get(f"{server.address}/readyz").raise_for_status()
    ends_at = time.monotonic() + PATIENCE
    time.sleep(2)  # it begins to read a moment after it listens
    spent = -1.0
    while server.cpu() - spent > 0.05 and time.monotonic() < ends_at:
        spent = server.cpu()
        time.sleep(1)


if __name__ == "__main__":
    print(table(rows(MANY, *([MOST] if "--all" in sys.argv else []))))
