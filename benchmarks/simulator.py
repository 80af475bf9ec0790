"""A week of collecting in minutes: the real leases on a real database, under a clock of our own and workers that die.

Each host has an interval of the schedule's (4 hours to 7 days), a walk that takes seconds to minutes, and its own time
of the day. Twice a day a worker is killed in the middle of its walks; on the second day all are away for six hours.
What comes out: whether any host was walked twice at once or too early, how late walks began, and how the load is
spread. `python -m benchmarks.simulator [HOSTS [DAYS]]`; a million hosts for a week take about twenty minutes of CPU.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, CursorResult, Engine, case, create_engine, event, insert
from sqlmodel import col

from app.db import Database, migrate
from app.jobs import AHEAD
from app.models import Host
from app.queue import leases
from app.queue.engine import LANES
from benchmarks.measure import Row, table

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
STEP = timedelta(seconds=10)  # every second tick of the real schedule; leases last 15 s
INTERVALS = tuple(timedelta(hours=hours) for hours in (4, 8, 24, 48, 96, 168))
SHARES = (0.02, 0.03, 0.10, 0.15, 0.20, 0.50)  # most calendars change less than once in two weeks
WORKERS = 3  # with lanes for twice the mean load between them
WALK, SPREAD, LONGEST = 6.0, 1.2, 900.0  # seconds: median and log-normal spread, and the longest
KILL = timedelta(hours=12)  # between two workers that die
AWAY = (timedelta(days=1, hours=9), timedelta(hours=6))  # when nobody works, and for how long


@dataclass
class Worker:
    name: str
    walks: list[tuple[float, int]] = field(default_factory=list)  # heap of (when it ends, host), in simulated seconds


@dataclass
class Outcome:
    hosts: int
    days: float
    walks: int = 0
    kills: int = 0
    at_once: int = 0  # walks of a host that somebody was walking
    early: int = 0  # walks before the host was due
    lateness: list[float] = field(default_factory=list)  # seconds, while workers are there
    by_hour: dict[int, int] = field(default_factory=dict)
    caught_up: float | None = None  # hours after the absence until nothing waited longer than a minute
    spent: float = 0.0  # CPU seconds


def rows(hosts: int = 20_000, days: float = 2.0) -> Iterator[Row]:
    one = asyncio.run(simulate(hosts, days))
    late = np.percentile(one.lateness, (50, 99, 100))
    hours = np.array(list(one.by_hour.values()))
    what = f"simulated: {one.hosts:,} hosts, {one.days:g} days, {WORKERS} workers, {one.kills} killed"
    yield Row(f"{what}: walks at once / too early", f"{one.at_once} / {one.early}", f"of {one.walks:,} walks")
    yield Row(f"{what}: lateness p50, p99, most", " / ".join(f"{each:,.0f} s" for each in late), "a look every 10 s")
    if one.caught_up is not None:
        yield Row(f"{what}: back on time after 6 hours without workers", f"{one.caught_up:.1f} h")
    yield Row(
        f"{what}: walks an hour, least / mean / most",
        f"{hours.min():,} / {hours.mean():,.0f} / {hours.max():,}",
        "most stands behind the absence" if one.caught_up is not None else "",
    )
    yield Row(f"{what}: CPU of schedule and leases", f"{one.spent / one.walks * 1000:.2f} ms a walk")


async def simulate(hosts: int, days: float) -> Outcome:
    with TemporaryDirectory() as folder:
        file = f"{folder}/adjacent.sqlite3"
        database = Database(f"sqlite+aiosqlite:///{file}")
        await migrate(database)
        await database.close()
        engine = create_engine(f"sqlite:///{file}")
        event.listen(engine, "connect", _trust)
        week = Week(engine, hosts, days)
        week.lay()
        begun = time.process_time()
        await week.run()
        week.outcome.spent = time.process_time() - begun
        engine.dispose()
        return week.outcome


def _trust(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # no power is cut here
    connection.execute("PRAGMA cache_size=-400000")


class Here:
    """The session that leases ask, in this thread: one that can be waited for hops between threads for every call."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_bind(self) -> Connection:
        return self._connection

    async def flush(self) -> None:
        pass

    async def connection(self) -> Here:
        return self

    async def execute(self, statement: Any, values: dict[str, Any] | None) -> CursorResult[Any]:
        return self._connection.execute(statement, values)


