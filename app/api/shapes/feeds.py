"""The shapes of answers about personal calendars."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.api.shapes.frame import Links, Meta, Shape


class Feed(Shape):
    id: str
    name: str
    kind: Literal["picks", "saved", "topic", "community", "near"]
    subject: str | None
    created_at: datetime


class FeedList(Shape):
    data: list[Feed]
    meta: Meta
    links: Links


class NewFeed(Feed):
    url: str
    webcal_url: str
    google_url: str
    outlook_url: str


class NewFeedAnswer(Shape):
    data: NewFeed
