"""Step 6c, events: those ahead as arrays, made once and asked by many people.

An event's score for somebody is the worth of the topics it is about (`topic_worth`), each weighed by how surely it is
about them, times what makes an evening good whatever it is about. Topics are few an event, so the events worth looking
at are found from the topics that are worth most; what is left out is proven to be below the last place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.best_events import ANYTHING, Ceilings, Wants
from recommender.candidate import PURPOSES, UNWANTED_FROM, Candidate
from recommender.catalogue import Catalogue, Topic, load_catalogue
from recommender.habits import hour_of_week
from recommender.labels import key_words
from recommender.reach import geography

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

SLOTS = 6  # topics of an event that count, the surest first
FAMILIAR = 0.5  # share of an event's topic weight from which it is inside what the person knows
CARRYING = 0.75  # share of its strongest topic from which another carries an event, too: no evening is about its asides
ALONGSIDE = 0.3  # what an event's other topics outside add: two steps out in one evening are better than one
BRIDGING = 2.0  # starts from one's own field: the hospital's numbers are nearer to a nurse than numbers are
NAMED = 1.25  # what an organiser puts into the title is what the evening is about, not only what the group is
GENEROUS = 3  # events looked at for each that is asked for: some turn out to be inside what the person knows
FEW = 4  # events there are for each that is asked for, up to which all of them are scored
UNNAMED = 0.5  # so a topic that the title does not name yields to those that it does

DAY = 86400.0  # seconds
UNTOLD: Mapping[str, float] = {"exchange": 0.9}  # what an event is taken for whose purpose is unknown
MODES = {"in_person": 1.0, "hybrid": 1.0, "unknown": 0.9, "online": 0.7}


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
    topics: NDArray[np.int16]  # (SLOTS, e) catalogue positions, surest first; empty slots repeat the first
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


def tabulate(candidates: Iterable[Candidate]) -> EventTable:
    """Return events as arrays; those without a topic of the catalogue are kept and never chosen."""
    events = tuple(candidates)
    tabulator = Tabulator()
    tabulator.add(events)
    return tabulator.table(events)


class Tabulator:
    """Makes a table of events that are told some at a time, and keeps none of them; it may begin with a part of another."""

    def __init__(self, begun: EventTable | None = None, places: Places | None = None) -> None:
        self._columns: list[Columns] = []
        self._communities: dict[str, int] = {}
        if begun is not None:
            self._columns.append(_columns_at(begun, np.arange(len(begun)) if places is None else places))
            self._communities |= {name: number for number, name in enumerate(begun.communities)}

    def add(self, events: Sequence[Candidate]) -> None:
        self._columns.append(_columns(events, self._communities))

    def table(self, candidates: Candidates, order: Places | None = None) -> EventTable:
        """Return the table of all that were added, in another order if one is given; `candidates` are what it gives back."""
        parts = self._columns or [_columns((), {})]
        columns = [np.concatenate(several, axis=-1) for several in zip(*parts, strict=True)]
        if order is not None:
            columns = [column.take(order, axis=-1) for column in columns]
        told = Columns(*columns)._asdict()
        ground = geography(load_catalogue())
        return EventTable(
            candidates=candidates,
            field=ground.field[ground.domain].astype(np.uint8),
            purposes=Purposes(*(told.pop(name) for name in ("sell", "recruit", "other"))),
            communities=tuple(self._communities),
            **told,
        )


class Columns(NamedTuple):
    """A table before it is one: the arrays of some events, named as there and in `Purposes`."""

    topics: NDArray[np.int16]
    weights: Floats
    carrying: Floats
    worth: Floats
    sell: Floats
    recruit: Floats
    other: Floats
    distance_km: Floats
    days: Floats
    hour_of_week: NDArray[np.uint8]
    community: NDArray[np.int32]
    series: NDArray[np.int64]
    title: NDArray[np.int64]
    day: NDArray[np.int32]


def _columns_at(table: EventTable, places: Places) -> Columns:
    """Return the columns of some events of a table again."""
    told = vars(table.purposes) | vars(table)
    return Columns(*(told[name].take(places, axis=-1) for name in Columns._fields))


def _columns(events: Sequence[Candidate], communities: dict[str, int]) -> Columns:
    """Return what a table holds of some events; communities that are new get the next numbers."""
    catalogue = load_catalogue()
    topics = np.zeros((SLOTS, len(events)), np.int16)
    weights, carrying = np.zeros((2, SLOTS, len(events)), np.float32)
    for column, event in enumerate(events):
        told = sorted(event.topics.items(), key=lambda topic: (-topic[1], topic[0]))
        placed = [(catalogue.index[slug], weight) for slug, weight in told if slug in catalogue.index][:SLOTS]
        if not placed:
            continue
        places = [place for place, _ in placed]
        topics[:, column] = places + places[:1] * (SLOTS - len(places))
        weights[: len(placed), column] = [weight for _, weight in placed]
        carrying[: len(placed), column] = _carrying(placed, event.title, catalogue)
    weights /= np.maximum(weights.sum(axis=0), 1e-9)
    by_whom = [
        None if one.community is None else communities.setdefault(one.community, len(communities)) for one in events
    ]
    purposes = [event.purpose or UNTOLD for event in events]
    return Columns(
        topics=topics,
        weights=weights,
        carrying=carrying,
        worth=np.array([_worth(event) for event in events], np.float32),
        sell=np.array([one.get("sell", 0.0) for one in purposes], np.float32),
        recruit=np.array([one.get("recruit", 0.0) for one in purposes], np.float32),
        other=np.array([_welcome(one) for one in purposes], np.float32),
        distance_km=np.array([one.distance_km or 0.0 for one in events], np.float32),
        days=np.array([one.starts_at.timestamp() / DAY for one in events], np.float32),
        hour_of_week=np.array([hour_of_week(one.starts_at) for one in events], np.uint8),
        community=np.array([-1 if number is None else number for number in by_whom], np.int32),
        series=np.array([-1 if one.series is None else code_of(one.series) for one in events], np.int64),
        title=np.array([code_of(one.title.casefold()) for one in events], np.int64),
        day=np.array([one.starts_at.toordinal() for one in events], np.int32),
    )


def code_of(name: str) -> int:
    """Return the number that stands for a name in this process.

    Among ten million names two of one number are to be expected once in 200,000 tables.
    """
    return hash(name) & sys.maxsize


def _welcome(purpose: Mapping[str, float]) -> float:
    """Return what the shares of an event's purposes are worth, apart from unwanted ones."""
    return sum(PURPOSES[name] * share for name, share in purpose.items())


