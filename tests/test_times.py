"""Zone names and written dates, as calendars, mail programs and people spell them."""

# ruff: noqa: DTZ001 (wall times have no zone)
from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import within

from scrapers.times import When, localize, parse_when
from scrapers.zone_names import resolve_zone

BERLIN = ZoneInfo("Europe/Berlin")
CHICAGO = ZoneInfo("America/Chicago")
UTC_ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ('"Europe/Paris"', "Europe/Paris"),
        ("America/New York", "America/New_York"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe daylight time", "Europe/Berlin"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT-06.00) Central Time (US & Canada)", "America/Chicago"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("(UTC) Dublin, Edinburgh, Lisbon, London", "Europe/Dublin"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("Mitteleuropäische Zeit", "Europe/Berlin"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("Berlin", "Europe/Berlin"),
        ("UTC+2", "Etc/GMT-2"),
        ("GMT-0500", "Etc/GMT+5"),
        ("+00:00", "UTC"),
        ("UTC+05:30", "Asia/Kolkata"),
        ("-0930", "Pacific/Marquesas"),
        ("(UTC-03:00) Brasilia", "America/Sao_Paulo"),
        ("(UTC-05:00) Chetumal", "America/Cancun"),
        ("(UTC+11:00) Solomon Is., New Caledonia", "Pacific/Guadalcanal"),
        ("Eastern Standard Time 1", "America/New_York"),
        ("Microsoft/Central Standard Time", "America/Chicago"),
        ("ET", "America/New_York"),
        ("SGT", "Asia/Singapore"),
        ("Z", "UTC"),
    ],
)
def test_zone_name_is_understood(name: str, key: str) -> None:
    assert resolve_zone(name) == ZoneInfo(key)


@pytest.mark.parametrize(
    "name", ["", "Customized Time Zone", "nonsense", "../../etc/passwd", "x" * 1_000_000, "UTC+99", "UTC+01:20", "IST"]
)
def test_unknown_zone_name_gives_none(name: str) -> None:
    assert resolve_zone(name) is None


def test_display_name_whose_city_contradicts_its_offset_gives_none() -> None:
    assert resolve_zone("(UTC+09:00) Berlin") is None


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_zone_name_never_raises(name: str) -> None:
    zone = resolve_zone(name)
    assert zone is None or zone.key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-05", When(datetime(2026, 3, 5, tzinfo=BERLIN), all_day=True)),
        ("20260305", When(datetime(2026, 3, 5, tzinfo=BERLIN), all_day=True)),
        ("2026-03-05T18:30", When(datetime(2026, 3, 5, 18, 30, tzinfo=BERLIN))),
        ("2026-03-05 18:30", When(datetime(2026, 3, 5, 18, 30, tzinfo=BERLIN))),
        ("2026-03-05T18:30Z", When(datetime(2026, 3, 5, 18, 30, tzinfo=UTC))),
        ("20260305T183000Z", When(datetime(2026, 3, 5, 18, 30, tzinfo=UTC))),
        ("2026-03-05T18:30:00.000+01:00", When(datetime(2026, 3, 5, 17, 30, tzinfo=UTC))),
        ("March 5, 2026 6:30 PM", When(datetime(2026, 3, 5, 18, 30, tzinfo=BERLIN))),
        ("March 5th, 2026", When(datetime(2026, 3, 5, tzinfo=BERLIN), all_day=True)),
        ("Thu, 05 Mar 2026 18:30:00 GMT", When(datetime(2026, 3, 5, 18, 30, tzinfo=UTC))),
        ("Thu, 5 Mar 2026 18:30 +0200", When(datetime(2026, 3, 5, 16, 30, tzinfo=UTC))),
        (
            "Thu Mar 05 2026 18:30:00 GMT+0100 (Central European Standard Time)",
            When(datetime(2026, 3, 5, 18, 30, tzinfo=timezone(timedelta(hours=1)))),
        ),
        ("March 5, 2026 6:30 PM EST", When(datetime(2026, 3, 5, 23, 30, tzinfo=UTC))),
        ("5. März 2026 19:30 Uhr", When(datetime(2026, 3, 5, 19, 30, tzinfo=BERLIN))),
        ("05.03.2026", When(datetime(2026, 3, 5, tzinfo=BERLIN), all_day=True)),
        ("5 mars 2026", When(datetime(2026, 3, 5, tzinfo=BERLIN), all_day=True)),
        ("5 de marzo de 2026 a las 19:00", When(datetime(2026, 3, 5, 19, tzinfo=BERLIN))),
    ],
)
def test_written_date_is_read(text: str, expected: When) -> None:
    assert parse_when(text, zone=BERLIN) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-03",
        "March 2026",
        "Sat Nov 21",
        "12:30",
        "tomorrow at 10am",
        "2026-13-45",
        "Thu, 35 Mar 2026 18:30:00 GMT",
    ],
)
def test_half_a_date_is_none(text: str) -> None:
    assert parse_when(text, zone=BERLIN) is None


def test_numeric_date_is_read_as_its_zone_writes_it() -> None:
    assert parse_when("05/03/2026", zone=BERLIN) == When(datetime(2026, 3, 5, tzinfo=BERLIN), all_day=True)
    assert parse_when("05/03/2026", zone=CHICAGO) == When(datetime(2026, 5, 3, tzinfo=CHICAGO), all_day=True)


@pytest.mark.parametrize("zone", [BERLIN, CHICAGO, UTC_ZONE], ids=str)
@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-12-03 6:00 pm", 18),
        ("2026-12-03T6:00 PM", 18),
        ("2026-12-03 at 6pm", 18),
        ("Thu 2026-12-03 18:00", 18),
        ("2026/12/03 18:00", 18),
        ("2026.12.3, 18:00", 18),
        ("2026-12-3", None),
        ("2026/12/03", None),
    ],
)
def test_month_follows_a_year_that_comes_first(text: str, hour: int | None, zone: ZoneInfo) -> None:
    assert parse_when(text, zone=zone) == When(datetime(2026, 12, 3, hour or 0, tzinfo=zone), all_day=hour is None)


@pytest.mark.parametrize("text", ["2026-13-03 10:00", "2026/13/3", "2026-12-32 6 pm"])
def test_year_first_date_is_never_turned_to_fit(text: str) -> None:
    assert parse_when(text, zone=BERLIN) is None


def test_skipped_hour_moves_forward_and_repeated_hour_is_its_first_pass() -> None:
    assert localize(datetime(2026, 3, 29, 2, 30), BERLIN).isoformat() == "2026-03-29T03:30:00+02:00"
    assert localize(datetime(2026, 10, 25, 2, 30), BERLIN).isoformat() == "2026-10-25T02:30:00+02:00"


@given(st.text(alphabet="0123456789:-/. TZWajnfebpmdc+,()", max_size=100))
@settings(max_examples=150, deadline=None)
def test_date_text_never_raises(text: str) -> None:
    when = parse_when(text, zone=UTC_ZONE)
    assert when is None or when.at.tzinfo is not None


@pytest.mark.shared
def test_hostile_dates_are_none_in_no_time(shared: Path) -> None:
    parse_when("5. März 2026", zone=BERLIN)  # loads dateparser's languages
    texts = [path.read_text(encoding="utf-8") for path in sorted((shared / "hostile" / "dates").glob("*.txt"))]
    for text in texts:
        with within(0.2, text[:40]):
            assert [parse_when(part, zone=BERLIN) for part in (text, text[:100], text[:40])] == [None] * 3
    assert len(texts) == 7
