"""Run all benchmarks and print one table: `python -m benchmarks [--all] [--write FILE]`; each also runs alone.

A part that fails, or takes longer than is left, says so in its line, and the others go on.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import (
    calendars,
    door,
    engine,
    faults,
    growth,
    mailing,
    merging,
    pages,
    pages_served,
    processes,
    recommending,
    rounds,
    serving,
    simulator,
    tagging,
    under_load,
)
from benchmarks.measure import Row, table

MINUTES, MINUTES_OF_ALL = 12.0, 240.0
SHARE = 0.35  # of the time that is left: what one part may take of it

Part = tuple[str, Callable[[], Iterable[Row]]]


class OutOfTime(BaseException):  # what is measured catches exceptions of its own
    """A part took longer than it may."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--all", action="store_true", help="also what takes hours: 10,000 sources, 1,000,000 events and hosts, crawls"
    )
    parser.add_argument("--minutes", type=float, help=f"end after so many ({MINUTES:g}; with --all {MINUTES_OF_ALL:g})")
    parser.add_argument("--only", nargs="+", metavar="PART", help="run these parts only")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table as a page of the documentation")
    asked = parser.parse_args()
    parts = [part for part in _parts(everything=asked.all) if not asked.only or part[0] in asked.only]
    minutes = asked.minutes or (MINUTES_OF_ALL if asked.all else MINUTES)
    rows, failed = [], []
    for name, row in _run(parts, ends_at=time.monotonic() + 60 * minutes):
        rows.append(row)
        print(row.what, row.measured, row.beside, row.ratio, sep="; ", file=sys.stderr, flush=True)
        if row.measured == FAILED:
            failed.append(name)
    print(table(rows))
    if asked.write:
        asked.write.write_text(_page(rows, " ".join(sys.argv[1:])), encoding="utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


FAILED = "failed"


def _run(parts: Iterable[Part], *, ends_at: float) -> Iterator[tuple[str, Row]]:
    def stop(*_: Any) -> None:
        raise OutOfTime("took longer than it may")

    signal.signal(signal.SIGALRM, stop)
    for name, rows in parts:
        begun = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, max(1.0, SHARE * (ends_at - begun)))
        try:
            for row in rows():
                yield name, row
        except (Exception, OutOfTime) as error:  # noqa: BLE001
            # One that cannot run here must not cost the figures of all the others.
            yield name, Row(name, FAILED, f"{type(error).__name__}: {error}".splitlines()[0][:200])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def _parts(*, everything: bool) -> list[Part]:
    many = 100_000 if everything else 10_000  # events
    return [
        ("calendars", calendars.rows),
        *([("pages", pages.rows)] if pages.CORPUS.is_dir() else []),
        ("door", door.rows),
        ("mailing", lambda: mailing.rows(20_000 if everything else 2_000)),
        ("tagging", tagging.rows),
        ("recommending", recommending.rows),
        *[(f"rounds of {n:,}", _rounds(n)) for n in ((300, 1_000, 10_000) if everything else (300,))],
        ("engine", lambda: engine.rows(1_000_000 if everything else 100_000)),
        ("simulator", lambda: simulator.rows(1_000_000, 7) if everything else simulator.rows(2_000, 2)),
        ("growth", lambda: growth.rows(most=many)),
        ("merging", lambda: merging.rows(most=many)),
        ("processes", lambda: processes.rows((10_000, 100_000, 1_000_000) if everything else (10_000, 100_000))),
        ("pages served", lambda: pages_served.rows(50_000 if everything else 10_000)),
        ("serving", lambda: serving.rows(everything=everything)),
        ("faults", faults.rows),
        *([("under load", under_load.rows)] if everything else []),
    ]


def _rounds(sources: int) -> Callable[[], Iterable[Row]]:
    return lambda: rounds.rows(sources)


def _page(rows: list[Row], asked: str) -> str:
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return f"""# Benchmarks

Made by `python -m benchmarks {asked}`, in one run, on Python {platform.python_version()} with {os.cpu_count()} processors of a machine
that had work for {busy:.1f} times as many. Rates count CPU seconds; those of the door, of rounds, of PostgreSQL and of the
queue the clock. What stands in one line was measured in turns, so that its ratio means more than its rates.

{table(rows)}
"""


if __name__ == "__main__":
    sys.exit(main())
