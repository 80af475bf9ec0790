"""Step 2, platforms: recurring events, written as the calendars they are: one reader expands and keeps them all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from icalendar import Event

from scrapers.draft import EventDraft, Reading, Window
from scrapers.ical import read_calendar

_LINE = re.compile(r"(?:RRULE|EXDATE|RDATE)(?:;[A-Z-]+=[\w/+-]+)*:[A-Z0-9=;,+TZ/-]{1,1000}")


@dataclass(frozen=True, slots=True)
class Recurring:
    """The first occurrence of an event, and the lines (RFC 5545 §3.8.5) that tell the others."""

    first: EventDraft
    lines: tuple[str, ...]


def expand(recurring: Iterable[Recurring], url: str, window: Window, zone: ZoneInfo) -> Reading:
    """Return the occurrences in the window, and each event as a Series that can be expanded again later."""
    events = [_component(each) for each in recurring]
    if not events:
        return Reading()
    body = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + b"".join(events) + b"END:VCALENDAR\r\n"
    return read_calendar(body, url=url, window=window, zone=zone)


def _component(recurring: Recurring) -> bytes:
    draft = recurring.first
    event = Event()
    event.add("UID", draft.uid)
    event.add("SUMMARY", draft.title)
    event.add("DTSTART", draft.starts_at.date() if draft.all_day else draft.starts_at)
    if draft.ends_at is not None:
        event.add("DTEND", draft.ends_at.date() if draft.all_day else draft.ends_at)
    event.add("STATUS", "CANCELLED" if draft.status == "cancelled" else "CONFIRMED")
    if draft.description:
        event.add("DESCRIPTION", draft.description)
    if draft.url:
        event.add("URL", draft.url)
    if draft.categories:
        event.add("CATEGORIES", draft.categories)
    if draft.online_url:
        event.add("CONFERENCE", draft.online_url, parameters={"VALUE": "URI"})
    if draft.price:
        event.add("X-COST", draft.price)
    if draft.organizer is not None and draft.organizer.name:
        event.add("ORGANIZER", draft.organizer.url or "invalid:nobody", parameters={"CN": draft.organizer.name})
    if draft.venue is not None:
        place = ""
        for part in (draft.venue.name, draft.venue.address, draft.venue.city, draft.venue.country):
            if part and part not in place:
                place = f"{place}, {part}".removeprefix(", ")
        event.add("LOCATION", place)
        if draft.venue.lat is not None and draft.venue.lon is not None:
            event.add("GEO", (draft.venue.lat, draft.venue.lon))
    elif draft.mode == "online" and not draft.online_url:
        event.add("LOCATION", "Online")
    lines = "".join(f"{line}\r\n" for line in recurring.lines if _LINE.fullmatch(line)).encode()
    written: bytes = event.to_ical()
    return written.replace(b"END:VEVENT\r\n", lines + b"END:VEVENT\r\n")
