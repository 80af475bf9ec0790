"""Step 2, reading: where a schema.org Event takes place: in a hall, behind a link, or both."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from scrapers.draft import Venue
from scrapers.graph import Graph, Node, literal, types
from scrapers.text import clean_url

_ONLINE_WORDS = re.compile(
    r"\b(?:online|virtual|webinar|zoom|livestream|remote)\b(?:\W+(?:event|meeting|only))?\W*", re.IGNORECASE
)

_SPELLINGS = {  # schema.org's, then data-vocabulary's
    "street": ("streetAddress", "street-address"),
    "city": ("addressLocality", "locality"),
    "region": ("addressRegion", "region"),
    "code": ("postalCode", "postal-code"),
    "country": ("addressCountry", "country-name"),
}


def venue_of(graph: Graph, places: list[Any]) -> Venue | None:
    """Return the first of these places that stands on the ground."""
    venues = (_venue(graph, place) for place in places if not is_virtual(graph, place))
    return next(filter(None, venues), None)


def online_url_of(graph: Graph, places: list[Any], base: str) -> str | None:
    """Return where to join online, if a place is a link or a VirtualLocation with one."""
    links = (
        graph.text(place, "url", "@id") if isinstance(place, Mapping) else graph.words(place)
        for place in places
        if is_virtual(graph, place)
    )
    return next(filter(None, (clean_url(link, base) for link in links if "/" in link)), None)


def is_virtual(graph: Graph, place: Any) -> bool:
    if isinstance(place, Mapping) and "VirtualLocation" in types(place):
        return True
    words = graph.words(place)
    return _ONLINE_WORDS.fullmatch(words) is not None or words.startswith(("http://", "https://"))


def _venue(graph: Graph, place: Any) -> Venue | None:
    if not isinstance(place, Mapping):
        text = literal(place)
        return Venue(name=text) if text else None
    postal = place if "PostalAddress" in types(place) else next(iter(graph.nodes(place, "address")), None)
    lat, lon = _coordinates(graph, place)
    venue = Venue(
        name=next(filter(None, (literal(name) for name in graph.values(place, "name"))), None),
        address=_address(graph, place, postal),
        city=(graph.text(postal, *_SPELLINGS["city"]) or None) if postal else None,
        country=(graph.text(postal, *_SPELLINGS["country"]) or None) if postal else None,
        lat=lat,
        lon=lon,
    )
    return venue if venue != Venue() else None


def _address(graph: Graph, place: Node, postal: Node | None) -> str | None:
    if postal is None:
        return next(filter(None, (literal(text) for text in graph.values(place, "address"))), None)
    street, city, region, code = (
        graph.text(postal, *_SPELLINGS[name]) for name in ("street", "city", "region", "code")
    )
    # "5 Elm St, Nashville, TN 37203", but "Am Kai 7, 20457 Hamburg"
    lines = (street, city, f"{region} {code}") if region else (street, f"{code} {city}")
    return ", ".join(filter(None, (line.strip() for line in lines))) or None


def _coordinates(graph: Graph, place: Node) -> tuple[float | None, float | None]:
    for node in (*graph.nodes(place, "geo"), place):
        lat = _degrees(graph.text(node, "latitude"), 90)
        lon = _degrees(graph.text(node, "longitude"), 180)
        if lat is not None and lon is not None and (lat or lon):  # 0, 0 is where forms left empty lie
            return lat, lon
    return None, None


def _degrees(text: str, limit: int) -> float | None:
    try:
        degrees = float(text)
    except ValueError:
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= limit else None
