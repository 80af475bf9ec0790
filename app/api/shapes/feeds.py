"""The shapes of answers about personal calendars."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.api.shapes.frame import Links, Meta, Shape


class Feed(Shape):
    id: str = Field(examples=["9f86d081884c7d65"])
    name: str = Field(examples=["Picks on my phone"])
    kind: Literal["picks", "saved", "topic", "community", "near"]
    subject: str | None = Field(description="Slug of its topic, or id of its community.", examples=[None])
    created_at: datetime


class FeedList(Shape):
    data: list[Feed]
    meta: Meta
    links: Links


class FeedWithAddresses(Feed):
    url: str = Field(description="A secret, shown once.", examples=["https://adjacent.example/f/adj_f_….ics"])
    webcal_url: str = Field(
        description="Opens the calendar program of Apple's and others.",
        examples=["webcal://adjacent.example/f/adj_f_….ics"],
    )
    google_url: str = Field(examples=["https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Fadjacent.example…"])
    outlook_url: str = Field(examples=["https://outlook.live.com/calendar/0/addfromweb?url=https%3A%2F%2F…"])


class NewFeedAnswer(Shape):
    data: FeedWithAddresses
