"""Cadence: what rhythm a group keeps, whether it still meets, and when it is likely to meet next."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from recommender.cadence import AHEAD, LOOKED_BACK, Rhythm, cadence
from recommender.learn.measure_cadence import measure_cadence, placements

TODAY = date(2026, 11, 25)  # a Wednesday
LAST_YEAR = TODAY - timedelta(days=364)


def held(rhythm: Rhythm, until: date = TODAY) -> list[date]:
    return list(rhythm.days(LAST_YEAR, until))


@pytest.mark.parametrize(
    ("rhythm", "rule", "words", "next_on"),
    [
        (Rhythm(1, weeks=1, anchor=TODAY), "FREQ=WEEKLY;BYDAY=TU", "every Tuesday", date(2026, 12, 1)),
        (
            Rhythm(3, weeks=2, anchor=date(2026, 11, 19)),
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH",
            "every second Thursday",
            date(2026, 12, 3),
        ),
        (Rhythm(1, nth=2), "FREQ=MONTHLY;BYDAY=2TU", "on the second Tuesday of the month", date(2026, 12, 8)),
        (Rhythm(4, nth=-1), "FREQ=MONTHLY;BYDAY=-1FR", "on the last Friday of the month", date(2026, 11, 27)),
    ],
)
def test_kept_rhythm_is_found_and_goes_on(rhythm: Rhythm, rule: str, words: str, next_on: date) -> None:
    told = cadence(held(rhythm), TODAY)
    assert told.rhythm is not None
    assert (told.label, told.rhythm.rule, told.rhythm.words, told.next_on) == ("regular", rule, words, next_on)
    assert told.alive > 0.9


def test_rhythm_survives_a_missed_and_a_moved_meeting() -> None:
    days = held(Rhythm(1, nth=2))
    days.remove(date(2026, 8, 11))
    days[days.index(date(2026, 10, 13))] = date(2026, 10, 15)
    told = cadence(days, TODAY)
    assert told.rhythm == Rhythm(1, nth=2)


@given(st.integers(0, 6), st.sampled_from([(1, None), (2, None), (3, None), (None, 1), (None, 3), (None, -1)]))
def test_rule_says_the_same_days_as_the_rhythm(weekday: int, kind: tuple[int | None, int | None]) -> None:
    rhythm = Rhythm(weekday, weeks=kind[0], nth=kind[1], anchor=TODAY - timedelta(days=(2 - weekday) % 7))
    days = held(rhythm)
    expected = rrulestr(rhythm.rule, dtstart=_midnight(days[0])).between(_midnight(days[0]), _midnight(TODAY), inc=True)
    assert days == [moment.date() for moment in expected if moment.date() < TODAY]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001


def test_silence_makes_a_weekly_group_dormant_then_ended() -> None:
    weekly = Rhythm(1, weeks=1, anchor=TODAY)
    labels = [cadence(held(weekly, TODAY - timedelta(weeks=weeks)), TODAY).label for weeks in (0, 2, 5, 30)]
    assert labels == ["regular", "regular", "dormant", "ended"]


def test_same_silence_says_less_of_a_group_that_meets_rarely() -> None:
    until = TODAY - timedelta(weeks=8)
    weekly, quarterly = (
        held(Rhythm(1, weeks=1, anchor=TODAY), until),
        held(Rhythm(1, weeks=1, anchor=TODAY), until)[::13],
    )
    assert cadence(quarterly, TODAY).alive > cadence(weekly, TODAY).alive


def test_group_seen_once_or_twice_is_new_and_one_never_seen_has_ended() -> None:
    assert cadence([TODAY - timedelta(days=9)], TODAY).label == "new"
    nothing = cadence([], TODAY)
    assert (nothing.label, nothing.alive, nothing.next_on, nothing.last_on) == ("ended", 0.0, None, None)
    assert cadence([TODAY, TODAY + timedelta(days=3), TODAY - LOOKED_BACK * 2], TODAY) == nothing


def test_announced_meetings_keep_a_group_alive_and_tell_its_rhythm() -> None:
    weekly = Rhythm(3, weeks=1, anchor=TODAY + timedelta(days=1))
    ahead = list(weekly.days(TODAY, TODAY + timedelta(weeks=6)))
    told = cadence([], TODAY, announced=ahead)
    assert (told.label, told.alive, told.again, told.next_on, told.is_guess) == ("regular", 1.0, 1.0, ahead[0], False)
    assert told.rhythm is not None
    assert told.rhythm.words == "every Thursday"
    silent = cadence(held(weekly, TODAY - timedelta(weeks=30)), TODAY, announced=ahead[:1])
    assert (silent.label, silent.next_on) == ("irregular", ahead[0])


def test_guessed_day_is_called_a_guess() -> None:
    told = cadence(held(Rhythm(1, nth=2)), TODAY)
    assert (told.next_on, told.is_guess) == (date(2026, 12, 8), True)


def test_several_meetings_a_week_are_regular_without_a_weekday() -> None:
    told = cadence([TODAY - timedelta(days=2 * step) for step in range(1, 60)], TODAY)
    assert (told.label, told.next_on, told.words) == ("regular", TODAY, "several times a week")


def test_activity_is_counted_by_quarter() -> None:
    told = cadence([TODAY - timedelta(days=days) for days in (5, 40, 80, 100, 120, 140, 160, 170, 180)], TODAY)
    assert (told.per_month, told.trend, told.last_on) == (1.0, 0.5, TODAY - timedelta(days=5))
    assert told.words == "about once a month"


@given(st.lists(st.dates(TODAY - timedelta(days=500), TODAY + timedelta(days=100)), max_size=60))
def test_any_history_gives_chances_and_a_day_to_come(days: list[date]) -> None:
    told = cadence(days, TODAY)
    assert 0 <= told.again <= told.alive <= 1
    assert told.next_on is None or told.next_on >= TODAY
    assert cadence(reversed(days), TODAY) == told


def test_placements_are_the_shares_of_false_ones_below() -> None:
    found = placements(np.array([0.9, 0.5, 0.1, 0.5]), np.array([True, True, False, False]))
    assert found.tolist() == [1.0, 0.75]


@pytest.mark.shared
def test_hidden_weeks_of_a_city_are_guessed_better_than_by_recency(shared: Path) -> None:
    told = {(one.model, one.measure): one for one in measure_cadence(shared / "adjacency")}
    assert told["cadence", "AUC"].value > told["met within 60 days", "AUC"].high
    assert told["cadence", "next day"].low > told["the middle gap after the last", "next day"].high
    assert timedelta(weeks=8) == AHEAD


def test_rhythm_that_is_often_left_out_is_not_told_as_one() -> None:
    start = date(2026, 8, 4)  # a Tuesday
    kept = [start + timedelta(weeks=week) for week in (0, 1, 2, 4, 5, 6, 7, 8)]
    skipped = [start + timedelta(weeks=week) for week in (0, 1, 3, 6, 8, 9, 13, 14)]
    told = [cadence(days, days[-1] + timedelta(days=3)) for days in (kept, skipped)]
    assert [one.rhythm and one.rhythm.rule for one in told] == ["FREQ=WEEKLY;BYDAY=TU"] * 2
    assert [one.words for one in told] == ["every Tuesday", "on a Tuesday, not every week"]
