"""One event's journey, from a calendar on the web to a person's picks, calendar, page and mail. Read this first."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import icalendar
from origin import Origin
from service import NOW, serving
from sqlmodel import select

from app.collecting import collect, frontier
from app.events import about
from app.mail import digest_sending, subscription
from app.models import Person
from scrapers.fetch import Fetcher

CALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Ward Six//Events//EN
X-WR-CALNAME:Events - Health Data Evenings
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VEVENT
UID:falls@health-data.example
DTSTART;TZID=Europe/Berlin:20261208T183000
DTEND;TZID=Europe/Berlin:20261208T203000
SUMMARY:Data visualisation for wards: drawing falls and staffing
DESCRIPTION:We draw a ward's numbers together and discuss what they can and cannot say.\\n\\nBeginners welcome.
LOCATION:Teaching Room\\, Hof 3\\, Munich\\, Germany
URL:https://health-data.example/falls
END:VEVENT
BEGIN:VEVENT
UID:broken@health-data.example
SUMMARY:An event without a start breaks nothing
END:VEVENT
END:VCALENDAR
"""
MOVED = CALENDAR.replace(b"20261208T183000", b"20261208T190000").replace(b"20261208T203000", b"20261208T210000")


async def test_an_event_goes_from_a_calendar_to_picks_api_calendar_page_and_mail(tmp_path: Path) -> None:
    async with Origin() as origin, Fetcher(allow_hosts=origin.allow_hosts) as fetcher, serving(tmp_path) as service:
        database, client = service.database, service.client

        # Someone adds the address; a round fetches and reads it. The broken event costs only itself.
        origin.serve("/health.ics", CALENDAR, content_type="text/calendar", headers={"ETag": '"1"'})
        async with database.writing() as session:
            source = await frontier.add_source(session, origin.url("/health.ics"), zone="Europe/Berlin")
        round_ = await collect.collect(database, fetcher, [source.id], now=lambda: NOW)
        assert [(outcome.state, outcome.counts.added) for outcome in round_.outcomes] == [("fetched", 1)]

        # It is found out what the event is about and why people go.
        assert await about.tag_new(database, now=NOW) == 1
        (event,) = (await client.get("/api/v1/events")).json()["data"]
        assert event["title"] == "Data visualisation for wards: drawing falls and staffing"
        assert event["starts_at"] == "2026-12-08T18:30:00+01:00"
        assert event["community"]["name"] == "Health Data Evenings"
        assert "data-visualisation" in [topic["slug"] for topic in event["topics"]]
        assert max(event["purpose"], key=event["purpose"].get) in ("learn", "exchange")

        # A front-end developer in Munich is shown it, with the path that leads there and the evidence for it.
        asked = {"know": {"JavaScript": 4, "React": 3}, "near": "Munich", "within_km": 20}
        (pick,) = (await client.post("/api/v1/recommendations", json=asked)).json()["data"]
        assert pick["event"]["id"] == event["id"]
        assert pick["path"][0] in ("JavaScript", "React")
        assert pick["path"][1] in [topic["label"] for topic in event["topics"]]
        assert pick["path"][1] in pick["reason"]
        assert pick["evidence"]

        # Who knows what it is about already is not: it is inside what they know.
        inside = {"know": {"Data visualisation": 5, "Health data science": 4}, "near": "Munich", "within_km": 20}
        assert (await client.post("/api/v1/recommendations", json=inside)).json()["data"] == []

        # Without an account they take a personal calendar along; the event is in it, with its reason.
        guest = await service.guest(know={"JavaScript": 4, "React": 3}, near="Munich", within_km=20)
        made = await client.post("/api/v1/me/feeds", json={"name": "Next door", "kind": "picks"}, headers=guest)
        address = made.json()["data"]["url"]
        before = await client.get(address)
        (entry,) = icalendar.Calendar.from_ical(before.content).walk("VEVENT")
        assert str(entry["UID"]).startswith(event["id"])
        assert entry.decoded("DTSTART").isoformat() == "2026-12-08T17:30:00+00:00"
        assert pick["reason"] in str(entry["DESCRIPTION"])

        # The page shows the same pick to whoever has no calendar and no script.
        page = await client.get("/", params={"know": ["JavaScript:4", "React"], "near": "Munich"})
        assert pick["reason"] in page.text

        # Unchanged, the source costs one small answer and the calendar is the same to the byte.
        assert (await collect.collect(database, fetcher, [source.id], now=lambda: NOW)).outcomes[0].state == "unchanged"
        assert (await client.get(address, headers={"If-None-Match": before.headers["ETag"]})).status_code == 304

        # The evening moves: the same entry moves in everybody's calendar.
        origin.serve("/health.ics", MOVED, content_type="text/calendar", headers={"ETag": '"2"'})
        assert (await collect.collect(database, fetcher, [source.id], now=lambda: NOW)).counts.changed == 1
        (moved,) = icalendar.Calendar.from_ical((await client.get(address)).content).walk("VEVENT")
        assert (moved["UID"], moved.decoded("DTSTART").isoformat()) == (entry["UID"], "2026-12-08T18:00:00+00:00")
        assert moved["SEQUENCE"] == entry["SEQUENCE"] + 1

        # Who asked for the mail gets it in the morning: the evening at its new hour, for the same reason.
        async with database.writing() as session:
            (person,) = await session.exec(select(Person))
            person.email = "ada@example.org"
            await subscription.ask(session, person, {"rhythm": "weekly"}, clock=NOW)
            due_at = (await subscription.confirm(session, person, clock=NOW)).next_at
        assert await digest_sending.send_due(database, service.settings, now=due_at, clock=due_at) == {"sent": 1}
        (file,) = (tmp_path / "outbox").glob("*.eml")
        mail = BytesParser(policy=default).parsebytes(file.read_bytes())
        words = " ".join(mail.get_body(("plain",)).get_content().split())
        assert mail["To"] == "ada@example.org"
        assert "Tue 8 Dec, 19:00–21:00" in words
        assert pick["reason"] in words
