"""Step 2, reading: plain lists of events, as FullCalendar, schedulers and scripts write them: a title and a start.

Shapes seen: FullCalendar's in City-Bureau/city-scrapers-akr, Kendo's scheduler in city-scrapers-cle, Finalsite's in
city-scrapers-atl, AEM's in City-Bureau/city-scrapers (Illinois), PredictHQ's in predicthq/sdk-py.
The last reader to be asked: any list will do in which most objects have a title and a start that is a date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Venue, Window
from scrapers.locations import is_online_in_words, meeting_url, read_venue
from scrapers.sites.items import Item, items_of
from scrapers.sites.told import Here, Told, organizer_of, reading_of, venue_of
from scrapers.times import parse_when

_TITLES = ("title", "Title", "name", "eventTitle", "summary")
_STARTS = ("start", "Start", "startDate", "start_date", "starts_at", "startTime", "start_time", "date")
_ENDS = ("end", "End", "endDate", "end_date", "ends_at", "endTime", "end_time")
_LISTS = ("events", "items", "results", "data", "eventFeedItemList")
_ALL_DAY = ("allDay", "AllDay", "IsAllDay", "all_day")
_CANCELLED = ("cancelled", "canceled", "isCancelled", "canceledEvent", "is_cancelled")
_CITY = re.compile(r"([^,\d]{2,40}), ([A-Z]{2})")
_NET_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")  # what Microsoft's serialiser made of dates


def read_plain_list(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the events of such a list, or None if this is none."""
    rows = [row for row in _rows(document) if not row.has("@type")]  # what schema.org describes is read as that
    dated = [row for row in rows if row.text(*_TITLES) and _is_date(_start(row), zone)]
    if not dated or len(dated) * 2 < len(rows):
        return None
    here = Here(url, window, zone)
    told = (_told(row, here) for row in rows if row.text(*_TITLES))
    return reading_of(told, here, kind="plain_list")


def _rows(document: Any) -> list[Item]:
    if isinstance(document, list):
        return items_of(document)
    if not isinstance(document, Mapping):
        return []
    named = next((document[name] for name in _LISTS if isinstance(document.get(name), list)), None)
    if named is not None:
        return items_of(named)
    # Lists by region or month: {"Europe": […], "Online": […]}
    lists = [value for value in document.values() if isinstance(value, list)]
    return [item for value in lists for item in items_of(value)] if len(lists) == len(document) else []


def _start(row: Item) -> str | float | None:
    return _moment(row, _STARTS)


def _moment(row: Item, names: tuple[str, ...]) -> str | float | None:
    for name in names:
        text = row.text(name)
        if stamp := _NET_DATE.fullmatch(text):
            return float(stamp[1])
        if len(text) > 7 and any(char in text for char in "-/.: "):
            return f"{text} {row.text('time')}".strip() if name == "date" else text
        if number := row.number(name):
            return number
    return None


def _is_date(value: str | float | None, zone: ZoneInfo) -> bool:
    # 2001 in seconds; smaller numbers count something else.
    return value > 1e9 if isinstance(value, float) else parse_when(value or "", zone=zone) is not None


def _told(row: Item, here: Here) -> Told:
    place = row.text("location", "Location", "venue")
    online_url = meeting_url(place) or row.text("online_url")
    number = row.text("id", "Id", "EventID", "event_id", "datalayerId", "uid")
    is_hybrid = row.is_true("hybrid")
    return Told(
        uid=f"{number}@{here.host}" if number else "",
        title=row.text(*_TITLES),
        start=_start(row),
        end=_moment(row, _ENDS),
        is_end_exclusive=True,
        is_all_day=row.is_true(*_ALL_DAY),
        zone=row.text("timezone", "timeZone", "StartTimezone", "startEventTimeZone"),
        status="cancelled" if row.is_true(*_CANCELLED) or row.text("state", "status") == "cancelled" else "confirmed",
        mode="hybrid" if is_hybrid else None,
        is_online=row.is_true("virtual", "online", "isOnline") or is_online_in_words(place),
        url=row.text("url", "URL", "EventUrl", "eventPath", "link", "href"),
        online_url=online_url or next(iter(row.texts("virtualList", "link")), ""),
        venue=_venue(row, place),
        organizer=organizer_of(
            row.text("organizer_name", "organizer.name", "organizer"), row.text("organizer_url", "organizer.url")
        ),
        categories=[row.text("category", "CategoryTitle"), *row.texts("tags"), *row.texts("labels")],
        description=row.markup("description", "Description", "content"),
        recurrence=_recurrence(row),
    )


def _venue(row: Item, place: str) -> Venue | None:
    if name := row.text("venue_name"):
        spot = row.item("location")
        return venue_of(
            name, row.text("venue_address"), lat=spot.number("latitude", "lat"), lon=spot.number("longitude", "lon")
        )
    if hall := next(iter(row.items("physicalList")), None):
        street = [hall.text(part) for part in ("streetLineOne", "streetLineTwo", "city", "state")]
        return venue_of(
            hall.text("locationName"),
            ", ".join(filter(None, street)),
            city=hall.text("city"),
            lat=hall.number("latitude"),
            lon=hall.number("longitude"),
        )
    spot = row.item("geo.address")
    if spot.told:
        point = row.value("geo.geometry.coordinates")
        lon, lat = point if isinstance(point, list) and len(point) == 2 else (None, None)
        return venue_of(
            address=spot.text("formatted_address"),
            city=spot.text("locality"),
            country=spot.text("country_code"),
            lat=lat if isinstance(lat, float) else None,
            lon=lon if isinstance(lon, float) else None,
        )
    if city := _CITY.fullmatch(place):
        return venue_of(city=city[1], country=city[2])
    return read_venue(place)


def _recurrence(row: Item) -> tuple[str, ...]:
    rule = row.text("RecurrenceRule", "rrule").removeprefix("RRULE:")
    excepted = row.text("RecurrenceException")
    if "FREQ=" not in rule:
        return ()
    return (f"RRULE:{rule.strip(';')}", *([f"EXDATE:{excepted.replace(';', ',').strip(',')}"] if excepted else []))
