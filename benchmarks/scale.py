"""What a service of any size takes: arithmetic on measured costs of its parts. `python -m benchmarks.scale` prints the tables.

The costs are CPU seconds of one core and bytes of SQLite's file. Beside each stands what was measured, on a machine
busy with much else, and where; it was rounded up, and what is an estimate says so. What is assumed of the world stands
among them, so that whoever knows better changes a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import ceil, exp

from app.queue.engine import LANES
from app.settings import Settings
from benchmarks.simulator import INTERVALS, SHARES, SPREAD, WALK

DAY = timedelta(days=1).total_seconds()
KEPT_DAYS = 400
FULL = 0.5  # of a core: what a machine is loaded with on average, so that its peaks fit
CORES, DISK = 4, 1e12  # of a machine

# Sources, a host each.
EVENTS_A_YEAR = 15  # of a source: assumed
UPCOMING = 4  # of them: 2,994 events of 720 sources in a collected city
CHANGED = 0.1  # of the answers: assumed
NEW_EVENTS = 3  # in an answer that changed: assumed
SCHEDULED = 0.007  # schedule, queue and lease of a walk: 6.3 ms on PostgreSQL, 3.4 on SQLite, benchmarks.engine
FETCHED = 0.010  # fetching and comparing an answer: 8.4 ms a source that is unchanged, benchmarks.rounds
# The reader's process: 1 ms for one event, 24 for a hundred, benchmarks.door; answers between are estimated.
READ = 0.010
# An event with its twins and topics: 9.3 ms to store (36.3 for a new source of three, benchmarks.rounds), 3.1 to tag
# (851 of the demonstration in 2.6 s); rendering is estimated.
STORED = 0.015
ANSWER_BYTES = 30_000  # estimate for the world; calendars of a captured city have 5,400 on average
SOURCE_ROWS, SOURCE_BYTES = 3, 1_200  # host, source, how its fetches went: 800 in a collected city, and the host's row
EVENT_ROWS, EVENT_BYTES = 8, 10_000  # 6.5 KB with version, topics, vector, search in that city, 3.4 KB its rendering
# In each process that picks: 248 bytes an event ahead with one topic, 26 more for each further one, and while they are
# read as much three times; 70 µs to read one (100,000 events, tracemalloc and CPU), 0.7 µs to put what changed among them
# (33 ms among 50,000, benchmarks.ahead).
PROCESS_BYTES, AHEAD_BYTES, AT_ONCE = 220e6, 330, 3
READ_AHEAD, READ_ON = 70e-6, 0.7e-6
OLDEST = 6  # readings on: how old what a pick rests on may be, app.picking.ahead

# People who get picks once a week, in a calendar that polls and a mail.
SLATE = 10  # picks a week
PICK_BYTES = 800  # 415 in benchmarks.mailing; longer reasons and evidence are estimated
SLATED = 0.012  # picking takes 5.6 ms of 50,000 upcoming events, benchmarks.recommending; writing it is estimated
MAIL_RATE = Settings.from_environment({}).mail_rate  # a second, unless somebody sets another
MAILED = 0.006  # 176 signed mails a second, benchmarks.mailing
# 8,200 answers of 304 a second, benchmarks.serving; the few that changed are estimated.
POLLS_A_DAY, POLLED = 24, 0.0002
PAGES_A_WEEK, PAGE = 5, 0.030  # 27 ms with a new question, benchmarks.pages_served


def walks_a_second(sources: int) -> float:
    return sources * sum(share / every.total_seconds() for share, every in zip(SHARES, INTERVALS, strict=True))


def of_sources(sources: int) -> tuple[str, ...]:
    walks = walks_a_second(sources)
    events = EVENTS_A_YEAR * KEPT_DAYS / 365 + UPCOMING
    changes = CHANGED * NEW_EVENTS
    cores = walks * (SCHEDULED + FETCHED + CHANGED * READ + changes * STORED)
    lanes = walks * WALK * exp(SPREAD**2 / 2)  # Little's law, on the mean of a log-normal
    stored = sources * (SOURCE_BYTES + events * EVENT_BYTES)
    ahead = sources * UPCOMING
    return (
        f"{sources:,}",
        _number(sources * (SOURCE_ROWS + events * EVENT_ROWS)),
        _bytes(stored),
        _number(walks * DAY),
        _bytes(walks * DAY * ANSWER_BYTES),
        f"{cores:.3g}",
        f"{ceil(lanes / LANES):,}",
        f"{machines(cores, stored):,}",
        _number(ahead),
        _bytes(PROCESS_BYTES + AT_ONCE * ahead * AHEAD_BYTES),
        _time(ahead * READ_AHEAD),
        _time(OLDEST * ahead * READ_ON),
    )


def of_people(people: int) -> tuple[str, ...]:
    weeks = KEPT_DAYS / 7
    requests = people * (POLLS_A_DAY + PAGES_A_WEEK / 7)
    a_week = SLATED + MAILED + PAGES_A_WEEK * PAGE
    stored = people * weeks * (SLATE + 1) * PICK_BYTES
    cores = people * (a_week / 7 + POLLS_A_DAY * POLLED) / DAY
    return (
        f"{people:,}",
        _number(people * weeks * (SLATE + 1)),
        _bytes(stored),
        _number(requests),
        f"{requests / DAY:,.0f}",
        f"{cores:.3g}",
        f"{machines(cores, stored):,}",
        _time(people * SLATED),
        _time(people / MAIL_RATE),
    )


def machines(cores: float, stored: float) -> int:
    return ceil(max(cores / (CORES * FULL), stored / DISK))


AHEAD = ("events ahead", "memory of a process", "read first in", "picks at most so old")
WEEKLY = ("slates of a week", "its mails")


def tables() -> Iterator[str]:
    head = ("sources", "rows", "bytes", "looks a day", "fetched a day", "cores", "workers", "machines", *AHEAD)
    yield _table(head, [of_sources(10**power) for power in range(4, 8)])
    head = ("people", "rows", "bytes", "requests a day", "a second", "cores", "machines", *WEEKLY)
    yield _table(head, [of_people(10**power) for power in range(3, 8)])


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _number(number: float) -> str:
    for size, unit in ((1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:.2g}{unit}" if number < 100 * size else f"{number / size:,.0f}{unit}"
    return f"{number:,.0f}"


def _bytes(number: float) -> str:
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number / 1e3:.3g} KB"


def _time(seconds: float) -> str:
    for size, unit in ((DAY, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s"


if __name__ == "__main__":
    print("\n\n".join(tables()))
