"""Log lines are JSON with the request's id, and give nobody away."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from pace import within
from service import Service

from app.operating import logs
from app.operating.logs import redact

SECRET = "adj_f_" + "Zk9" * 14


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with logs.written(stream, level=logging.INFO):
        yield stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    logs.flush()
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (f"GET /f/{SECRET}.ics", "GET /f/adj_f_….ics"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer …"),
        ("no person ada.b+c@mail.example.org here", "no person …@… here"),
        ("email=ada%40example.org&x=1", "email=…@…&x=1"),
        ("fetching https://host.example/a.ics?key=s3cret#x failed", "fetching https://host.example/a.ics?… failed"),
        ("postgresql+asyncpg://user:pw@db.example/x", "postgresql+asyncpg://…@db.example/x"),
        ("smtps://ada@example.org:pw@mail.example", "smtps://…@mail.example"),
        ("An evening @ the club, 18:00", "An evening @ the club, 18:00"),
        ("https://host.example/a.ics", "https://host.example/a.ics"),
    ],
)
def test_secrets_and_people_are_left_out(told: str, kept: str) -> None:
    assert redact(told) == kept


@pytest.mark.parametrize("part", ["a", "a.", "http://", "a@", "%40", "adj_a_", "://", "?", "bearer "])
def test_long_hostile_text_is_cut_and_done_at_once(part: str) -> None:
    with within(1):
        assert len(redact(part * 200_000 + "@")) <= 2 * logs.LONGEST


def test_line_is_redacted_wherever_it_comes_from(written: io.StringIO) -> None:
    structlog.get_logger("ours").warning(
        "mail to ada@example.org", to=["ada@example.org"], token={SECRET: SECRET}, path=Path("/x/ada@example.org"), n=5
    )
    logging.getLogger("library").warning("fetched %s for %s", f"https://a.example/f/{SECRET}.ics", "ada@example.org")
    try:
        int(f"ada@example.org {SECRET}")
    except ValueError:
        logging.getLogger("library").exception("failed")
    ours, library, failed = lines(written)
    assert (ours["event"], ours["to"], ours["token"], ours["path"], ours["n"], ours["level"], ours["logger"]) == (
        "mail to …@…",
        ["…@…"],
        {"adj_f_…": "adj_f_…"},
        "/x/…@…",
        5,
        "warning",
        "ours",
    )
    assert library["event"] == "fetched https://a.example/f/adj_f_….ics for …@…"
    assert "ValueError: invalid literal for int() with base 10: '…@… adj_f_…'" in failed["exception"]
    assert {"timestamp", "level", "logger", "event"} <= set(library)


async def test_each_request_is_one_line_with_its_id_and_without_its_address(
    service: Service, written: io.StringIO
) -> None:
    answer = await service.client.get(f"/f/{SECRET}.ics?x=1", headers={"X-Request-ID": "front-12345678"})
    assert answer.headers["x-request-id"] == "front-12345678"
    (line,) = lines(written)
    assert {name: line[name] for name in ("event", "method", "route", "status", "request_id", "level")} == {
        "event": "request",
        "method": "GET",
        "route": "/f/{token}.ics",
        "status": answer.status_code,
        "request_id": "front-12345678",
        "level": "info",
    }
    assert "adj_f" not in written.getvalue()


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "has space here", "evil\x7fid-12345", '{"a":"bbbbbbb"}', "ädjacent-1"]
)
async def test_improper_request_id_is_replaced(service: Service, given: str) -> None:
    told = [
        (await service.client.get("/healthz", headers={"X-Request-ID": given.encode()})).headers["x-request-id"]
        for _ in range(2)
    ]
    assert given not in told
    assert len(set(told)) == 2
    assert {len(one) for one in told} == {16}


def test_of_migrations_the_steps_are_told_alone(written: io.StringIO) -> None:
    told = logging.getLogger("alembic.runtime.migration")
    told.info("Will assume %s DDL.", "non-transactional")
    told.info("Running upgrade %s", "0001")
    assert [line["event"] for line in lines(written)] == ["Running upgrade 0001"]


def test_loggers_are_afterwards_as_they_were() -> None:
    def loggers() -> tuple[object, ...]:
        return logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config()

    before = loggers()
    with logs.written(io.StringIO(), level=logging.ERROR):
        assert loggers() != before
    assert loggers() == before


async def test_a_day_of_a_person_leaves_no_trace_of_them_in_the_log(service: Service, written: io.StringIO) -> None:
    client = service.client
    guest = await service.guest(know=["React"])
    feed = (await client.post("/api/v1/me/feeds", json={"name": "Mine"}, headers=guest)).json()["data"]["url"]
    await client.get(feed)
    await client.post("/api/v1/sign-in", json={"email": "ada@example.org"})
    await client.post("/api/v1/sign-in/confirm", json={"email": "ada@example.org", "code": "123456"})
    await client.get("/sign-in/adj_l_" + "x" * 43)
    await client.get("/api/v1/me?email=ada@example.org", headers=guest)
    assert len(lines(written)) >= 7
    for trace in ("ada", "example.org", feed.rpartition("/")[2][6:20], guest["Authorization"][-20:], "123456"):
        assert trace not in written.getvalue()
