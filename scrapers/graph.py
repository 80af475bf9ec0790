"""Step 2, reading: linked data as JSON-LD, microdata, RDFa and microformats tell it, in one shape.

A node is a mapping with "@type", perhaps "@id", and properties whose values are text, numbers, nodes or lists of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from scrapers.text import looks_like_html, one_line, plain_text

Node = Mapping[str, Any]

_SCHEMA_ORG = ("http://schema.org/", "https://schema.org/")
_DEEPEST_LIST = 5
_LOCAL_NAME = re.compile(r"[^/#:]*$")


class Graph:
    """The nodes of one page, and what their references lead to."""

    def __init__(self, documents: list[Any]) -> None:
        self.documents = documents
        self._named: dict[str, Node] = {}
        for node in every_node(documents):
            name = node.get("@id")
            if isinstance(name, str) and not is_reference(node):
                self._named.setdefault(name, node)

    def values(self, node: Node, *names: str) -> list[Any]:
        """Return what the first of these properties that has any value says: flat, references followed."""
        for name in names:
            for key in _spellings(name):
                if key in node and (found := [self._followed(value) for value in _flat(node[key])]):
                    return found
        return []

    def nodes(self, node: Node, *names: str) -> list[Node]:
        return [value for value in self.values(node, *names) if isinstance(value, dict)]

    def text(self, node: Node, *names: str) -> str:
        """Return the first text these properties hold, on one line; a node stands for its name."""
        for name in names:
            for value in self.values(node, name):
                if text := self.words(value):
                    return text
        return ""

    def words(self, value: Any) -> str:
        return literal(self.text_of_node(value) if isinstance(value, dict) else value)

    def text_of_node(self, node: Node) -> str:
        return next(filter(None, (literal(value) for value in self.values(node, "name", "url"))), "")

    def _followed(self, value: Any) -> Any:
        if isinstance(value, dict) and is_reference(value):
            return self._named.get(str(value["@id"]), value)
        return value


@cache
def _spellings(name: str) -> tuple[str, ...]:
    return (name, f"schema:{name}", f"http://schema.org/{name}", f"https://schema.org/{name}")


def literal(value: Any) -> str:
    """Return a text or number on one line, without entities and tags; "" for anything else."""
    if isinstance(value, str):
        text = html.unescape(value)
        return one_line(plain_text(text) if looks_like_html(text) else text)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def symbol(value: Any) -> str:
    """Return the lower-case local name of a member of an enumeration, told as text, address or reference."""
    return local_name(literal(value.get("@id") if isinstance(value, dict) else value)).casefold()


def is_reference(node: Node) -> bool:
    return len(node) == 1 and "@id" in node


def types(node: Node) -> frozenset[str]:
    """Return the local names of a node's types ("https://schema.org/MusicEvent" → "MusicEvent")."""
    names = [name for name in _flat(node.get("@type")) if isinstance(name, str)]
    # Elsewhere additionalType leads to encyclopedias, where "Festival" is an article.
    names += [name for name in _flat(node.get("additionalType")) if str(name).startswith(_SCHEMA_ORG)]
    return frozenset(map(local_name, names))


def local_name(name: str) -> str:
    found = _LOCAL_NAME.search(name.strip().rstrip("/"))
    return found[0] if found else ""


def every_node(documents: Any) -> Iterator[Node]:
    """Yield each node once, however deep, in the order of the page."""
    waiting, seen = [documents], set[int]()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        if isinstance(value, dict):
            seen.add(id(value))
            yield value
            waiting += reversed(value.values())
        elif isinstance(value, list):
            seen.add(id(value))
            waiting += reversed(value)


def _flat(value: Any, depth: int = 0) -> list[Any]:
    if value is None or depth > _DEEPEST_LIST:
        return []
    if isinstance(value, list):
        return [inner for item in value for inner in _flat(item, depth + 1)]
    if isinstance(value, dict):
        for wrapper in ("@value", "@list", "@set"):
            if wrapper in value:
                return _flat(value[wrapper], depth + 1)
    return [value]
