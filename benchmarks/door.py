"""What the guarded door costs: reading in a killable process beside reading here, by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from benchmarks.calendars import BERLIN, calendar
from benchmarks.measure import YEAR, Row, table
from scrapers import Reading, read, read_here

TIMES = {1: 300, 100: 60, 10_000: 3}  # events a calendar, how often it is read


def rows() -> Iterator[Row]:
    for events, times in TIMES.items():
        body = calendar(events)
        inside, guarded = _median(read_here, body, times), _median(read, body, times)
        yield Row(
            f"guarded read of {events:,} events",
            f"{guarded * 1000:,.1f} ms",
            f"read_here {inside * 1000:,.1f} ms",
            f"+{(guarded - inside) * 1000:,.1f} ms",
        )


def _median(reader: Callable[..., Reading], body: bytes, times: int) -> float:
    reader(body, url="https://door.example/", window=YEAR, zone=BERLIN)  # the process is started once
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        reader(body, url="https://door.example/", window=YEAR, zone=BERLIN)
        spent.append(time.perf_counter() - begun)
    return sorted(spent)[times // 2]


if __name__ == "__main__":
    print(table(rows()))
