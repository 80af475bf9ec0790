"""Step 2, reading: chapters and events on Bevy (Google Developer Groups and many others).

Shapes seen: `event_slim` and event details in gdgindonesia/mobile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from scrapers.draft import Mode, Problem, Reading, Window
from scrapers.sites.items import Item
from scrapers.sites.told import Here, Told, address_of, organizer_of, reading_of, venue_of

_MODES: dict[str, Mode] = {"IN_PERSON": "in_person", "VIRTUAL": "online", "HYBRID": "hybrid"}
_SIGNS = frozenset(
    {"event_type_title", "audience_type", "chapter", "chapter_title", "description_short", "static_url", "event_type"}
)


def read_bevy(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return a chapter's events, a search's, or one event on Bevy; None if this is none of them."""
    if not isinstance(document, Mapping):
        return None
    page = Item(document)
    is_list = isinstance(document.get("results"), list)
    events = [event for event in (page.items("results") if is_list else [page]) if _is_event(event)]
    is_empty = is_list and not document["results"] and page.has("pagination", "links") and "event_slim" in url
    if not events and not is_empty:
        return None
    more = [Problem("more_pages", "bevy", f"the list goes on at {page.text('links.next')}, which is not read")]
    here = Here(url, window, zone)
    told = (_told(event, here) for event in events if not event.is_true("is_hidden", "is_test"))
    return reading_of(told, here, kind="bevy", problems=more if page.text("links.next") else ())


def _is_event(event: Item) -> bool:
    return event.has("title", "start_date") and not _SIGNS.isdisjoint(event.told)


def _told(event: Item, here: Here) -> Told:
    chapter = event.item("chapter")
    mode = _MODES.get(event.text("audience_type"))
    venue = venue_of(
        event.text("venue_name"),
        address_of(event.text("venue_address"), event.text("venue_city"), event.text("venue_zip_code")),
        city=event.text("venue_city") or (chapter.text("city") if mode in ("in_person", "hybrid") else ""),
        country=chapter.text("country_name", "country") if mode in ("in_person", "hybrid") else "",
    )
    number = event.text("id")
    return Told(
        uid=f"{number}@{here.host or urlsplit(event.text('url', 'static_url')).hostname}" if number else "",
        title=event.text("title"),
        start=event.text("start_date_iso", "start_date"),
        end=event.text("end_date_iso", "end_date"),
        zone=event.text("event_timezone", "chapter.timezone"),
        status="cancelled" if event.text("status").casefold() in ("canceled", "cancelled") else "confirmed",
        mode=mode,
        # Every event has an address to join; only for those said to be online it leads anywhere.
        is_online=mode in ("online", "hybrid"),
        url=event.text("url", "static_url", "relative_url"),
        online_url=event.text("join_virtual_event_url", "attendee_virtual_venue_link")
        if mode in ("online", "hybrid")
        else "",
        venue=None if mode == "online" else venue,
        organizer=organizer_of(event.text("chapter.title", "chapter_title"), chapter.text("url"), here.url),
        categories=[*event.texts("tags"), event.text("event_type_title")],
        description=event.markup("description", "description_short"),
    )
