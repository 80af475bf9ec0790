"""How long requests wait while the same process collects: 100 a second at fixed times, idle and during a crawl.

The crawl is of the 720 sources of the trial city (../shared/replay), served on loopback; without them nothing is measured.
What is asked for are other events, the same number before and during the crawl, which all the while tells caches that
events changed.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from benchmarks.measure import Row, table
from benchmarks.servers import ADJACENT, FEW, Server, environment_of, free_port, running, stocked

REPLAY = Path(__file__).parents[2] / "shared" / "replay" / "serve.py"
CITY_NOW = "2017-09-10T12:00:00Z"
A_SECOND, SECONDS, CONNECTIONS = 100, 20, 32
STOCK = "start=2026-12-01T12:00:00Z"
PATHS = (f"/api/v1/events?{STOCK}", f"/api/v1/events.ics?{STOCK}&end=2026-12-09T19:00:00Z", "/api/v1/topics?q=type")


def rows() -> Iterator[Row]:
    if not REPLAY.exists():
        return
    with tempfile.TemporaryDirectory() as name:
        folder, port, there = Path(name) / "data", free_port(), free_port()
        environment = environment_of(folder, port, ADJACENT_NOW=CITY_NOW, ADJACENT_ALLOW_HOSTS=f"127.0.0.1:{there}")
        stocked(folder, FEW, port)
        replay = [sys.executable, str(REPLAY), "--port", str(there)]
        with running(replay, there, environment):
            add = ["sources", "add", f"http://127.0.0.1:{there}/sources.txt", "--city", "Nashville", "--yes"]
            subprocess.run([ADJACENT, *add], env=environment, check=True, capture_output=True)
            serve = [ADJACENT, "serve", "--port", str(port)]
            with running([*serve, "--no-worker"], port, environment) as server:
                idle = waits(port)
            with running(serve, port, environment) as server:
                while not (before := _of_the_city(server)):  # the models are read, and the crawl is under way
                    time.sleep(0.5)
                busy = waits(port)
                stored = _of_the_city(server) - before
    for share in (50, 99):
        before, during = (sorted(waits)[len(waits) * share // 100] * 1000 for waits in (idle, busy))
        what = f"p{share} at {A_SECOND} requests/s while a crawl stores {stored:,} events"
        yield Row(what, f"{during:.1f} ms", f"idle {before:.1f} ms", f"{during / before:.1f}")


def _of_the_city(server: Server) -> int:
    count: int = httpx.get(f"{server.address}/api/v1/events?end=2026-11-30").json()["meta"]["count"]
    return count


def waits(port: int, seconds: int = SECONDS) -> list[float]:
    """Return how many seconds each answer took, from the moment its request was due."""
    open_here = threading.local()

    def ask(due: float, path: str) -> float:
        time.sleep(max(0.0, due - time.perf_counter()))
        if not hasattr(open_here, "connection"):
            open_here.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        open_here.connection.request("GET", path)
        answer = open_here.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        return time.perf_counter() - due

    for path in PATHS:
        ask(time.perf_counter(), path)
    begun = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        numbers = range(A_SECOND * seconds)
        dues = [begun + number / A_SECOND for number in numbers]
        return list(threads.map(ask, dues, [PATHS[number % len(PATHS)] for number in numbers]))


if __name__ == "__main__":
    print(table(rows()))
