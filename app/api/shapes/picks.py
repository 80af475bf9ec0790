"""The shapes of picks: what was picked and why, what was left out, and where an event stands."""

from __future__ import annotations

from app.api.shapes.events import Event, NextEvent
from app.api.shapes.frame import Links, Meta, Shape
from recommender.reach import Reach


class Grounds(Shape):
    """Why something was picked."""

    topic: str | None  # slug of the one that carries it; None where the catalogue has lost it
    path: list[str]
    reach: Reach
    score: float
    reason: str
    evidence: list[str]
    distance_km: float | None


class Pick(Grounds):
    event: Event
    topics: list[str]
    explorative: bool  # shown to find out rather than because it is sure


class PickList(Shape):
    data: list[Pick]


class LeftOutEvent(Shape):
    event: NextEvent
    code: str
    sentence: str


class SlateMeta(Meta):
    week: str
    left_out: list[LeftOutEvent] | None = None


class Why(Shape):
    code: str
    sentence: str


class Standing(Shape):
    event: str
    week: str | None
    pick: Pick | None
    left_out: Why | None


class StandingAnswer(Shape):
    data: Standing


class Slate(Shape):
    data: list[Pick]
    meta: SlateMeta
    links: Links
