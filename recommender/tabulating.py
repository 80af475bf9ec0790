"""Step 6c, making a table of events: what each is about, how good an evening it makes, and codes to tell them apart by."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.candidate import PURPOSES, Candidate
from recommender.catalogue import Catalogue, Topic, load_catalogue
from recommender.event_table import DAY, Candidates, EventTable, Floats, Places, Purposes
from recommender.habits import hour_of_week
from recommender.labels import key_words
from recommender.reach import geography

SLOTS = 6  # topics of an event that count, the surest first
CARRYING = 0.75  # share of its strongest topic from which another carries an event, too: no evening is about its asides
NAMED = 1.25  # what an organiser puts into the title is what the evening is about, not only what the group is
UNNAMED = 0.5  # so a topic that the title does not name yields to those that it does
UNTOLD: Mapping[str, float] = {"exchange": 0.9}  # what an event is taken for whose purpose is unknown
MODES = {"in_person": 1.0, "hybrid": 1.0, "unknown": 0.9, "online": 0.7}


def tabulate(candidates: Iterable[Candidate]) -> EventTable:
    """Return events as arrays; those without a topic of the catalogue are kept and never chosen."""
    events = tuple(candidates)
    tabulator = Tabulator()
    tabulator.add(events)
    return tabulator.table(events)


class Tabulator:
    """Makes a table of events that are told some at a time, and keeps none of them.

    It may begin with the events at some places of another table.
    """

    def __init__(self, begun: EventTable | None = None, places: Places | None = None) -> None:
        self._columns: list[Columns] = []
        self._communities: dict[str, int] = {}
        if begun is not None:
            self._columns.append(_columns_at(begun, np.arange(len(begun)) if places is None else places))
            self._communities |= {name: number for number, name in enumerate(begun.communities)}

    def add(self, events: Sequence[Candidate]) -> None:
        self._columns.append(_columns(events, self._communities))

    def table(self, candidates: Candidates, order: Places | None = None) -> EventTable:
        """Return the table of all that were added, in another order if one is given.

        `candidates` are what it gives back, in that order.
        """
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
        -1 if one.community is None else communities.setdefault(one.community, len(communities)) for one in events
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
        community=np.array(by_whom, np.int32),
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
