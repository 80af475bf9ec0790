"""Step 2, reading: the moments, lengths and schedules of schema.org; a Schedule becomes occurrences, within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from scrapers.draft import Window
from scrapers.graph import Graph, Node, local_name
from scrapers.recurrence import Frequency, Rule
from scrapers.recurrence import occurrences as times_of
from scrapers.stamps import basic
from scrapers.times import When, localize, parse_when
from scrapers.zone_names import resolve_zone

MOST_OCCURRENCES = 500  # of one series; daily for more than the year that is looked ahead
_DAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_SPELLED_DAYS = frozenset({"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"})
_DAY = re.compile(r"([+-]?\d)?(MO|TU|WE|TH|FR|SA|SU)")
_FREQUENCY = re.compile(r"P(\d{1,3})([DWMY])", re.IGNORECASE)
_FREQUENCIES: dict[str, Frequency] = {"D": "DAILY", "W": "WEEKLY", "M": "MONTHLY", "Y": "YEARLY"}
_SPOKEN = {"daily": "P1D", "weekly": "P1W", "biweekly": "P2W", "monthly": "P1M", "yearly": "P1Y", "annually": "P1Y"}
_DURATION = re.compile(
    r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})(?:\.\d+)?S)?)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Occurrence:
    starts_at: datetime  # aware
    ends_at: datetime | None
    zone: str  # IANA name
    all_day: bool
    recurrence_id: str


def moment(text: str, zone: ZoneInfo) -> When | None:
    """Return when a text says, unless its year is a typing error; the ends of the calendar break time arithmetic."""
    when = parse_when(text, zone=zone)
    return when if when is not None and 1000 <= when.at.year < 9000 else None


def duration(text: str) -> timedelta | None:
    """Return an ISO 8601 duration of weeks, days and times; None for months, years, nothing and nonsense."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds) or None


def occurrences(
    graph: Graph, schedule: Node, *, window: Window, zone: ZoneInfo, first: When | None
) -> list[Occurrence]:
    """Return what begins inside the window; [] for a schedule that says too little or recurs within a day.

    `first` is when the event itself says that it starts: what the schedule leaves open is taken from there.
    """
    home = resolve_zone(graph.text(schedule, "scheduleTimezone")) or zone
    told = moment(graph.text(schedule, "startDate"), home) or first
    start = told.at.astimezone(home) if told else None
    rule = _rule(graph, schedule, begin=start.date() if start else None, window=window, zone=home)
    if rule is None:
        return []
    clock = _clock(graph.text(schedule, "startTime"))
    if clock is None and start and told and not told.all_day:
        clock = start.time()
    except_days = {_day(text) for text in map(graph.words, graph.values(schedule, "exceptDate"))}
    length = _length(graph, schedule, clock)
    found = []
    for midnight in islice(rule, MOST_OCCURRENCES):
        if midnight.date() in except_days:
            continue
        at = localize(datetime.combine(midnight, clock or time()), home)
        if at in window:
            end = localize(at.replace(tzinfo=None) + length, home) if length else None
            found.append(Occurrence(at, end, home.key, clock is None, _recurrence_id(at, all_day=clock is None)))
    return found


def _rule(
    graph: Graph, schedule: Node, *, begin: date | None, window: Window, zone: ZoneInfo
) -> Iterator[datetime] | None:
    days = [day for text in map(graph.words, graph.values(schedule, "byDay")) if (day := _weekday(text))]
    told = graph.text(schedule, "repeatFrequency")
    found = _FREQUENCY.fullmatch(_SPOKEN.get(local_name(told).casefold(), told) or ("P1W" if days else ""))
    if found is None or not int(found[1]):
        return None
    today = window.start.astimezone(zone).date()
    if begin is None and int(found[1]) > 1:
        return None  # every second week, but which?
    weeks = _numbers(graph, schedule, "byMonthWeek", most=5)
    rule = Rule(
        freq=_FREQUENCIES[found[2].upper()],
        interval=int(found[1]),
        count=_number(graph.text(schedule, "repeatCount")),
        by_month=_numbers(graph, schedule, "byMonth", most=12),
        by_month_day=_numbers(graph, schedule, "byMonthDay", most=31),
        by_day=tuple((week, day) for _, day in days for week in weeks) if weeks else tuple(days),
    )
    horizon = window.end.astimezone(zone).date()
    last = min(_day(graph.text(schedule, "endDate")) or horizon, horizon)
    return times_of(
        rule,
        datetime.combine(begin or today, time()),
        until=datetime.combine(last, time()),
        after=datetime.combine(today - timedelta(days=1), time()),
        before=datetime.combine(horizon + timedelta(days=1), time()),
    )


def _weekday(text: str) -> tuple[int, int] | None:
    """Return the ordinal (0 for every) and the weekday that "MO", "2TU" or "https://schema.org/Monday" name."""
    name = local_name(text).upper()
    if found := _DAY.fullmatch(name):
        return int(found[1] or 0), _DAYS[found[2]]
    return (0, _DAYS[name[:2]]) if name in _SPELLED_DAYS else None


def _length(graph: Graph, schedule: Node, begin: time | None) -> timedelta | None:
    if told := duration(graph.text(schedule, "duration")):
        return told
    end = _clock(graph.text(schedule, "endTime"))
    if begin is None or end is None or begin == end:
        return None
    spans = timedelta(hours=end.hour - begin.hour, minutes=end.minute - begin.minute)
    return spans if spans > timedelta() else spans + timedelta(days=1)


def _numbers(graph: Graph, schedule: Node, name: str, *, most: int) -> tuple[int, ...]:
    numbers = (_number(graph.words(value)) for value in graph.values(schedule, name))
    return tuple(sorted({number for number in numbers if number is not None and number <= most}))


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-9]\d{0,3}", text) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text.lstrip("Tt")).replace(tzinfo=None)
    except ValueError:
        return None


def _recurrence_id(start: datetime, *, all_day: bool) -> str:
    return basic(start.date()) if all_day else basic(start.astimezone(UTC))
