"""Step 2, reading: calendars of Localist (`/api/2/events`), each instance of an event for itself.

Shapes seen: the documentation of Cornell's Drupal module as_events, and a scraper of university calendars.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Mode, Problem, Reading, Status, Venue, Window
from scrapers.sites.items import Item
from scrapers.sites.told import Here, Told, address_of, organizer_of, reading_of, venue_of

_MODES: dict[str, Mode] = {"inperson": "in_person", "virtual": "online", "hybrid": "hybrid"}
_STATUSES: dict[str, Status] = {"canceled": "cancelled", "cancelled": "cancelled", "postponed": "postponed"}


def read_localist(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the instances in a list of events, or None if this is none."""
    if not isinstance(document, Mapping):
        return None
    page = Item(document)
    listed = page.items("events") if isinstance(document.get("events"), list) else [page]
    events = [each.item("event") for each in listed if each.item("event").has("event_instances")]
    is_empty = document.get("events") == [] and page.has("page", "date")
    if not events and not is_empty:
        return None
    pages, here = page.item("page"), Here(url, window, zone)
    more = [
        Problem("more_pages", "localist", f"page {pages.text('current')} of {pages.text('total')}; others are not read")
    ]
    return reading_of(
        (told for event in events for told in _instances(event, here)),
        here,
        kind="localist",
        problems=more if (pages.number("total") or 0) > (pages.number("current") or 0) else (),
    )


def _instances(event: Item, here: Here) -> Iterator[Told]:
    kinds = [name for names in event.item("filters").told.values() for name in _names(names)]
    groups = event.items("departments") + event.items("groups")
    mode = _MODES.get(event.text("experience"))
    for each in event.items("event_instances"):
        instance = each.item("event_instance")
        yield Told(
            uid=f"{instance.text('id') or event.text('id')}@{here.host}",
            title=event.text("title"),
            start=instance.text("start"),
            end=instance.text("end"),
            zone=event.text("timezone"),
            is_all_day=instance.is_true("all_day"),
            status=_STATUSES.get(event.text("status"), "confirmed"),
            mode=mode,
            is_online=mode in ("online", "hybrid"),
            url=event.text("localist_url", "url"),
            online_url=event.text("stream_url"),
            venue=None if mode == "online" else _venue(event),
            organizer=organizer_of(groups[0].text("name"), groups[0].text("localist_url")) if groups else None,
            categories=[*kinds, *event.texts("tags"), *event.texts("keywords")],
            price="free" if event.is_true("free") else event.text("ticket_cost"),
            description=event.markup("description", "description_text"),
        )


def _names(values: Any) -> list[str]:
    return Item({"all": values}).texts("all")


def _venue(event: Item) -> Venue | None:
    place = event.item("geo")
    return venue_of(
        event.text("location_name", "location"),
        address_of(event.text("room_number"), event.text("address") or place.text("street")),
        city=place.text("city"),
        country=place.text("country"),
        lat=place.number("latitude"),
        lon=place.number("longitude"),
    )
