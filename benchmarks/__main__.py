"""Run all benchmarks and print one table: `python -m benchmarks [--all] [--write FILE]`; each also runs alone."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import (
    calendars,
    door,
    engine,
    growth,
    mailing,
    merging,
    pages,
    recommending,
    rounds,
    serving,
    simulator,
    tagging,
    under_load,
)
from benchmarks.measure import Row, table

ROUNDS = (300, 1_000, 10_000)  # sources; all but the first with --all
MOST_STORED = 100_000  # events, with --all
MOST_READERS = 20_000  # people who get the weekly mail, with --all


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--all",
        action="store_true",
        help="also the long ones: 10,000 sources, 1,000,000 events, requests during a crawl",
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table as a page of the documentation")
    asked = parser.parse_args()
    rows = []
    for row in _rows(everything=asked.all):
        rows.append(row)
        print(row.what, row.measured, row.ratio, sep="; ", file=sys.stderr)
    print(table(rows))
    if asked.write:
        asked.write.write_text(_page(rows, everything=asked.all), encoding="utf-8")


def _rows(*, everything: bool) -> Iterator[Row]:
    yield from calendars.rows()
    if pages.CORPUS.is_dir():
        yield from pages.rows()
    yield from door.rows()
    yield from mailing.rows(MOST_READERS if everything else 2_000)
    yield from tagging.rows()
    yield from recommending.rows()
    for sources in ROUNDS if everything else ROUNDS[:1]:
        yield from rounds.rows(sources)
    yield from serving.rows(everything=everything)
    if everything:
        yield from under_load.rows()
    yield from engine.rows(1_000_000 if everything else 100_000)
    yield from simulator.rows(100_000 if everything else 2_000, 7 if everything else 2)
    yield from growth.rows(most=MOST_STORED if everything else 10_000)
    yield from merging.rows(most=MOST_STORED if everything else 10_000)


def _page(rows: list[Row], *, everything: bool) -> str:
    command = f"python -m benchmarks{' --all' if everything else ''} --write docs/benchmarks.md"
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return f"""# Benchmarks

Made by `{command}`, in one run, on Python {platform.python_version()} with {os.cpu_count()} processors of a machine
that had work for {busy:.1f} times as many. Rates count CPU seconds, those of the door and of rounds the clock. What stands
in one line was measured in turns, so that its ratio means more than its rates.

{table(rows)}
"""


if __name__ == "__main__":
    main()
