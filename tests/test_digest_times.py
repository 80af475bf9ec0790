"""When the weekly mail is due: the hour on the reader's clock, through clock changes, moves and rhythms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.mail.subscription import following, is_wanted, next_slot, plan, slot_of_week
from app.models import Subscription

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 12, 2, 12, 0, tzinfo=UTC)  # a Wednesday


def wish(**fields: object) -> Subscription:
    return Subscription(person_id=1, confirmed_at=NOW, **fields)


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("UTC", "2026-12-08T08:00:00+00:00"),
        ("Europe/Berlin", "2026-12-08T07:00:00+00:00"),
        ("America/New_York", "2026-12-08T13:00:00+00:00"),
        ("Asia/Kolkata", "2026-12-08T02:30:00+00:00"),
        ("Pacific/Kiritimati", "2026-12-07T18:00:00+00:00"),  # Monday everywhere else
        ("Pacific/Pago_Pago", "2026-12-08T19:00:00+00:00"),
    ],
)
def test_tuesday_at_eight_is_on_the_readers_clock(zone: str, due: str) -> None:
    assert next_slot(NOW, wish(), ZoneInfo(zone)).isoformat() == due


def test_the_hour_stays_through_a_clock_change() -> None:
    slots = [datetime(2026, 3, 24, 7, 0, tzinfo=UTC)]
    slots += [following(slots[-1], wish(), BERLIN)]
    assert [slot.astimezone(BERLIN).isoformat() for slot in slots] == [
        "2026-03-24T08:00:00+01:00",
        "2026-03-31T08:00:00+02:00",
    ]


def test_an_hour_that_is_left_out_is_the_one_after_it_and_one_that_comes_twice_the_first() -> None:
    at_night = wish(weekday=7, hour=2)
    spring = next_slot(datetime(2026, 3, 28, 12, 0, tzinfo=UTC), at_night, BERLIN)
    autumn = next_slot(datetime(2026, 10, 24, 12, 0, tzinfo=UTC), at_night, BERLIN)
    assert spring.astimezone(BERLIN).isoformat() == "2026-03-29T03:00:00+02:00"
    assert autumn.astimezone(BERLIN).isoformat() == "2026-10-25T02:00:00+02:00"
    # The second two o'clock of that night is not another slot.
    assert next_slot(autumn, at_night, BERLIN).astimezone(BERLIN).isoformat() == "2026-11-01T02:00:00+01:00"


def test_a_day_the_date_line_takes_costs_no_mail() -> None:
    apia = ZoneInfo("Pacific/Apia")  # there was no Friday 30 December 2011
    on_sunday, on_friday = wish(weekday=7), wish(weekday=5)
    before = datetime(2011, 12, 26, tzinfo=UTC)  # Sunday afternoon there
    sundays, fridays = [next_slot(before, on_sunday, apia)], [next_slot(before, on_friday, apia)]
    sundays.append(following(sundays[0], on_sunday, apia))
    fridays.append(following(fridays[0], on_friday, apia))
    assert [f"{slot.astimezone(apia):%F}" for slot in (*sundays, *fridays)] == [
        *("2012-01-01", "2012-01-08"),
        *("2011-12-31", "2012-01-06"),
    ]


@pytest.mark.parametrize(
    ("rhythm", "days"),
    [
        ("weekly", [8, 15, 22, 29]),
        ("worthwhile", [8, 15, 22, 29]),
        ("fortnightly", [15, 29]),
        ("monthly", []),
    ],
)
def test_rhythms_keep_their_distance(rhythm: str, days: list[int]) -> None:
    slots = [datetime(2026, 12, 1, 8, 0, tzinfo=UTC)]
    while (slot := following(slots[-1], wish(rhythm=rhythm), ZoneInfo("UTC"))).month == 12:
        slots.append(slot)
    assert [slot.day for slot in slots[1:]] == days


def test_monthly_is_the_first_such_day_of_every_month() -> None:
    monthly = wish(rhythm="monthly")
    slots = [datetime(2026, 12, 22, 8, 0, tzinfo=UTC)]
    for _ in range(3):
        slots.append(following(slots[-1], monthly, ZoneInfo("UTC")))
    assert [f"{slot:%Y-%m-%d}" for slot in slots[1:]] == ["2027-01-05", "2027-02-02", "2027-03-02"]


def test_no_mail_is_planned_before_a_break_is_over_or_for_who_wants_none() -> None:
    paused = wish(paused_until=NOW + timedelta(weeks=4))
    plan(paused, ZoneInfo("UTC"), clock=NOW)
    assert paused.next_at == datetime(2027, 1, 5, 8, 0, tzinfo=UTC)
    unwanted = [wish(rhythm="off"), wish(ended_at=NOW), Subscription(person_id=1, confirmed_at=None)]
    for one in unwanted:
        plan(one, ZoneInfo("UTC"), clock=NOW)
        assert (is_wanted(one), one.next_at) == (False, None)


def test_the_slot_of_a_week_belongs_to_the_local_one() -> None:
    sunday_night = datetime(2026, 12, 6, 23, 30, tzinfo=UTC)  # Monday in Berlin
    assert slot_of_week(sunday_night, wish(), BERLIN).isoformat() == "2026-12-08T07:00:00+00:00"
    assert slot_of_week(sunday_night, wish(), ZoneInfo("UTC")).isoformat() == "2026-12-01T08:00:00+00:00"
