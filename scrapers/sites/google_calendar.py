"""Step 2, reading: the events list of Google Calendar's API v3, as sites fetch it for their own pages.

Shape seen: City-Bureau/city-scrapers (chi_ssa_32) and city-scrapers-philly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Status, Window
from scrapers.locations import is_online_in_words, meeting_url, read_venue
from scrapers.sites.items import Item
from scrapers.sites.told import Here, Told, organizer_of, reading_of

_STATUSES: dict[str, Status] = {"cancelled": "cancelled", "tentative": "tentative"}


def read_google_calendar(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of a calendar, or None if this is none."""
    if not isinstance(document, Mapping) or document.get("kind") != "calendar#events":
        return None
    calendar = Item(document)
    events = [event for event in calendar.items("items") if event.has("start")]  # a deleted one has only its id
    return reading_of(
        (_told(event, calendar) for event in events),
        Here(url, window, zone),
        kind="google_calendar",
        name=calendar.text("summary"),
    )


def _told(event: Item, calendar: Item) -> Told:
    place, organizer = event.text("location"), event.text("organizer.displayName")
    moved = event.text("originalStartTime.dateTime", "originalStartTime.date")
    name = event.text("iCalUID", "id")
    return Told(
        uid=f"{name}#{moved}" if moved else name,
        title=event.text("summary"),
        start=event.text("start.dateTime", "start.date"),
        end=event.text("end.dateTime", "end.date"),
        is_end_exclusive=True,
        is_all_day=not event.text("start.dateTime"),
        zone=event.text("start.timeZone") or calendar.text("timeZone"),
        status=_STATUSES.get(event.text("status"), "confirmed"),
        is_online=is_online_in_words(place),
        url=event.text("htmlLink"),
        online_url=event.text("hangoutLink") or meeting_url(place) or "",
        venue=read_venue(place),
        organizer=organizer_of(organizer or calendar.text("summary")),
        description=event.markup("description"),
        recurrence=tuple(line for line in event.texts("recurrence") if not line.startswith("EXRULE")),
    )
