"""The shapes of answers about sources and how they fare."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.api.shapes.frame import Links, Meta, Shape


class Source(Shape):
    id: int
    url: str
    name: str | None
    kind: str
    state: Literal["new", "ok", "unchanged", "quiet", "failing", "gone", "paused"]
    state_since: datetime | None  # None: since it was added
    city: str | None
    zone: str
    events: int
    listed: int
    last_good_at: datetime | None
    last_fetch_at: datetime | None
    next_fetch_at: datetime | None  # None: paused, gone, or never fetched
    failures: int
    error_code: str | None
    error: str | None
    is_demo: bool


class SourceAnswer(Shape):
    data: Source


class SourceList(Shape):
    data: list[Source]
    meta: Meta
    links: Links


class Collected(Shape):
    state: Literal["fetched", "unchanged"]
    added: int
    changed: int
    cancelled: int
    merged: int


class CollectedAnswer(Shape):
    data: Collected
