"""Payloads and pages of single platforms, each with what should be read of it.

A case is two files in data/sites: NAME.in.json or NAME.in.html, as the platform would answer, and NAME.json, what it
gives. It counts as fetched from https://sites.example/NAME; the source's zone is Europe/Berlin. Where NAME.json is
missing, the test writes what was read and fails.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrapers import Problem, Reading, Unreadable, Window, as_json, read_here
from scrapers.sites.readers import EMBEDDED_READERS, JSON_READERS, PAGE_READERS

CASES = sorted((Path(__file__).parent / "data" / "sites").glob("*.in.*"))
WINDOW = Window(datetime(2026, 11, 25, tzinfo=UTC), datetime(2027, 11, 25, tzinfo=UTC))
BERLIN = ZoneInfo("Europe/Berlin")


def read_case(path: Path) -> Reading:
    name = path.name.partition(".in.")[0]
    return read_here(path.read_bytes(), url=f"https://sites.example/{name}", window=WINDOW, zone=BERLIN)


def read_json(document: object, url: str = "https://sites.example/x") -> Reading:
    return read_here(json.dumps(document).encode(), url=url, window=WINDOW, zone=BERLIN)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name.partition(".in.")[0])
def test_platform_is_read(path: Path) -> None:
    reading = read_case(path)
    told = {
        "kind": reading.kind,
        "name": reading.name,
        "listed": reading.listed,
        "series": [series.uid for series in reading.series],
        "problems": [[problem.code, problem.subject] for problem in reading.problems],
        "events": [as_json(draft) for draft in reading.events],
    }
    expected = path.with_name(f"{path.name.partition('.in.')[0]}.json")
    if not expected.exists():
        expected.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        pytest.fail(f"{expected.name} now holds what was read: check every field, then run this again")
    assert told == json.loads(expected.read_text())


def test_every_reader_has_a_case() -> None:
    modules = {
        reader.__module__.rpartition(".")[2] for reader in (*JSON_READERS, *EMBEDDED_READERS, *PAGE_READERS.values())
    }
    told = " ".join(path.name.replace("-", "_") for path in CASES)
    elsewhere = {"meetings", "plain_list"}  # their cases are named after what they are read from
    assert {name for name in modules - elsewhere if name not in told} == set()


def test_series_is_expanded_again_from_its_definition() -> None:
    (path,) = [path for path in CASES if path.name.startswith("discord.")]
    reading = read_case(path)
    later = Window(datetime(2029, 1, 1, tzinfo=UTC), datetime(2029, 3, 1, tzinfo=UTC))
    voice = next(series for series in reading.series if series.uid == "900@discord.com")
    found = read_here(voice.definition, url="https://sites.example/discord", window=later)
    assert [(draft.title, f"{draft.starts_at:%d %b %H:%M}", draft.mode) for draft in found.events] == [
        ("Open voice hour", "24 Jan 18:00", "online"),
        ("Open voice hour", "21 Feb 18:00", "online"),
    ]


@pytest.mark.parametrize(
    ("document", "url", "kind"),
    [
        ({"entries": [], "has_more": False}, "https://api.lu.ma/calendar/get-items", "luma"),
        ({"events": [], "pagination": {"object_count": 0}}, "https://www.eventbriteapi.com/v3/x", "eventbrite"),
        ({"results": [], "pagination": {}, "links": {}}, "https://a.example/api/event_slim/for_chapter/1/", "bevy"),
        ({"events": []}, "https://forum.example/discourse-post-event/events.json", "discourse"),
        ({"events": [], "rest_url": "https://a.example/", "total": 0}, "https://a.example/wp-json/x", "tribe"),
        ({"kind": "calendar#events", "items": []}, "https://www.googleapis.com/calendar/v3/x", "google_calendar"),
        ({"_type": "HTTPAPIResult", "results": []}, "https://indico.example/export/categ/1.json", "indico"),
        ({"events": [], "page": {}, "date": {}}, "https://cal.example/api/2/events", "localist"),
        ({"data": {"groupByUrlname": {"events": {"edges": []}}}}, "https://api.meetup.com/gql-ext", "meetup"),
        ({"website": {}, "collection": {"typeName": "events"}}, "https://a.example/x?format=json", "squarespace"),
    ],
)
def test_empty_list_of_a_known_platform_is_a_valid_one(document: object, url: str, kind: str) -> None:
    reading = read_json(document, url)
    assert (reading.kind, reading.listed, reading.events, reading.problems) == (kind, 0, (), ())


def test_list_that_goes_on_elsewhere_says_so() -> None:
    bevy = {"id": 1, "title": "A", "start_date": "2026-12-01T10:00:00Z", "event_type_title": "Meetup"}
    reading = read_json({"results": [bevy], "links": {"next": "https://a.example/?page=2"}})
    assert reading.problems == (
        Problem("more_pages", "bevy", "the list goes on at https://a.example/?page=2, which is not read"),
    )


@pytest.mark.parametrize(
    "document",
    [
        {"description": "<p>A page of an event, without its date</p>"},
        {"total_count": 1, "guests": [{"api_id": "gst-1", "name": "Somebody", "registered_at_utc": "2026-12-01"}]},
        [{"title": "An article", "start": "of the year"}, {"title": "Another"}],
        [{"name": "Price list", "start": 17}, {"name": "Other", "start": 18}],
        {"type": "OrderedCollection", "orderedItems": [{"type": "Note", "content": "2026-12-01"}]},
        {"links": [{"rel": "x", "href": "https://a.example"}]},
        [[[[[]]]]],
    ],
)
def test_json_that_lists_no_events_is_unreadable(document: object) -> None:
    with pytest.raises(Unreadable) as caught:
        read_json(document)
    assert caught.value.code == "no_events"


def test_page_is_read_by_whoever_finds_more_in_it() -> None:
    marked = '{"@type": "Event", "name": "%s", "startDate": "2026-12-0%d"}'
    scripts = "".join(
        f'<script type="application/ld+json">{marked % (name, day)}</script>' for name, day in [("A", 1), ("B", 2)]
    )
    (wix,) = [path.read_text() for path in CASES if path.name.startswith("wix-page")]
    reading = read_here((wix + scripts).encode(), url="https://a.example/", content_type="text/html", window=WINDOW)
    assert (reading.kind, reading.listed) == ("jsonld", 2)


NAMES = [
    *("events", "results", "data", "entries", "event", "items", "value", "start", "end", "start_at", "starts_at"),
    *("startTime", "dateTime", "startDate", "start_date", "date", "time", "title", "name", "id", "url", "type", "post"),
    *("place", "location", "venue", "timezone", "guild_id", "scheduled_start_time", "recurrence_rule", "group", "slug"),
    *("urlname", "website", "collection", "kind", "_type", "__ref", "object", "scheduling", "dates", "meetingId"),
    *("event_start_date", "body", "start_datetime", "rest_url", "status", "eventType", "duration", "recurrence"),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
    | st.sampled_from(["2026-12-01T18:00:00Z", "Event", "Create", "HTTPAPIResult", "calendar#events", "events", "evt-1", "999999-01-01", "http://["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=30,
)  # fmt: skip


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_values_of_any_shape_never_break_a_reader(document: object) -> None:
    try:
        reading = read_json(document)
    except Unreadable:
        return
    assert all(draft.starts_at in WINDOW for draft in reading.events)


@pytest.mark.shared
def test_captured_payloads_are_read_or_named_unreadable(shared: Path) -> None:
    kinds: Counter[str] = Counter()
    ever = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    for path in sorted((shared / "corpus" / "json").iterdir()):
        try:
            reading = read_here(path.read_bytes(), url="https://a.example/x", window=ever)
        except Unreadable as error:
            kinds[error.code] += 1
        else:
            kinds["read"] += 1
            kinds["events"] += reading.listed
            assert len({draft.key for draft in reading.events}) == len(reading.events)
    assert kinds.total() - kinds["events"] == kinds["read"] + kinds["no_events"] + kinds["broken_json"] + kinds["empty"]
    assert kinds["read"] >= 45
    assert kinds["events"] > 1_100
