"""Step 2, reading: categories and events of Indico (`/export/categ/N.json`, `/export/event/N.json`).

Shapes seen: examples in the documentation of Indico's HTTP API (category and event exporters), and tests of CERN's
analysis preservation portal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Venue, Window
from scrapers.locations import meeting_url
from scrapers.sites.items import Item
from scrapers.sites.told import Here, Told, address_of, organizer_of, reading_of, venue_of


def read_indico(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of an export, or None if this is none."""
    if not isinstance(document, Mapping) or document.get("_type") != "HTTPAPIResult":
        return None
    here = Here(url, window, zone)
    events = [event for event in Item(document).items("results") if event.has("startDate", "title")]
    return reading_of((_told(event, here) for event in events), here, kind="indico")


def _told(event: Item, here: Here) -> Told:
    chairs = event.items("chairs")
    place = event.text("location")
    online_url = meeting_url(f"{place} {event.text('address')} {event.markup('description')}") or ""
    return Told(
        uid=f"indico-event-{event.text('id')}@{here.host}",  # as in Indico's own calendars
        title=event.text("title"),
        start=_moment(event.item("startDate")),
        end=_moment(event.item("endDate")),
        zone=event.text("startDate.tz", "timezone"),
        url=event.text("url"),
        online_url=online_url,
        venue=_venue(event),
        organizer=organizer_of(chairs[0].text("fullName") if chairs else ""),
        categories=[*event.texts("keywords"), event.text("category")],
        description=event.markup("description"),
    )


def _moment(told: Item) -> str:
    return f"{told.text('date')}T{told.text('time')[:8]}" if told.text("time") else told.text("date")


def _venue(event: Item) -> Venue | None:
    room, place = event.text("roomFullname", "room"), event.text("location")
    return venue_of(
        address_of(place, room),
        " ".join(event.text("address").split()),
    )
