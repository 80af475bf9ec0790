"""Step 2, reading: ActivityPub Events as Mobilizon, Gancio and WordPress tell them, alone, in activities or outboxes.

Shapes seen: framasoft/mobilizon (fixtures, and its converter of events), lesion/gancio (activities, places).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Mode, Reading, Status, Venue, Window
from scrapers.sites.items import Item, items_of
from scrapers.sites.told import Here, Told, address_of, organizer_of, reading_of, venue_of

_STATUSES: dict[str, Status] = {"CANCELLED": "cancelled", "TENTATIVE": "tentative"}
_ACTIVITIES = frozenset({"Create", "Update", "Announce", "Add"})
_COLLECTIONS = frozenset({"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"})
_DEEPEST = 4  # a collection has a page, which has activities, which have events


def read_activitypub(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of an ActivityPub document, or None if it holds none."""
    events = list(_events(document))
    if not events:
        return None
    latest = {event.text("id") or str(number): event for number, event in enumerate(events)}  # an Update follows
    here = Here(url, window, zone)
    return reading_of((_told(event, here) for event in latest.values()), here, kind="activitypub")


def _events(document: Any, depth: int = 0) -> Iterator[Item]:
    if not isinstance(document, Mapping) or depth > _DEEPEST:
        return
    thing = Item(document)
    kind = thing.text("type")
    if kind == "Event" and thing.has("startTime") and not thing.is_true("draft"):
        yield thing
    elif kind in _ACTIVITIES:
        yield from _events(document.get("object"), depth + 1)
    elif kind in _COLLECTIONS:
        for name in ("orderedItems", "items"):
            for item in reversed(thing.items(name)):  # newest first there
                yield from _events(item.told, depth + 1)
        yield from _events(document.get("first"), depth + 1)


def _told(event: Item, here: Here) -> Told:
    places = items_of(event.value("location"))
    venue = next(filter(None, (_venue(place) for place in places if place.text("type") != "VirtualLocation")), None)
    links = [place.text("url") for place in places if place.text("type") == "VirtualLocation"]
    is_online = event.is_true("isOnline") or bool(links)
    if is_online:  # else Mobilizon's "Website" is just that
        links += [part.text("href") for part in event.items("attachment") if part.text("name") == "Website"]
    mode: Mode | None = "hybrid" if is_online and venue else None
    return Told(
        uid=event.text("id"),
        title=event.text("name"),
        start=event.text("startTime"),
        end=event.text("endTime"),
        zone=event.text("timezone"),
        status=_STATUSES.get(event.text("status", "ical:status").upper(), "confirmed"),
        mode=mode,
        is_online=is_online,
        url=_address(event),
        online_url=next(filter(None, links), ""),
        venue=venue,
        organizer=organizer_of(*_author(event), here.url),
        categories=[
            *(tag.text("name").lstrip("#") for tag in event.items("tag") if tag.text("type") == "Hashtag"),
            *([event.text("category").replace("_", " ").lower()] if event.text("category").isupper() else []),
        ],
        language=event.text("inLanguage"),
        description=event.markup("content", "summary"),
    )


def _address(event: Item) -> str:
    """Return where people read it: `url` is a text, or a list of links of which one is a page."""
    links = [link.text("href") for link in event.items("url") if "html" in link.text("mediaType")]
    return event.text("url") or next(iter(links), "") or event.text("id")


def _author(event: Item) -> tuple[str, str]:
    author = event.item("attributedTo")
    return (
        (author.text("name", "preferredUsername"), author.text("url", "id"))
        if author.told
        else (
            "",
            event.text("attributedTo", "actor"),
        )
    )


def _venue(place: Item) -> Venue | None:
    address = place.item("address")
    return venue_of(
        place.text("name"),
        place.text("address")
        or address_of(
            address.text("streetAddress"),
            address.text("postalCode"),
            address.text("addressLocality"),
            address.text("addressRegion"),
        ),
        city=address.text("addressLocality"),
        country=address.text("addressCountry"),
        lat=place.number("latitude"),
        lon=place.number("longitude"),
    )
