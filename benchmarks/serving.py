"""How fast one worker serves lists and calendars, beside a bare answer of the same bytes and a plain FastAPI list.

Needs wrk on the PATH. All servers stand at the same time on loopback and take turns; rates are answers a second of the
server's CPU, which say the same on a machine that has other work; only ratios of one run count.
Radicale and open-web-calendar stand beside them where PEERS names virtual environments that have them.
"""

from __future__ import annotations

import asyncio
import gc
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app.calendars import calendar_feed, renderings
from app.db import Database
from app.queries import listing
from app.queries.filters import EventFilter
from benchmarks import peers, stock, stored
from benchmarks.measure import Row, seconds, table
from benchmarks.servers import FEW, MANY, MOST, Server, adjacent, program

SECONDS, CONNECTIONS, ROUNDS = 2, 16, 3
WRK = ("wrk", "-t1", "--timeout", "10s")
PATIENCE = 10  # seconds for peers, some of which answer a few times a second
BARE = """
import sys
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
body, media_type = Path(sys.argv[1]).read_bytes(), sys.argv[2]
TAG = '"bare"'
async def answer(request):
    if request.headers.get("if-none-match") == TAG:
        return Response(status_code=304, headers={"etag": TAG})
    return Response(body, headers={"etag": TAG}, media_type=media_type)
import uvicorn
uvicorn.run(Starlette(routes=[Route("/", answer)]), port=int(sys.argv[3]), log_level="error", access_log=False)
"""
PLAIN = """
import sys
from datetime import UTC, datetime
from fastapi import Depends, FastAPI
from sqlmodel import Session, SQLModel, create_engine, select
from app.models import Event
engine = create_engine("sqlite:///" + sys.argv[1])
app = FastAPI()
def session():
    with Session(engine) as one:
        yield one
@app.get("/", response_model=list[Event])
def events(session: Session = Depends(session)):
    return session.exec(select(Event).where(Event.starts_at >= datetime(2026, 12, 1, 12, tzinfo=UTC)).order_by(Event.starts_at).limit(50)).all()
import uvicorn
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""
CHANGING = """
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", wrk.path:gsub("q=.*", "") .. "radius_km=" .. (n % 19000 + 1))
end
"""


def rows(*, everything: bool = False) -> Iterator[Row]:
    yield from first_build()
    if shutil.which("wrk") is None:
        yield Row("serving", "wrk is not installed")
        return
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ours = stack.enter_context(adjacent(folder / "few", FEW))
        plain = stack.enter_context(program(PLAIN, str(folder / "few" / "adjacent.sqlite3")))
        path = "/api/v1/events.ics?start=2026-12-01T12:00:00Z&end=2026-12-09T19:00:00Z"
        feed = ours.address + path
        packed, whole = httpx.get(feed), httpx.get(feed, headers={"accept-encoding": "identity"})
        (folder / "body").write_bytes(whole.content)
        bare = stack.enter_context(program(BARE, str(folder / "body"), "text/calendar"))
        known = {"if-none-match": packed.headers["etag"], "accept-encoding": "gzip"}
        count = packed.headers["x-total-count"]
        list_of_plain = Asked(plain, "/")
        turns = (
            ("list of 50, unchanged", Asked(ours, "/api/v1/events"), "FastAPI and SQLModel", list_of_plain),
            (
                "list of 50, every address new",
                Asked(ours, "/api/v1/events?q=", script=CHANGING),
                "FastAPI and SQLModel",
                list_of_plain,
            ),
            (
                "calendar, 304",
                Asked(ours, path, known),
                "bare Starlette 304",
                Asked(bare, "/", {"if-none-match": '"bare"'}),
            ),
            (f"calendar of {count}, identity", Asked(ours, path), "bare Starlette, same bytes", Asked(bare, "/")),
        )
        for what, one, beside, other in turns:
            yield _row(what, one, beside, other)
        for beside, server, there in peers.standing(stack, folder, whole.content, feed):
            yield _row(
                f"calendar of {count}, identity",
                Asked(ours, path),
                beside,
                Asked(server, there, lasts=PATIENCE, connections=1),
            )
    yield from stored.rows(*((MANY, MOST) if everything else (MANY,)))


def first_build() -> Iterator[Row]:
    """Yield the CPU of a calendar nobody asked for before, put together from what is stored and rendered anew."""
    base_url = "http://127.0.0.1:8000"
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        file = Path(folder) / "adjacent.sqlite3"
        runner.run(stock.lay(file, FEW, base_url=base_url))
        database = Database(f"sqlite+aiosqlite:///{file}")
        wanted, head = EventFilter(start=stock.NOW), calendar_feed.header("Adjacent")

        async def put_together() -> bytes:
            async with database.reading() as session:
                found = await renderings.found(session, wanted, "component", base_url=base_url)
            return calendar_feed.whole(head, found.bodies)

        async def rendered() -> bytes:
            async with database.reading() as session:
                return calendar_feed.calendar(head, await listing.events(session, wanted), base_url=base_url)

        async def length(made: Awaitable[bytes]) -> int:
            # When it is done, `Runner.run` writes out (`repr`) the whole of what it returns: 50 ms for 5 MB.
            return len(await made)

        assert runner.run(put_together()) == runner.run(rendered())
        gc.freeze()  # as the service does once it has started: a look through all that is imported takes as long again
        jobs = [lambda make=make: runner.run(length(make())) for make in (put_together, rendered)]
        fast, slow = seconds(*jobs, times=5)
        runner.run(database.close())
    beside = f"rendered anew {slow * 1000:.0f} ms"
    yield Row(f"first build of a calendar of {FEW:,}", f"{fast * 1000:.0f} ms of CPU", beside, f"{fast / slow:.2f}")


def _row(what: str, one: Asked, beside: str, other: Asked) -> Row:
    best = [0.0, 0.0]
    for _ in range(ROUNDS):
        best = [max(rate, asked.rate()) for rate, asked in zip(best, (one, other), strict=True)]
    fast, slow = best
    return Row(what, f"{fast:,.0f}/s", f"{beside} {slow:,.0f}/s", f"{fast / slow:.2f}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a server again and again, by some connections at once."""

    server: Server
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    script: str = ""
    lasts: int = SECONDS
    connections: int = CONNECTIONS

    def rate(self) -> float:
        """Return the answers it gives a second of its CPU."""
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            file.write(self.script)
            file.flush()
            headers = [part for name, value in self.headers.items() for part in ("-H", f"{name}: {value}")]
            script = ["-s", file.name] if self.script else []
            begun = self.server.cpu()
            told = subprocess.run(
                [
                    *WRK,
                    f"-c{self.connections}",
                    f"-d{self.lasts}s",
                    *headers,
                    *script,
                    f"{self.server.address}{self.path}",
                ],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            took = self.server.cpu() - begun
        assert "Non-2xx" not in told or "if-none-match" in self.headers, told
        found = re.search(r"(\d+) requests in ", told)
        assert found, told
        return int(found[1]) / took


if __name__ == "__main__":
    print(table(rows(everything="--all" in sys.argv)))
