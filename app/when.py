"""When an event is, in words: the one place that writes days and hours for people, in any language.

The clock is the event's own; online, where that says nothing, the words name it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_timedelta

from app.models import Event
from app.wording import Wording

ONE_NIGHT = timedelta(hours=20)  # what ends sooner is one evening, though it ends on another date


def when_words(event: Event, wording: Wording, *, with_year: bool = False) -> str:
    """Return day and hours on the clock there: "Tue 1 Dec, 18:30–20:30"; online also which clock that is."""
    zone = ZoneInfo(event.zone)
    start = event.starts_at.astimezone(zone)
    end = event.ends_at.astimezone(zone) if event.ends_at is not None and event.ends_at > event.starts_at else None
    day = day_words(start, wording, with_year=with_year)
    if event.all_day:
        last = end - timedelta(days=1) if end is not None else start
        if last.date() <= start.date():
            return wording.text("{day}, all day", day=day)
        until = day_words(last, wording, with_year=with_year)
        return wording.text("{day} – {last}, all day", day=day, last=until)
    clock = f" {start:%Z}" if event.mode in ("online", "hybrid") else ""
    hour = f"{start:%H:%M}"
    if end is None:
        return wording.text("{day}, {hour}", day=day, hour=hour) + clock
    if end - start < ONE_NIGHT:
        return wording.text("{day}, {hour}–{until}", day=day, hour=hour, until=f"{end:%H:%M}") + clock
    last_day = day_words(end, wording, with_year=with_year)
    told = wording.text("{day}, {hour} – {last}, {until}", day=day, hour=hour, last=last_day, until=f"{end:%H:%M}")
    return told + clock


def day_words(day: date, wording: Wording, *, with_year: bool = False) -> str:
    """Return a day: "Thu 3 Dec" or "Thu 3 Dec 2026"."""
    # A pattern is a text like others (Unicode TR 35), since CLDR's own differ between the kinds of English.
    pattern = wording.text("EEE d MMM y") if with_year else wording.text("EEE d MMM")
    return format_date(day, pattern, locale=wording.locale)


def weekday_words(day: date, wording: Wording) -> str:
    return format_date(day, "EEE", locale=wording.locale)


def month_words(day: date, wording: Wording) -> str:
    return format_date(day, "MMM", locale=wording.locale)


def month_and_year(day: date, wording: Wording) -> str:
    """Return a month: "December 2026"."""
    return format_skeleton("yMMMM", datetime(day.year, day.month, 1), locale=wording.locale)  # noqa: DTZ001 (only a date)


def ago(moment: datetime, now: datetime, wording: Wording) -> str:
    """Return how long ago, or ahead, a moment is: "3 hours ago", "in 2 days"."""
    return format_timedelta(moment - now, add_direction=True, locale=wording.locale)
