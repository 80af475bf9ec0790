"""Step 2, reading: the events that posts of a Discourse forum announce (`/discourse-post-event/events.json`).

Shape seen: acceptance tests of discourse/discourse-calendar; what recurrences mean: its `rrule_configurator.rb`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Window
from scrapers.locations import is_online_in_words, meeting_url, read_venue
from scrapers.sites.items import Item
from scrapers.sites.told import Here, Told, organizer_of, reading_of
from scrapers.times import parse_when
from scrapers.zone_names import resolve_zone

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_RULES = {
    "every_day": "FREQ=DAILY",
    "every_weekday": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "every_week": "FREQ=WEEKLY",
    "every_two_weeks": "FREQ=WEEKLY;INTERVAL=2",
    "every_four_weeks": "FREQ=WEEKLY;INTERVAL=4",
}


def read_discourse(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of a forum, or None if this is not its list."""
    if not isinstance(document, Mapping) or not isinstance(document.get("events"), list):
        return None
    events = [event for event in Item(document).items("events") if event.has("starts_at", "post")]
    if not events and (document["events"] or "discourse-post-event" not in url):
        return None
    here = Here(url, window, zone)
    return reading_of((_told(event, here) for event in events), here, kind="discourse")


def _told(event: Item, here: Here) -> Told:
    place = event.text("location")
    post = event.item("post")
    creator = event.text("creator.name", "creator.username")
    online_url = meeting_url(f"{place} {event.text('url')}") or ""
    is_cancelled = event.is_true("is_closed", "is_cancelled", "is_canceled")
    return Told(
        uid=f"{event.text('id')}@{here.host}",
        title=event.text("name", "post.topic.title"),
        start=event.text("starts_at"),
        end=event.text("ends_at"),
        zone=event.text("timezone"),
        status="cancelled" if is_cancelled else "confirmed",
        is_online=is_online_in_words(place),
        url=post.text("url") or event.text("url"),
        online_url=online_url,
        venue=read_venue(place),
        organizer=organizer_of(creator),
        categories=[post.text("topic.category_name"), *post.texts("topic.tags")],
        description=event.markup("description"),
        recurrence=_recurrence(event),
    )


def _recurrence(event: Item) -> tuple[str, ...]:
    name = event.text("recurrence")
    rule = _RULES.get(name)
    if name == "every_month":
        rule = _same_day_of_month(event.text("starts_at"), event.text("timezone"))
    if rule is None:
        return ()
    until = "".join(char for char in event.text("recurrence_until")[:19] if char not in "-:")
    return (f"RRULE:{rule}" + (f";UNTIL={until}Z" if len(until) == len("20261203T190000") else ""),)


def _same_day_of_month(text: str, zone: str) -> str | None:
    """Return the rule of "the second Tuesday", the forum's meaning of every month."""
    when = parse_when(text, zone=UTC)
    if when is None:
        return None
    start = when.at.astimezone(resolve_zone(zone) or UTC)
    return f"FREQ=MONTHLY;BYDAY={(start.day - 1) // 7 + 1}{_DAYS[start.weekday()]}"
