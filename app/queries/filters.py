"""Which events are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.places import Spot
from app.queries.areas import Box

PURPOSES = ("learn", "exchange", "sell", "recruit", "social")


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; what is left open does not filter."""

    start: datetime | None = None  # first start, inclusive
    end: datetime | None = None  # last start, exclusive
    words: str | None = None  # full text, all words
    topics: tuple[str, ...] = ()  # slugs, any of them
    modes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    near: Spot | None = None
    radius_km: float = 50.0
    box: Box | None = None
    language: str | None = None
    free: bool | None = None
    community: str | None = None  # its key
    purpose: str | None = None  # the strongest one
    updated_since: datetime | None = None
    include_deleted: bool = False
    include_merged: bool = False  # also what was merged into others
