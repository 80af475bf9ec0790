"""Step 2, reading: Meetup's group and event pages, its GraphQL answers, and the REST payloads people still keep.

Shapes seen: pages in hiancdtrsnm/meetup-notifier (`__NEXT_DATA__` with `__APOLLO_STATE__`), GraphQL and REST v3 in
hackgvl/hackgreenville-com, REST v2 in calagator/calagator and muxer-dev/event-pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Mode, Reading, Status, Venue, Window
from scrapers.sites.items import Item, every_item, items_of, page_properties
from scrapers.sites.told import Here, Told, address_of, organizer_of, price_of, reading_of, venue_of

_MODES: dict[str, Mode] = {"ONLINE": "online", "HYBRID": "hybrid"}
_CANCELLED = frozenset({"cancelled", "canceled", "cancelled_perm", "autosched_cancelled"})


def read_meetup(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of a group or event on Meetup, or None if this is neither."""
    events = list(_of_page(page_properties(document))) or list(_of_graphql(document))
    told: Iterable[Told] = map(_told, events) if events else map(_told_in_rest, _of_rest(document))
    told = list(told)
    if not told and not _is_group(document):
        return None
    return reading_of(told, Here(url, window, zone), kind="meetup")


def _of_page(properties: Any) -> Iterator[Item]:
    """Yield what the page is about, not the similar events of others that it recommends."""
    if not isinstance(properties, Mapping):
        return
    page = Item(properties)
    cache = page.item("__APOLLO_STATE__").told
    if (own := page.item("event")).has("dateTime", "title"):
        yield Item(own.told, cache)
        return
    number, group = page.text("eventId"), page.text("urlname").casefold()
    for name, node in cache.items():
        if name.startswith("Event:") and isinstance(node, Mapping):
            event = Item(node, cache)
            host = event.text("group.urlname").casefold()
            if number in ("", event.text("id")) and (not group or host in ("", group)) and event.has("dateTime"):
                yield event


def _of_graphql(document: Any) -> Iterator[Item]:
    if isinstance(document, Mapping) and "data" in document:
        yield from every_item(document, "title", "dateTime")


def _is_group(document: Any) -> bool:
    """Tell whether this is a group, which may have nothing planned."""
    page = page_properties(document)
    cache = Item(page).item("__APOLLO_STATE__") if isinstance(page, Mapping) else Item({})
    asked = Item(document).item("data.groupByUrlname") if isinstance(document, Mapping) else Item({})
    return any(name.startswith("Group:") for name in cache.told) or "events" in asked.told


def _told(event: Item) -> Told:
    group, venue = event.item("group"), event.item("venue")
    kind = event.text("eventType")
    return Told(
        uid=_uid(event.text("token", "id")),
        title=event.text("title"),
        start=event.text("dateTime"),
        end=event.text("endTime"),
        zone=event.text("timezone", "group.timezone"),
        status=_status(event),
        mode=_MODES.get(kind),
        is_online=kind == "ONLINE" or event.is_true("isOnline"),
        url=event.text("eventUrl", "link"),
        venue=_venue(venue) if kind != "ONLINE" else None,
        organizer=organizer_of(group.text("name"), _group_address(group)),
        categories=[
            *(topic.text("node.name") for topic in event.items("topics.edges")),
            *group.texts("topics"),
        ],
        price=price_of(event.text("feeSettings.amount"), currency=event.text("feeSettings.currency")),
        description=event.markup("description"),
    )


def _of_rest(document: Any) -> Iterator[Item]:
    listed = document.get("results") if isinstance(document, Mapping) and "results" in document else document
    for event in items_of(listed):
        if event.has("group", "time", "name") and event.number("time") and event.text("group.urlname"):
            yield event


def _told_in_rest(event: Item) -> Told:
    """Version 2 tells milliseconds and an offset, version 3 local date and time as well."""
    group = event.item("group")
    length = event.number("duration")
    venue = _venue(event.item("venue"))
    kind = event.text("eventType")
    is_placed = venue is not None and venue.lat is not None
    return Told(
        uid=_uid(event.text("id")),
        title=event.text("name"),
        start=event.number("time"),
        length=timedelta(milliseconds=length) if length and length < 1e10 else None,
        zone=group.text("timezone") or ("" if is_placed else _offset(event.number("utc_offset"))),
        status=_status(event),
        mode=_MODES.get(kind),
        is_online=event.is_true("is_online_event"),
        url=event.text("link", "event_url"),
        venue=venue if kind != "ONLINE" else None,
        organizer=organizer_of(group.text("name"), _group_address(group)),
        categories=group.texts("topics"),
        price=price_of(event.text("fee.amount"), currency=event.text("fee.currency")),
        description=event.markup("description"),
    )


def _uid(number: str) -> str:
    return f"event_{number}@meetup.com" if number else ""  # as in Meetup's own calendars


def _status(event: Item) -> Status:
    return "cancelled" if event.text("status").casefold() in _CANCELLED else "confirmed"


def _venue(venue: Item) -> Venue | None:
    return venue_of(
        venue.text("name"),
        address_of(venue.text("address", "address_1"), venue.text("city"), venue.text("state"), venue.text("zip")),
        city=venue.text("city"),
        country=venue.text("localized_country_name") or venue.text("country").upper(),
        lat=venue.number("lat"),
        lon=venue.number("lng", "lon"),
    )


def _group_address(group: Item) -> str:
    name = group.text("urlname")
    return f"https://www.meetup.com/{name}/" if name else ""


def _offset(milliseconds: float | None) -> str:
    return f"UTC{round(milliseconds / 3_600_000):+d}" if milliseconds else ""
