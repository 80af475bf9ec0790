"""Step 2, platforms: looking into JSON of unknown shape, where what is missing or odd is simply empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scrapers.graph import literal

MOST_ITEMS = 10_000  # of one list that are looked at
MOST_VALUES = 300_000  # of one document that are searched


@dataclass(frozen=True, slots=True)
class Item:
    """One JSON object of unknown shape. A path is keys joined by dots; what is missing is empty, whatever the type.

    In a normalised cache, as Apollo keeps one, `{"__ref": key}` stands for an object among `others`.
    """

    told: Mapping[str, Any]
    others: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def value(self, path: str) -> Any:
        value: Any = self.told
        for key in path.split("."):
            value = _followed(value.get(key), self.others) if isinstance(value, dict) else None
        return value

    def text(self, *paths: str) -> str:
        """Return the first text or number at these paths, on one line, without tags and entities."""
        return next(filter(None, (literal(self.value(path)) for path in paths)), "")

    def markup(self, *paths: str) -> str:
        """Return the first text at these paths as it was written."""
        values = (self.value(path) for path in paths)
        return next((value for value in values if isinstance(value, str) and value.strip()), "")

    def number(self, *paths: str) -> float | None:
        for path in paths:
            value = self.value(path)
            if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,15}(?:\.\d{1,15})?", value.strip()):
                value = float(value)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15:
                return float(value)
        return None

    def is_true(self, *paths: str) -> bool:
        return any(self.value(path) in (True, "true", "True") for path in paths)

    def item(self, *paths: str) -> Item:
        values = (self.value(path) for path in paths)
        return Item(next((value for value in values if isinstance(value, dict)), {}), self.others)

    def items(self, path: str) -> list[Item]:
        return items_of(self.value(path), self.others)

    def texts(self, path: str, name: str = "name") -> list[str]:
        """Return the texts of a list; of objects in it, what they say under `name`."""
        values = self.value(path)
        told = values if isinstance(values, list) else []
        found = (literal(value.get(name)) if isinstance(value, dict) else literal(value) for value in told)
        return [text for text in found if text]

    def has(self, *keys: str) -> bool:
        return all(key in self.told for key in keys)


def items_of(value: Any, others: Mapping[str, Any] | None = None) -> list[Item]:
    """Return the objects of a list, or an object alone."""
    cache = others or {}
    values = value[:MOST_ITEMS] if isinstance(value, list) else [value]
    found = (_followed(each, cache) for each in values)
    return [Item(each, cache) for each in found if isinstance(each, dict)]


def _followed(value: Any, others: Mapping[str, Any]) -> Any:
    if isinstance(value, dict) and isinstance(reference := value.get("__ref"), str):
        return others.get(reference)
    return value


def page_properties(document: Any) -> Any:
    """Return what a Next.js page was made from (`__NEXT_DATA__`), or the document itself where it is none."""
    properties = Item(document).value("props.pageProps") if isinstance(document, dict) else None
    return document if properties is None else properties


def every_item(document: Any, *keys: str) -> Iterator[Item]:
    """Yield the objects that have all of these keys, wherever they are; what is inside one of them is part of it."""
    wanted = frozenset(keys)
    waiting: list[Any] = [document]
    for _ in range(MOST_VALUES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, dict):
            if wanted <= value.keys():
                yield Item(value)
            else:
                waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value[:MOST_ITEMS])
