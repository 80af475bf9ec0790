"""Step 6c, evidence: counts of moves from one topic to another, and what they are called when a reason quotes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recommender.log_odds import Floats

Kind = Literal["survey", "groups", "people", "communities", "neighbours", "domains"]

SOURCES: dict[Kind, str] = {
    "survey": "Stack Overflow Developer Survey 2024",
    "groups": "local groups of several cities",
    "people": "developers' own lists of tags",
    "communities": "shared commenters of online communities",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about the move from one topic to another; every number is a count or a ratio of counts.

    survey: of `n` people who know the source and not the target, `share` want the target; of all who do not know it,
    `base` do. groups: of `n` groups about the source, `share` are also about the target. people: of `n` developers who
    name the source, `share` also name the target. communities: commenters of the source's online communities turn up
    in the target's `lift` times as often as elsewhere. neighbours: put side by side by hand. These two have no counts.
    domains: of `n` groups about anything in the source's domain, `share` are also about something in the target's.
    """

    kind: Kind
    source: str
    lift: float  # how many times as often as without the source topic
    n: int | None = None
    share: float | None = None
    base: float | None = None


@dataclass(frozen=True)
class Counts:
    """Counts of pairs of topics, sorted by source and target."""

    pair: NDArray[np.int64]  # (n_pairs,) source · n_topics + target
    n: NDArray[np.int64]
    some: NDArray[np.int64]  # of the n
    base: Floats  # (n_topics,) the share among all

    def of(self, pair: int) -> tuple[int, int] | None:
        place = int(np.searchsorted(self.pair, pair))
        if place == len(self.pair) or self.pair[place] != pair:
            return None
        return int(self.n[place]), int(self.some[place])

    def from_sources(self, sources: NDArray[np.intp]) -> tuple[NDArray[np.int64], Floats]:
        """Return the targets counted with any of these, and their shares; a target once for each of its sources."""
        n_topics = len(self.base)
        first, last = np.searchsorted(self.pair, [sources * n_topics, (sources + 1) * n_topics])
        size = last - first
        place = np.arange(size.sum()) + np.repeat(last - np.cumsum(size), size)
        return self.pair[place] % n_topics, self.some[place] / self.n[place]
