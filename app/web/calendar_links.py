"""Addresses that put one event into the calendars people use in a browser, beside the file that every program reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from app.models import Event
from app.queries.event_forms import place_words

USUAL = timedelta(hours=2)  # where a source tells no end


@dataclass(frozen=True, slots=True)
class EventLinks:
    file_url: str
    google_url: str
    outlook_url: str


def event_links(event: Event, address: str) -> EventLinks:
    """Return the links; those of Google and Outlook are undocumented, in wide use, and locked by a test."""
    end = event.ends_at or event.starts_at + (timedelta(days=1) if event.all_day else USUAL)
    where = event.online_url or "" if event.mode == "online" else place_words(event)
    google = {
        "action": "TEMPLATE",
        "text": event.title,
        "dates": f"{_compact(event.starts_at, event)}/{_compact(end, event)}",
        "location": where,
        "details": address,
    }
    outlook = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": event.title,
        "startdt": _long(event.starts_at, event),
        "enddt": _long(end, event),
        "allday": "true" if event.all_day else "false",
        "location": where,
        "body": address,
    }
    return EventLinks(
        file_url=f"/api/v1/events/{event.key}.ics",
        google_url=f"https://calendar.google.com/calendar/render?{urlencode(google)}",
        outlook_url=f"https://outlook.live.com/calendar/0/deeplink/compose?{urlencode(outlook)}",
    )


def _compact(moment: datetime, event: Event) -> str:
    return f"{_local(moment, event):%Y%m%d}" if event.all_day else f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _long(moment: datetime, event: Event) -> str:
    return f"{_local(moment, event):%Y-%m-%d}" if event.all_day else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _local(moment: datetime, event: Event) -> datetime:
    return moment.astimezone(ZoneInfo(event.zone))
