"""Addresses that offer one event to the calendars people keep on the web. Undocumented, in wide use; locked by a test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote_plus

from app.calendars.content_lines import instant
from app.calendars.whole_days import days_of
from app.links import link
from app.models import Event
from app.queries.event_forms import place_words
from scrapers.text import one_line

LONGEST = 80  # characters of a title or a place; addresses have to stay whole in mails
UNTOLD = timedelta(hours=1)  # how long an event lasts that tells no end: what calendars suppose themselves


@dataclass(frozen=True, slots=True)
class Offers:
    google: str
    outlook: str


def offers(event: Event, page: str) -> Offers:
    """Return where an event is put into a calendar of Google's or Microsoft's; `page` stands in its description."""
    title, told, place = _quoted(event.title), _address(page), _place(event)
    at = f"&location={place}" if place else ""
    if event.all_day:
        first, end = days_of(event)
        google = f"{first:%Y%m%d}%2F{end:%Y%m%d}"
        outlook = f"startdt={first:%Y-%m-%d}&enddt={end:%Y-%m-%d}&allday=true"
    else:
        start, end = event.starts_at.astimezone(UTC), _end(event).astimezone(UTC)
        google = f"{instant(start)}%2F{instant(end)}"
        outlook = f"startdt={_utc(start)}&enddt={_utc(end)}"
    return Offers(
        f"https://calendar.google.com/calendar/render?action=TEMPLATE&text={title}&dates={google}&details={told}{at}",
        "https://outlook.live.com/calendar/0/action/compose?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent"
        f"&subject={title}&{outlook}&body={told}{at}",
    )


@lru_cache(maxsize=4096)  # people of a town are offered the same evenings and places
def _quoted(text: str) -> str:
    return quote_plus(one_line(text)[:LONGEST])


_address = lru_cache(maxsize=4096)(quote_plus)


def _utc(moment: datetime) -> str:
    return f"{moment.isoformat()[:19].replace(':', '%3A')}Z"


def _end(event: Event) -> datetime:
    is_told = event.ends_at is not None and event.ends_at > event.starts_at
    return event.ends_at if is_told and event.ends_at else event.starts_at + UNTOLD


def _place(event: Event) -> str:
    return quote_plus(link(event.online_url) or "") if event.mode == "online" else _quoted(place_words(event))