def _carrying(placed: Sequence[tuple[int, float]], title: str, catalogue: Catalogue) -> list[float]:
    """Return what the worth of each topic of an event counts by.

    A weight says how sure the tagger is; its square keeps half-sure topics from carrying an evening.
    """
    words = f" {' '.join(key_words(title))} "
    names = _names(catalogue)
    named = [any(name in words for name in names[place]) for place, _ in placed]
    other = UNNAMED if any(named) else 1.0
    strongest = placed[0][1]
    return [
        weight**2 * (NAMED if is_named else other) if weight >= CARRYING * strongest else 0.0
        for (_, weight), is_named in zip(placed, named, strict=True)
    ]


@cache
def _names(catalogue: Catalogue) -> tuple[tuple[str, ...], ...]:
    """Return what each topic is called, as words between blanks, in both grammatical numbers."""
    return tuple(
        tuple({f" {name}{ending} ": None for name in _spelt(topic) if name for ending in ("", "s")})
        for topic in catalogue.topics
    )


def _spelt(topic: Topic) -> list[str]:
    return sorted({" ".join(key_words(name)) for name in topic.names})


def _worth(event: Candidate) -> float:
    """Return what makes an evening good whatever it is about and whoever asks, 0 … 1.1."""
    mode = MODES.get(event.mode, MODES["unknown"])
    return mode * (0.75 + 0.25 * event.alive) * (1.0 + 0.1 * event.welcomes)
