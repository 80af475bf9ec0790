"""The shapes of answers about communities."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from app.api.shapes.events import EventTopic, NextEvent
from app.api.shapes.frame import Links, Meta, Shape
from app.api.shapes.picks import Grounds
from recommender.cadence import Label
from scrapers.community_files import Kind, Openness


class Link(Shape):
    label: str
    url: str


class Activity(Shape):
    """How a community meets and whether it is alive, worked out once a day from the days on which it met."""

    label: Label
    rhythm: str | None  # RFC 5545 RRULE
    words: str | None  # as it follows "meets"
    alive: float  # P(it has not ended)
    again: float  # P(it meets within eight weeks)
    next_on: date | None
    is_guess: bool  # whether next_on was not announced but is likely
    per_month: float  # meetings in the last quarter, by the month
    trend: float | None  # that, to the quarter before
    last_on: date | None
    weeks: list[int]  # meetings of a year by week, the oldest first


class Community(Shape):
    id: str
    name: str
    kind: Kind
    url: str | None
    description: str
    topics: list[EventTopic]
    join: str | None
    join_steps: list[str]
    channel: str | None
    links: list[Link]
    code_of_conduct: str | None
    cost: str | None
    openness: Openness | None
    purpose: dict[str, float]
    city: str | None
    country: str | None
    lat: float | None
    lon: float | None
    is_online: bool
    language: str | None
    cadence: str | None
    state: Label | Literal["unchecked"] | None  # whether it lives; unchecked: only its own file says so
    activity: Activity | None  # None before anything is known of its dates
    last_active_at: date | None
    next_event: NextEvent | None
    upcoming: int
    seen_in: str | None  # public source that names it
    checked_at: datetime | None  # last good fetch of its address; None: unchecked, or known from its calendar
    updated_at: datetime


class CommunityAnswer(Shape):
    data: Community


class CommunityList(Shape):
    data: list[Community]
    meta: Meta
    links: Links


class CommunityPick(Grounds):
    community: Community


class CommunityPicks(Shape):
    data: list[CommunityPick]


class CommunityPickList(Shape):
    data: list[CommunityPick]
    meta: Meta
    links: Links
