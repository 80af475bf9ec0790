"""The shapes of answers to what people say of picks and want to see no more of."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.api.shapes.frame import Links, Meta, Shape
from app.people.feedback import Kind


class FeedbackGiven(Shape):
    event: str
    kind: Kind
    note: str | None
    changed: list[str]


class FeedbackAnswer(Shape):
    data: FeedbackGiven


class HiddenThing(Shape):
    kind: Literal["topic", "community"]
    subject: str
    name: str
    hidden_at: datetime


class HiddenList(Shape):
    data: list[HiddenThing]
    meta: Meta
    links: Links


class HidingChanged(Shape):
    kind: Literal["topic", "community"]
    subject: str
    name: str
    changed: list[str]


class HidingAnswer(Shape):
    data: HidingChanged
