"""The shapes of answers about what people bring back from an evening."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.api.shapes.events import Event, EventName
from app.api.shapes.frame import Shape


class Takeaway(Shape):
    event: EventName
    learned: str = Field(examples=["Big letters are set from the middle."])
    to_tell: str = Field(examples=["The design team"])
    would_go_again: bool | None = Field(examples=[True])
    topic: str | None = Field(description="Slug of what it added to the map.", examples=["typography"])
    told_at: datetime | None


class AskedEvening(Shape):
    event: Event
    topics: list[str] = Field(description="Labels that may become known.", examples=[["Typography"]])


class Takeaways(Shape):
    data: list[Takeaway]
    question: AskedEvening | None = Field(description="The last evening nothing was said of.")


class TakeawayChanged(Shape):
    event: str = Field(examples=["k5xw2v3nqt7mzb4c"])
    changed: list[str] = Field(examples=[["Typography joined what you know."]])


class TakeawayAnswer(Shape):
    data: TakeawayChanged
