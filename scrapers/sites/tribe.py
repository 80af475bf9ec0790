"""Step 2, reading: The Events Calendar of WordPress sites (`/wp-json/tribe/events/v1/events`).

Shape seen: woodyeagle/city-scrapers-pitt, the-events-calendar/tribe-common.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Problem, Reading, Status, Venue, Window
from scrapers.sites.items import Item, items_of
from scrapers.sites.told import Here, Told, address_of, organizer_of, reading_of, venue_of

_STATUSES: dict[str, Status] = {"canceled": "cancelled", "cancelled": "cancelled", "postponed": "postponed"}


def read_tribe(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return a site's events, or None if this is not their list."""
    if not isinstance(document, Mapping):
        return None
    page = Item(document)
    is_list = isinstance(document.get("events"), list)
    events = [event for event in (page.items("events") if is_list else [page]) if event.has("start_date", "rest_url")]
    is_empty = is_list and not document["events"] and page.has("rest_url", "total")
    if not events and not is_empty:
        return None
    here = Here(url, window, zone)
    more = [Problem("more_pages", "tribe", f"the list goes on at {page.text('next_rest_url')}, which is not read")]
    return reading_of(
        (_told(event, here) for event in events),
        here,
        kind="tribe",
        problems=more if page.text("next_rest_url") else (),
    )


def _told(event: Item, here: Here) -> Told:
    organizer = next(iter(items_of(event.value("organizer"))), Item({}))
    title = event.text("title")
    is_virtual = event.is_true("is_virtual")
    venue = None if event.text("virtual_event_type") == "virtual" else _venue(event.item("venue"))
    return Told(
        uid=event.text("global_id") or f"{event.text('id')}@{here.host}",
        title=title,
        start=event.text("start_date"),
        end=event.text("end_date"),
        zone=event.text("timezone"),
        is_all_day=event.is_true("all_day"),
        status=_STATUSES.get(event.text("event_status"), "confirmed"),
        is_online=is_virtual,
        url=event.text("url"),
        online_url=event.text("virtual_url") if is_virtual else "",
        venue=venue,
        organizer=organizer_of(organizer.text("organizer"), organizer.text("website", "url")),
        categories=[*event.texts("categories"), *event.texts("tags")],
        price=event.text("cost").casefold() if event.text("cost").casefold() == "free" else event.text("cost"),
        description=event.markup("description", "excerpt"),
    )


def _venue(venue: Item) -> Venue | None:
    return venue_of(
        venue.text("venue"),
        address_of(
            venue.text("address"),
            venue.text("city"),
            f"{venue.text('stateprovince', 'state', 'province')} {venue.text('zip')}".strip(),
        ),
        city=venue.text("city"),
        country=venue.text("country"),
        lat=venue.number("geo_lat"),
        lon=venue.number("geo_lng"),
    )
