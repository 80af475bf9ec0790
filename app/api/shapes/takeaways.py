"""The shapes of answers about what people bring back from an evening."""

from __future__ import annotations

from datetime import datetime

from app.api.shapes.events import Event
from app.api.shapes.frame import Shape


class Attended(Shape):
    id: str
    title: str
    starts_at: datetime


class Takeaway(Shape):
    event: Attended
    learned: str
    to_tell: str
    would_go_again: bool | None
    topic: str | None  # slug of what it added to the map
    told_at: datetime | None


class Question(Shape):
    event: Event
    topics: list[str]  # labels that may become known


class Takeaways(Shape):
    data: list[Takeaway]
    question: Question | None


class TakeawayChanged(Shape):
    event: str
    changed: list[str]


class TakeawayAnswer(Shape):
    data: TakeawayChanged
