"""The shapes of answers to what people say of picks and want to see no more of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.api.shapes.events import EventName
from app.api.shapes.frame import Links, Meta, Shape
from app.people.feedback import Kind

Changed = Annotated[
    list[str],
    Field(
        description="What that changed, in words.", examples=[["“An evening of wood type” stands in your calendar."]]
    ),
]
Subject = Annotated[str, Field(description="A topic's slug or a community's id.", examples=["typography"])]
Name = Annotated[str, Field(examples=["Typography"])]


class FeedbackGiven(Shape):
    event: str = Field(examples=["k5xw2v3nqt7mzb4c"])
    kind: Kind
    note: str | None = Field(examples=[None])
    changed: Changed


class FeedbackAnswer(Shape):
    data: FeedbackGiven


class SaidOfEvent(Shape):
    event: EventName
    kind: Kind
    note: str | None = Field(examples=[None])
    given_at: datetime


class SaidList(Shape):
    data: list[SaidOfEvent] = Field(description="Newest first.")
    meta: Meta
    links: Links


class HiddenThing(Shape):
    kind: Literal["topic", "community"]
    subject: Subject
    name: Name
    hidden_at: datetime


class HiddenList(Shape):
    data: list[HiddenThing]
    meta: Meta
    links: Links


class HidingChanged(Shape):
    kind: Literal["topic", "community"]
    subject: Subject
    name: Name
    changed: Changed


class HidingAnswer(Shape):
    data: HidingChanged
