"""Calendars become drafts, whatever wrote them; a broken event costs itself."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from pace import within

from scrapers.draft import EventDraft, Organizer, Reading, Unreadable, Venue, Window, as_json
from scrapers.ical import looks_like_calendar, read_calendar
from scrapers.text import one_line

DATA = Path(__file__).parent / "data" / "ical"
YEAR = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
BERLIN = ZoneInfo("Europe/Berlin")


def read(body: bytes, *, window: Window = YEAR, zone: ZoneInfo = BERLIN) -> Reading:
    return read_calendar(body, url="https://lantern.example/a.ics", window=window, zone=zone)


def calendar(*events: str, head: str = "") -> bytes:
    """Return a calendar of events given as lines; UID, DTSTART and SUMMARY have values unless they are given."""
    parts = []
    for event in events:
        lines = event.strip().split("\n")
        for line in ("UID:e@x.example", "DTSTART:20260305T190000Z", "SUMMARY:Evening"):
            name = line.partition(":")[0]
            if not any(given.startswith((name + ":", name + ";")) for given in lines):
                lines.append(line)
        parts += ["BEGIN:VEVENT", *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", *head.split(), *parts, "END:VCALENDAR", ""]).encode()


def only(body: bytes, **how: Any) -> EventDraft:
    (event,) = read(body, **how).events
    return event


def starts(reading: Reading) -> list[str]:
    return [event.starts_at.isoformat() for event in reading.events]


def codes(reading: Reading) -> list[str]:
    return [problem.code for problem in reading.problems]


@pytest.mark.parametrize("path", sorted(DATA.glob("*.ics")), ids=lambda path: path.stem)
def test_saved_calendar_gives_its_events(path: Path) -> None:
    reading = read(path.read_bytes())
    told = {"events": list(map(as_json, reading.events)), "problems": list(map(asdict, reading.problems))}
    assert told == json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


def test_calendar_tells_about_itself() -> None:
    reading = read((DATA / "meetup_week.ics").read_bytes())
    assert (reading.kind, reading.name, reading.description, reading.zone, reading.listed) == (
        "icalendar",
        "Lantern Hall",
        "Evenings for people who build things",
        "Europe/Berlin",
        4,
    )
    assert reading.organizer == Organizer("Lantern Hall", "https://lantern.example/programme")
    assert reading.last_start == datetime(2026, 4, 14, 17, tzinfo=UTC)


def test_empty_calendar_is_good() -> None:
    assert read(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n") == Reading(kind="icalendar")


@pytest.mark.parametrize(
    "body", [b"", b"<!doctype html><title>Sign in</title>", b"BEGIN:VCARD\nEND:VCARD\n", b"\0" * 99]
)
def test_body_without_calendar_is_unreadable(body: bytes) -> None:
    assert not looks_like_calendar(body)
    with pytest.raises(Unreadable) as unreadable:
        read(body)
    assert unreadable.value.code == "no_calendar"


ONE = calendar("SUMMARY:Käse & Brot\nDESCRIPTION:ein langer Satz über Käse, der umgebrochen wird")


@pytest.mark.parametrize(
    "body",
    [
        ONE,
        ONE.replace(b"\r\n", b"\n"),
        ONE.replace(b"\r\n", b"\r"),
        ONE.replace(b"\r\n", b"\r\r\n"),
        ONE.replace(b"\r\n", b"\n\n"),
        ONE.replace(b"\r\n", b"\n", 3),
        b"\xef\xbb\xbf" + ONE,
        b"\r\n\r\n" + ONE,
        b"<br />\n<b>Warning</b>: Undefined variable\n" + ONE,
        b"  " + ONE.replace(b"\r\n", b"\r\n  "),
        ONE.decode().encode("utf-16"),
        ONE.decode().encode("utf-16-le"),
        ONE.decode().encode("cp1252"),
        ONE.replace(b"K\xc3\xa4se &", b"K\xc3\r\n \xa4se &"),
        ONE.replace(b"der umge", b"der\r\n\t umge"),
        ONE.replace(b"END:VEVENT\r\nEND:VCALENDAR\r\n", b""),
        ONE.replace(b"BEGIN:VCALENDAR\r\n", b""),
        ONE.replace(b"BEGIN:VEVENT\r\n", b"begin:vevent \r\n"),
    ],
)
def test_bytes_are_read_however_they_were_written(body: bytes) -> None:
    assert looks_like_calendar(body)
    event = only(body)
    assert (event.title, event.description) == ("Käse & Brot", "ein langer Satz über Käse, der umgebrochen wird")


def test_several_calendars_in_one_body_keep_their_zones() -> None:
    body = calendar("UID:a\nDTSTART:20260305T190000", head="X-WR-TIMEZONE:Europe/London") + calendar(
        "UID:b\nDTSTART:20260305T190000", head="X-WR-TIMEZONE:America/Chicago"
    )
    assert starts(read(body)) == ["2026-03-05T19:00:00+00:00", "2026-03-05T19:00:00-06:00"]


def test_vcalendar_1_with_quoted_printable_is_read() -> None:
    event = only(
        calendar(
            "SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:K=C3=A4se\n"
            "DESCRIPTION;ENCODING=QUOTED-PRINTABLE:eins=0D=0A=\nzwei"
        )
    )
    assert (event.title, event.description) == ("Käse", "eins\nzwei")


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("D1 #3", ["0303", "0304", "0305"]),
        ("D2 20260307T230000Z", ["0303", "0305", "0307"]),
        ("D10 #5 20260314T230000Z", ["0303", "0313"]),  # whichever ends first
        ("D1", ["0303", "0304"]),  # the standard's default is #2
        ("W1 TU TH #4", ["0303", "0305", "0310", "0312"]),
        ("W2 MO WE FR 20260318T190000Z", ["0304", "0306", "0316", "0318"]),
        ("MP1 1+ TU #12", ["0303", "0407", "0505", "0602", "0707", "0804", "0901", "1006", "1103", "1201"]),
        ("MP2 1+ SU 1- SU #4", ["0329", "0503", "0531", "0705"]),
        ("MP6 2+ MO TU WE #3", ["0309", "0310", "0311"]),
        ("MP1 2- MO #3", ["0323", "0420", "0518"]),
        ("MP1 #3", ["0303", "0407", "0505"]),  # as the start: the first Tuesday
        ("MD1 15 #0", [f"{month:02}15" for month in range(3, 13)]),
        ("MD1 1 LD #3", ["0331", "0401", "0430"]),
        ("MD1 3- #2", ["0329", "0428"]),
        ("YM1 6 7 #2", ["0603", "0703"]),
        ("YD1 100 200 #2", ["0410", "0719"]),
    ],
)
def test_vcalendar_1_rule_is_followed(rule: str, days: list[str]) -> None:
    reading = read(calendar(f"DTSTART:20260303T190000\nRRULE:{rule}\nAALARM:20260303T180000Z;PT5M;2;CHIME.WAV"))
    assert ([event.starts_at.strftime("%m%d") for event in reading.events], codes(reading)) == (days, [])


def test_vcalendar_1_exceptions_are_parted_by_semicolons() -> None:
    reading = read(calendar("DTSTART:20260303T190000\nRRULE:D1 #4\nEXDATE:20260304T190000;20260306T190000"))
    assert [event.starts_at.day for event in reading.events] == [3, 5]


@pytest.mark.parametrize(
    ("written", "categories"),
    [
        ("MEETING;BUSINESS", ("MEETING", "BUSINESS")),
        (r"a\, b,c\;d", ("a, b", "c;d")),
        ("Arts &amp; Crafts,c", ("Arts &amp; Crafts", "c")),
    ],
)
def test_categories_are_parted_by_commas_or_bare_semicolons(written: str, categories: tuple[str, ...]) -> None:
    assert only(calendar(f"CATEGORIES:{written}")).categories == categories


@pytest.mark.parametrize("rule", ["D1 0600 1200 #4", "W1 TU$ TH #4", "YM1 6 #5 MD1 12", "MP1 1+ #3", "MP1 TU #3"])
def test_vcalendar_1_rule_that_no_rrule_can_tell_leaves_one_event(rule: str) -> None:
    reading = read(calendar(f"RRULE:{rule}"))
    assert (len(reading.events), codes(reading)) == (1, ["rrule_rejected"])


@pytest.mark.parametrize(
    ("head", "start"),
    [
        ("TZ:-05 DAYLIGHT:TRUE;-04;20260308T020000;20261101T020000;EST;EDT", "2026-06-03T19:00:00-04:00"),
        ("TZ:-06:00 DAYLIGHT:TRUE;-05;19960407T025959;19961027T010000;CST;CDT", "2026-06-03T19:00:00-05:00"),
        ("TZ:-07 DAYLIGHT:FALSE", "2026-06-03T19:00:00-07:00"),
        ("TZ:+01 DAYLIGHT:TRUE;+02;20260329T020000;20261025T030000;CET;CEST", "2026-06-03T19:00:00+02:00"),
        ("TZ:+01", "2026-06-03T19:00:00+02:00"),  # of a summer time it says nothing: as at home
        ("TZ:+01 DAYLIGHT:TRUE;+02;99999999;never", "2026-06-03T19:00:00+02:00"),
    ],
)
def test_vcalendar_1_times_are_in_its_zone(head: str, start: str) -> None:
    reading = read(calendar("DTSTART:20260603T190000\nRRULE:D1 #1", head=f"VERSION:1.0 {head}"))
    again = read(reading.series[0].definition)
    assert (starts(reading), starts(again)) == ([start], [start])


@pytest.mark.parametrize(
    ("line", "start", "zone", "all_day"),
    [
        ("DTSTART:20260305T190000Z", "2026-03-05T20:00:00+01:00", "Europe/Berlin", False),
        ("DTSTART:20260305T190000", "2026-03-05T19:00:00+01:00", "Europe/Berlin", False),
        ("DTSTART;TZID=America/Chicago:20260305T190000", "2026-03-05T19:00:00-06:00", "America/Chicago", False),
        ("DTSTART;TZID=Central Standard Time:20260305T190000", "2026-03-05T19:00:00-06:00", "America/Chicago", False),
        (
            'DTSTART;TZID="(UTC-06:00) Central Time (US & Canada)":20260305T190000',
            "2026-03-05T19:00:00-06:00",
            "America/Chicago",
            False,
        ),
        (
            "DTSTART;TZID=/mozilla.org/20050126_1/America/Chicago:20260305T190000",
            "2026-03-05T19:00:00-06:00",
            "America/Chicago",
            False,
        ),
        ("DTSTART;TZID=America/Chicago:20260306T010000Z", "2026-03-05T19:00:00-06:00", "America/Chicago", False),
        ("DTSTART;VALUE=DATE:20260305", "2026-03-05T00:00:00+01:00", "Europe/Berlin", True),
        ("DTSTART:20260305", "2026-03-05T00:00:00+01:00", "Europe/Berlin", True),
        ("DTSTART;VALUE=DATE;TZID=America/Chicago:20260305", "2026-03-05T00:00:00+01:00", "Europe/Berlin", True),
        ("DTSTART;VALUE=DATE:20260305T190000", "2026-03-05T19:00:00+01:00", "Europe/Berlin", False),
        ("DTSTART:2026-03-05T19:00:00+01:00", "2026-03-05T19:00:00+01:00", "Europe/Berlin", False),
        ("DTSTART:20260305T1900", "2026-03-05T19:00:00+01:00", "Europe/Berlin", False),
        ("DTSTART:20260304T240000", "2026-03-05T00:00:00+01:00", "Europe/Berlin", False),
        ("DTSTART:20260329T023000", "2026-03-29T03:30:00+02:00", "Europe/Berlin", False),
        ("DTSTART:20261025T023000", "2026-10-25T02:30:00+02:00", "Europe/Berlin", False),
    ],
)
def test_start_is_read_in_every_spelling(line: str, start: str, zone: str, all_day: bool) -> None:
    event = only(calendar(line))
    assert (event.starts_at.isoformat(), event.zone, event.all_day) == (start, zone, all_day)


@pytest.mark.parametrize(
    ("lines", "end", "warnings"),
    [
        ("DTEND:20260305T210000Z", "2026-03-05T22:00:00+01:00", ()),
        ("DURATION:PT1H30M", "2026-03-05T21:30:00+01:00", ()),
        ("DTEND:20260305T070000Z", None, ("end_before_start",)),
        ("DTEND:21260305T070000Z", None, ("end_dropped",)),
        ("DURATION:P99999999999D", None, ("bad_duration",)),
        ("DURATION:-PT1H", None, ("bad_duration",)),
        ("DTEND:soon", None, ("bad_end",)),
        ("DTSTART;VALUE=DATE:20260305\nDTEND;VALUE=DATE:20260307", "2026-03-07T00:00:00+01:00", ()),
        ("DTSTART;VALUE=DATE:20260305\nDTEND;VALUE=DATE:20260305", "2026-03-06T00:00:00+01:00", ()),
        ("DTSTART;VALUE=DATE:20260328\nDURATION:P2D", "2026-03-30T00:00:00+02:00", ()),
    ],
)
def test_end_is_kept_only_where_it_makes_sense(lines: str, end: str | None, warnings: tuple[str, ...]) -> None:
    event = only(calendar(lines))
    assert (event.ends_at.isoformat() if event.ends_at else None, event.warnings) == (end, warnings)


def test_missing_uid_is_made_of_the_content_and_stays() -> None:
    first, second = (only(calendar(f"UID:\nSUMMARY:Talk\nDTSTAMP:2026010{day}T000000Z")) for day in (1, 2))
    assert first.uid == second.uid != only(calendar("UID:\nSUMMARY:Another talk")).uid


def test_events_with_one_uid_are_told_apart_by_their_start_in_any_order() -> None:
    one, two = "UID:same\nDTSTART:20260305T190000Z", "UID:same\nDTSTART:20260306T190000Z"
    keys = {event.key for event in read(calendar(one, two)).events}
    assert keys == {("same", "20260305T190000Z"), ("same", "20260306T190000Z")}
    assert keys == {event.key for event in read(calendar(two, one)).events}


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("STATUS:CANCELLED", "cancelled"),
        ("STATUS:TENTATIVE", "tentative"),
        ("STATUS:CONFIRMED", "confirmed"),
        ("STATUS:UNHEARD-OF", "confirmed"),
        ("SUMMARY:CANCELED: Evening", "cancelled"),
    ],
)
def test_status_is_read(lines: str, status: str) -> None:
    assert only(calendar(lines)).status == status


def test_method_cancel_cancels_every_event() -> None:
    assert only(calendar("UID:a", head="METHOD:CANCEL")).status == "cancelled"


@pytest.mark.parametrize(
    ("lines", "mode", "online_url", "venue"),
    [
        ("LOCATION:", "unknown", None, None),
        ("LOCATION:Lantern Hall", "in_person", None, Venue(name="Lantern Hall")),
        ("LOCATION:https://us02web.zoom.us/j/1", "online", "https://us02web.zoom.us/j/1", None),
        ("LOCATION:Online event", "online", None, None),
        ("CONFERENCE;VALUE=URI:https://chat.example/1", "online", "https://chat.example/1", None),
        (
            "LOCATION:Lantern Hall\nX-GOOGLE-CONFERENCE:https://meet.google.com/abc",
            "hybrid",
            "https://meet.google.com/abc",
            Venue(name="Lantern Hall"),
        ),
        ("LOCATION:https://lu.example/event", "unknown", None, None),
        ("GEO:53.5;10", "in_person", None, Venue(lat=53.5, lon=10.0)),
        ("GEO:999;10\nLOCATION:Hall", "in_person", None, Venue(name="Hall")),
        (
            "LOCATION:Hall\\, Am Kai 7\\, 20457 Hamburg\\, Germany",
            "in_person",
            None,
            Venue(name="Hall", address="Am Kai 7, 20457 Hamburg", city="Hamburg", country="Germany"),
        ),
        (
            "LOCATION:Hall\\, 5 Elm St\\, Nashville\\, TN 37203\\, USA",
            "in_person",
            None,
            Venue(name="Hall", address="5 Elm St, Nashville, TN 37203", city="Nashville", country="USA"),
        ),
    ],
)
def test_place_and_mode_need_evidence(lines: str, mode: str, online_url: str | None, venue: Venue | None) -> None:
    event = only(calendar(lines))
    assert (event.mode, event.online_url, event.venue) == (mode, online_url, venue)


def test_mail_addresses_of_people_are_not_passed_on() -> None:
    event = only(
        calendar(
            "ORGANIZER;CN=ann@x.example:mailto:ann@x.example\nATTENDEE;CN=Bob:mailto:bob@x.example\nRRULE:FREQ=DAILY;COUNT=1"
        )
    )
    assert event.organizer is None
    assert "x.example" not in json.dumps(as_json(event)).replace("e@x.example", "")


def weekly(*lines: str) -> str:
    return "\n".join(("DTSTART;TZID=Europe/Berlin:20260317T190000", "DURATION:PT2H", *lines))


def test_weekly_event_keeps_local_hour_across_clock_change() -> None:
    reading = read(calendar(weekly("RRULE:FREQ=WEEKLY;COUNT=3")))
    assert starts(reading) == ["2026-03-17T19:00:00+01:00", "2026-03-24T19:00:00+01:00", "2026-03-31T19:00:00+02:00"]
    assert [event.recurrence_id for event in reading.events] == [
        "20260317T180000Z",
        "20260324T180000Z",
        "20260331T170000Z",
    ]


@pytest.mark.parametrize(
    "exdate",
    [
        "EXDATE;TZID=Europe/Berlin:20260324T190000",
        "EXDATE:20260324T180000Z",
        "EXDATE:20260324T190000",
        "EXDATE;VALUE=DATE:20260324",
        "EXDATE:20260324",
        "EXDATE:rubbish,20260324T180000Z,",
    ],
)
def test_exdate_takes_out_its_occurrence_in_any_form(exdate: str) -> None:
    reading = read(calendar(weekly("RRULE:FREQ=WEEKLY;COUNT=3", exdate)))
    assert starts(reading) == ["2026-03-17T19:00:00+01:00", "2026-03-31T19:00:00+02:00"]


def test_exdate_takes_out_an_event_that_does_not_recur() -> None:
    assert read(calendar("EXDATE:20260305T190000Z")).events == ()


def test_rdate_adds_and_period_adds_its_start() -> None:
    reading = read(calendar("RDATE;VALUE=PERIOD:20260401T100000Z/PT1H,20260402T100000Z/20260402T110000Z"))
    assert [event.recurrence_id for event in reading.events] == [
        "20260305T190000Z",
        "20260401T100000Z",
        "20260402T100000Z",
    ]


def test_override_moves_into_and_out_of_the_window() -> None:
    march = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    master = weekly("RRULE:FREQ=WEEKLY;COUNT=3")
    body = calendar(
        master,
        "RECURRENCE-ID;TZID=Europe/Berlin:20260317T190000\nDTSTART;TZID=Europe/Berlin:20260501T190000",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260331T190000\nDTSTART;TZID=Europe/Berlin:20260302T190000",
    )
    assert starts(read(body, window=march)) == ["2026-03-02T19:00:00+01:00", "2026-03-24T19:00:00+01:00"]


def test_this_and_future_moves_all_that_follow() -> None:
    body = calendar(
        weekly("RRULE:FREQ=WEEKLY;COUNT=4"),
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260331T190000\n"
        "DTSTART;TZID=Europe/Berlin:20260331T200000\nDURATION:PT1H\nSUMMARY:Later",
    )
    events = read(body).events
    assert [(event.title, event.starts_at.hour, event.recurrence_id) for event in events] == [
        ("Evening", 19, "20260317T180000Z"),
        ("Evening", 19, "20260324T180000Z"),
        ("Later", 20, "20260331T170000Z"),
        ("Later", 20, "20260407T170000Z"),
    ]


def test_override_without_master_is_an_event() -> None:
    event = only(calendar("RECURRENCE-ID:20260304T190000Z"))
    assert (event.starts_at, event.recurrence_id) == (datetime(2026, 3, 5, 19, tzinfo=UTC), "20260304T190000Z")


def test_highest_sequence_of_an_override_wins() -> None:
    body = calendar(
        weekly("RRULE:FREQ=WEEKLY;COUNT=1"),
        "RECURRENCE-ID:20260317T180000Z\nDTSTART:20260318T180000Z\nSEQUENCE:2\nSUMMARY:Newer",
        "RECURRENCE-ID:20260317T180000Z\nDTSTART:20260319T180000Z\nSEQUENCE:1\nSUMMARY:Older",
    )
    assert only(body).title == "Newer"


def test_later_revision_of_a_series_replaces_the_earlier() -> None:
    body = calendar(
        weekly("RRULE:FREQ=WEEKLY;COUNT=3\nSEQUENCE:1"),
        "RECURRENCE-ID:20260317T180000Z\nDTSTART:20260318T180000Z\nSEQUENCE:1",
        weekly("RRULE:FREQ=WEEKLY;COUNT=3\nSEQUENCE:2\nEXDATE:20260317T180000Z\nSUMMARY:Newer"),
    )
    reading = read(body)
    assert {event.title for event in reading.events} == {"Newer"}
    assert len(reading.events) == 2
    assert read(reading.series[0].definition).events == reading.events


def test_series_reads_the_same_again_and_in_another_window() -> None:
    reading = read((DATA / "meetup_week.ics").read_bytes())
    (series,) = reading.series
    again = read(series.definition)
    assert again.events == tuple(event for event in reading.events if event.uid == series.uid)
    assert again.series == reading.series
    april = Window(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    assert read(series.definition, window=april).events == tuple(
        event for event in again.events if event.starts_at in april
    )
    assert max(map(len, series.definition.split(b"\r\n"))) <= 75


def test_series_digest_does_not_hang_on_stamps_and_attendees() -> None:
    plain = calendar(weekly("RRULE:FREQ=WEEKLY"))
    stamped = calendar(weekly("RRULE:FREQ=WEEKLY", "DTSTAMP:20260101T000000Z", "ATTENDEE:mailto:a@x.example"))
    assert read(plain).series == read(stamped).series
    assert read(plain).series != read(calendar(weekly("RRULE:FREQ=WEEKLY", "LOCATION:Elsewhere"))).series


def test_series_of_a_calendar_with_its_own_zone_carries_the_zone() -> None:
    body = (
        (DATA / "broken.ics").read_bytes().replace(b"SUMMARY:Own zone", b"SUMMARY:Own zone\nRRULE:FREQ=WEEKLY;COUNT=2")
    )
    reading = read(body)
    (series,) = reading.series
    assert read(series.definition, zone=ZoneInfo("Asia/Tokyo")).events[0].starts_at == datetime(
        2026, 7, 1, 17, tzinfo=UTC
    )


@pytest.mark.parametrize("spelling", ['"Here, at home"', r"Here\, at home", '"Here\\, at home"'])
def test_own_zone_is_found_however_its_name_is_escaped(spelling: str) -> None:
    zone = (
        r"BEGIN:VTIMEZONE|TZID:Here\, at home|BEGIN:STANDARD|DTSTART:20251101T020000|TZOFFSETFROM:-4:00|TZOFFSETTO:-05|"
        "END:STANDARD|END:VTIMEZONE|BEGIN:VEVENT"
    )
    event = f"DTSTART;TZID={spelling}:20260305T190000\nRRULE:FREQ=WEEKLY;COUNT=2"
    body = calendar(event).replace(b"BEGIN:VEVENT", zone.replace("|", "\r\n").encode())
    reading = read(body, zone=ZoneInfo("UTC"))
    assert starts(reading) == ["2026-03-06T00:00:00+00:00", "2026-03-13T00:00:00+00:00"]
    assert read(reading.series[0].definition).events[0].starts_at == reading.events[0].starts_at


def test_endless_series_speaks_until_the_end_of_the_window() -> None:
    assert read(calendar(weekly("RRULE:FREQ=WEEKLY"))).last_start == YEAR.end
    assert read(calendar("DTSTART:20301231T190000Z")).last_start == datetime(2030, 12, 31, 19, tzinfo=UTC)


def test_rejected_rule_leaves_one_event_and_its_neighbours() -> None:
    reading = read(calendar("UID:bomb\nRRULE:FREQ=SECONDLY", "UID:good\nRRULE:FREQ=WEEKLY;COUNT=2"))
    assert [event.uid for event in reading.events] == ["bomb", "good", "good"]
    assert codes(reading) == ["rrule_rejected"]
    assert reading.events[0].warnings == ("rrule_rejected",)


def test_caps_hold_and_are_told() -> None:
    four_a_day = read(calendar("RRULE:FREQ=DAILY;BYHOUR=9,12,15,18"))
    assert (len(four_a_day.events), codes(four_a_day)) == (1_000, ["too_many_occurrences"])
    crowd = read(calendar(*(f"UID:{number}" for number in range(10_001))))
    assert (len(crowd.events), crowd.listed, codes(crowd)) == (10_000, 10_001, ["too_many_events"])


def test_same_mistake_is_told_twenty_times_and_then_counted() -> None:
    reading = read(calendar(*(f"UID:{number}\nDTSTART:never" for number in range(30))))
    assert codes(reading) == ["bad_start"] * 21
    assert reading.problems[-1].message == "the same of 10 more"


SIMPLE_RULES = st.sampled_from(
    [
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
        "FREQ=DAILY;COUNT=30",
        "FREQ=MONTHLY;BYDAY=3TU",
        "FREQ=MONTHLY",
        "FREQ=YEARLY",
        "FREQ=WEEKLY;UNTIL=20260601T170000Z",
    ]
)


@given(
    SIMPLE_RULES,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata"]),
    st.sampled_from([datetime(2025, 1, 7, 19), datetime(2025, 9, 16, 4, 30), datetime(2026, 2, 17, 12)]),  # noqa: DTZ001
    st.sets(st.integers(0, 40), max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_series_agrees_with_recurring_ical_events(rule: str, zone: str, start: datetime, skipped: set[int]) -> None:
    excluded = "".join(
        f"\nEXDATE;TZID={zone}:{start + timedelta(weeks=week):%Y%m%dT%H%M%S}" for week in sorted(skipped)
    )
    body = calendar(f"DTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}\nDTSTAMP:20260101T000000Z\nRRULE:{rule}{excluded}")
    oracle = recurring_ical_events.of(Calendar.from_ical(body)).between(YEAR.start, YEAR.end)
    expected = sorted({event["DTSTART"].dt.astimezone(UTC) for event in oracle})
    reading = read(body)
    own = [event.starts_at.astimezone(UTC) for event in reading.events]
    if start.weekday() == 1:  # recurring-ical-events counts a DTSTART that its rule does not give
        assert own == [instant for instant in expected if instant in YEAR]


@given(st.binary(max_size=400), st.integers(0, 2_000))
@settings(max_examples=200, deadline=None)
def test_damaged_calendar_never_raises_anything_but_unreadable(junk: bytes, place: int) -> None:
    body = (DATA / "meetup_week.ics").read_bytes()
    try:
        reading = read(body[:place] + junk + body[place + len(junk) // 2 :])
    except Unreadable:
        return
    for event in reading.events:
        assert event.title == one_line(event.title)
        assert event.starts_at in YEAR


@pytest.mark.shared
def test_hostile_calendars_end_within_two_seconds(shared: Path) -> None:
    window = Window(datetime(2026, 11, 24, tzinfo=UTC), datetime(2027, 11, 25, tzinfo=UTC))
    read_: dict[str, Reading | str] = {}
    for path in sorted((shared / "hostile" / "ics").glob("*.ics")):
        with within(2, path.stem):
            try:
                read_[path.stem] = read(path.read_bytes(), window=window)
            except Unreadable as unreadable:
                read_[path.stem] = unreadable.code
    assert read_.pop("html_login_page_200") == "no_calendar"
    readings = {name: reading for name, reading in read_.items() if isinstance(reading, Reading)}
    assert len(readings) == len(read_) == 34
    for name in (
        "rrule_by_explosion",
        "rrule_by_explosion_count1",
        "rrule_impossible_minutely_setpos",
        "rrule_impossible_secondly",
        "rrule_impossible_yearly",
        "rrule_secondly_count_1e9",
        "rrule_x20_in_one_event",
    ):
        assert (name, len(readings[name].events), set(codes(readings[name]))) == (name, 1, {"rrule_rejected"})
    for name in ("rrule_hourly_0001", "rrule_minutely_1970"):  # their only occurrence lies far before the window
        assert (name, readings[name].listed, codes(readings[name])) == (name, 1, ["rrule_rejected"])
    for reading in readings.values():
        for event in reading.events[:10]:
            assert event.title == one_line(event.title)
            assert event.url is None or event.url.startswith(("http://", "https://"))
