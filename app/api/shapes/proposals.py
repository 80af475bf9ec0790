"""The shapes of answers about what people propose, and about what operators did."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from app.api.shapes.events import EventFacts
from app.api.shapes.frame import Links, Meta, Shape


class ReadingProblem(Shape):
    code: str = Field(examples=["no_start"])
    subject: str = Field(examples=["Open house"])
    message: str = Field(examples=["names no day; left out"])


class ProposalState(Shape):
    id: int = Field(examples=[3])
    state: Literal["proposed", "accepted", "refused"]


class Preview(Shape):
    url: str = Field(description="What would be collected from.", examples=["https://book-arts.example/events.ics"])
    why: str = Field(
        description="What that is to the page asked about; empty for the page itself.",
        examples=["the page links to it as its calendar"],
    )
    name: str | None = Field(examples=["Book Arts Guild"])
    kind: str = Field(examples=["icalendar"])
    listed: int = Field(description="Events it holds, past ones included.", examples=[12])
    upcoming: int = Field(examples=[4])
    events: list[EventFacts] = Field(description="The next ones.")
    problems: list[ReadingProblem]
    proposal: ProposalState | None
    source: int | None = Field(description="The source it is collected from already.", examples=[None])


class PreviewAnswer(Shape):
    data: Preview


class Proposal(Shape):
    id: int = Field(examples=[3])
    url: str = Field(examples=["https://book-arts.example/events.ics"])
    state: Literal["proposed", "accepted", "refused"]
    name: str | None = Field(examples=["Book Arts Guild"])
    kind: str = Field(examples=["icalendar"])
    listed: int = Field(examples=[12])
    events: list[EventFacts]
    details: dict[str, Any] | None = Field(
        description="What was written down, as it was sent to `POST /proposals`; `null` of a page.", examples=[None]
    )
    proposed_at: datetime
    decided_at: datetime | None = Field(examples=[None])
    source: int | None = Field(examples=[None])


class Contributed(Shape):
    id: int = Field(examples=[4])
    state: Literal["proposed", "accepted", "refused"]
    name: str = Field(examples=["An evening of wood type"])
    kind: Literal["event", "community"]
    events: list[dict[str, str]] = Field(
        description="Its next dates.",
        examples=[[{"title": "An evening of wood type", "starts_at": "2026-12-03T18:30:00+01:00"}]],
    )


class ContributionAnswer(Shape):
    data: Contributed


class ProposalAnswer(Shape):
    data: Proposal


class ProposalList(Shape):
    data: list[Proposal]
    meta: Meta
    links: Links


class Action(Shape):
    id: int = Field(examples=[17])
    at: datetime
    token: str | None = Field(
        description="Beginning of the token's digest; `null`: on the command line.", examples=["3fa9c1d27b04"]
    )
    action: str = Field(examples=["source.add"])
    subject: str = Field(examples=["https://book-arts.example/events.ics"])


class ActionList(Shape):
    data: list[Action]
    meta: Meta
    links: Links
