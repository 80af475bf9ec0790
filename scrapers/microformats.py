"""Step 2, reading: h-event and hCalendar, as nodes like those of JSON-LD."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from scrapers.graph import Node
from scrapers.mf2 import event_items

_CLOCK_ONLY = re.compile(r"\d{1,2}:\d\d(?::\d\d)?(Z|[+-]\d\d:?\d\d)?")
_OFFSET = re.compile(r"(?<=:\d\d)(?:Z|[+-]\d\d:?\d\d)$")
_ADDRESS = {
    "street-address": "streetAddress",
    "locality": "addressLocality",
    "region": "addressRegion",
    "postal-code": "postalCode",
    "country-name": "addressCountry",
}


def has_microformats(text: str) -> bool:
    return "h-event" in text or "vevent" in text


def microformat_items(tree: LexborHTMLParser) -> list[Node]:
    """Return the events of a page; those within another event are its parts."""
    return [_event(item) for item in event_items(tree)]


def _event(item: Mapping[str, Any]) -> Node:
    told = item["properties"]
    starts = _texts(told.get("start"))
    parts = [*item.get("children", []), *(value for values in told.values() for value in values)]
    return {
        "@type": "Event",
        "name": _texts(told.get("name")),
        "url": _texts(told.get("url")),
        "startDate": starts,
        "endDate": [_dated(end, starts) for end in _texts(told.get("end"))],
        "duration": _texts(told.get("duration")),
        "description": _texts(told.get("content") or told.get("description") or told.get("summary")),
        "location": [_place(value) for value in told.get("location", [])] + _geo(told),
        "organizer": [_party(value) for value in told.get("organizer", [])],
        "keywords": _texts(told.get("category")),
        "eventStatus": _texts(told.get("status")),
        "subEvent": [_event(part) for part in parts if _is_event(part)],
    }


def _is_event(value: Any) -> bool:
    return isinstance(value, dict) and "h-event" in value.get("type", [])


def _dated(end: str, starts: list[str]) -> str:
    """Return the end with the day and the offset of the start, where only the clock was told."""
    clock = _CLOCK_ONLY.fullmatch(end)
    if clock is None or not starts:
        return end
    offset = _OFFSET.search(starts[0])
    return f"{starts[0][:10]}T{end}{offset[0] if offset and not clock[1] else ''}"


def _place(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    told = value.get("properties", {})
    addresses = [told, *(inner["properties"] for inner in told.get("adr", []) if isinstance(inner, dict))]
    postal = {
        ours: texts
        for address in addresses
        for theirs, ours in _ADDRESS.items()
        if (texts := _texts(address.get(theirs)))
    }
    return {
        "@type": "Place",
        "name": _texts(told.get("name")) or ([] if postal else _texts([value])),
        "address": {"@type": "PostalAddress", **postal} if postal else _texts(told.get("adr")),
        "geo": _geo(told) or _coordinates(told),
    }


def _geo(told: Mapping[str, Any]) -> list[Node]:
    return [
        node
        for value in told.get("geo", [])
        for node in _coordinates(value.get("properties", {}) if isinstance(value, dict) else _split(value))
    ]


def _split(text: str) -> dict[str, list[str]]:
    lat, _, lon = text.partition(";")
    return {"latitude": [lat.strip()], "longitude": [lon.strip()]}


def _coordinates(told: Mapping[str, Any]) -> list[Node]:
    lat, lon = _texts(told.get("latitude")), _texts(told.get("longitude"))
    return [{"@type": "GeoCoordinates", "latitude": lat, "longitude": lon}] if lat and lon else []


def _party(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    told = value.get("properties", {})
    return {"name": _texts(told.get("name")) or _texts([value]), "url": _texts(told.get("url"))}


def _texts(values: Any) -> list[str]:
    texts = (value["value"] if isinstance(value, dict) else value for value in values or [])
    return [text for text in texts if text]
