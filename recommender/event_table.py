"""Step 6c, events: those ahead as arrays (`tabulating` makes them), asked by many people.

An event's score for somebody is the worth of the topics it is about (`topic_worth`), each weighed by how surely it is
about them, times what makes an evening good whatever it is about. Topics are few an event, so the events worth looking
at are found from the topics that are worth most; what is left out is proven to be below the last place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.best_events import ANYTHING, Ceilings, Wants
from recommender.candidate import UNWANTED_FROM, Candidate

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

FAMILIAR = 0.5  # share of an event's topic weight from which it is inside what the person knows
ALONGSIDE = 0.3  # what an event's other topics outside add: two steps out in one evening are better than one
BRIDGING = 2.0  # starts from one's own field: the hospital's numbers are nearer to a nurse than numbers are
GENEROUS = 3  # events looked at for each that is asked for: some turn out to be inside what the person knows
FEW = 4  # events there are for each that is asked for, up to which all of them are scored

DAY = 86400.0  # seconds


class Askers(NamedTuple):
    """What people may want, as far as scoring needs it."""

    worth: Floats  # (n_people, n_topics) of topics, 0 for those that carry nothing
    inside: NDArray[np.bool_]  # (n_people, n_topics) what counts as known
    home: NDArray[np.bool_]  # (n_people, n_topics) topics of fields the person works in
    suits: Floats | None = None  # (n_people, e) what multiplies an event's score, 0 where it must not be shown


class Best(NamedTuple):
    """The best events for one person, best first; all of shape (n,)."""

    events: Places
    scores: NDArray[np.float64]
    topics: Places  # catalogue positions of what carries each


NONE = Best(np.zeros(0, np.intp), np.zeros(0), np.zeros(0, np.intp))


@dataclass(frozen=True)
class Purposes:
    """Why people come to events, as far as ranking minds it; all (n_events,)."""

    sell: Floats
    recruit: Floats
    other: Floats  # what the rest of the purposes is worth

    @cached_property
    def usual(self) -> Floats:
        return self.suit(frozenset())

    def suit(self, asked_for: frozenset[str]) -> Floats:
        """Return what the purposes are worth, 0 where unwanted ones that were not asked for prevail."""
        value, unwanted = self.other.copy(), np.zeros_like(self.other)
        for name, share in (("sell", self.sell), ("recruit", self.recruit)):
            if name in asked_for:
                value += share
            else:
                unwanted += share
        return np.where(unwanted < UNWANTED_FROM, 0.25 + 0.75 * value, 0.0)


class Candidates(Protocol):
    """The events of a table, by their places in it."""

    def __getitem__(self, place: int, /) -> Candidate: ...


@dataclass(frozen=True)
class EventTable:
    """Arrays as narrow as what they hold, since there may be millions of events."""

    candidates: Candidates  # e events
    topics: NDArray[
        np.int16
    ]  # (SLOTS, e; see `tabulating`) catalogue positions, surest first; empty slots repeat the first
    weights: Floats  # (SLOTS, e) shares of what the event is about, 0 in empty slots
    carrying: Floats  # (SLOTS, e) what a topic's worth counts by; 0 for asides
    worth: Floats  # (e,) what makes an evening good, apart from topics, purpose, place and time
    field: NDArray[np.uint8]  # (n_topics,) number of each topic's field
    purposes: Purposes
    distance_km: Floats  # (e,) 0 where a candidate tells none
    days: Floats  # (e,) of beginning, since 1970
    hour_of_week: NDArray[np.uint8]  # (e,) of the local clock: 0 is Monday at midnight
    communities: tuple[str, ...]
    community: NDArray[np.int32]  # (e,) the place of each event's community among them; -1 for none
    series: NDArray[np.int64]  # (e,) `code_of` each event's series; -1 for none
    title: NDArray[np.int64]  # (e,) equal for equal titles
    day: NDArray[np.int32]  # (e,) of the local calendar

    def __len__(self) -> int:
        return len(self.worth)

    def best(self, askers: Askers, *, n: int) -> list[Best]:
        """Return the n best events of each of at most 65,536 people, exactly: fewer only where no more score at all.

        Equals keep their order.
        """
        suits, n_people = askers.suits, len(askers.worth)
        possible = np.arange(len(self)) if suits is None else np.flatnonzero(suits.any(axis=0))
        wants, least = None, np.full(n_people, ANYTHING, np.float32)
        if len(possible) > FEW * n:
            bound = askers.worth if suits is None else askers.worth * suits.max(axis=1)[:, None]
            wants = Wants.of(bound)
            looked_at = GENEROUS * n * len(self) // len(possible)
            least = self.ceilings.guess(wants, looked_at, n_people=n_people)
        found: list[Best | None] = [None] * n_people
        asking = np.ones(n_people, np.bool_)
        while asking.any():
            if wants is None:
                person, events = np.repeat(np.arange(n_people), len(possible)), np.tile(possible, n_people)
            else:
                aim = np.where(asking, least, np.float32(np.inf))
                person, events = self.ceilings.reachable(wants, askers.inside, aim)
            values = self.score(askers, person, events)
            good = np.flatnonzero(values >= least[person])
            enough = asking & ((np.bincount(person[good], minlength=n_people) >= n) | (least <= ANYTHING))
            good = good[enough[person[good]]]
            best = self._first(askers, person[good], events[good], values[good], n=n)
            for one in np.flatnonzero(enough).tolist():
                found[one] = best.get(one, NONE)
            asking &= ~enough
            for one in np.flatnonzero(asking).tolist():
                # The n-th best of some events is no better than the n-th best of all: the next look is the last.
                scores = np.sort(values[person == one])[::-1][:n]
                last = float(scores[-1]) if len(scores) == n else 0.0
                least[one] = last if last > 0 else least[one] / 8 if 8 * len(scores) > n else ANYTHING
        return [best for best in found if best is not None]

    def _first(self, askers: Askers, person: Places, events: Places, values: Floats, *, n: int) -> dict[int, Best]:
        """Return the n best of some events, (m,) all, for each person among them; equals in their order."""
        order = np.argsort(-values, kind="stable")
        order = order[np.argsort(person[order].astype(np.uint16), kind="stable")]
        numbers = np.bincount(person)
        place = np.arange(len(order)) - np.repeat(np.cumsum(numbers) - numbers, numbers)  # among those of the person
        kept = order[place < n]
        events, scores = events[kept], values[kept].astype(np.float64)
        carriers = self.carriers(askers, person[kept], events)
        ends = np.cumsum(np.minimum(numbers, n))
        parts = zip(*(np.split(part, ends[:-1]) for part in (events, scores, carriers)), strict=True)
        return {one: Best(*mine) for one, mine in enumerate(parts)}

    @cached_property
    def ceilings(self) -> Ceilings:
        others = np.maximum(np.count_nonzero(self.carrying, axis=0) - 1, 0)  # none of them adds more than the carrier
        most = self.carrying * (self.worth * (1 + ALONGSIDE * others))
        return Ceilings.of(self.topics, most, bridging=BRIDGING, n_topics=len(self.field))

    def score(self, askers: Askers, person: Places, events: Places) -> Floats:
        """Return the score of each event for the person beside it, (n,) all."""
        values, is_bridge = self._values(askers, person, events)
        total = (1 - ALONGSIDE) * values.max(axis=0) + ALONGSIDE * values.sum(axis=0)
        total *= self.worth.take(events)
        total[is_bridge] *= BRIDGING
        if askers.suits is not None:
            total *= askers.suits[person, events]
        return np.asarray(total)

    def carriers(self, askers: Askers, person: Places, events: Places) -> Places:
        """Return the topic that carries each event for the person beside it, (n,) all."""
        values, _ = self._values(askers, person, events)
        return np.asarray(self.topics[values.argmax(axis=0), events])

    def _values(self, askers: Askers, person: Places, events: Places) -> tuple[Floats, NDArray[np.bool_]]:
        """Return what each slot adds to each event, (SLOTS, n), and which begin inside what the person knows."""
        topics = self.topics.take(events, axis=1).astype(np.intp)
        topics += person * askers.worth.shape[1]  # places in the tables of all people
        values = askers.worth.take(topics)
        values *= self.carrying.take(events, axis=1)
        inside = askers.inside.take(topics)
        familiar = np.einsum("ij,ij->j", inside, self.weights.take(events, axis=1))
        # An event inside somebody's field that is about another field nearly as much is a bridge, carried by that.
        within = np.flatnonzero(inside[0] | (familiar > FAMILIAR))
        values[:, within] *= ~askers.home.take(topics[:, within])
        return values, inside[0]
