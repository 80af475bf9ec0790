"""Step 2, reading: Eventbrite's organiser API (v3), and what its organiser and search pages are made from.

Shapes seen: v3 and `__SERVER_DATA__` in geeksforsocialchange/PlaceCal, v3 with cancelled events in
hackgvl/hackgreenville-com.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Problem, Reading, Status, Venue, Window
from scrapers.sites.items import Item, items_of
from scrapers.sites.told import Here, Told, address_of, organizer_of, price_of, reading_of, venue_of

_STATUSES: dict[str, Status] = {
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "postponed": "postponed",
    "draft": "tentative",
}
_SEARCHES = ("search_data.events.results", "events.results")


def read_eventbrite(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return an organiser's or a search's events on Eventbrite, or None if this is neither."""
    if not isinstance(document, Mapping):
        return None
    page = Item(document)
    found = [*_of_search(page)] or [_told(event) for event in _of_organiser(page)]
    is_empty = document.get("events") == [] and "object_count" in page.item("pagination").told
    if not found and not is_empty:
        return None
    pagination = page.item("pagination")
    more = [
        Problem("more_pages", "eventbrite", f"page 1 of {pagination.text('page_count')}; the others are not read")
        for _ in range(pagination.is_true("has_more_items"))
    ]
    return reading_of(found, Here(url, window, zone), kind="eventbrite", problems=more)


def _of_organiser(page: Item) -> Iterator[Item]:
    shown = page.item("view_data.events")
    listed = [*shown.items("future_events"), *shown.items("past_events")] if shown.told else []
    for event in listed or items_of(page.value("events")) or [page]:
        # A series stands for its dates, which are listed beside it; its own start and end are the first and the last.
        if event.has("name", "start", "url") and event.text("start.utc") and not event.is_true("is_series_parent"):
            yield event


def _told(event: Item) -> Told:
    organizer, venue = event.item("organizer"), event.item("venue")
    return Told(
        uid=f"{event.text('id')}@eventbrite.com" if event.text("id") else "",
        title=event.text("name.text", "name"),
        start=event.text("start.utc"),
        end="" if event.is_true("hide_end_date") else event.text("end.utc"),
        zone=event.text("start.timezone"),
        status=_STATUSES.get(event.text("status"), "confirmed"),
        is_online=event.is_true("online_event"),
        url=event.text("url"),
        venue=_venue(venue),
        organizer=organizer_of(organizer.text("name"), organizer.text("url")),
        categories=[event.text("category.name", "category.short_name"), event.text("format.short_name")],
        language=event.text("locale", "language").replace("_", "-"),
        price=_price(event),
        description=event.markup("description.html", "description.text", "summary"),
    )


def _of_search(page: Item) -> Iterator[Told]:
    """Yield the results of a search page, which tell day, time and zone apart."""
    for event in (each for path in _SEARCHES for each in page.items(path)):
        if not event.has("name", "start_date", "url"):
            continue
        venue, organizer = event.item("primary_venue"), event.item("primary_organizer")
        yield Told(
            uid=f"{event.text('eventbrite_event_id', 'id')}@eventbrite.com",
            title=event.text("name"),
            start=f"{event.text('start_date')} {event.text('start_time')}".strip(),
            end=f"{event.text('end_date')} {event.text('end_time')}".strip(),
            zone=event.text("timezone"),
            status="cancelled" if event.is_true("is_cancelled") else "confirmed",
            is_online=event.is_true("is_online_event"),
            url=event.text("url"),
            venue=None if event.is_true("is_online_event") else _venue(venue),
            organizer=organizer_of(organizer.text("name"), organizer.text("url")),
            categories=event.texts("tags", "display_name"),
            price=_price(event),
            description=event.markup("summary"),
        )


def _venue(venue: Item) -> Venue | None:
    address = venue.item("address")
    return venue_of(
        venue.text("name"),
        address.text("localized_address_display")
        or address_of(address.text("address_1"), address.text("city"), address.text("postal_code")),
        city=address.text("city"),
        country=address.text("country"),
        lat=venue.number("latitude", "address.latitude"),
        lon=venue.number("longitude", "address.longitude"),
    )


def _price(event: Item) -> str:
    tickets = event.item("ticket_availability")
    if event.is_true("is_free") or tickets.is_true("is_free"):
        return "free"
    return event.text("price_range") or price_of(
        tickets.text("minimum_ticket_price.major_value"),
        tickets.text("maximum_ticket_price.major_value"),
        currency=tickets.text("minimum_ticket_price.currency"),
    )
