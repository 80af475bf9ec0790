"""Calendars as real programs read them: what icalendar, libical, ical.js, node-ical, vdirsyncer, khal and Thunderbird make of ours.

Programs that are not installed are left out, with the reason. vdirsyncer and khal are looked for on the PATH and under
CALENDAR_CLIENTS (a virtual environment); node's packages under NODE_PATH.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service import BASE_URL, MUNICH, NOW, Service, draft, on_a_port, serving
from waiting import until

from app.calendars.calendar_feed import calendar, header
from app.calendars.content_lines import line, text
from app.models import Event
from app.queries.listing import Listed
from scrapers.text import clean_text

HAS_LIBICAL = Path("/usr/include/libical/ical.h").exists()
LIBICAL = r"""
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **names) {
    static char body[1 << 22];
    FILE *file = fopen(names[1], "rb");
    body[fread(body, 1, sizeof body - 1, file)] = 0;
    icalcomponent *found = icalcomponent_new_from_string(body);
    printf("%d %d %d\n", icalrestriction_check(found), icalcomponent_count_errors(found),
           icalcomponent_count_components(found, ICAL_VEVENT_COMPONENT));
    return 0;
}
"""
NODE = """
const fs = require("fs"), ICAL = require("ical.js"), ical = require("node-ical");
const body = fs.readFileSync(process.argv[2], "utf8");
const parse = ICAL.default || ICAL;
const one = new parse.Component(parse.parse(body)).getAllSubcomponents("vevent").map((part) => new parse.Event(part));
const other = Object.values(ical.sync.parseICS(body)).filter((part) => part.type === "VEVENT");
console.log(JSON.stringify([
  one.map((event) => [event.uid, event.summary, event.startDate.toJSDate().toISOString()]),
  other.map((event) => [event.uid, event.summary, event.start.toISOString()]),
]));
"""


def program(name: str) -> str:
    clients = os.environ.get("CALENDAR_CLIENTS", "")
    found = shutil.which(name, path=os.pathsep.join([f"{clients}/bin", os.environ["PATH"]]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


async def output_of(*command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()


async def stored(service: Service) -> bytes:
    await service.store(
        draft("a", "Letters; ink, paper \\ “type”", venue=MUNICH, ends_at=NOW + timedelta(days=1, hours=2)),
        draft("b", "Märkte für Übersetzerinnen und Übersetzer " * 5, days=2, description="Zeile\nZeile", mode="online"),
        draft("c", "Fair", days=2.5, ends_at=NOW + timedelta(days=4.5), all_day=True),
        draft("d", "Chess", days=5, status="cancelled", online_url="https://chess.example/room?a=1,2;3"),
        topics={"a": {"typography": 0.9}},
    )
    return (await service.client.get("/api/v1/events.ics")).content


def events_of(body: bytes) -> list[icalendar.Event]:
    return [event for event in icalendar.Calendar.from_ical(body).walk("VEVENT") if isinstance(event, icalendar.Event)]


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_as_it_was_but_for_what_is_no_text(told: str) -> None:
    folded = line("SUMMARY", text(told))
    assert all(len(part) <= 75 for part in folded.encode().split(b"\r\n"))
    body = f"BEGIN:VEVENT\r\n{folded}END:VEVENT\r\n".encode()
    read = str(icalendar.Event.from_ical(body)["summary"])
    assert read == clean_text(told)


def test_all_day_event_ends_on_the_day_after_its_last() -> None:
    ends = {}
    for minutes in (0, 1, 24 * 60 - 1, 24 * 60, 24 * 60 + 1):
        start = NOW.replace(hour=23) - timedelta(days=1)  # midnight in Berlin
        event = Event(
            id=1,
            key="k",
            title="Fair",
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            zone="Europe/Berlin",
            all_day=True,
            created_at=NOW,
            updated_at=NOW,
        )
        body = calendar(header("x"), [Listed(event)], base_url=BASE_URL)
        (read,) = events_of(body)
        ends[minutes] = str(read.end)
    assert ends == {
        0: "2026-12-02",
        1: "2026-12-02",
        24 * 60 - 1: "2026-12-02",
        24 * 60: "2026-12-02",
        24 * 60 + 1: "2026-12-03",
    }


async def test_icalendar_reads_calendars_without_a_fault(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        read = icalendar.Calendar.from_ical(await stored(service))
    events = read.walk("VEVENT")
    assert [read.errors, *(event.errors for event in events)] == [[]] * 5
    assert not {"UID", "METHOD"} & set(read)
    assert {name: read[name].to_ical() for name in ("NAME", "X-WR-CALNAME", "REFRESH-INTERVAL")} == {
        "NAME": b"Adjacent",
        "X-WR-CALNAME": b"Adjacent",
        "REFRESH-INTERVAL": b"PT6H",
    }
    assert [str(event["summary"]) for event in events][::3] == ["Letters; ink, paper \\ “type”", "Chess"]
    assert events[0]["geo"].to_ical() == "48.137;11.575"
    assert events[0]["categories"].to_ical() == b"Typography"
    assert str(events[3]["conference"]) == "https://chess.example/room?a=1,2;3"


@pytest.mark.long
async def test_libical_finds_nothing_to_object_to(tmp_path: Path) -> None:
    compiler = program("gcc")
    if not HAS_LIBICAL:
        pytest.skip("libical's headers are not installed")
    async with serving(tmp_path) as service:
        (tmp_path / "a.ics").write_bytes(await stored(service))
    (tmp_path / "check.c").write_text(LIBICAL)
    await output_of(compiler, str(tmp_path / "check.c"), "-o", str(tmp_path / "check"), "-lical")
    assert await output_of(str(tmp_path / "check"), str(tmp_path / "a.ics")) == "1 0 4\n"


@pytest.mark.long
async def test_javascript_parsers_read_the_same_events(tmp_path: Path) -> None:
    node = program("node")
    if not (Path(os.environ.get("NODE_PATH", "node_modules")) / "ical.js").exists():
        pytest.skip("ical.js and node-ical are not under NODE_PATH")
    async with serving(tmp_path) as service:
        body = await stored(service)
    (tmp_path / "a.ics").write_bytes(body)
    (tmp_path / "read.js").write_text(NODE)
    told = await output_of(node, str(tmp_path / "read.js"), str(tmp_path / "a.ics"), TZ="UTC")
    expected = [
        [str(event["uid"]), str(event["summary"]), f"{event.start:%Y-%m-%dT}{_hour(event)}:00:00.000Z"]
        for event in events_of(body)
    ]
    assert json.loads(told) == [expected, expected]


def _hour(event: icalendar.Event) -> str:
    return f"{getattr(event.start, 'hour', 0):02}"


@pytest.mark.long
async def test_vdirsyncer_and_khal_follow_new_moved_and_cancelled_events(tmp_path: Path) -> None:
    vdirsyncer, khal = program("vdirsyncer"), program("khal")
    async with serving(tmp_path) as service, on_a_port(service) as address:
        await service.store(draft("a", "Letters", venue=MUNICH), draft("b", "Chess", days=2))
        for folder in ("calendar", "status"):
            (tmp_path / folder).mkdir()
        (tmp_path / "vdirsyncer").write_text(f"""
