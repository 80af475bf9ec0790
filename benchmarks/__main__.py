"""Run all benchmarks and print one table: `python -m benchmarks [--all] [--write FILE]`; each also runs alone.

Each part is a process of its own. One that fails, or takes longer than its share of the time, is stopped with all it
started and says so in a line; the others go on, and the whole ends in time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from benchmarks import (
    ahead,
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
GRACE = 10.0  # seconds that a part may take to stop what it started

Part = tuple[str, Callable[[], Iterable[Row]]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--all", action="store_true", help="also what takes hours: 10,000 sources, 1,000,000 events and hosts, crawls"
    )
    parser.add_argument("--minutes", type=float, help=f"end after so many ({MINUTES:g}; with --all {MINUTES_OF_ALL:g})")
    parser.add_argument("--only", nargs="+", metavar="PART", help="run these parts only")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table as a page of the documentation")
    parser.add_argument("--rows-of", metavar="PART", help=argparse.SUPPRESS)  # what the process of a part is asked
    asked = parser.parse_args()
    parts = _parts(everything=asked.all)
    if asked.rows_of:
        return _tell(dict(parts)[asked.rows_of])
    names = [name for name, _ in parts if not asked.only or name in asked.only]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # stops the part that runs, too
    minutes = asked.minutes or (MINUTES_OF_ALL if asked.all else MINUTES)
    rows, failed = [], []
    for name, row in _run(names, everything=asked.all, ends_at=time.monotonic() + 60 * minutes):
        rows.append(row)
        if row.measured == FAILED:
            failed.append(name)
    print(table(rows))
    if asked.write:
        asked.write.write_text(_page(rows, " ".join(sys.argv[1:])), encoding="utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


FAILED = "failed"


def _tell(rows: Callable[[], Iterable[Row]]) -> int:
    """Print the lines of a part as JSON while they come."""
    for row in rows():
        print(json.dumps(row), flush=True)
        print(*row, sep="; ", file=sys.stderr, flush=True)
    return 0


def _run(names: Sequence[str], *, everything: bool, ends_at: float) -> Iterator[tuple[str, Row]]:
    for place, name in enumerate(names):
        begun = time.monotonic()
        left = max(1.0, ends_at - begun - GRACE)
        may_take = left * max(SHARE, 1 / (len(names) - place))
        command = [sys.executable, "-m", "benchmarks", *(["--all"] if everything else []), "--rows-of", name]
        # Into a file: a server it leaves behind would hold a pipe open.
        with TemporaryFile("w+", encoding="utf-8") as told:
            process = subprocess.Popen(command, stdout=told, start_new_session=True)
            problem = _ended(process, may_take)
            told.seek(0)
            yield from ((name, Row(*json.loads(line))) for line in told if line.endswith("\n"))
        if problem:
            yield name, Row(name, FAILED, problem)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def _ended(process: subprocess.Popen[bytes], may_take: float) -> str | None:
    """Wait for a part, and stop it when it takes too long; return what went wrong."""
    try:
        code = process.wait(may_take)
    except subprocess.TimeoutExpired:
        return f"stopped after {may_take:.0f} s"
    else:
        return f"ended with {code}, see what it printed" if code else None
    finally:
        for end, patience in ((signal.SIGINT, GRACE), (signal.SIGKILL, None)):
            if process.poll() is None:
                os.killpg(process.pid, end)
                try:
                    process.wait(patience)
                except subprocess.TimeoutExpired:
                    continue


def _parts(*, everything: bool) -> list[Part]:
    many = 100_000 if everything else 10_000  # events
    return [
        ("calendars", calendars.rows),
        *([("pages", pages.rows)] if pages.CORPUS.is_dir() else []),
        ("door", door.rows),
        ("mailing", lambda: mailing.rows(20_000 if everything else 2_000)),
        ("tagging", tagging.rows),
        ("recommending", recommending.rows),
        ("ahead", lambda: ahead.rows(100_000 if everything else 50_000)),
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
