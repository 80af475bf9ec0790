"""Step 2, reading: h-event and hCalendar, as nodes like those of JSON-LD."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import Problem
from scrapers.graph import Node

MOST_MICROFORMATS = 500  # of one page or feed; mf2py reads some 700 a second
_ROOTS = ".h-event, .vevent"
_CLOCK_ONLY = re.compile(r"\d{1,2}:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?")
_ADDRESS = {
    "street-address": "streetAddress",
    "locality": "addressLocality",
    "region": "addressRegion",
    "postal-code": "postalCode",
    "country-name": "addressCountry",
}


def has_microformats(text: str) -> bool:
    return "h-event" in text or "vevent" in text


def too_many() -> Problem:
    return Problem("too_many_events", "microformats", f"only the first {MOST_MICROFORMATS} are read")


def microformat_items(tree: LexborHTMLParser, base: str) -> tuple[list[Node], list[Problem]]:
    """Return the events of a page; those within another event are its parts."""
    import mf2py  # noqa: PLC0415 (with all it brings along it takes 0.4 s, and few pages need it)

    items: list[Node] = []
    problems = []
    for number, markup in enumerate(_outermost(tree), start=1):
        if number > MOST_MICROFORMATS:
            problems.append(too_many())
            break
        try:
            # html5lib, which mf2py prefers, needs minutes for a few kilobytes of wrong nesting.
            parsed = mf2py.parse(doc=f"<body>{markup}</body>", url=base, html_parser="lxml")
        except RecursionError:
            problems.append(Problem("too_deep", f"microformat {number}", "it is nested too deeply to be read"))
            continue
        items += _events(parsed["items"])
    return items, problems


def _outermost(tree: LexborHTMLParser) -> Iterator[str]:
    """Yield the markup of each event that lies in no other; mf2py takes seconds for what is around them."""
    inside: set[int] = set()
    for node in tree.css(_ROOTS):
        if node.mem_id not in inside:
            inside.update(inner.mem_id for inner in node.css(_ROOTS))
            yield node.html or ""


def _events(items: list[Any]) -> Iterator[Node]:
    for item in items:
        if "h-event" in item["type"]:
            yield _event(item)
        else:
            yield from _events(item.get("children", []))


def _event(item: Mapping[str, Any]) -> Node:
    told = item["properties"]
    starts = _texts(told.get("start"))
    parts = [*item.get("children", []), *(value for values in told.values() for value in values if _is_event(value))]
    return {
        "@type": "Event",
        "name": _texts(told.get("name")),
        "url": _texts(told.get("url")),
        "startDate": starts,
        "endDate": [_dated(end, starts) for end in _texts(told.get("end"))],
        "duration": _texts(told.get("duration")),
        "description": _markup(told.get("content")) or _markup(told.get("description")) or _texts(told.get("summary")),
        "location": [_place(value) for value in told.get("location", [])] + _geo(told),
        "organizer": [_party(value) for value in told.get("organizer", [])],
        "keywords": _texts(told.get("category")),
        "eventStatus": _texts(told.get("status")),
        "subEvent": list(_events(parts)),
    }


def _is_event(value: Any) -> bool:
    return isinstance(value, dict) and "h-event" in value.get("type", [])


def _dated(end: str, starts: list[str]) -> str:
    """Return the end with the day of the start, where only the clock was told."""
    return f"{starts[0][:10]}T{end}" if starts and _CLOCK_ONLY.fullmatch(end) else end


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
    texts = (value.get("value", "") if isinstance(value, dict) else value for value in values or [])
    return [text for text in texts if isinstance(text, str) and text]


def _markup(values: Any) -> list[str]:
    return [value["html"] for value in values or [] if isinstance(value, dict) and value.get("html")] or _texts(values)
