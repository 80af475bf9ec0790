"""The shapes of picks: what was picked and why, what was left out, and where an event stands."""

from __future__ import annotations

from pydantic import Field

from app.api.shapes.events import Event, EventName
from app.api.shapes.frame import Links, Meta, Shape
from app.picking.barriers import Code
from app.picking.left_out import MOST
from recommender.reach import Reach


class Grounds(Shape):
    """Why something was picked."""

    topic: str | None = Field(
        description="Slug of the topic that carries it; `null` where the catalogue has lost it.",
        examples=["typography"],
    )
    path: list[str] = Field(
        description="From what is known to what it is about, by label.", examples=[["Graphic design", "Typography"]]
    )
    reach: Reach = Field(description="How far it is.", examples=["one-step"])
    score: float = Field(description="Compares within one answer only.", examples=[0.61])
    reason: str = Field(
        examples=[
            "You know Graphic design. People who know it often move on to Typography; this evening is about that."
        ]
    )
    evidence: list[str] = Field(
        description="What the reason rests on, each in a sentence.", examples=[["Its listing says: hands-on workshop."]]
    )
    distance_km: float | None = Field(description="From `near`; `null` online or unknown.", examples=[1.4])


class Pick(Grounds):
    event: Event
    topics: list[str] = Field(description="Slugs.", examples=[["typography"]])
    explorative: bool = Field(description="Shown to find out rather than because it is sure.", examples=[False])


class PickList(Shape):
    data: list[Pick] = Field(description="Best first.")


class Why(Shape):
    code: Code = Field(examples=["distance"])
    sentence: str = Field(examples=["It is 80 km away; you look up to 50 km."])


class LeftOutEvent(Why):
    event: EventName


class SlateMeta(Meta):
    week: str = Field(description="ISO week.", examples=["2026-W49"])
    left_out: list[LeftOutEvent] | None = Field(None, description=f"Only with `left_out=true`; up to {MOST}, by start.")


class Standing(Shape):
    event: str = Field(examples=["k5xw2v3nqt7mzb4c"])
    week: str | None = Field(description="In which it was picked.", examples=["2026-W49"])
    pick: Pick | None = Field(description="What speaks for it.")
    left_out: Why | None = Field(description="What keeps it out.", examples=[None])


class StandingAnswer(Shape):
    data: Standing


class Slate(Shape):
    data: list[Pick] = Field(description="Best first, the same on every channel for the whole week.")
    meta: SlateMeta
    links: Links
