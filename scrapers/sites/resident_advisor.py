"""Step 2, reading: the events of a club or promoter, as Resident Advisor's GraphQL tells them: local times, no zone.

Shape seen: geeksforsocialchange/PlaceCal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Venue, Window
from scrapers.locations import read_venue
from scrapers.sites.items import Item
from scrapers.sites.told import Here, Told, organizer_of, reading_of


def read_resident_advisor(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of a venue or promoter, or None if this is neither."""
    if not isinstance(document, Mapping):
        return None
    holder = Item(document).item("data.venue", "data.promoter")
    events = [event for event in holder.items("events") if event.has("startTime", "contentUrl")]
    if not events:
        return None
    here = Here(url, window, zone)
    return reading_of(
        (_told(event, holder) for event in events), here, kind="resident_advisor", name=holder.text("name")
    )


def _told(event: Item, holder: Item) -> Told:
    venue = event.item("venue") if event.has("venue") else holder
    title = event.text("title")
    is_cancelled = title.casefold().startswith("[cancelled]")
    return Told(
        uid=f"{event.text('id')}@ra.co",
        title=title[len("[cancelled]") :].strip(" -–:") if is_cancelled else title,
        start=event.text("startTime"),
        end=event.text("endTime"),
        status="cancelled" if is_cancelled else "confirmed",
        url=urljoin("https://ra.co", event.text("contentUrl")),
        venue=_venue(venue),
        organizer=organizer_of(holder.text("name")),
        description=event.markup("content"),
    )


def _venue(venue: Item) -> Venue | None:
    name, address = venue.text("name"), venue.text("address")
    read = read_venue(f"{name}, {address}" if address else name)
    return replace(read, name=name, address=address or None) if read else None
