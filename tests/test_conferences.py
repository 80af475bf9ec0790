"""Lists of conferences as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from scrapers import EventDraft, Problem, Unreadable, Venue, Window, read_here

WINDOW = Window(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
URL = "https://lists.example/2027/javascript.json"
UTC_ZONE = ZoneInfo("UTC")


def read_list(items: list[object], url: str = URL):
    return read_here(json.dumps(items).encode(), url=url, content_type="application/json", window=WINDOW)


def test_conference_is_an_all_day_event_that_includes_its_last_day():
    reading = read_list(
        [
            {
                "name": "Web Days",
                "url": "https://days.example",
                "startDate": "2027-03-04",
                "endDate": "2027-03-05",
                "city": "Graz",
                "country": "Austria",
                "online": True,
                "locales": "DE,EN",
                "cfpUrl": "https://days.example/cfp",
            }
        ]
    )
    assert reading.events == (
        EventDraft(
            uid="https://days.example@2027-03-04",
            title="Web Days",
            starts_at=datetime(2027, 3, 4, tzinfo=UTC_ZONE),
            ends_at=datetime(2027, 3, 6, tzinfo=UTC_ZONE),
            all_day=True,
            mode="hybrid",
            url="https://days.example",
            venue=Venue(city="Graz", country="Austria"),
            categories=("javascript",),
            language="de",
            source=URL,
        ),
    )
    assert (reading.kind, reading.name, reading.organizer, reading.listed) == ("conferences", None, None, 1)


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        ({"online": True}, "online"),
        ({"city": "Online", "country": "Online"}, "online"),
        ({"city": "Lyon", "country": "France"}, "in_person"),
        ({"city": "Lyon", "country": "France", "online": True}, "hybrid"),
        ({}, "unknown"),
    ],
)
def test_mode_follows_place_and_online(place: dict[str, object], mode: str):
    reading = read_list([{"name": "A", "url": "https://a.example", "startDate": "2027-03-04", **place}])
    assert [draft.mode for draft in reading.events] == [mode]


def test_days_as_milliseconds_are_days_in_utc():
    reading = read_list(
        [
            {
                "name": "Deep Dive",
                "date": [1_804_204_800_000, 1_804_291_200_000],
                "hyperlink": "https://dive.example/",
                "location": "Split (Croatia)",
                "city": "Split",
                "country": "Croatia",
                "tags": [{"key": "tech", "value": "rust"}],
            },
            {
                "name": "From home",
                "date": [1_804_204_800_000],
                "hyperlink": "https://home.example/",
                "location": "Online",
            },
        ],
        url="https://developers.example/all-events.json",
    )
    assert [
        (draft.title, draft.starts_at.date().isoformat(), draft.mode, draft.categories) for draft in reading.events
    ] == [
        ("Deep Dive", "2027-03-05", "in_person", ("rust",)),
        ("From home", "2027-03-05", "online", ()),
    ]
    assert reading.events[0].ends_at == datetime(2027, 3, 7, tzinfo=UTC_ZONE)


def test_items_without_date_or_name_are_told_and_left_out():
    reading = read_list(
        [
            {"name": "Kept", "url": "https://a.example", "startDate": "2027-03-04"},
            {"name": "Some day", "url": "https://b.example", "startDate": "2027"},
            {"url": "https://c.example", "startDate": "2027-03-04"},
            "what is this",
        ]
    )
    assert [draft.title for draft in reading.events] == ["Kept"]
    assert reading.problems == (
        Problem("no_start", "Some day", "it has no date, or one that is no date; left out"),
        Problem("no_title", "item 3", "it has no name; left out"),
        Problem("no_start", "item 4", "it has no date, or one that is no date; left out"),
    )


def test_conference_outside_the_window_counts_as_listed():
    reading = read_list([{"name": "Past", "url": "https://a.example", "startDate": "2019-03-04"}])
    assert (reading.events, reading.listed, reading.last_start) == ((), 1, datetime(2019, 3, 4, tzinfo=UTC))


def test_two_conferences_with_one_address_and_day_stay_two():
    same = {"url": "https://a.example", "startDate": "2027-03-04"}
    reading = read_list([{"name": "React", **same}, {"name": "Angular", **same}, {"name": "React", **same}])
    assert sorted(draft.title for draft in reading.events) == ["Angular", "React"]
    assert len({draft.uid for draft in reading.events}) == 2


@pytest.mark.parametrize("document", [[], {}, [1], [{"name": "No date", "url": "https://a.example"}], {"events": []}])
def test_other_json_is_unreadable(document: object):
    with pytest.raises(Unreadable) as caught:
        read_here(json.dumps(document).encode(), url=URL, window=WINDOW)
    assert caught.value.code == "no_events"
