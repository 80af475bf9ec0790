"""Step 6c, second half: upcoming events as arrays, made once and asked by many people.

An event's score for somebody is the worth of the topics it is about (`topic_worth`), each weighed by how surely it is
about them, times what makes an evening good whatever it is about. Topics are few an event, so the events worth looking
at are found from the topics that are worth most; what is left out is proven to be below the last place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.candidate import PURPOSES, UNWANTED, UNWANTED_FROM, Candidate
from recommender.catalogue import Catalogue, Topic, load_catalogue
from recommender.labels import key_words
from recommender.reach import geography
from recommender.topic_worth import TopicScores

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

SLOTS = 8  # topics of an event that count, the surest first
FAMILIAR = 0.5  # share of an event's topic weight from which it is inside what the person knows
CARRYING = 0.75  # share of its strongest topic from which another carries an event, too: no evening is about its asides
ALONGSIDE = 0.3  # what an event's other topics outside add: two steps out in one evening are better than one
BRIDGING = 2.0  # starts from one's own field: the hospital's numbers are nearer to a nurse than numbers are
NAMED = 1.25  # what an organiser puts into the title is what the evening is about, not only what the group is
ROUNDED = 1 - 1e-4  # scores are of single precision
UNNAMED = 0.5  # so a topic that the title does not name yields to those that it does

DAY = 86400.0  # seconds
UNTOLD: Mapping[str, float] = {"exchange": 0.9}  # what an event is taken for whose purpose is unknown
MODES = {"in_person": 1.0, "hybrid": 1.0, "unknown": 0.9, "online": 0.7}


class Best(NamedTuple):
    """The best events for one person, best first; all of shape (n,)."""

    events: Places
    scores: NDArray[np.float64]
    topics: Places  # catalogue positions of what carries each


@dataclass(frozen=True)
class Purposes:
    """Why people come to events, as far as ranking minds it; all (n_events,)."""

    sell: Floats
    recruit: Floats
    other: Floats  # what the rest of the purposes is worth

    def suit(self, asked_for: frozenset[str]) -> Floats:
        """Return what the purposes are worth, 0 where unwanted ones that were not asked for prevail."""
        value, unwanted = self.other.copy(), np.zeros_like(self.other)
        for name, share in (("sell", self.sell), ("recruit", self.recruit)):
            if name in asked_for:
                value += share
            else:
                unwanted += share
        return np.where(unwanted < UNWANTED_FROM, 0.25 + 0.75 * value, 0.0)


@dataclass(frozen=True)
class EventTable:
    candidates: tuple[Candidate, ...]  # e events
    topics: NDArray[np.uint16]  # (e, SLOTS) catalogue positions, surest first; empty slots repeat the first
    weights: Floats  # (e, SLOTS) 0 in empty slots
    carrying: Floats  # (e, SLOTS) what a topic's worth counts by; 0 for asides
    worth: Floats  # (e,) what makes an evening good, apart from topics, purpose, place and time
    by_topic: Places  # (n_carrying,) events, topic after topic, those that may score most first
    share: Floats  # (n_carrying,) of the most for their topic that they may score, falling within a topic
    first: Places  # (n_topics + 1,) where each topic's events begin in `by_topic`
    most: Floats  # (n_topics,) no event a topic carries scores more than this for each unit the topic is worth
    field: NDArray[np.uint8]  # (n_topics,) number of each topic's field
    purposes: Purposes
    distance_km: NDArray[np.float64]  # (e,) NaN where a candidate tells none
    days: NDArray[np.float64]  # (e,) of beginning, since 1970
    hour_of_week: Places  # (e,) of the local clock: 0 is Monday at midnight
    communities: tuple[str, ...]
    community: Places  # (e,) the place of each event's community among them; -1 for none
    series: Places  # (e,) equal for the events of one series; -1 for none
    title: Places  # (e,) equal for equal titles
    day: Places  # (e,) of the local calendar

    def best(
        self,
        scores: TopicScores,
        worth: NDArray[np.float64],
        *,
        n: int,
        home: NDArray[np.bool_],
        suits: NDArray[np.floating] | None = None,
    ) -> Best:
        """Return the n best events, exactly: fewer only where no more score at all.

        `worth` is that of topics, (n_topics,), 0 for those that carry nothing; `home` marks the topics of fields the
        person works in; `suits` multiplies each event, (e,), 0 where it must not be shown. Equals keep their order.
        """
        ceiling = worth * self.most * (1.0 if suits is None else float(suits.max(initial=0.0)))  # (n_topics,)
        order = np.argsort(-ceiling)
        order = order[: np.count_nonzero(ceiling > 0)]
        count = np.cumsum(self.first[order + 1] - self.first[order])
        least, topics = 0.0, order[: int(np.searchsorted(count, 4 * n)) + 1]
        while True:
            events = self._about(topics, ceiling, least)
            values, carried = self.score(events, scores, worth, home=home, suits=suits)
            if len(topics) == len(order):
                break
            if np.count_nonzero(values) < n:
                topics = order[: 4 * len(topics)]
                continue
            # The n-th best of some events is no better than the n-th best of all: what cannot reach it may be left out.
            last = float(np.partition(values, len(values) - n)[len(values) - n])
            if ceiling[order[len(topics)]] < last:
                break
            least, topics = last, order[ceiling[order] >= last]
            order = topics
        scored = np.flatnonzero(values)
        chosen = scored[np.argsort(-values[scored], kind="stable")[:n]]
        return Best(events[chosen], values[chosen].astype(np.float64), carried[chosen])

    def _about(self, topics: Places, ceiling: NDArray[np.float64], least: float) -> Places:
        """Return the events, rising, that some of the topics carries and may lift to a score of `least`."""
        found = np.zeros(len(self.candidates), np.bool_)
        shares = (least / ceiling[topics]).tolist()  # of the most that an event about the topic scores
        for topic, share in zip(topics.tolist(), shares, strict=True):
            start, stop = self.first[topic], self.first[topic + 1]
            if share > 0:
                stop = start + np.searchsorted(-self.share[start:stop], -share * ROUNDED, side="right")
            found[self.by_topic[start:stop]] = True
        return np.flatnonzero(found)

    def score(
        self,
        events: Places,
        scores: TopicScores,
        worth: NDArray[np.float64],
        *,
        home: NDArray[np.bool_],
        suits: NDArray[np.floating] | None = None,
    ) -> tuple[Floats, Places]:
        """Return the score of each event and the topic that carries it, both (n_events,)."""
        topics = self.topics[events]  # (n, SLOTS)
        weights = self.weights[events]
        inside = scores.inside[topics]
        within = inside[:, 0] | ((weights * inside).sum(axis=1) > FAMILIAR * weights.sum(axis=1))
        values = worth.astype(np.float32)[topics] * self.carrying[events]
        # An event inside somebody's field that is about another field nearly as much is a bridge, carried by that.
        values[within] *= ~home[topics[within]]
        slot = values.argmax(axis=1)
        row = np.arange(len(events))
        best = values[row, slot]
        total = best + ALONGSIDE * (values.sum(axis=1) - best)
        total *= self.worth[events] * np.where(inside[:, 0], np.float32(BRIDGING), np.float32(1))
        if suits is not None:
            total *= suits[events]
        return total, topics[row, slot].astype(np.intp)


def tabulate(candidates: Iterable[Candidate]) -> EventTable:
    """Return events as arrays; those without a topic of the catalogue are kept and never chosen."""
    catalogue = load_catalogue()
    events = tuple(candidates)
    topics = np.zeros((len(events), SLOTS), np.uint16)
    weights, carrying = np.zeros((2, len(events), SLOTS), np.float32)
    for row, event in enumerate(events):
        told = sorted(event.topics.items(), key=lambda topic: (-topic[1], topic[0]))
        placed = [(catalogue.index[slug], weight) for slug, weight in told if slug in catalogue.index][:SLOTS]
        if not placed:
            continue
        places = [place for place, _ in placed]
        topics[row] = places + places[:1] * (SLOTS - len(places))
        weights[row, : len(placed)] = [weight for _, weight in placed]
        carrying[row, : len(placed)] = _carrying(placed, event.title, catalogue)
    worth = np.array([_worth(event) for event in events], np.float32)
    communities, community = _numbered([event.community for event in events])
    most = (1 - ALONGSIDE) * carrying.max(axis=1, initial=0.0) + ALONGSIDE * carrying.sum(axis=1)  # (e,)
    event_of, slot_of = np.nonzero(carrying)
    carried = topics[event_of, slot_of].astype(np.intp)
    # Only what stands beside the surest topic can be the far end of a bridge.
    reachable = (most * worth)[event_of] * np.where(slot_of > 0, BRIDGING, 1.0)
    largest = np.zeros(len(catalogue), np.float32)
    np.maximum.at(largest, carried, reachable)
    order = np.lexsort((-reachable, carried))
    ground = geography(catalogue)
    return EventTable(
        candidates=events,
        topics=topics,
        weights=weights,
        carrying=carrying,
        worth=worth,
        by_topic=event_of[order],
        share=(reachable / largest[carried])[order].astype(np.float32),
        first=np.searchsorted(carried[order], np.arange(len(catalogue) + 1)),
        most=largest,
        field=ground.field[ground.domain].astype(np.uint8),
        purposes=_purposes(events),
        distance_km=np.array([np.nan if one.distance_km is None else one.distance_km for one in events]),
        days=np.array([one.starts_at.timestamp() / DAY for one in events]),
        hour_of_week=np.array([24 * one.starts_at.weekday() + one.starts_at.hour for one in events], np.intp),
        communities=communities,
        community=community,
        series=_numbered([one.series for one in events])[1],
        title=_numbered([one.title.casefold() for one in events])[1],
        day=np.array([one.starts_at.toordinal() for one in events], np.intp),
    )


def _numbered(names: Sequence[str | None]) -> tuple[tuple[str, ...], Places]:
    """Return the names, each once, and the place of each among them, -1 for none."""
    order = {name: place for place, name in enumerate(dict.fromkeys(name for name in names if name is not None))}
    return tuple(order), np.array([-1 if name is None else order[name] for name in names], np.intp)


def _purposes(events: Sequence[Candidate]) -> Purposes:
    told = [event.purpose or UNTOLD for event in events]
    sell, recruit = (np.array([one.get(name, 0.0) for one in told], np.float32) for name in UNWANTED)
    other = np.array([sum(PURPOSES[name] * share for name, share in one.items()) for one in told], np.float32)
    return Purposes(sell, recruit, other)


def _carrying(placed: Sequence[tuple[int, float]], title: str, catalogue: Catalogue) -> list[float]:
    """Return what the worth of each topic of an event counts by.

    A weight says how sure the tagger is; its square keeps half-sure topics from carrying an evening.
    """
    words = f" {' '.join(key_words(title))} "
    named = [any(name in words for name in _names(catalogue.topics[place])) for place, _ in placed]
    other = UNNAMED if any(named) else 1.0
    strongest = placed[0][1]
    return [
        weight**2 * (NAMED if is_named else other) if weight >= CARRYING * strongest else 0.0
        for (_, weight), is_named in zip(placed, named, strict=True)
    ]


@cache
def _names(topic: Topic) -> tuple[str, ...]:
    """Return what a topic is called, as words between blanks, in both grammatical numbers."""
    names = {" ".join(key_words(name)) for name in topic.names}
    return tuple(sorted(f" {name}{ending} " for name in names if name for ending in ("", "s")))


def _worth(event: Candidate) -> float:
    """Return what makes an evening good whatever it is about and whoever asks, 0 … 1.1."""
    mode = MODES.get(event.mode, MODES["unknown"])
    return mode * (0.75 + 0.25 * event.alive) * (1.0 + 0.1 * event.welcomes)
