"""Step 6, the vocabulary of ranking: an event somebody could go to, one that was chosen, one that was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from recommender.reach import Reach

PURPOSES: Mapping[str, float] = {"learn": 1.0, "exchange": 1.0, "social": 0.55, "sell": 0.0, "recruit": 0.0}
UNWANTED = ("sell", "recruit")
UNWANTED_FROM = 0.5  # share of purpose from which a pitch or a job fair stays out of picks

Because = Literal["no-topic", "purpose", "hidden-topic", "inside", "no-path", "outranked"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event somebody could go to, as far as ranking needs to know it."""

    id: int
    topics: Mapping[str, float]  # slug → weight 0 … 1
    starts_at: datetime  # in the zone it takes place in: days and habits are those of its clock
    mode: str = "unknown"
    distance_km: float | None = None
    purpose: Mapping[str, float] = field(default_factory=dict)  # shares, sum 1; empty when unknown
    community: str | None = None
    title: str = ""
    alive: float = 0.5  # 0 … 1
    welcomes: float = 0.0  # 0 … 1
    series: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate with the topic that carries it."""

    candidate: Candidate
    topic: str
    score: float  # comparable within one answer only
    reach: Reach  # how far the topic lies from what the person knows
    explorative: bool = False  # shown to find out rather than because it is sure


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A candidate that is not in a slate, and why.

    `detail` is the purpose (sell, recruit) or the slug that decided: the hidden topic, the known one the event is about,
    the one no path leads to, the one that carried it but not far enough.
    """

    candidate: Candidate
    because: Because
    detail: str


def is_wanted(purpose: Mapping[str, float], asked_for: frozenset[str] = frozenset()) -> bool:
    """Whether people come there to learn or meet rather than to sell or hire."""
    return sum(purpose.get(name, 0.0) for name in UNWANTED if name not in asked_for) < UNWANTED_FROM
