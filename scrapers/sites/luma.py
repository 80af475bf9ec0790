"""Step 2, reading: Luma's calendars and events, from its API and from the pages that are made of the same objects.

Shapes seen: `calendar/get-items` in hackgvl/hackgreenville-com and VanJS/vanjs.github.io, `__NEXT_DATA__` of calendar
pages in web3privacy/web.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Mode, Organizer, Reading, Venue, Window
from scrapers.sites.items import Item, page_properties
from scrapers.sites.told import Here, Told, organizer_of, price_of, reading_of, venue_of

_MODES: dict[str, Mode] = {"offline": "in_person", "online": "online", "zoom": "online", "meet": "online"}


def read_luma(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of a calendar or event on Luma, or None if this is neither."""
    page = page_properties(document)
    if not isinstance(page, Mapping):
        return None
    data = Item(page).item("initialData.data", "initialData")
    shown = data if data.told else Item(page)
    listed = next((name for name in ("entries", "featured_items", "events") if _is_list(shown.value(name))), None)
    if listed is not None:
        entries = shown.items(listed)
    else:
        entries = [shown] if shown.text("event.api_id").startswith("evt-") else []
    entries = [entry for entry in entries if entry.item("event").has("api_id", "start_at")]
    is_empty = listed == "entries" and "has_more" in shown.told and not shown.told[listed]
    if not entries and not is_empty:
        return None
    calendar = shown.item("calendar")
    return reading_of(
        (_told(entry, calendar) for entry in entries),
        Here(url, window, zone),
        kind="luma",
        name=calendar.text("name"),
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _told(entry: Item, calendar: Item) -> Told:
    event = entry.item("event")
    slug = event.text("url")
    where = event.text("location_type")
    venue = _venue(event)
    mode = _MODES.get(where, "unknown" if where == "unknown" else None)
    link = event.text("virtual_info.url", "zoom_meeting_url", "meeting_url")
    return Told(
        uid=f"{event.text('api_id')}@events.lu.ma",  # as in Luma's own calendars
        title=event.text("name"),
        start=event.text("start_at"),
        end=event.text("end_at"),
        zone=event.text("timezone"),
        status="cancelled" if event.text("status", "event_status") in ("cancelled", "canceled") else "confirmed",
        mode="hybrid" if mode == "online" and venue else mode,
        is_online=mode == "online",
        url=slug if slug.startswith("http") else f"https://lu.ma/{slug}" if slug else "",
        online_url=link,
        venue=venue,
        organizer=_organizer(entry, calendar),
        categories=[*entry.texts("tags"), *entry.texts("categories")],
        price=_price(entry.item("ticket_info")),
        description="\n\n".join(filter(None, (_description(entry), event.text("geo_address_info.description")))),
    )


def _description(entry: Item) -> str:
    return entry.markup("description_short", "event.description_short", "event.description")


def _venue(event: Item) -> Venue | None:
    place = event.item("geo_address_info", "geo_address_json")
    if event.text("geo_address_visibility") in ("guests-only", "hidden"):
        return venue_of(city=place.text("city"), country=place.text("country"))
    return venue_of(
        place.text("address"),
        place.text("full_address"),
        city=place.text("city"),
        country=place.text("country"),
        lat=event.number("coordinate.latitude", "geo_latitude"),
        lon=event.number("coordinate.longitude", "geo_longitude"),
    )


def _organizer(entry: Item, calendar: Item) -> Organizer | None:
    """Return the calendar that holds it; a personal one is called "Personal" and stands for its host."""
    holder = entry.item("calendar") if entry.item("calendar").told else calendar
    hosts = entry.texts("hosts")
    if holder.is_true("is_personal") or not holder.text("name"):
        return organizer_of(hosts[0]) if hosts else None
    slug = holder.text("slug")
    address = holder.text("website") or (f"https://lu.ma/{slug}" if slug else "")
    return organizer_of(holder.text("name"), address)


def _price(tickets: Item) -> str:
    if tickets.is_true("is_free"):
        return "free"
    cents = [tickets.number("price.cents", "price"), tickets.number("max_price.cents", "max_price")]
    amounts = [f"{each / 100:.2f}" for each in cents if each]
    return price_of(*amounts, currency=tickets.text("price.currency", "currency_info.currency").upper())
