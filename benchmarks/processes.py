"""What a process of the service takes: seconds until it answers or works, and memory when it has, by stored events.

Beside each stands the same process with an empty database; beside a second start, Python with nothing but the libraries
a service of this kind is built on. `python -m benchmarks.processes [EVENTS…]`
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
from benchmarks.servers import ADJACENT, environment_of, free_port, running

RUN = str(Path(__file__).parent.parent / "run")
LIBRARIES = [sys.executable, "-c", "import fastapi, httpx, jinja2, numpy, pydantic, sqlmodel, structlog, uvicorn"]
STARTS = 5  # of each kind, in turns; the quickest counts
PATHS = ("/", "/api/v1/events", "/api/v1/events?q=evening", "/api/v1/events.ics", "/metrics")
PATIENCE = 300.0  # seconds

Cost = tuple[float, float]  # seconds, MB


def rows(sizes: Sequence[int] = (10_000, 100_000)) -> Iterator[Row]:
    yield from _second_starts()
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


def _second_starts() -> Iterator[Row]:
    """Tell what people wait for who have set everything up already."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(_migrated(folder / "adjacent.sqlite3"))
        with sqlite3.connect(folder / "adjacent.sqlite3") as connection:
            connection.execute("INSERT INTO setting (name, value) VALUES ('demonstration', 'removed')")
        connection.close()

        def command(*arguments: str) -> None:
            environment = environment_of(folder, 8000)
            subprocess.run([RUN, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)

        kinds: dict[str, Callable[[], float]] = {
            "./run serve, started again: to its first page": lambda: _until_page(folder),
            "./run stats": lambda: _took(lambda: command("stats")),
            "./run --help": lambda: _took(lambda: command("--help")),
        }
        bare, took = float("inf"), dict.fromkeys(kinds, float("inf"))
        for _ in range(STARTS):
            bare = min(bare, _took(lambda: subprocess.run(LIBRARIES, check=True)))
            for what, start in kinds.items():
                took[what] = min(took[what], start())
    for what, seconds in took.items():
        yield Row(what, f"{seconds:.2f} s", f"its libraries imported alone {bare:.2f} s", f"{seconds / bare:.2f}")


def _took(job: Callable[[], object]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def _until_page(folder: Path) -> float:
    port = free_port()
    begun = time.perf_counter()
    with running([RUN, "serve", "--port", str(port)], port, environment_of(folder, port)) as server:
        httpx.get(server.address, timeout=60).raise_for_status()
        return time.perf_counter() - begun


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
            httpx.get(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE)

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
