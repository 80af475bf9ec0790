"""The shapes of answers about events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.api.shapes.frame import Links, Meta, Shape
from scrapers.draft import Mode, Status

EventId = Annotated[str, Field(description="Permanent.", examples=["k5xw2v3nqt7mzb4c"])]
Title = Annotated[str, Field(examples=["An evening of wood type"])]
StartsAt = Annotated[
    datetime, Field(description="With the offset of its place.", examples=["2026-12-03T18:30:00+01:00"])
]
WebAddress = Annotated[str | None, Field(examples=["https://book-arts.example/wood-type"])]


class Venue(Shape):
    name: str | None = Field(examples=["Book Arts Workshop"])
    address: str | None = Field(examples=["Hof 3, 80331 Munich"])
    city: str | None = Field(examples=["Munich"])
    country: str | None = Field(description="ISO 3166-1, two letters.", examples=["DE"])
    lat: float | None = Field(examples=[48.137])
    lon: float | None = Field(examples=[11.575])


class Named(Shape):
    name: str | None = Field(examples=["Book Arts Guild"])
    url: WebAddress


class CommunityName(Shape):
    id: str = Field(examples=["book-arts-guild-3fa9c1"])
    name: str = Field(examples=["Book Arts Guild"])


class EventName(Shape):
    id: EventId
    title: Title
    starts_at: StartsAt


class EventTopic(Shape):
    slug: str = Field(examples=["typography"])
    label: str = Field(examples=["Typography"])
    weight: float = Field(description="How much it is about this, from 0 to 1.", examples=[0.82])


class EventFacts(Shape):
    """What is told of an event wherever it is shown, stored or only read from a page."""

    title: Title
    starts_at: StartsAt
    ends_at: datetime | None = Field(examples=["2026-12-03T21:00:00+01:00"])
    zone: str = Field(description="IANA name.", examples=["Europe/Berlin"])
    all_day: bool = Field(examples=[False])
    status: Status = Field(examples=["confirmed"])
    mode: Mode = Field(examples=["in_person"])
    url: WebAddress


class Event(EventFacts):
    id: EventId
    online_url: str | None = Field(examples=[None])
    venue: Venue
    organizer: Named
    community: CommunityName | None
    topics: list[EventTopic] = Field(description="Strongest first.")
    purpose: dict[str, float] = Field(
        description="What people come for, in shares: `learn`, `exchange`, `sell`, `recruit`, `social`.",
        examples=[{"learn": 0.7, "exchange": 0.2, "social": 0.1}],
    )
    categories: list[str] = Field(description="As the source calls them.", examples=[["Workshop"]])
    language: str | None = Field(description="BCP 47.", examples=["en"])
    price: str | None = Field(examples=["12 EUR"])
    is_free: bool | None = Field(description="`null`: not told.", examples=[False])
    description: str = Field(examples=["Set a line of wood type and print it."])
    sequence: int = Field(description="Rises when time, place or status change.", examples=[0])
    updated_at: datetime = Field(examples=["2026-11-20T07:12:00+00:00"])
    deleted: bool = Field(description="Withdrawn by all its sources, or merged into another.", examples=[False])
    merged_into: str | None = Field(description="Id of the event that stands for this one.", examples=[None])


class SourceVersion(Shape):
    version: int = Field(examples=[17])
    source: str = Field(examples=["https://book-arts.example/events.ics"])
    uid: str = Field(examples=["wood-type@book-arts.example"])
    recurrence_id: str | None = Field(examples=[None])
    title: Title
    starts_at: StartsAt
    url: WebAddress
    first_seen_at: datetime
    last_seen_at: datetime
    withdrawn_at: datetime | None = Field(examples=[None])
    why: str | None = Field(description="Why it is one event with those before it.", examples=[None])


class EventStep(Shape):
    at: datetime
    source: str | None = Field(
        description="Which gave reason to; `null`: a person.", examples=["https://book-arts.example/events.ics"]
    )
    changed: dict[str, list[Any]] = Field(
        description="Before and after, by field.", examples=[{"venue_name": ["Studio", "Book Arts Workshop"]}]
    )


class WholeEvent(Event):
    provenance: dict[str, str] = Field(
        description="Which source each field comes from.",
        examples=[{"title": "https://book-arts.example/events.ics"}],
    )
    purpose_phrases: list[str] = Field(
        description="Words of the listing that `purpose` rests on.", examples=[["hands-on workshop"]]
    )
    sources: list[SourceVersion] = Field(description="What each source says, first told first.")
    history: list[EventStep] = Field(description="Oldest first.")


class EventAnswer(Shape):
    data: WholeEvent


class FeedItem(Shape):
    id: str = Field(examples=["https://adjacent.example/e/k5xw2v3nqt7mzb4c"])
    url: str = Field(examples=["https://adjacent.example/e/k5xw2v3nqt7mzb4c"])
    external_url: WebAddress = None
    title: str = Field(examples=["An evening of wood type · Thu 3 Dec, 18:30"])
    content_text: str = Field(examples=["When: Thu 3 Dec 2026, 18:30–21:00 (Europe/Berlin)\nWhere: Hof 3, Munich"])
    date_published: datetime
    date_modified: datetime
    tags: list[str] = Field(default_factory=list, examples=[["Typography"]])
    language: str | None = Field(None, examples=["en"])
    event: Event = Field(alias="_event")


class JsonFeed(Shape):
    """JSON Feed 1.1; `_event` is the event as the list shows it."""

    version: Literal["https://jsonfeed.org/version/1.1"]
    title: str = Field(examples=["Adjacent"])
    home_page_url: str = Field(examples=["https://adjacent.example/"])
    feed_url: str = Field(examples=["https://adjacent.example/api/v1/feed.json"])
    description: str = Field(examples=["Events that the filters of this address find"])
    items: list[FeedItem]


class EventList(Shape):
    data: list[Event]
    meta: Meta
    links: Links
