"""Step 5 of learning: how wanted each topic is before anything is known about a person.

Where a topic was asked or counted, the rate is known. Elsewhere it is guessed from how often other topics name it as
their neighbour, how much its online communities are visited, how many members and groups it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.learn import sources

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Anchor:
    """Log-odds that one source tells for some topics, and how much it is trusted beside the guess, 0 to 1."""

    topics: NDArray[np.intp]
    base: Floats
    trust: float


def read_popularity(folder: Path, catalogue: Catalogue) -> Floats:
    """Return (n_topics, n_features), standardised: traces of how much a topic is on people's minds."""
    named = np.zeros(len(catalogue))
    for topic in catalogue.topics:
        for neighbour in topic.neighbours:
            named[catalogue.index[neighbour]] += 1
    communities = sources.read_communities(folder, catalogue)
    visited = communities.of_topic @ communities.mass.sum(axis=0)
    members = sources.read_members(folder, catalogue)
    features = np.stack(
        [
            np.log1p(named),
            _or_mean(np.log(visited + 0.02), visited > 0),
            _or_mean(np.log1p(members), members > 0),
            np.log1p(sources.read_groups(folder, catalogue).sum(axis=0)),
            np.log1p([len(topic.aliases) for topic in catalogue.topics]),
        ],
        axis=1,
    )
    return np.asarray((features - features.mean(axis=0)) / features.std(axis=0), np.float64)


def fit_bases(popularity: Floats, anchors: Sequence[Anchor], *, penalty: float = 10.0) -> Floats:
    """Return log-odds (n_topics,): an anchor's, as far as it is trusted, and the guess; the first anchor to know wins.

    Anchors share their slopes and keep their own level, since a group names fewer topics than a person wants; the
    guess stands at the mean level, every anchor weighing the same.
    """
    tables, targets, weights = [], [], []
    for number, anchor in enumerate(anchors):
        level = np.zeros((len(anchor.topics), len(anchors)))
        level[:, number] = 1
        tables.append(np.hstack([popularity[anchor.topics], level]))
        targets.append(anchor.base)
        weights.append(np.full(len(anchor.topics), 1 / len(anchor.topics)))
    table, target, weight = np.vstack(tables), np.concatenate(targets), np.concatenate(weights)
    n_features = popularity.shape[1]
    ridge = np.diag(np.r_[np.full(n_features, penalty / len(target)), np.full(len(anchors), 1e-6)])
    slopes = np.linalg.solve(table.T @ (weight[:, None] * table) + ridge, table.T @ (weight * target))
    guess = popularity @ slopes[:n_features] + slopes[n_features:].mean()
    base: Floats = guess.copy()
    for anchor in reversed(anchors):
        base[anchor.topics] = anchor.trust * anchor.base + (1 - anchor.trust) * guess[anchor.topics]
    return base


def _or_mean(values: Floats, known: NDArray[np.bool_]) -> Floats:
    return np.where(known, values, values[known].mean() if known.any() else 0.0)
