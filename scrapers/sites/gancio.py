"""Step 2, reading: a Gancio agenda (`/api/events`), which lists each date of a recurring event by itself.

Shape seen: lesion/gancio, `server/api/controller/event.js`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Window
from scrapers.sites.items import Item, items_of
from scrapers.sites.told import Here, Told, reading_of, venue_of


def read_gancio(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of an agenda, or of one event's details; None if this is neither."""
    events = [event for event in items_of(document) if event.has("start_datetime", "title") and event.has("place")]
    if not events:
        return None
    here = Here(url, window, zone)
    return reading_of((_told(event, here) for event in events), here, kind="gancio")


def _told(event: Item, here: Here) -> Told:
    place = event.item("place")
    is_online = place.text("name").casefold() == "online"
    links = event.texts("online_locations")
    return Told(
        uid=f"{event.text('id')}@{here.host}",
        title=event.text("title"),
        start=event.number("start_datetime"),
        end=event.number("end_datetime"),
        is_online=is_online,
        url=urljoin(here.url, f"/event/{event.text('slug', 'id')}"),
        online_url=next((link for link in links if link.startswith("http")), ""),
        venue=None
        if is_online
        else venue_of(
            place.text("name"),
            place.text("address"),
            lat=place.number("latitude"),
            lon=place.number("longitude"),
        ),
        categories=event.texts("tags", "tag"),
        description=event.markup("description", "plain_description"),
    )
