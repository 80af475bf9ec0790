"""Step 6c, finding: the best events for somebody among very many, exactly, by looking at few of them.

An event scores no more than the topic that carries it allows. Topics differ much in what they are worth to one person,
so a score that n events reach rules out nearly all others before they are looked at (compare MaxScore, Turtle and Flood
1995, with topics for terms).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

SHARES = np.geomspace(1, 0.1, 8).astype(np.float32)
LEADING = 32  # topics from which it is guessed what the last place will score
ROUNDED = 1 - 1e-4  # scores are of single precision


@dataclass(frozen=True)
class Pairs:
    """Events with a topic that may carry them: topic after topic, those that may score most first."""

    first: Places  # (n_topics + 1,) where each topic's pairs begin
    event: Places  # (n_pairs,)
    most: Floats  # (n_pairs,) what the event scores at most if the topic carries it, for each unit the topic is worth
    largest: Floats  # (n_topics,) of those
    upto: Places  # (n_topics, len(SHARES) + 1) how many of a topic's pairs reach that share of the largest; last: all

    @classmethod
    def of(cls, topic: Places, event: Places, most: Floats, *, n_topics: int) -> Pairs:
        order = np.lexsort((-most, topic))
        topic, event, most = topic[order], event[order], most[order]
        first = np.searchsorted(topic, np.arange(n_topics + 1))
        largest = np.zeros(n_topics, np.float32)
        np.maximum.at(largest, topic, most)
        level = np.searchsorted(-SHARES, -most / largest[topic])  # the first share that is reached
        reaching = np.zeros((n_topics, len(SHARES) + 1), np.intp)
        np.add.at(reaching, (topic, level), 1)
        return cls(first, event, most.astype(np.float32), largest, np.cumsum(reaching, axis=1))

    def reachable(self, worth: Floats, least: Floats) -> tuple[Places, Places]:
        """Return people and the places of pairs by which an event may score their `least`, (n_people,), above 0."""
        ceiling = worth * self.largest
        person, topic = np.nonzero(ceiling >= least[:, None])
        share = least[person] / ceiling[person, topic]
        size = self.upto[topic, np.searchsorted(-SHARES, -share)]  # of those that reach a share no larger
        ends = np.cumsum(size)
        which = np.repeat(np.arange(len(topic)), size)
        place = np.arange(len(which)) + (self.first[topic] + size - ends)[which]
        person = person[which]
        enough = self.most[place] * worth[person, topic[which]] >= least[person]
        return person[enough], place[enough]


@dataclass(frozen=True)
class Ceilings:
    """What events score at most, without being scored."""

    plain: Pairs
    bridges: Pairs  # of events whose surest topic does not carry them: they score more where it is known
    surest: Places  # (n_bridges,) that topic

    @classmethod
    def of(cls, topics: Places, most: Floats, *, bridging: float, n_topics: int) -> Ceilings:
        """Build from slots, (n_slots, n_events) both: topics, the surest first, and what each allows; 0 carries nothing.

        `bridging` multiplies what an event scores whose surest topic the person knows.
        """
        slot, event = np.nonzero(most)
        plain = Pairs.of(topics[slot, event], event, most[slot, event], n_topics=n_topics)
        slot, event = slot[slot > 0], event[slot > 0]
        bridges = Pairs.of(topics[slot, event], event, bridging * most[slot, event], n_topics=n_topics)
        return cls(plain, bridges, topics[0, bridges.event])

    def guess(self, worth: Floats, n: int) -> Floats:
        """Return for each person a score that about n events may reach, (n_people,).

        `worth` is that of topics, (n_people, n_topics), here and below.
        """
        ceiling = worth * self.plain.largest
        n_topics = worth.shape[1]
        leading = min(LEADING, n_topics)
        last = np.partition(ceiling, n_topics - leading, axis=1)[:, n_topics - leading, None]
        person, topic = np.nonzero(ceiling >= np.maximum(last, 1e-30))
        if not len(person):  # nobody here is led anywhere
            return np.zeros(len(worth), np.float32)
        reached = (ceiling[person, topic][:, None] * SHARES).ravel()
        count = np.diff(self.plain.upto[topic, :-1], prepend=0, axis=1).ravel()
        order = np.argsort(-reached)
        order = order[np.argsort(np.repeat(person, len(SHARES)).astype(np.uint16)[order], kind="stable")]
        ends = np.cumsum(np.bincount(person, minlength=len(worth)) * len(SHARES))
        seen = np.cumsum(count[order])
        before = np.r_[0, seen][np.r_[0, ends[:-1]]]
        place = np.minimum(np.searchsorted(seen, before + n), ends - 1)
        return np.where(np.diff(ends, prepend=0) > 0, reached[order][place], np.float32(0))

    def reachable(self, worth: Floats, inside: NDArray[np.bool_], least: Floats) -> tuple[Places, Places]:
        """Return people and the events that may score their `least`, (n_people,), above 0; by person, then by event.

        `inside` marks the topics that count as known, (n_people, n_topics).
        """
        least = least * np.float32(ROUNDED)
        person, place = self.plain.reachable(worth, least)
        across, beyond = self.bridges.reachable(worth, least)
        known = inside[across, self.surest[beyond]]
        size = int(self.plain.event.max(initial=0)) + 1
        keys = [person * size + self.plain.event[place], (across * size + self.bridges.event[beyond])[known]]
        found = np.sort(np.concatenate(keys))
        return np.divmod(found[np.diff(found, prepend=-1) > 0], size)
