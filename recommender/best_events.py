"""Step 6c, finding: the best events for somebody among very many, exactly, by looking at few of them.

An event scores no more than the topic that carries it allows. Topics differ much in what they are worth to one person,
so a score that n events reach rules out nearly all others before they are looked at (compare MaxScore, Turtle and Flood
1995, with topics for terms).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

SHARES = np.geomspace(1, 0.1, 8).astype(np.float32)
FINER, LEVELS = 4, 48  # levels of a guess between two shares, and how many there are: down to a fiftieth
ANYTHING = 1e-30  # what every event scores that scores at all
ROUNDED = 1 - 1e-4  # scores are of single precision


class Wants(NamedTuple):
    """What topics are worth to people, those that are worth something, by person; all (n,)."""

    person: Places
    topic: Places
    worth: Floats

    @classmethod
    def of(cls, worth: Floats) -> Self:
        """Build from a table, (n_people, n_topics)."""
        person, topic = np.nonzero(worth)
        return cls(person, topic, worth[person, topic])


@dataclass(frozen=True)
class Pairs:
    """Events with a topic that may carry them: topic after topic, those that may score most first."""

    first: Places  # (n_topics + 1,) where each topic's pairs begin
    event: NDArray[np.int32]  # (n_pairs,)
    most: Floats  # (n_pairs,) what the event scores at most if the topic carries it, for each unit the topic is worth
    largest: Floats  # (n_topics,) of those
    upto: Places  # (n_topics, len(SHARES) + 1) how many of a topic's pairs reach that share of the largest; last: all

    @cached_property
    def at(self) -> NDArray[np.float64]:
        """How many of a topic's pairs reach a share and none above it, (len(SHARES), n_topics)."""
        return np.diff(self.upto[:, :-1], prepend=0, axis=1).T.astype(np.float64)

    @classmethod
    def of(cls, topic: NDArray[np.int16], event: Places, most: Floats, *, n_topics: int) -> Pairs:
        order = np.lexsort((-most, topic))
        topic, event, most = topic[order], event[order], most[order]
        first = np.searchsorted(topic, np.arange(n_topics + 1))
        largest = np.zeros(n_topics, np.float32)
        np.maximum.at(largest, topic, most)
        level = np.searchsorted(-SHARES, -most / largest[topic])  # the first share that is reached
        reaching = np.zeros((n_topics, len(SHARES) + 1), np.intp)
        np.add.at(reaching, (topic, level), 1)
        return cls(first, event.astype(np.int32), most.astype(np.float32), largest, np.cumsum(reaching, axis=1))

    def reachable(self, wants: Wants, least: Floats) -> tuple[Places, Places]:
        """Return people and the places of pairs by which an event may score their `least`, (n_people,), above 0."""
        ceiling = wants.worth * self.largest[wants.topic]
        some = np.flatnonzero(ceiling >= least[wants.person])
        person, topic, worth = wants.person[some], wants.topic[some], wants.worth[some]
        lowest = least[person]
        share = lowest / ceiling[some]
        size = self.upto[topic, np.searchsorted(-SHARES, -share)]  # of those that reach a share no larger
        which = np.repeat(np.arange(len(topic)), size)
        place = np.arange(len(which)) + (self.first[topic] + size - np.cumsum(size))[which]
        enough = np.flatnonzero(self.most[place] >= (lowest / worth * ROUNDED)[which])
        return np.asarray(person[which[enough]]), place[enough]


@dataclass(frozen=True)
class Ceilings:
    """What events score at most, without being scored."""

    plain: Pairs
    bridges: Pairs  # of events whose surest topic does not carry them: they score more where it is known
    surest: NDArray[np.int16]  # (n_bridges,) that topic

    @classmethod
    def of(cls, topics: NDArray[np.int16], most: Floats, *, bridging: float, n_topics: int) -> Ceilings:
        """Build from slots, (n_slots, n_events) both: topics, the surest first, and what each allows; 0 carries nothing.

        `bridging` multiplies what an event scores whose surest topic the person knows.
        """
        slot, event = np.nonzero(most)
        plain = Pairs.of(topics[slot, event], event, most[slot, event], n_topics=n_topics)
        slot, event = slot[slot > 0], event[slot > 0]
        bridges = Pairs.of(topics[slot, event], event, bridging * most[slot, event], n_topics=n_topics)
        return cls(plain, bridges, topics[0, bridges.event])

    def guess(self, wants: Wants, n: int, *, n_people: int) -> Floats:
        """Return for each person a score that about n events may reach, (n_people,)."""
        ceiling = wants.worth * self.plain.largest[wants.topic]
        top = np.zeros(n_people, np.float32)
        np.maximum.at(top, wants.person, ceiling)
        step = float(np.log(SHARES[1])) / FINER
        with np.errstate(divide="ignore"):  # a topic that carries no event lies below all levels
            fall = np.log(ceiling / np.maximum(top, ANYTHING)[wants.person]) / step
        near = np.flatnonzero(fall < LEVELS)
        width = LEVELS + FINER * len(SHARES)
        place = wants.person[near] * width + np.ceil(fall[near]).astype(np.intp)
        topic = wants.topic[near]
        held = np.zeros(n_people * width)
        for share, number in enumerate(self.plain.at):
            held += np.bincount(place + FINER * share, number[topic], minlength=len(held))[: len(held)]
        reached = np.cumsum(held.reshape(n_people, -1)[:, :LEVELS], axis=1) >= n
        least = top * np.exp(step * reached.argmax(axis=1))
        return np.where(reached[:, -1], least, ANYTHING).astype(np.float32)

    def reachable(self, wants: Wants, inside: NDArray[np.bool_], least: Floats) -> tuple[Places, Places]:
        """Return people and the events that may score their `least`, (n_people,), above 0; by person, then by event.

        `inside` marks the topics that count as known, (n_people, n_topics).
        """
        least = least * np.float32(ROUNDED)
        person, place = self.plain.reachable(wants, least)
        across, beyond = self.bridges.reachable(wants, least)
        known = inside[across, self.surest[beyond]]
        size = int(self.plain.event.max(initial=0)) + 1
        keys = [person * size + self.plain.event[place], (across * size + self.bridges.event[beyond])[known]]
        found = np.sort(np.concatenate(keys))
        return np.divmod(found[np.diff(found, prepend=-1) > 0], size)
