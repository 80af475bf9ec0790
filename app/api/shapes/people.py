"""The shapes of answers about a person, their map and their digest."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.api.parameters import Purpose
from app.api.shapes.frame import Shape
from app.words.wording import LANGUAGES
from recommender.reach import Reach


class Known(Shape):
    slug: str = Field(examples=["javascript"])
    label: str = Field(examples=["JavaScript"])
    level: int = Field(description="1 (a little) to 5 (a master).", examples=[4])


class Person(Shape):
    id: str = Field(examples=["9f86d081884c7d65"])
    email: str | None = Field(description="`null`: a guest.", examples=[None])
    zone: str = Field(description="IANA name.", examples=["Europe/Berlin"])
    near: str | None = Field(examples=["Munich"])
    lat: float | None = Field(examples=[48.137])
    lon: float | None = Field(examples=[11.575])
    within_km: float = Field(examples=[50.0])
    online: bool = Field(examples=[True])
    reach: Reach = Field(description="How far picks look: what was chosen, moved by feedback.", examples=["one-step"])
    chosen_reach: Reach = Field(examples=["one-step"])
    days: int = Field(description="How far ahead.", examples=[21])
    languages: list[str] = Field(examples=[["en", "de"]])
    purposes: list[Purpose] = Field(examples=[["learn", "exchange"]])
    free_only: bool = Field(examples=[False])
    know: list[Known]
    created_at: datetime


class PersonAnswer(Shape):
    data: Person


class MapTopic(Shape):
    slug: str = Field(examples=["typography"])
    label: str = Field(examples=["Typography"])
    domain: str = Field(examples=["visual-design"])
    events: int = Field(description="I could go to.", examples=[3])
    source: str | None = Field(description="The known topic it is reached from.", examples=["javascript"])
    reach: Reach = Field(examples=["one-step"])
    score: float = Field(examples=[0.42])


class TopicMap(Shape):
    known: list[Known]
    ring: list[MapTopic]
    far: list[MapTopic]


class TopicMapAnswer(Shape):
    data: TopicMap


class LastDigest(Shape):
    week: str = Field(examples=["2026-W48"])
    state: Literal["due", "sending", "sent", "unknown", "failed", "skipped", "bounced"]
    at: datetime


class Subscription(Shape):
    state: Literal["on", "paused", "off", "no-address", "unconfirmed", "unsubscribed", "bounced", "complained"]
    rhythm: Literal["weekly", "fortnightly", "monthly", "worthwhile", "off"]
    weekday: int = Field(description="1 is Monday.", examples=[2])
    hour: int = Field(description="In `zone`.", examples=[8])
    zone: str = Field(examples=["Europe/Berlin"])
    language: Literal[LANGUAGES] = Field(examples=["en"])  # type: ignore[valid-type]
    next_at: datetime | None
    paused_until: datetime | None = Field(examples=[None])
    email: str | None = Field(examples=["ada@example.org"])
    last: LastDigest | None


class SubscriptionAnswer(Shape):
    data: Subscription
