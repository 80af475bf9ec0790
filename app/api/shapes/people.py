"""The shapes of answers about a person, their map and their digest."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.api.shapes.frame import Shape
from recommender.reach import Reach


class Known(Shape):
    slug: str
    label: str
    level: int


class Person(Shape):
    id: str
    email: str | None
    zone: str
    near: str | None
    lat: float | None
    lon: float | None
    within_km: float
    online: bool
    reach: Reach
    chosen_reach: Reach
    days: int
    languages: list[str]
    purposes: list[str]
    free_only: bool
    know: list[Known]
    created_at: datetime


class PersonAnswer(Shape):
    data: Person


class MapTopic(Shape):
    slug: str
    label: str
    domain: str
    events: int
    source: str | None  # the known topic it is reached from
    reach: Reach
    score: float


class TopicMap(Shape):
    known: list[Known]
    ring: list[MapTopic]
    far: list[MapTopic]


class TopicMapAnswer(Shape):
    data: TopicMap


class LastDigest(Shape):
    week: str
    state: Literal["due", "sending", "sent", "unknown", "failed", "skipped", "bounced"]
    at: datetime


class Subscription(Shape):
    state: Literal["on", "paused", "off", "no-address", "unconfirmed", "unsubscribed", "bounced", "complained"]
    rhythm: Literal["weekly", "fortnightly", "monthly", "worthwhile", "off"]
    weekday: int
    hour: int
    zone: str
    language: str
    next_at: datetime | None
    paused_until: datetime | None
    email: str | None
    last: LastDigest | None


class SubscriptionAnswer(Shape):
    data: Subscription