[general]
status_path = "{tmp_path}/status"
[pair adjacent]
a = "there"
b = "here"
collections = null
[storage there]
type = "http"
url = "{address}/api/v1/events.ics"
[storage here]
type = "filesystem"
path = "{tmp_path}/calendar"
fileext = ".ics"
""")
        (tmp_path / "khal").write_text(f"""
[calendars]
[[adjacent]]
path = {tmp_path}/calendar
[locale]
timeformat = %H:%M
dateformat = %d.%m.
longdateformat = %Y-%m-%d
datetimeformat = %d.%m. %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = UTC
default_timezone = UTC
[sqlite]
path = {tmp_path}/khal.db
""")
        sync = (vdirsyncer, "-c", str(tmp_path / "vdirsyncer"))
        shown = (khal, "-c", str(tmp_path / "khal"), "list", "--day-format", "", "2026-12-01", "9d", "--format")

        async def agenda() -> list[str]:
            await output_of(*sync, "sync")
            told = await output_of(*shown, "{start-date} {start-time} {title} {status}")
            return [" ".join(entry.split()) for entry in told.splitlines() if entry.strip()]

        await output_of(*sync, "discover")
        assert await agenda() == ["02.12. 12:00 Letters CONFIRMED", "03.12. 12:00 Chess CONFIRMED"]
        later = NOW + timedelta(hours=1)
        await service.store(
            draft("a", "Letters", days=1.25, venue=MUNICH),
            draft("b", "Chess", days=2, status="cancelled"),
            draft("c", "Garden walk", days=3),
            now=later,
        )
        assert await agenda() == [
            "02.12. 18:00 Letters CONFIRMED",
            "03.12. 12:00 Chess CANCELLED",
            "04.12. 12:00 Garden walk CONFIRMED",
        ]


@pytest.mark.long
async def test_thunderbird_follows_new_moved_and_cancelled_events(tmp_path: Path) -> None:
    thunderbird, profile = program("thunderbird"), tmp_path / "profile"
    profile.mkdir()
    kept, copied = profile / "calendar-data", tmp_path / "copied"

    async def shown() -> list[tuple[str, str, str]]:
        shutil.rmtree(copied, ignore_errors=True)
        with suppress(OSError, sqlite3.DatabaseError):  # it holds its file locked, and may write while this copies
            shutil.copytree(kept, copied)
            with closing(sqlite3.connect(copied / "cache.sqlite")) as database:
                rows = database.execute("SELECT event_start, title, ical_status FROM cal_events")
                return sorted((f"{datetime.fromtimestamp(start / 1e6, UTC):%d. %H:%M}", *told) for start, *told in rows)
        return []

    async def opened_until(wanted: list[tuple[str, str, str]]) -> None:
        """Open Thunderbird until it holds these events; it asks for a calendar at its start."""
        process = await asyncio.create_subprocess_exec(
            *(thunderbird, "--headless", "--no-remote", "--profile", str(profile), "-calendar"),
            env={**os.environ, "HOME": str(tmp_path), "MOZ_HEADLESS": "1"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await until(lambda: _is(shown, wanted))
        finally:
            process.terminate()
            await process.wait()

    async with serving(tmp_path) as service, on_a_port(service) as address:
        await service.store(draft("a", "Letters", venue=MUNICH), draft("b", "Chess", days=2))
        settings = {"type": "ics", "uri": f"{address}/api/v1/events.ics", "name": "Adjacent", "cache.enabled": True}
        (profile / "user.js").write_text(
            "".join(
                f'user_pref("calendar.registry.adjacent.{name}", {json.dumps(value)});\n'
                for name, value in settings.items()
            )
        )
        await opened_until([("02. 12:00", "Letters", "CONFIRMED"), ("03. 12:00", "Chess", "CONFIRMED")])
        await service.store(
            draft("a", "Letters", days=1.25, venue=MUNICH),
            draft("b", "Chess", days=2, status="cancelled"),
            draft("c", "Garden walk", days=3),
            now=NOW + timedelta(hours=1),
        )
        await opened_until(
            [
                ("02. 18:00", "Letters", "CONFIRMED"),
                ("03. 12:00", "Chess", "CANCELLED"),
                ("04. 12:00", "Garden walk", "CONFIRMED"),
            ]
        )


async def _is(shown: Callable[[], Awaitable[list[tuple[str, str, str]]]], wanted: list[tuple[str, str, str]]) -> bool:
    return await shown() == wanted
