"""How fast one worker serves lists and calendars, beside a bare answer of the same bytes and a plain FastAPI list.

Needs wrk on the PATH. All servers stand at the same time on loopback and take turns; only ratios of one run count.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import create_engine, insert

from app.models import Event, EventTopic
from benchmarks.measure import Row, table

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SECONDS, CONNECTIONS, ROUNDS = 2, 16, 2
WORDS = [
    "letters",
    "paper",
    "ink",
    "press",
    "type",
    "evening",
    "talk",
    "walk",
    "garden",
    "chess",
    "clay",
    "stage",
    "violin",
    "bread",
    "river",
    "map",
    "stars",
    "code",
]
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


def rows() -> Iterator[Row]:
    if shutil.which("wrk") is None:
        yield Row("serving", "wrk is not installed")
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        small, large = Path(folder) / "small", Path(folder) / "large"
        ours = stack.enter_context(_adjacent(small, 5_000))
        many = stack.enter_context(_adjacent(large, 100_000))
        plain = stack.enter_context(_server(PLAIN, str(small / "adjacent.sqlite3")))
        feed = f"{ours}/api/v1/events.ics?start=2026-12-01T12:00:00Z&end=2026-12-09T19:00:00Z"
        packed = httpx.get(feed)
        bare = stack.enter_context(_bare(Path(folder), httpx.get(feed, headers={"accept-encoding": "identity"})))

        fast, slow = _turns((f"{ours}/api/v1/events", {}), (f"{plain}/", {}))
        yield _row("list of 50, unchanged", fast, "FastAPI and SQLModel", slow)
        fast, slow = _turns((f"{ours}/api/v1/events?q=", {}), (f"{plain}/", {}), script=CHANGING)
        yield _row("list of 50, every address new", fast, "FastAPI and SQLModel", slow)
        count = packed.headers["x-total-count"]
        known = {"if-none-match": packed.headers["etag"], "accept-encoding": "gzip"}
        fast, slow = _turns((feed, known), (f"{bare}/", {"if-none-match": '"bare"'}))
        yield _row("calendar, 304", fast, "bare Starlette 304", slow)
        fast, slow = _turns((feed, {}), (f"{bare}/", {}))
        yield _row(f"calendar of {count}, identity", fast, "bare Starlette, same bytes", slow)
        few, more = (_median_ms(f"{one}/api/v1/events") for one in (ours, many))
        yield Row(
            "p50 of a list nobody asked before, 100,000 events",
            f"{more:.1f} ms",
            f"5,000: {few:.1f} ms",
            f"{more / few:.1f}",
        )


CHANGING = """
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", wrk.path:gsub("q=.*", "") .. "radius_km=" .. (n % 19000 + 1))
end
"""


def _row(what: str, fast: float, beside: str, slow: float) -> Row:
    return Row(what, f"{fast:,.0f}/s", f"{beside} {slow:,.0f}/s", f"{fast / slow:.2f}")


def _turns(*asked: tuple[str, dict[str, str]], script: str = "") -> list[float]:
    """Return the requests a second of each address, the best of turns they take."""
    best = [0.0] * len(asked)
    for _ in range(ROUNDS):
        for place, (address, headers) in enumerate(asked):
            best[place] = max(best[place], _wrk(address, headers, script if place == 0 else ""))
    return best


def _wrk(address: str, headers: dict[str, str], script: str) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        told = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s"]
            + [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
            + (["-s", file.name] if script else [])
            + [address],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    assert "Non-2xx" not in told or "if-none-match" in headers, told
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found, told
    return float(found[1])


def _median_ms(address: str) -> float:
    took = []
    with httpx.Client() as client:
        for n in range(40):  # each address is new, so that nothing is kept
            begun = time.perf_counter()
            assert client.get(address, params={"radius_km": 19_999 - n}).status_code == 200
            took.append(time.perf_counter() - begun)
    return sorted(took)[len(took) // 2] * 1000


@contextmanager
def _adjacent(folder: Path, events: int) -> Iterator[str]:
    port = _free_port()
    environment = {
        **os.environ,
        "ADJACENT_DATA": str(folder),
        "ADJACENT_DATABASE_URL": f"sqlite:///{folder / 'adjacent.sqlite3'}",
        "ADJACENT_BASE_URL": f"http://127.0.0.1:{port}",
        "ADJACENT_NOW": NOW.isoformat(),
    }
    adjacent = [str(Path(sys.executable).parent / "adjacent")]
    subprocess.run([*adjacent, "migrate"], env=environment, check=True, capture_output=True)
    _fill(folder / "adjacent.sqlite3", events)
    with _running([*adjacent, "serve", "--no-worker", "--port", str(port)], port, environment) as address:
        yield address


def _fill(file: Path, events: int) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(insert(Event), [_event(number) for number in range(events)])
        topics = ("typography", "javascript", "chess")
        connection.execute(
            insert(EventTopic),
            [{"event_id": n + 1, "topic": topics[n % 3], "weight": 0.5} for n in range(events)],
        )
    engine.dispose()


def _event(number: int) -> dict[str, object]:
    words = [WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(90)]
    return {
        "key": f"e{number:015}",
        "title": " ".join(words[:6]),
        "description": " ".join(words),
        "starts_at": NOW + timedelta(hours=number % 5000),
        "ends_at": NOW + timedelta(hours=number % 5000 + 2),
        "zone": "Europe/Berlin",
        "venue_name": "Hall 3",
        "city": "Munich",
        "lat": 48.1,
        "lon": 11.5,
        "url": f"https://events.example/{number}",
        "created_at": NOW,
        "updated_at": NOW,
        "all_day": False,
        "status": "confirmed",
        "mode": "in_person",
        "sequence": 0,
        "welcomes": 0.0,
        "text_digest": "",
        "provenance": {},
        "categories": [],
        "purpose": {},
        "purpose_phrases": [],
    }


@contextmanager
def _bare(folder: Path, answer: httpx.Response) -> Iterator[str]:
    body = folder / "body"
    body.write_bytes(answer.content)
    with _server(BARE, str(body), "text/calendar") as address:
        yield address


@contextmanager
def _server(program: str, *arguments: str) -> Iterator[str]:
    port = _free_port()
    with _running([sys.executable, "-c", program, *arguments, str(port)], port, dict(os.environ)) as address:
        yield address


@contextmanager
def _running(command: list[str], port: int, environment: dict[str, str]) -> Iterator[str]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    print(table(rows()))
