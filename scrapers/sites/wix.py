"""Step 2, reading: the events of a Wix site, from the data its pages are warmed up with.

Shape seen: geeksforsocialchange/PlaceCal (`wix-warmup-data`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Venue, Window
from scrapers.sites.items import Item, every_item
from scrapers.sites.told import Here, Told, price_of, reading_of, venue_of

_CANCELLED = frozenset({"3", "CANCELED"})  # the statuses are 0 scheduled, 1 started, 2 ended, 3 cancelled
_ONLINE = frozenset({"1", "ONLINE"})


def read_wix(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of a page on Wix, or None if it has none."""
    if not isinstance(document, Mapping) or "appsWarmupData" not in document:
        return None
    events = [
        event
        for event in every_item(document["appsWarmupData"], "scheduling", "title", "slug")
        if event.text("scheduling.config.startDate") and not event.is_true("scheduling.config.scheduleTbd")
    ]
    if not events:
        return None
    here = Here(url, window, zone)
    unique = {event.text("id"): event for event in events}
    return reading_of((_told(event, here) for event in unique.values()), here, kind="wix")


def _told(event: Item, here: Here) -> Told:
    when, tickets = event.item("scheduling.config"), event.item("registration.ticketing")
    is_online = event.text("location.type") in _ONLINE
    return Told(
        uid=f"{event.text('id')}@wix.com",
        title=event.text("title"),
        start=when.text("startDate"),
        end="" if when.is_true("endDateHidden") else when.text("endDate"),
        zone=when.text("timeZoneId"),
        status="cancelled" if event.text("status") in _CANCELLED else "confirmed",
        is_online=is_online,
        url=event.text("eventPageUrl") or urljoin(here.url, f"/event-details/{event.text('slug')}"),
        venue=None if is_online or event.is_true("location.tbd") else _venue(event.item("location")),
        categories=event.texts("categories"),
        language=event.text("language"),
        price=price_of(
            tickets.text("lowestTicketPrice.amount"),
            tickets.text("highestTicketPrice.amount"),
            currency=tickets.text("lowestTicketPrice.currency"),
        ),
        description="\n\n".join(filter(None, (event.markup("description"), event.markup("about")))),
    )


def _venue(place: Item) -> Venue | None:
    return venue_of(
        place.text("name"),
        place.text("fullAddress.formattedAddress", "address"),
        city=place.text("fullAddress.city"),
        country=place.text("fullAddress.countryFullname", "fullAddress.country"),
        lat=place.number("coordinates.lat"),
        lon=place.number("coordinates.lng"),
    )
