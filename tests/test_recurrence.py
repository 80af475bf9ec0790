"""Recurrence rules against plain expectations, against dateutil, and against bombs."""

# ruff: noqa: DTZ001 (wall times have no zone)
from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pace import within

from scrapers.recurrence import EmptyRule, RejectedRule, judge, occurrences, parse_rule

START = datetime(2026, 1, 6, 19, 0)  # a Tuesday


def dates(text: str, *, start: datetime = START, after: datetime | None = None, before: datetime) -> list[str]:
    found = occurrences(parse_rule(text), start, until=None, after=after or start, before=before)
    return [f"{each:%Y-%m-%d %H:%M}" for each in found]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;COUNT=3", ["2026-01-06 19:00", "2026-01-13 19:00", "2026-01-20 19:00"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=3", ["2026-01-06 19:00", "2026-01-08 19:00", "2026-01-20 19:00"]),
        ("FREQ=MONTHLY;BYDAY=-1TU;COUNT=2", ["2026-01-27 19:00", "2026-02-24 19:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", ["2026-01-31 19:00", "2026-03-31 19:00"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", ["2026-01-30 19:00", "2026-02-27 19:00"]),
        ("FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;COUNT=1", ["2026-10-25 19:00"]),
        ("FREQ=YEARLY;BYWEEKNO=20;COUNT=1", ["2026-05-12 19:00"]),
        ("FREQ=YEARLY;BYYEARDAY=-1;COUNT=1", ["2026-12-31 19:00"]),
        ("FREQ=DAILY;BYHOUR=9,18;COUNT=3", ["2026-01-07 09:00", "2026-01-07 18:00", "2026-01-08 09:00"]),
        ("FREQ=HOURLY;INTERVAL=3;COUNT=2", ["2026-01-06 19:00", "2026-01-06 22:00"]),
        ("freq=weekly;byday=tu;count=1;x-foo=1", ["2026-01-06 19:00"]),
        ("FREQ=WEEKLY\\;BYDAY=TU\\,TH\\;COUNT=1", ["2026-01-06 19:00"]),
    ],
)
def test_rule_gives_its_dates(rule: str, expected: list[str]) -> None:
    assert dates(rule, before=datetime(2027, 1, 1)) == expected


def test_count_that_says_none_beside_an_end_is_no_count() -> None:
    assert parse_rule("FREQ=WEEKLY;UNTIL=20260120;COUNT=-1") == parse_rule("FREQ=WEEKLY;UNTIL=20260120")


def test_start_outside_its_rule_is_no_occurrence() -> None:
    assert dates("FREQ=WEEKLY;BYDAY=WE;COUNT=1", before=datetime(2027, 1, 1)) == ["2026-01-07 19:00"]


def test_29_february_comes_every_fourth_year() -> None:
    found = dates("FREQ=YEARLY", start=datetime(2024, 2, 29, 12), before=datetime(2033, 1, 1))
    assert found == ["2024-02-29 12:00", "2028-02-29 12:00", "2032-02-29 12:00"]


def test_window_far_from_the_start_costs_what_lies_in_it() -> None:
    with within(0.05):
        found = dates("FREQ=DAILY", start=datetime(1, 1, 1), after=datetime(2026, 1, 1), before=datetime(2026, 1, 3))
    assert found == ["2026-01-01 00:00", "2026-01-02 00:00"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=MONTHLY;RSCALE=HEBREW",
        "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=0,30",
        "W1 TU #4",
        "",
    ],
)
def test_rule_that_is_none_is_rejected(rule: str) -> None:
    with pytest.raises(RejectedRule):
        parse_rule(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=2",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;COUNT=1000000000",
        "FREQ=SECONDLY;BYMONTH=2;COUNT=1",
        "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=6",
        "FREQ=DAILY;BYMONTH=6;BYYEARDAY=1",
    ],
)
def test_bomb_is_rejected_at_once(rule: str) -> None:
    with within(0.5), pytest.raises(RejectedRule):
        judge(parse_rule(rule), START, until=None)


def test_rule_that_ended_before_it_began_is_empty() -> None:
    with pytest.raises(EmptyRule):
        judge(parse_rule("FREQ=DAILY"), START, until=START - timedelta(days=1))
    with pytest.raises(EmptyRule):
        judge(parse_rule("FREQ=WEEKLY;BYDAY=WE"), START, until=START + timedelta(hours=2))


def test_rule_by_the_clock_with_a_near_end_is_followed() -> None:
    rule = parse_rule("FREQ=MINUTELY;INTERVAL=30")
    until = START + timedelta(hours=1)
    judge(rule, START, until=until)
    assert len(list(occurrences(rule, START, until=until, after=START, before=datetime(2027, 1, 1)))) == 3


WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


@st.composite
def rules(draw: st.DrawFn) -> str:
    freq = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.integers(1, 5))}", f"WKST={draw(st.sampled_from(['MO', 'SU']))}"]
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 60))}")
    if months := draw(st.sets(st.integers(1, 12), max_size=3)):
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    ordinal = draw(st.sampled_from(["", "1", "2", "-1"])) if freq in ("YEARLY", "MONTHLY") else ""
    if days := draw(st.sets(st.sampled_from(WEEKDAYS), max_size=3)):
        parts.append("BYDAY=" + ",".join(ordinal + day for day in sorted(days)))
    if freq != "WEEKLY" and (month_days := draw(st.sets(st.sampled_from([1, 13, 28, 30, 31, -1, -2]), max_size=2))):
        parts.append("BYMONTHDAY=" + ",".join(map(str, month_days)))
    if freq in ("YEARLY", "MONTHLY") and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from([1, 2, -1]))}")
    return ";".join(parts)


@given(rules(), st.datetimes(datetime(2015, 1, 1), datetime(2023, 1, 1)))
@settings(max_examples=150, deadline=None)
def test_rule_agrees_with_dateutil(text: str, start: datetime) -> None:
    start = start.replace(microsecond=0)
    after, before = datetime(2022, 3, 1), datetime(2024, 3, 1)
    try:
        rule = parse_rule(text)
    except RejectedRule:
        assume(False)
    expected = [each for each in rrulestr(text, dtstart=start).between(after, before, inc=True) if each < before]
    assert list(occurrences(rule, start, until=None, after=after, before=before)) == expected
