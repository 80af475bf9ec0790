"""`adjacent sources add` and `sources test`: what a person is told before anything is stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from origin import Origin
from sqlmodel import col, select
from typer.testing import CliRunner, Result

from app.cli.commands import cli
from app.db import Database
from app.models import Audit

CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-WR-CALNAME:Tide club\r\n{}END:VCALENDAR\r\n"
EVENT = "BEGIN:VEVENT\r\nUID:{0}\r\nDTSTART:2026120{0}T170000Z\r\nSUMMARY:Walk {0}\r\nSTATUS:{1}\r\nEND:VEVENT\r\n"


@pytest.fixture
async def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Origin]:
    async with Origin() as running:
        monkeypatch.setenv("ADJACENT_DATA", str(tmp_path))
        monkeypatch.setenv("ADJACENT_NOW", "2026-11-25T12:00:00Z")
        monkeypatch.setenv("ADJACENT_ALLOW_HOSTS", running.host)
        running.serve("/", '<html><a href="/all.ics">All</a><a href="/a/old.ics">Old</a>', content_type="text/html")
        events = "".join(EVENT.format(number, "CANCELLED" if number == 2 else "CONFIRMED") for number in range(1, 5))
        running.serve("/all.ics", CALENDAR.format(events), content_type="text/calendar")
        yield running


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, cli, ["sources", *arguments])


async def test_page_without_events_is_explained_and_its_calendar_previewed(origin: Origin) -> None:
    told = await run("test", origin.url())
    assert told.exit_code == 0
    assert told.stderr.splitlines() == [
        f"{origin.url()}: the page marks up no event: looked for schema.org in JSON-LD, microdata and RDFa, and for microformats",
        f"taken instead: {origin.url('/all.ics')} (calendar link “All”)",
        f"{origin.url('/all.ics')}: “Tide club”, icalendar, 4 events listed, 4 upcoming occurrences",
        "  Tue 01 Dec 2026 17:00 UTC  Walk 1",
        "  Wed 02 Dec 2026 17:00 UTC  Walk 2  (cancelled)",
        "  Thu 03 Dec 2026 17:00 UTC  Walk 3",
        f"  also there: {origin.url('/a/old.ics')} (calendar link “Old”)",
    ]


async def test_refusal_says_what_would_let_an_operator_in() -> None:
    told = await run("add", "http://127.0.0.1:9/all.ics", "--yes")
    assert told.exit_code == 1
    assert str(told.exception) == (
        "http://127.0.0.1:9/all.ics: 127.0.0.1: port 9 is not fetched, only 80 and 443 [refused]; "
        "ADJACENT_ALLOW_HOSTS=HOST:PORT lets a private host, or a port other than 80 and 443, be fetched from"
    )


async def test_what_was_taken_is_what_is_stored(origin: Origin) -> None:
    told = await run("add", origin.url(), "--yes")
    assert told.exit_code == 0
    assert told.stderr.splitlines()[-1] == f"stored {origin.url('/all.ics')}: 4 upcoming events"
    (source,) = json.loads((await run("list", "--json")).stdout)
    assert (source["url"], source["state"], source["name"]) == (origin.url("/all.ics"), "ok", "Tide club")


async def test_nothing_is_stored_without_a_yes(origin: Origin) -> None:
    assert (await run("add", origin.url())).exit_code == 1
    assert json.loads((await run("list", "--json")).stdout) == []


async def test_list_names_the_lines_that_hold_no_address(origin: Origin, tmp_path: Path) -> None:
    addresses = tmp_path / "sources.txt"
    addresses.write_text(f"# ours\n{origin.url('/all.ics')}\n\nJane's group\nftp://old.example/feed\n")
    told = await run("add", str(addresses))
    assert (told.exit_code, told.stderr.splitlines()) == (
        0,
        [
            "line 4 holds no http(s) or webcal address: Jane's group",
            "line 5 holds no http(s) or webcal address: ftp://old.example/feed",
            "recorded 1 sources; `adjacent collect` reads them",
        ],
    )


async def test_source_is_tested_by_its_id(origin: Origin) -> None:
    await run("add", origin.url("/all.ics"), "--yes")
    (source,) = json.loads((await run("list", "--json")).stdout)
    told = await run("test", str(source["id"]))
    assert told.exit_code == 0
    assert told.stderr.splitlines()[0] == (
        f"{origin.url('/all.ics')}: “Tide club”, icalendar, 4 events listed, 4 upcoming occurrences"
    )
    assert (await run("test", "77")).exit_code == 1


async def test_what_is_done_to_sources_is_written_down(origin: Origin, tmp_path: Path) -> None:
    await run("add", origin.url(), "--yes")
    for deed in ("pause", "resume", "remove"):
        assert (await run(deed, "1")).exit_code == 0
    assert (await run("remove", "1")).exit_code == 1
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'adjacent.sqlite3'}")
    async with database.reading() as session:
        told = [
            (row.action, row.token_id, row.subject) for row in await session.exec(select(Audit).order_by(col(Audit.id)))
        ]
    await database.close()
    address = origin.url("/all.ics")
    assert told == [(f"source.{deed}", None, address) for deed in ("add", "pause", "resume", "remove")]


async def test_next_day_of_a_community_is_that_of_its_own_clocks(origin: Origin) -> None:
    late = EVENT.format(1, "CONFIRMED").replace(
        "DTSTART:20261201T170000Z", "DTSTART;TZID=America/Chicago:20261201T200000"
    )
    origin.serve("/late.ics", CALENDAR.format(late), content_type="text/calendar")
    assert (await run("add", origin.url("/late.ics"), "--city", "Nashville", "--yes")).exit_code == 0
    listed = await asyncio.to_thread(CliRunner().invoke, cli, ["communities", "list"])
    assert listed.stdout.split()[-1] == "2026-12-01"  # when it is the second in UTC


@pytest.mark.parametrize(
    ("name", "kind"), [("#tidechat", "hashtag chat"), ("#tide chat", "hashtag chat"), ("#Resist: Brentwood", "group")]
)
async def test_calendar_is_of_a_hashtag_chat_if_its_name_is_a_hashtag(origin: Origin, name: str, kind: str) -> None:
    origin.serve("/chat.ics", CALENDAR.replace("Tide club", name).format(""), content_type="text/calendar")
    assert (await run("add", origin.url("/chat.ics"), "--yes")).exit_code == 0
    listed = await asyncio.to_thread(CliRunner().invoke, cli, ["communities", "list", "--json"])
    assert [(one["name"], one["kind"]) for one in json.loads(listed.stdout)] == [(name, kind)]
