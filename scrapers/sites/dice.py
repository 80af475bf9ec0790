"""Step 2, reading: what DICE's venue profiles and pages (`__NEXT_DATA__`) tell of events.

Shape seen: `venue_profiles` in skullface/sceneland-chi; the pages are made of the same objects.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Status, Venue, Window
from scrapers.sites.items import Item, every_item, page_properties
from scrapers.sites.told import Here, Told, price_of, reading_of, venue_of

_STATUSES: dict[str, Status] = {"cancelled": "cancelled", "postponed": "postponed", "rescheduled": "rescheduled"}


def read_dice(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of a venue, promoter or event on DICE, or None if there is none."""
    found = every_item(page_properties(document), "name", "dates")
    events = {event.text("id", "name"): event for event in found if event.text("dates.event_start_date")}
    if not events:
        return None
    here = Here(url, window, zone)
    return reading_of(map(_told, events.values()), here, kind="dice")


def _told(event: Item) -> Told:
    slug = event.text("perm_name")
    cents = [event.number("price.amount_from", "price.amount"), event.number("price.amount")]
    return Told(
        uid=f"{event.text('id')}@dice.fm" if event.text("id") else "",
        title=event.text("name"),
        start=event.text("dates.event_start_date"),
        end=event.text("dates.event_end_date"),
        zone=event.text("dates.timezone"),
        status=_STATUSES.get(event.text("status"), "confirmed"),
        url=urljoin("https://dice.fm/event/", slug) if slug else event.text("social_links.event_share"),
        venue=_venue(next(iter(event.items("venues")), Item({}))),
        categories=[*event.texts("tags_types", "title"), *event.texts("genre_tags")],
        price=price_of(*(f"{each / 100:.2f}" for each in cents if each), currency=event.text("price.currency")),
        description=event.markup("about.description", "description"),
    )


def _venue(venue: Item) -> Venue | None:
    return venue_of(
        venue.text("name"),
        venue.text("address"),
        city=venue.text("city.name"),
        country=venue.text("city.country_name", "city.country"),
        lat=venue.number("location.lat"),
        lon=venue.number("location.lng"),
    )
