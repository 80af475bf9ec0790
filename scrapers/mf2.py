"""Step 2, reading: the microformats2 parsing rules for events, cards and addresses, and their classic class names.

https://microformats.org/wiki/microformats2-parsing; gives items of the canonical JSON's shape. mf2py, which follows
all the rules, reads 700 events a second and nests as deep as a page wants; this reads what events are made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from scrapers.text import one_line

Item = dict[str, Any]  # {"type": […], "properties": {name: [text or Item]}, "children": [Item]}

_DEEPEST = 12
# A list, since utility classes ("h-full", "h-auto") look like roots as well.
_ROOTS = frozenset(
    [
        "h-adr",
        "h-card",
        "h-cite",
        "h-entry",
        "h-event",
        "h-feed",
        "h-geo",
        "h-item",
        "h-product",
        "h-recipe",
        "h-resume",
        "h-review",
        "h-review-aggregate",
    ]
)
_CLASSIC_ROOTS = {
    "adr": "h-adr",
    "geo": "h-geo",
    "hentry": "h-entry",
    "hproduct": "h-product",
    "hrecipe": "h-recipe",
    "hresume": "h-resume",
    "hreview": "h-review",
    "hreview-aggregate": "h-review-aggregate",
    "vcard": "h-card",
    "vevent": "h-event",
}
_ADDRESS = {
    name: f"p-{name}"
    for name in ("street-address", "extended-address", "locality", "region", "postal-code", "country-name")
}
_CLASSIC_PROPERTIES: dict[str, dict[str, str]] = {
    "h-event": {
        "summary": "p-name",
        "dtstart": "dt-start",
        "dtend": "dt-end",
        "duration": "dt-duration",
        "description": "p-description",
        "url": "u-url",
        "category": "p-category",
        "location": "p-location",
        "geo": "p-geo",
        "organizer": "p-organizer",
        "status": "p-status",
    },
    "h-card": {"fn": "p-name", "org": "p-org", "url": "u-url", "adr": "p-adr", "geo": "p-geo", **_ADDRESS},
    "h-adr": {**_ADDRESS, "geo": "p-geo"},
    "h-geo": {"latitude": "p-latitude", "longitude": "p-longitude"},
}
_PROPERTY = re.compile(r"(?:p|u|dt|e)-[a-z]+(?:-[a-z]+)*")
_LINKS = {"a": "href", "area": "href", "link": "href", "img": "src", "audio": "src", "video": "src", "object": "data"}
_TITLED, _VALUED, _DATED, _PICTURES = ("abbr", "link"), ("data", "input"), ("time", "ins", "del"), ("img", "area")

_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{4}-\d{3}")
_CLOCK = re.compile(
    r"(\d{1,2})(?::(\d\d))?(?::(\d\d))?\s*(?:([ap])\.?m\.?)?\s*(Z|[+-]\d\d?:?(?:\d\d)?)?", re.IGNORECASE
)
_OFFSET = re.compile(r"Z|[+-]\d\d?:?(?:\d\d)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Root:
    type: str
    is_classic: bool


def event_items(tree: LexborHTMLParser) -> Iterator[Item]:
    """Yield the events that lie in no other event, in the order of the page."""
    inside: set[int] = set()
    for node in tree.css(".h-event, .vevent"):
        if node.mem_id in inside:
            continue
        inside.update(inner.mem_id for inner in node.css(".h-event, .vevent"))
        root = _root(node)
        if root is not None:
            yield _item(node, root, 0)


def _classes(node: LexborNode) -> list[str]:
    return (node.attributes.get("class") or "").split()


def _root(node: LexborNode) -> _Root | None:
    names = _classes(node)
    modern = next((name for name in names if name in _ROOTS), None)
    if modern is not None:
        return _Root("h-event" if "h-event" in names else modern, is_classic=False)
    classic = next((name for name in names if name in _CLASSIC_ROOTS), None)
    return _Root(_CLASSIC_ROOTS[classic], is_classic=True) if classic else None


def _item(node: LexborNode, root: _Root, depth: int) -> Item:
    properties: dict[str, list[Any]] = {}
    children: list[Item] = []
    item: Item = {"type": [root.type], "properties": properties, "children": children}
    kinds: set[str] = set()
    waiting = list(reversed(list(node.iter())))
    while waiting:
        element = waiting.pop()
        inner = _root(element)
        names = _properties(element, root)
        nested = _item(element, inner, depth + 1) if inner is not None and depth < _DEEPEST else None
        for kind, _, name in (full.partition("-") for full in names):
            kinds.add(kind)
            value = _value(element, kind) if nested is None else {**nested, "value": _value(element, kind)}
            properties.setdefault(name, []).append(value)
        if inner is None:
            waiting += reversed(list(element.iter()))
        elif nested is not None and not names:
            children.append(nested)
    if not root.is_classic:
        _imply(node, properties, kinds=kinds, has_nested=bool(children))
    return item


def _properties(element: LexborNode, root: _Root) -> list[str]:
    names = _classes(element)
    if root.is_classic:
        known = _CLASSIC_PROPERTIES.get(root.type, {})
        return [known[name] for name in names if name in known]
    return [name for name in names if _PROPERTY.fullmatch(name)]


def _imply(node: LexborNode, properties: dict[str, list[Any]], *, kinds: set[str], has_nested: bool) -> None:
    """Add what a short form leaves unsaid: `<a class="h-card" href="/ann">Ann</a>` has a name and an address."""
    if "name" not in properties and not kinds & {"p", "e"} and not has_nested:
        properties["name"] = [_value(node, "p")]
    if "url" not in properties and "u" not in kinds and not has_nested:
        inside = node.css("a[href]")
        links = [node] if node.tag == "a" else inside[:1] if len(inside) == 1 else []
        properties["url"] = [link.attributes["href"] for link in links if link.attributes.get("href")]


def _value(element: LexborNode, kind: str) -> str:
    attributes, tag = element.attributes, element.tag or ""
    told: str | None = None
    if kind == "u":
        told = attributes.get(_LINKS.get(tag, ""))
    elif kind == "dt" and (pieces := list(_value_class(element, is_date=True))):
        return _date_of(pieces)
    elif kind == "e":
        return element.inner_html or ""
    if kind in ("p", "u") and (pieces := list(_value_class(element, is_date=False))):
        told = told or "".join(pieces)
    return told or _own_value(element, is_date=kind == "dt")


def _own_value(element: LexborNode, *, is_date: bool) -> str:
    attributes, tag = element.attributes, element.tag or ""
    told = None
    if is_date and tag in _DATED:
        told = attributes.get("datetime")
    elif tag in _TITLED:
        told = attributes.get("title")
    elif tag in _VALUED:
        told = attributes.get("value")
    elif tag in _PICTURES:
        told = attributes.get("alt")
    if is_date and told and _DATE.fullmatch(told):
        return _as_calendar_day(told)
    return told if told is not None else one_line(_text(element))


def _text(element: LexborNode) -> str:
    """Return the text of an element as it is shown: blocks and breaks divide words, scripts say nothing."""
    parts: list[str] = []
    waiting: list[LexborNode | str] = [element]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            parts.append(node)
        elif node.is_text_node:
            parts.append(node.text_content or "")
        elif node.tag in ("img", "area"):
            parts.append(f" {node.attributes.get('alt') or ''} ")
        elif node.tag not in ("script", "style", "template"):
            space = " " if node.tag in ("br", "p", "div", "li", "td", "tr", "h1", "h2", "h3", "h4", "dd", "dt") else ""
            waiting += [space, *reversed(list(node.iter(include_text=True))), space]
    return "".join(parts)


def _value_class(element: LexborNode, *, is_date: bool) -> Iterator[str]:
    """Yield the pieces of the value class pattern (https://microformats.org/wiki/value-class-pattern)."""
    waiting = list(reversed(list(element.iter())))
    while waiting:
        node = waiting.pop()
        names = _classes(node)
        if "value-title" in names:
            yield node.attributes.get("title") or ""
        elif "value" in names:
            yield _own_value(node, is_date=is_date).strip() if is_date else _own_value(node, is_date=False)
        elif _root(node) is None:
            waiting += reversed(list(node.iter()))


def _date_of(pieces: list[str]) -> str:
    """Return day, clock and offset, told apart in any order, as ISO 8601; or the pieces as they are."""
    day = clock = offset = ""
    for piece in pieces:
        if _DATE.fullmatch(piece):
            day = day or _as_calendar_day(piece)
        elif _OFFSET.fullmatch(piece):
            offset = offset or piece
        elif found := _CLOCK.fullmatch(piece):
            clock, offset = clock or _as_clock(found), offset or found[5] or ""
        else:
            return " ".join(pieces)
    return f"{day}T{clock}{_as_offset(offset)}".removeprefix("T") if clock else day


def _as_clock(found: re.Match[str]) -> str:
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + (12 if found[4].casefold() == "p" else 0)
    return f"{hour:02d}:{found[2] or '00'}:{found[3] or '00'}"


def _as_offset(text: str) -> str:
    found = re.fullmatch(r"([+-])(\d\d?):?(\d\d)?", text)
    return f"{found[1]}{int(found[2]):02d}:{found[3] or '00'}" if found else text.upper()


def _as_calendar_day(text: str) -> str:
    """Return 2009-06-26 for 2009-177."""
    if len(text) == 10:
        return text
    year, day = text.split("-")
    return f"{date(int(year), 1, 1) + timedelta(days=int(day) - 1):%Y-%m-%d}"
