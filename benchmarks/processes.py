"""What a process of the service takes: seconds until it answers or works, and memory when it has, by stored events.

Beside each stands the same process with an empty database. `python -m benchmarks.processes [EVENTS…]`
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from app.db import Database, migrate
from app.events import about
from app.jobs import CHORES
from benchmarks import stock
from benchmarks.measure import Row, table
from benchmarks.servers import ADJACENT, environment_of, free_port

PATHS = ("/", "/api/v1/events", "/api/v1/events?q=evening", "/events.ics", "/metrics")
PATIENCE = 300.0  # seconds

Cost = tuple[float, float]  # seconds, MB


def rows(sizes: Sequence[int] = (10_000, 100_000)) -> Iterator[Row]:
    nothing: dict[str, Cost] = {}
    for events in (0, *sizes):
        with TemporaryDirectory() as name:
            folder = Path(name)
            lay(folder, events)
            costs = {"API": _api(folder), "worker": _worker(folder)}
        if not events:
            nothing = costs
            continue
        for what, (seconds, memory) in costs.items():
            least_seconds, least = nothing[what]
            ready = "its first answer" if what == "API" else "its chores, all done once"
            yield Row(
                f"{what}, {events:,} events: from start to {ready}",
                f"{seconds:.1f} s",
                f"empty {least_seconds:.1f} s",
                f"{seconds / least_seconds:.2f}",
            )
            yield Row(
                f"{what}, {events:,} events: most memory",
                f"{memory:.0f} MB",
                f"empty {least:.0f} MB",
                f"{memory / least:.2f}",
            )


def lay(folder: Path, events: int) -> None:
    """Store that many events, as they are when their topics were looked for."""
    file = folder / "adjacent.sqlite3"
    if events:
        asyncio.run(stock.lay(file, events, base_url="http://127.0.0.1:8000"))
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE event SET tagged_digest = text_digest || ?", (about.load_reader().mark,))
        connection.close()
    else:
        asyncio.run(_migrated(file))


async def _migrated(file: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{file}")
    await migrate(database)
    await database.close()


def _api(folder: Path) -> Cost:
    port = free_port()

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    def ask() -> None:
        for path in PATHS:
            httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60)

    return _cost(folder, ["serve", "--no-worker", "--port", str(port)], answers, ask)


def _worker(folder: Path) -> Cost:
    connection = sqlite3.connect(folder / "adjacent.sqlite3", timeout=30)

    def has_done_all() -> bool:
        number, done = connection.execute("SELECT count(*), count(done_at) FROM chore").fetchone()
        return bool(done == number == len(CHORES))

    try:
        return _cost(folder, ["worker"], has_done_all, lambda: None)
    finally:
        connection.close()


def _cost(folder: Path, arguments: Sequence[str], is_ready: Callable[[], bool], use: Callable[[], None]) -> Cost:
    environment = environment_of(folder, 8000, ADJACENT_NOW=stock.NOW.isoformat())
    begun = time.perf_counter()
    with subprocess.Popen(
        [ADJACENT, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while not is_ready():
                assert process.poll() is None, f"{arguments[0]} ended by itself"
                assert time.perf_counter() - begun < PATIENCE, f"{arguments[0]} is not ready after {PATIENCE:.0f} s"
                time.sleep(0.05)
            spent = time.perf_counter() - begun
            use()
            return spent, _most_memory(process.pid)
        finally:
            process.terminate()


def _most_memory(process: int) -> float:
    """Return the most memory a process had at once, in MB: VmHWM, proc_pid_status(5)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(told["VmHWM"].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    print(table(rows([int(one) for one in sys.argv[1:]] or (10_000, 100_000))))
