"""Step 2, reading: HTML microdata and RDFa Lite, as nodes like those of JSON-LD."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from scrapers.graph import Node, local_name
from scrapers.text import plain_text

_DEEPEST_ITEM = 30
_LINKS = {
    "a": "href",
    "area": "href",
    "link": "href",
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "source": "src",
    "track": "src",
    "video": "src",
    "object": "data",
}
_MACHINE_VALUES = {"data": "value", "meter": "value", "time": "datetime"}
_PROSE = frozenset({"name", "summary", "description"})  # said in words even where a link is wrapped around them
_VOCABULARIES = (
    "http://schema.org/",
    "https://schema.org/",
    "http://data-vocabulary.org/",
    "http://rdf.data-vocabulary.org/#",
)
_HAS_TYPES = re.compile(r"(?:typeof|TYPEOF)\s*=")  # scripts use the word without the sign
# Types of the vocabularies we read, and names of our own for those; "schema" is one that needs no declaration.
_NAMES_VOCABULARY = (
    re.compile(r"vocab\s*=", re.IGNORECASE),
    re.compile(r"typeof\s*=\s*[\"']?[^\"'>]*(?:schema:|://)", re.IGNORECASE),
    re.compile(
        r"prefix\s*=\s*[\"'][^\"'>]*(?:(?<!schema):\s+https?://schema\.org|data-vocabulary\.org)", re.IGNORECASE
    ),
    re.compile(r"xmlns:[\w-]+\s*=\s*[\"']?https?://(?:schema|(?:rdf\.)?data-vocabulary)\.org", re.IGNORECASE),
)


def has_microdata(text: str) -> bool:
    return "itemscope" in text or "ITEMSCOPE" in text


def microdata_items(tree: LexborHTMLParser) -> list[Node]:
    """Return the items of a page that are no property of another one (HTML standard, §5)."""
    return _Microdata(tree).top_items()


class _Microdata:
    def __init__(self, tree: LexborHTMLParser) -> None:
        self._scopes = tree.css("[itemscope]")
        has_references = any("itemref" in node.attributes for node in self._scopes)
        named = tree.css("[id]") if has_references else []
        self._by_id = {node.attributes["id"]: node for node in reversed(named)}
        self._built: dict[int, dict[str, Any]] = {}
        self._parts: set[int] = set()

    def top_items(self) -> list[Node]:
        items = [self._item(node, 0) for node in self._scopes]
        return [row for item in items if id(item) not in self._parts for row in _rows(item)]

    def _item(self, scope: LexborNode, depth: int) -> dict[str, Any]:
        key = scope.mem_id
        if key in self._built:
            return self._built[key]  # perhaps still being built, where itemref leads in a circle
        attributes = scope.attributes
        item: dict[str, Any] = {"@type": (attributes.get("itemtype") or "").split()}
        if identifier := attributes.get("itemid"):
            item["@id"] = identifier
        self._built[key] = item
        for element, names in self._properties(scope):
            value: Any
            if "itemscope" not in element.attributes:
                value = _value(element, names)
            elif depth < _DEEPEST_ITEM:
                value = self._item(element, depth + 1)
                self._parts.add(id(value))
            else:
                continue
            for name in names:
                item.setdefault(name, []).append(value)
        return item

    def _properties(self, scope: LexborNode) -> Iterator[tuple[LexborNode, list[str]]]:
        references = [
            self._by_id[name] for name in (scope.attributes.get("itemref") or "").split() if name in self._by_id
        ]
        waiting = [*reversed(references), *reversed(list(scope.iter()))]
        while waiting:
            element = waiting.pop()
            attributes = element.attributes
            if names := [local_name(name) for name in (attributes.get("itemprop") or "").split()]:
                yield element, names
            if "itemscope" not in attributes:
                waiting += reversed(list(element.iter()))


def _rows(item: dict[str, Any]) -> list[Node]:
    """Return an item for each row where a whole table of events was marked up as one, as some city calendars do."""
    number = len(item.get("startDate", []))
    if number < 2 or len(item.get("name") or item.get("summary", [])) != number:
        return [item]
    return [
        {
            name: values[row] if len(values) == number and not name.startswith("@") else values
            for name, values in item.items()
        }
        for row in range(number)
    ]


def has_rdfa(text: str) -> bool:
    """Tell whether a page may hold RDFa that we read; most of it is written by Drupal in other words."""
    return _HAS_TYPES.search(text) is not None and any(named.search(text) for named in _NAMES_VOCABULARY)


def rdfa_items(tree: LexborHTMLParser) -> list[Node]:
    """Return the subjects that a page describes in RDFa Lite with schema.org's words, or the older data-vocabulary's.

    Vocabularies are names here; nothing is ever fetched.
    """
    subjects: dict[str, dict[str, Any]] = {}
    items: list[Node] = []
    parts: set[int] = set()
    waiting: list[tuple[LexborNode, str, Mapping[str, str], dict[str, Any] | None]] = []
    if tree.root is not None:
        waiting.append((tree.root, "", {"schema": "https://schema.org/"}, None))
    while waiting:
        element, vocabulary, prefixes, subject = waiting.pop()
        attributes = element.attributes
        if attributes:
            vocabulary = (attributes.get("vocab") or vocabulary).strip()
            prefixes = {**prefixes, **declared} if (declared := _prefixes(attributes)) else prefixes
            types = _known(attributes["typeof"], vocabulary, prefixes) if "typeof" in attributes else []
            names = _known(attributes["property"], vocabulary, prefixes) if "property" in attributes else []
            name = attributes.get("about") or (attributes.get("resource") if types or not names else None)
            inner = subject
            if types or (name and not names):
                inner = subjects.setdefault(name, {"@id": name}) if name else {}
                if types:
                    inner["@type"] = [*inner.get("@type", []), *types]
                    items.append(inner)
            if names and subject is not None:
                value: Any = inner if types else _value(element, names, resource=attributes.get("resource"))
                if types:
                    parts.add(id(inner))
                for property_name in names:
                    subject.setdefault(property_name, []).append(value)
            subject = inner
        waiting += [(child, vocabulary, prefixes, subject) for child in reversed(list(element.iter()))]
    return [item for item in items if id(item) not in parts]


def _prefixes(attributes: Mapping[str, str | None]) -> dict[str, str]:
    words = (attributes.get("prefix") or "").split()
    declared = {name.removesuffix(":"): address for name, address in zip(words[::2], words[1::2], strict=False)}
    spelled_old = {name[6:]: address for name, address in attributes.items() if name.startswith("xmlns:") and address}
    return declared | spelled_old


def _known(terms: str | None, vocabulary: str, prefixes: Mapping[str, str]) -> list[str]:
    """Return the local names of the terms that belong to a vocabulary we read."""
    known = []
    for term in (terms or "").split():
        prefix, separator, rest = term.partition(":")
        if not separator:
            full = f"{vocabulary.rstrip('/')}/{term}" if not vocabulary.endswith("#") else vocabulary + term
        elif rest.startswith("//"):
            full = term
        else:
            full = prefixes.get(prefix, "") + rest
        if full.startswith(_VOCABULARIES):
            known.append(local_name(full))
    return known


def _value(element: LexborNode, names: list[str], *, resource: str | None = None) -> str:
    attributes = element.attributes
    tag = element.tag or ""
    if (content := attributes.get("content")) is not None:  # on any element, as search engines take it
        return content
    machine_value = attributes.get(_MACHINE_VALUES.get(tag, "datetime"))
    if machine_value:
        return machine_value
    if not _PROSE.isdisjoint(names):
        return plain_text(element.inner_html or "")
    return resource or attributes.get(_LINKS.get(tag, "")) or plain_text(element.inner_html or "")
