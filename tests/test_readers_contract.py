"""What every reader promises, whatever it reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from scrapers import EventDraft, Reading, Window, as_json, from_json, read_here

DATA = Path(__file__).parent / "data"
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
ZONE = ZoneInfo("America/Chicago")
KINDS = {
    *("icalendar", "jsonld", "microdata", "rdfa", "microformats", "rss", "atom"),
    *("activitypub", "bevy", "conferences", "dice", "discord", "discourse", "eventbrite", "gancio", "google_calendar"),
    *("granicus", "indico", "localist", "luma", "meetings", "meetup", "plain_list", "resident_advisor", "squarespace"),
    *("tribe", "wix"),
}

CALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:weekly@a.example
DTSTART;TZID=Europe/Berlin:20261201T190000
DURATION:PT1H
RRULE:FREQ=WEEKLY;COUNT=5
SUMMARY:Choir
URL:https://a.example/choir
END:VEVENT
BEGIN:VEVENT
UID:day@a.example
DTSTART;VALUE=DATE:20261202
SUMMARY:Open day
END:VEVENT
END:VCALENDAR
"""
CONFERENCES = b"""[{"name": "Web Days", "url": "/days", "startDate": "2027-03-04", "city": "Graz"},
{"name": "Web Nights", "url": "/days", "startDate": "2027-03-04"}]"""
RSS = b"""<rss version="2.0" xmlns:ev="http://purl.org/rss/1.0/modules/event/"><channel><title>T</title>
<item><title>A</title><link>/a</link><ev:startdate>2026-12-01T18:00</ev:startdate></item>
<item><title>B</title><link>/a</link><ev:startdate>2026-12-01T18:00</ev:startdate></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:ev="http://purl.org/rss/1.0/modules/event/"><title>T</title>
<entry><title>A</title><link href="/a"/><ev:startdate>2026-12-01</ev:startdate></entry></feed>"""


def bodies() -> Iterator[tuple[str, bytes]]:
    yield "icalendar", CALENDAR
    yield "conferences", CONFERENCES
    yield "rss", RSS
    yield "atom", ATOM
    for page in sorted((DATA / "pages").glob("*.html")):
        yield page.stem, page.read_bytes()
    for case in sorted((DATA / "sites").glob("*.in.*")):
        yield case.name.partition(".in.")[0], case.read_bytes()


def read_one(name: str, body: bytes) -> Reading:
    return read_here(body, url=f"https://contract.example/{name}", window=WINDOW, zone=ZONE)


@pytest.fixture(scope="module", params=list(bodies()), ids=lambda named: named[0])
def reading(request: pytest.FixtureRequest) -> Reading:
    return read_one(*request.param)


def test_reader_says_which_it_is_and_counts_what_it_saw(reading: Reading):
    assert reading.kind in KINDS
    assert reading.listed > 0 or not reading.events
    assert all(draft.starts_at in WINDOW for draft in reading.events)
    assert list(reading.events) == sorted(reading.events, key=lambda draft: draft.starts_at)


def test_every_event_has_a_title_and_a_name_of_its_own(reading: Reading):
    assert all(draft.title and draft.title == " ".join(draft.title.split()) for draft in reading.events)
    keys = [draft.key for draft in reading.events]
    assert all(uid for uid, _ in keys)
    assert len(keys) == len(set(keys))


def test_times_are_aware_and_in_their_zone(reading: Reading):
    for draft in reading.events:
        zone = ZoneInfo(draft.zone)
        assert draft.starts_at.isoformat() == draft.starts_at.astimezone(zone).isoformat()
        assert draft.ends_at is None or draft.ends_at > draft.starts_at
        if draft.all_day:
            assert f"{draft.starts_at:%H:%M:%S}" == "00:00:00"


def test_links_are_absolute(reading: Reading):
    for draft in reading.events:
        organizer = draft.organizer.url if draft.organizer else None
        for link in filter(None, (draft.url, draft.online_url, organizer)):
            assert urlsplit(link).scheme in ("http", "https")
            assert urlsplit(link).hostname


def test_text_holds_no_control_characters(reading: Reading):
    for draft in reading.events:
        for text in _texts(draft):
            assert text == "".join(char for char in text if char in "\n\t" or (char.isprintable() or char == "\xa0"))


def _texts(draft: EventDraft) -> Iterator[str]:
    yield from filter(None, (draft.title, draft.description, draft.price, draft.language, *draft.categories))
    if draft.venue:
        yield from filter(None, (draft.venue.name, draft.venue.address, draft.venue.city, draft.venue.country))


def test_drafts_survive_json(reading: Reading):
    assert tuple(from_json(as_json(draft)) for draft in reading.events) == reading.events


def test_second_run_gives_the_same():
    assert [read_one(*each) for each in bodies()] == [read_one(*each) for each in bodies()]
