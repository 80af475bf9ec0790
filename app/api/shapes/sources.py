"""The shapes of answers about sources and how they fare."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.api.shapes.frame import Links, Meta, Shape

State = Literal["new", "ok", "unchanged", "quiet", "failing", "gone", "paused"]


class Source(Shape):
    id: int = Field(examples=[7])
    url: str = Field(examples=["https://book-arts.example/events.ics"])
    name: str | None = Field(examples=["Book Arts Guild"])
    kind: str = Field(examples=["icalendar"])
    state: State
    state_since: datetime | None = Field(description="`null`: since it was added.", examples=[None])
    city: str | None = Field(description="Of events that name none.", examples=["Munich"])
    zone: str = Field(examples=["Europe/Berlin"])
    events: int = Field(description="Upcoming ones.", examples=[4])
    listed: int = Field(description="Events it holds, past ones included.", examples=[12])
    last_good_at: datetime | None
    last_fetch_at: datetime | None
    next_fetch_at: datetime | None = Field(description="`null`: paused, gone, or never fetched.")
    failures: int = Field(description="In a row.", examples=[0])
    error_code: str | None = Field(examples=[None])
    error: str | None = Field(examples=[None])
    is_demo: bool = Field(description="Of the demonstration city.", examples=[False])


class SourceAnswer(Shape):
    data: Source


class SourceList(Shape):
    data: list[Source]
    meta: Meta
    links: Links


class Collected(Shape):
    state: Literal["fetched", "unchanged"]
    added: int = Field(examples=[4])
    changed: int = Field(examples=[1])
    cancelled: int = Field(examples=[0])
    merged: int = Field(examples=[0])


class CollectedAnswer(Shape):
    data: Collected
