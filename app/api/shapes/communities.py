"""The shapes of answers about communities."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.api.shapes.events import EventName, EventTopic
from app.api.shapes.frame import Links, Meta, Shape
from app.api.shapes.picks import Grounds
from recommender.cadence import Label
from scrapers.community_form import Kind, Openness


class Link(Shape):
    label: str = Field(examples=["Minutes"])
    url: str = Field(examples=["https://book-arts.example/minutes"])


class Activity(Shape):
    """How a community meets and whether it is alive, worked out once a day from the days on which it met."""

    label: Label
    rhythm: str | None = Field(description="RRULE (RFC 5545).", examples=["FREQ=MONTHLY;BYDAY=1TH"])
    words: str | None = Field(description="As it follows “meets”.", examples=["every first Thursday"])
    alive: float = Field(description="Chance that it has not ended.", examples=[0.97])
    again: float = Field(description="Chance that it meets within eight weeks.", examples=[0.94])
    next_on: date | None = Field(examples=["2026-12-03"])
    is_guess: bool = Field(description="`next_on` was not announced, but is likely.", examples=[False])
    per_month: float = Field(description="Meetings a month in the last quarter.", examples=[1.0])
    trend: float | None = Field(description="That, to the quarter before.", examples=[1.0])
    last_on: date | None = Field(examples=["2026-11-05"])
    weeks: list[int] = Field(description="Meetings of a year by week, oldest first.", examples=[[0, 1, 0, 0]])


class Community(Shape):
    id: str = Field(examples=["book-arts-guild-3fa9c1"])
    name: str = Field(examples=["Book Arts Guild"])
    kind: Kind
    url: str | None = Field(examples=["https://book-arts.example/"])
    description: str = Field(examples=["Printers, binders and the people who look over their shoulders."])
    topics: list[EventTopic]
    join: str | None = Field(
        description="The way in: an address, or words.", examples=["https://book-arts.example/join"]
    )
    join_steps: list[str] = Field(examples=[["Come to any open evening."]])
    channel: str | None = Field(description="Of a chat: where in it.", examples=[None])
    links: list[Link]
    code_of_conduct: str | None = Field(examples=[None])
    cost: str | None = Field(examples=["free"])
    openness: Openness | None
    purpose: dict[str, float] = Field(examples=[{"exchange": 1.0}])
    city: str | None = Field(examples=["Munich"])
    country: str | None = Field(examples=["DE"])
    lat: float | None = Field(examples=[48.137])
    lon: float | None = Field(examples=[11.575])
    is_online: bool = Field(description="All they do is online.", examples=[False])
    language: str | None = Field(examples=["en"])
    cadence: str | None = Field(description="How it meets, in words.", examples=["every first Thursday"])
    state: Label | Literal["unchecked"] | None = Field(
        description="Whether it lives; `unchecked`: only its own file says so."
    )
    activity: Activity | None = Field(description="`null` before anything is known of its dates.")
    last_active_at: date | None = Field(examples=["2026-11-05"])
    next_event: EventName | None
    upcoming: int = Field(description="Events it announces.", examples=[2])
    seen_in: str | None = Field(description="The public source that names it.", examples=[None])
    checked_at: datetime | None = Field(
        description="Last good fetch of its address; `null`: unchecked, or known from its calendar."
    )
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
