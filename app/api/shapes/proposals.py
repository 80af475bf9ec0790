"""The shapes of answers about what people propose, and about what operators did."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.api.shapes.frame import Links, Meta, Shape
from scrapers.draft import Mode, Status


class PreviewedEvent(Shape):
    title: str
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    all_day: bool
    status: Status
    mode: Mode
    url: str | None


class ReadingProblem(Shape):
    code: str
    subject: str
    message: str


class ProposalState(Shape):
    id: int
    state: Literal["proposed", "accepted", "refused"]


class Preview(Shape):
    url: str  # what would be collected from
    why: str  # what that is to the page asked about; empty for the page itself
    name: str | None
    kind: str
    listed: int
    upcoming: int
    events: list[PreviewedEvent]
    problems: list[ReadingProblem]
    proposal: ProposalState | None
    source: int | None  # where it is collected from already


class PreviewAnswer(Shape):
    data: Preview


class Proposal(Shape):
    id: int
    url: str
    state: Literal["proposed", "accepted", "refused"]
    name: str | None
    kind: str
    listed: int
    events: list[PreviewedEvent]
    proposed_at: datetime
    decided_at: datetime | None
    source: int | None


class Contributed(Shape):
    id: int
    state: Literal["proposed", "accepted", "refused"]
    name: str
    kind: Literal["event", "community"]
    events: list[dict[str, str]]  # its next dates


class ContributionAnswer(Shape):
    data: Contributed


class ProposalAnswer(Shape):
    data: Proposal


class ProposalList(Shape):
    data: list[Proposal]
    meta: Meta
    links: Links


class Action(Shape):
    id: int
    at: datetime
    token: str | None  # None: on the command line
    action: str
    subject: str


class ActionList(Shape):
    data: list[Action]
    meta: Meta
    links: Links
