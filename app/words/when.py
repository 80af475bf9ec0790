"""When an event is, in words: the one place that writes days and hours for people, in any language.

The clock is the event's own; online, where that says nothing, the words name it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_timedelta

from app.models import Event
from app.words.wording import Wording, wording_of

ONE_NIGHT = timedelta(hours=20)  # what ends sooner is one evening, though it ends on another date


@dataclass(frozen=True, slots=True)
class When:
    """When an event is: on the clock that counts for its reader, and on the other one where they differ."""

    weekday: str  # "Tue"
    day: int
    month: str  # "Dec"
    hours: str  # "Tue 1 Dec, 18:30–20:30"
    elsewhere: str  # "12:30 in New York"; "" where the clocks agree


def when_for(event: Event, reader: ZoneInfo, wording: Wording) -> When:
    """Return an event's hours as a reader needs them: where one goes the clock on the wall counts, online one's own."""
    there = ZoneInfo(event.zone)
    counts, other = (reader, there) if event.mode == "online" and not event.all_day else (there, reader)
    start, elsewhere = event.starts_at.astimezone(counts), event.starts_at.astimezone(other)
    told = ""
    if not event.all_day and start.utcoffset() != elsewhere.utcoffset():
        hour = _clock(elsewhere)
        if elsewhere.date() != start.date():
            hour = f"{day_words(elsewhere, wording)}, {hour}"
        region, _, city = event.zone.rpartition("/")
        if counts is there:
            told = wording.text("{hour} your time", hour=hour)
        elif region in ("", "Etc"):
            told = f"{hour} {elsewhere:%Z}"
        else:
            told = wording.text("{hour} in {city}", hour=hour, city=city.replace("_", " "))
    return When(
        weekday=weekday_words(start, wording),
        day=start.day,
        month=month_words(start, wording),
        hours=_hours(event, counts, wording),
        elsewhere=told,
    )


def when_words(event: Event, wording: Wording, *, with_year: bool = False) -> str:
    """Return day and hours on the clock there: "Tue 1 Dec, 18:30–20:30"; online also which clock that is."""
    zone = ZoneInfo(event.zone)
    is_named = event.mode in ("online", "hybrid") and not event.all_day
    clock = f" {event.starts_at.astimezone(zone):%Z}" if is_named else ""
    return _hours(event, zone, wording, with_year=with_year) + clock


def _hours(event: Event, zone: ZoneInfo, wording: Wording, *, with_year: bool = False) -> str:
    start = event.starts_at.astimezone(zone)
    end = event.ends_at.astimezone(zone) if event.ends_at is not None and event.ends_at > event.starts_at else None
    day = day_words(start, wording, with_year=with_year)
    if event.all_day:
        last = end - timedelta(days=1) if end is not None else start
        if last.date() <= start.date():
            return wording.text("{day}, all day", day=day)
        until = day_words(last, wording, with_year=with_year)
        return wording.text("{day} – {last}, all day", day=day, last=until)
    hour = _clock(start)
    if end is None:
        return wording.text("{day}, {hour}", day=day, hour=hour)
    if end - start < ONE_NIGHT:
        return wording.text("{day}, {hour}–{until}", day=day, hour=hour, until=_clock(end))
    last_day = day_words(end, wording, with_year=with_year)
    return wording.text("{day}, {hour} – {last}, {until}", day=day, hour=hour, last=last_day, until=_clock(end))


def _clock(moment: datetime) -> str:
    # By hand: `strftime` takes four times as long, and lists and mails tell many hours.
    return f"{moment.hour:02}:{moment.minute:02}"


def day_words(day: date, wording: Wording, *, with_year: bool = False) -> str:
    """Return a day: "Thu 3 Dec" or "Thu 3 Dec 2026"."""
    # A pattern is a text like others (Unicode TR 35), since CLDR's own differ between the kinds of English.
    return _formatted(
        _date(day), wording.text("EEE d MMM y") if with_year else wording.text("EEE d MMM"), wording.language
    )


def weekday_words(day: date, wording: Wording) -> str:
    return _formatted(_date(day), "EEE", wording.language)


def month_words(day: date, wording: Wording) -> str:
    return _formatted(_date(day), "MMM", wording.language)


def _date(day: date) -> date:
    return day.date() if isinstance(day, datetime) else day


@lru_cache(maxsize=4096)  # lists, feeds and mails name the same few weeks over and over
def _formatted(day: date, pattern: str, language: str) -> str:
    return format_date(day, pattern, locale=wording_of(language).locale)


def month_and_year(day: date, wording: Wording) -> str:
    """Return a month: "December 2026"."""
    return format_skeleton("yMMMM", datetime(day.year, day.month, 1), locale=wording.locale)  # noqa: DTZ001 (only a date)


def ago(moment: datetime, now: datetime, wording: Wording) -> str:
    """Return how long ago, or ahead, a moment is: "3 hours ago", "in 2 days"."""
    return format_timedelta(moment - now, add_direction=True, locale=wording.locale)
