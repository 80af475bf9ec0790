"""Step 2, reading: the events page of a Squarespace site (`?format=json`), whose times are instants.

Shape seen: geeksforsocialchange/PlaceCal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Window
from scrapers.sites.items import Item
from scrapers.sites.told import Here, Told, address_of, reading_of, venue_of

_NOSCRIPT = re.compile(r"<noscript>.{0,2000}?</noscript>", re.IGNORECASE | re.DOTALL)
_DEFAULT_PIN = (40.7207559, -74.0007613)  # where Squarespace puts an event without a place: its own office


def read_squarespace(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of such a page, or None if this is none."""
    if not isinstance(document, Mapping) or "website" not in document:
        return None
    page = Item(document)
    is_events_page = page.text("collection.typeName") == "events"
    listed = [*page.items("upcoming"), *page.items("past")] or [page.item("item"), *page.items("items")]
    events = [event for event in listed if event.number("startDate") and event.has("title")]
    if not events and not is_events_page:
        return None
    site = page.item("website")
    return reading_of(
        (_told(event, site) for event in events),
        Here(url, window, zone),
        kind="squarespace",
        name=page.text("collection.title"),
    )


def _told(event: Item, site: Item) -> Told:
    place = event.item("location")
    lat, lon = place.number("markerLat", "mapLat"), place.number("markerLng", "mapLng")
    address = address_of(place.text("addressLine1"), place.text("addressLine2"))
    is_told = bool(place.text("addressTitle") or address) and (lat, lon) != _DEFAULT_PIN
    return Told(
        uid=f"{event.text('id')}@squarespace.com",
        title=event.text("title"),
        start=event.number("startDate"),
        end=event.number("endDate"),
        zone=site.text("timeZone"),
        url=event.text("fullUrl"),
        venue=venue_of(
            place.text("addressTitle"),
            address,
            city=place.text("addressLine2").split(",")[0],
            country=place.text("addressCountry"),
            lat=lat if is_told else None,
            lon=lon if is_told else None,
        ),
        categories=[*event.texts("categories"), *event.texts("tags")],
        language=site.text("language"),
        description=_NOSCRIPT.sub("", event.markup("body", "excerpt")),
    )
