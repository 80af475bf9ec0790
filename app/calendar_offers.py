"""Addresses that offer one event to the calendars people keep on the web. Undocumented, in wide use; locked by a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from app.content_lines import clean, instant, link
from app.models import Event
from app.queries import place_words

LONGEST = 80  # characters of a title or a place; addresses have to stay whole in mails
UNTOLD = timedelta(hours=1)  # how long an event lasts that tells no end: what calendars suppose themselves


def google(event: Event, page: str) -> str:
    dates = (
        "%2F".join(f"{day:%Y%m%d}" for day in _days(event))
        if event.all_day
        else f"{instant(event.starts_at)}%2F{instant(_end(event))}"
    )
    place = _place(event)
    asked = f"action=TEMPLATE&text={_quoted(event.title)}&dates={dates}&details={quote_plus(page)}"
    return f"https://calendar.google.com/calendar/render?{asked}" + (f"&location={place}" if place else "")


def outlook(event: Event, page: str) -> str:
    if event.all_day:
        first, last = _days(event)
        dates = f"startdt={first:%Y-%m-%d}&enddt={last:%Y-%m-%d}&allday=true"
    else:
        dates = f"startdt={_utc(event.starts_at)}&enddt={_utc(_end(event))}"
    place = _place(event)
    title = _quoted(event.title)
    asked = f"path=%2Fcalendar%2Faction%2Fcompose&rru=addevent&subject={title}&{dates}&body={quote_plus(page)}"
    return f"https://outlook.live.com/calendar/0/action/compose?{asked}" + (f"&location={place}" if place else "")


def _quoted(text: str) -> str:
    return quote_plus(" ".join(clean(text).split())[:LONGEST])


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H%%3A%M%%3A%SZ}"


def _end(event: Event) -> datetime:
    is_told = event.ends_at is not None and event.ends_at > event.starts_at
    return event.ends_at if is_told and event.ends_at else event.starts_at + UNTOLD


def _days(event: Event) -> tuple[datetime, datetime]:
    """Return the first day of an event and the one after its last."""
    zone = ZoneInfo(event.zone)
    first = event.starts_at.astimezone(zone)
    last = (_end(event).astimezone(zone) - timedelta.resolution) if event.ends_at else first
    return first, last + timedelta(days=1)


def _place(event: Event) -> str:
    return quote_plus(link(event.online_url) or "") if event.mode == "online" else _quoted(place_words(event))
