"""How long requests wait while the same process collects: 100 a second at fixed times, idle and during a crawl.

The crawl is of the 720 sources of the trial city (../shared/replay), served on loopback; without them nothing is measured.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.measure import Row, table
from benchmarks.servers import ADJACENT, environment_of, free_port, running

REPLAY = Path(__file__).parents[2] / "shared" / "replay" / "serve.py"
A_SECOND, SECONDS = 100, 20
PATHS = ("/api/v1/events", "/api/v1/events.ics", "/api/v1/topics?q=type")


def rows() -> Iterator[Row]:
    if not REPLAY.exists():
        return
    with tempfile.TemporaryDirectory() as name:
        folder, port, there = Path(name), free_port(), free_port()
        environment = environment_of(
            folder, port, ADJACENT_NOW="2017-09-10T12:00:00Z", ADJACENT_ALLOW_HOSTS=f"127.0.0.1:{there}"
        )
        subprocess.run([ADJACENT, "migrate"], env=environment, check=True, capture_output=True)
        replay = [sys.executable, str(REPLAY), "--port", str(there)]
        with running(replay, there, environment):
            add = ["sources", "add", f"http://127.0.0.1:{there}/sources.txt", "--city", "Nashville", "--yes"]
            subprocess.run([ADJACENT, *add], env=environment, check=True, capture_output=True)
            serve = [ADJACENT, "serve", "--port", str(port)]
            with running([*serve, "--no-worker"], port, environment) as server:
                idle = asyncio.run(_waits(server.address))
            with running(serve, port, environment) as server:
                busy = asyncio.run(_waits(server.address))
                count = httpx.get(f"{server.address}/api/v1/events").json()["meta"]["count"]
    for share in (50, 99):
        before, during = (sorted(waits)[len(waits) * share // 100] * 1000 for waits in (idle, busy))
        what = f"p{share} at {A_SECOND} requests/s while a crawl stores its first {count:,} upcoming events"
        yield Row(what, f"{during:.1f} ms", f"idle {before:.1f} ms", f"{during / before:.1f}")


async def _waits(address: str) -> list[float]:
    """Return how many seconds each answer took, from the moment its request was due."""
    async with httpx.AsyncClient(base_url=address, limits=httpx.Limits(max_connections=64)) as client:
        for path in PATHS:
            await client.get(path)

        async def ask(number: int, begun: float) -> float:
            due = begun + number / A_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            answer = await client.get(PATHS[number % len(PATHS)], timeout=30)
            assert answer.status_code == 200
            return time.perf_counter() - due

        begun = time.perf_counter()
        return await asyncio.gather(*(ask(number, begun) for number in range(A_SECOND * SECONDS)))


if __name__ == "__main__":
    print(table(rows()))