class Week:
    """What is simulated: seconds count from BEGIN."""

    def __init__(self, engine: Engine, hosts: int, days: float) -> None:
        self.engine, self.chance = engine, np.random.default_rng(20261125)
        seconds = np.array([one.total_seconds() for one in INTERVALS])
        self.interval = self.chance.choice(seconds, hosts, p=SHARES)
        self.due = self.chance.random(hosts) * self.interval
        busy = float(np.sum(1 / self.interval)) * WALK * np.exp(SPREAD**2 / 2)  # lanes, by Little's law
        self.lanes = max(LANES, int(np.ceil(2 * busy / WORKERS)))
        self.outcome = Outcome(hosts, days)
        self.workers = [Worker(f"worker {number}") for number in range(WORKERS)]
        self.queue: deque[str] = deque()
        self.walking: set[int] = set()
        self.away_from, self.away_until = AWAY[0].total_seconds(), (AWAY[0] + AWAY[1]).total_seconds()

    def lay(self) -> None:
        rows = [
            {"name": _name(host), "next_due": BEGIN + timedelta(seconds=due)}
            for host, due in enumerate(self.due.tolist())
        ]
        for start in range(0, len(rows), 50_000):
            with self.engine.begin() as connection:
                connection.execute(insert(Host), rows[start : start + 50_000])

    async def run(self) -> None:
        every = STEP.total_seconds()
        for number in range(int(timedelta(days=self.outcome.days) / STEP)):
            seconds = number * every
            if self.away_from <= seconds < self.away_until:
                for worker in self.workers:
                    self.kill(worker)
                continue
            if number and seconds % KILL.total_seconds() == 0:
                self.outcome.kills += 1
                victim = self.workers[int(self.chance.integers(len(self.workers)))]
                self.kill(victim)
                victim.name += "'"  # its successor
            await self.step(seconds)

    async def step(self, seconds: float) -> None:
        """Do what the real schedule and workers do between two looks."""
        clock = BEGIN + timedelta(seconds=seconds)
        with self.engine.begin() as connection:
            session: Any = Here(connection)
            for worker in self.workers:
                if ended := self.end_walks(worker, seconds):
                    names = [_name(host) for host in ended]
                    await leases.release(session, Host, names, worker.name, next_due=self.again(ended, clock))
                held = {_name(host) for _, host in worker.walks}
                if held:
                    assert await leases.renew(session, Host, held, worker.name, clock=clock) == held
            waiting = set(self.queue)
            due = await leases.claim(session, Host, clock=clock, limit=AHEAD)
            self.queue.extend(name for name in due if name not in waiting)
            for worker in self.workers:
                names = [self.queue.popleft() for _ in range(min(self.lanes - len(worker.walks), len(self.queue)))]
                if names:
                    for name in await leases.take(session, Host, names, worker.name, clock=clock):
                        self.begin_walk(worker, int(name[1:]), seconds)
        if self.outcome.caught_up is None and seconds > self.away_until and not self.queue:
            self.outcome.caught_up = (seconds - self.away_until) / 3600

    def begin_walk(self, worker: Worker, host: int, seconds: float) -> None:
        outcome, due = self.outcome, float(self.due[host])
        outcome.walks += 1
        outcome.at_once += host in self.walking
        outcome.early += due > seconds
        if seconds < self.away_from or outcome.caught_up is not None:
            outcome.lateness.append(seconds - due)
        outcome.by_hour[int(seconds // 3600)] = outcome.by_hour.get(int(seconds // 3600), 0) + 1
        self.walking.add(host)
        lasts = min(float(self.chance.lognormal(np.log(WALK), SPREAD)), LONGEST)
        heapq.heappush(worker.walks, (seconds + lasts, host))

    def end_walks(self, worker: Worker, seconds: float) -> list[int]:
        """End the walks whose time is over; return their hosts, each due again after its interval."""
        ended = []
        while worker.walks and worker.walks[0][0] <= seconds:
            _, host = heapq.heappop(worker.walks)
            self.walking.discard(host)
            self.due[host] = seconds + self.interval[host]
            ended.append(host)
        return ended

    def again(self, hosts: list[int], clock: datetime) -> ColumnElement[datetime]:
        """Return when each of these hosts is due again, as one expression."""
        names: dict[float, list[str]] = {every.total_seconds(): [] for every in INTERVALS}
        for host in hosts:
            names[float(self.interval[host])].append(_name(host))
        return case(*((col(Host.name).in_(those), clock + timedelta(seconds=every)) for every, those in names.items()))

    def kill(self, worker: Worker) -> None:
        """End a worker as SIGKILL does: its connections go, its leases stay until they are over."""
        self.walking.difference_update(host for _, host in worker.walks)
        worker.walks.clear()


def _name(host: int) -> str:
    return f"h{host:08}"


if __name__ == "__main__":
    numbers = [float(one) for one in sys.argv[1:]]
    print(table(rows(int(numbers[0]) if numbers else 20_000, numbers[1] if len(numbers) > 1 else 7.0)))
