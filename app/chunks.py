"""Ids and names a few at a time: a statement takes only so many parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

CHUNK = 500  # parameters a statement: SQLite's oldest limit is 999

T = TypeVar("T")


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yield the items in their order, at most `size` at a time."""
    waiting = list(items)
    for start in range(0, len(waiting), size):
        yield waiting[start : start + size]
