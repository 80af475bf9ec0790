"""The shapes of answers about events."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from app.api.shapes.frame import Links, Meta, Shape
from scrapers.draft import Mode, Status


class Venue(Shape):
    name: str | None
    address: str | None
    city: str | None
    country: str | None
    lat: float | None
    lon: float | None


class Named(Shape):
    name: str | None
    url: str | None


class CommunityName(Shape):
    id: str
    name: str


class EventTopic(Shape):
    slug: str
    label: str
    weight: float


class Event(Shape):
    id: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    all_day: bool
    status: Status
    mode: Mode
    url: str | None
    online_url: str | None
    venue: Venue
    organizer: Named
    community: CommunityName | None
    topics: list[EventTopic]
    purpose: dict[str, float]
    categories: list[str]
    language: str | None
    price: str | None
    is_free: bool | None
    description: str
    sequence: int
    updated_at: datetime
    deleted: bool
    merged_into: str | None  # the id of the event that stands for this one


class SourceVersion(Shape):
    version: int
    source: str
    uid: str
    recurrence_id: str | None
    title: str
    starts_at: datetime
    url: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    withdrawn_at: datetime | None
    why: str | None  # it is one event with those before it


class EventStep(Shape):
    at: datetime
    source: str | None  # that gave reason to; None: a person
    changed: dict[str, list[Any]]  # field → before, after


class WholeEvent(Event):
    provenance: dict[str, str]
    purpose_phrases: list[str]
    sources: list[SourceVersion]
    history: list[EventStep]  # oldest first


class EventAnswer(Shape):
    data: WholeEvent


class FeedItem(Shape):
    id: str
    url: str
    external_url: str | None = None
    title: str
    content_text: str
    date_published: datetime
    date_modified: datetime
    tags: list[str] = Field(default_factory=list)
    language: str | None = None
    event: Event = Field(alias="_event")


class JsonFeed(Shape):
    """JSON Feed 1.1; `_event` is the event as the list shows it."""

    version: Literal["https://jsonfeed.org/version/1.1"]
    title: str
    home_page_url: str
    feed_url: str
    description: str
    items: list[FeedItem]


class EventList(Shape):
    data: list[Event]
    meta: Meta
    links: Links


class NextEvent(Shape):
    id: str
    title: str
    starts_at: datetime
