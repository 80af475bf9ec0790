"""Step 6a, the wish: what somebody knows, looks for and refuses; picks are made from it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.people.feedback import Visit
from app.places import Spot
from app.queries.filters import PURPOSES
from recommender.candidate import UNWANTED
from recommender.reach import Reach
from recommender.reactions import Offsets

Hours = Literal["any", "daytime", "evening", "weekend"]

EVENING, LATE = 17, 24  # hours of the day
USUAL_PURPOSES = frozenset(PURPOSES) - frozenset(UNWANTED)


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as somebody was shown it."""

    week: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Refusals:
    """What somebody does not want, or not again; none of it is ever picked."""

    topics: frozenset[str] = frozenset()  # slugs
    communities: frozenset[str] = frozenset()  # keys
    events: frozenset[int] = frozenset()
    series: frozenset[str] = frozenset()
    seen: Mapping[int, Seen] = field(default_factory=dict)  # by event
    seen_series: Mapping[str, str] = field(default_factory=dict)  # series → week


@dataclass(frozen=True, slots=True)
class Wish:
    """What picks are made from."""

    known: Mapping[str, int]  # slug → level 1 … 5
    near: Spot | None = None
    within_km: float = 50.0
    online: bool = True  # whether events without a place to go to count
    reach: Reach = "one-step"
    days: int = 21
    limit: int = 10
    modes: frozenset[str] = frozenset()  # in_person, online, hybrid; none: any
    languages: frozenset[str] = frozenset()  # BCP 47, "en" means "en-GB", too; none: any
    free_only: bool = False
    hours: Hours = "any"  # of beginning, on the event's own clock; what lasts all day does on every weekday's
    purposes: frozenset[str] = USUAL_PURPOSES
    refusals: Refusals = field(default_factory=Refusals)
    visited: tuple[Visit, ...] = ()
    offsets: Offsets | None = None  # what their reactions say of topics
    seed: str | None = None  # "person:week": gives one place to exploring
