"""Step 2, reading: what an event costs, in a few words, as schema.org Offers tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from scrapers.graph import Graph, Node, literal

LONGEST_PRICE = 60
_AMOUNT = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,4})?|\d{1,9},\d{1,2}")
_PRICES = ("price", "lowPrice", "highPrice", "minPrice", "maxPrice")


def price_of(graph: Graph, node: Node) -> str | None:
    """Return "free", "12 EUR", "10–25 EUR", or the words of the source where they are no number; None if unknown."""
    if graph.text(node, "isAccessibleForFree", "free").casefold() == "true" or _is_true(graph, node):
        return "free"
    told = list(_told(graph, node))
    amounts = sorted({(amount, currency) for text, currency in told if (amount := _amount(text)) is not None})
    if not amounts:
        return next((text[:LONGEST_PRICE] for text, _ in told if text), None)
    (lowest, currency), (highest, _) = amounts[0], amounts[-1]
    if highest == 0:
        return "free"
    span = _shown(lowest) if lowest == highest else f"{_shown(lowest)}–{_shown(highest)}"
    return f"{span} {currency}".rstrip()


def _is_true(graph: Graph, node: Node) -> bool:
    return True in graph.values(node, "isAccessibleForFree", "free")


def _told(graph: Graph, node: Node) -> Iterator[tuple[str, str]]:
    """Yield prices with their currencies ("" if none)."""
    for offer in graph.values(node, "offers"):
        if not isinstance(offer, Mapping):
            text = literal(offer)
            if any(char.isdigit() for char in text) or text.casefold() == "free":
                yield text, ""
            continue
        parts = [offer, *graph.nodes(offer, "priceSpecification"), *graph.nodes(offer, "offers")]
        currency = next(filter(None, (graph.text(part, "priceCurrency", "currency") for part in parts)), "")
        for part in parts:
            for name in _PRICES:
                if text := graph.text(part, name):
                    yield text, currency


def _amount(text: str) -> Decimal | None:
    if not _AMOUNT.fullmatch(text):
        return None
    has_decimal_comma = re.fullmatch(r"\d+,\d{1,2}", text) is not None
    return Decimal(text.replace(",", "." if has_decimal_comma else ""))


def _shown(amount: Decimal) -> str:
    return str(int(amount)) if amount == int(amount) else f"{amount:.2f}"
