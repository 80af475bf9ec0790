"""Step 5 of learning: how wanted each topic is before anything is known about a person.

Where a topic was asked or counted, the rate is known. Elsewhere it is guessed from how often other topics name it as
their neighbour, how much its online communities are visited, and how many members follow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.learn import sources

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Anchor:
    """Log-odds that one source tells for some topics."""

    topics: NDArray[np.intp]
    base: Floats


@dataclass(frozen=True)
class Bases:
    """Log-odds (n_topics,) of wanting a topic: of people at large, and of those whose topics are technology."""

    general: Floats
    developers: Floats


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
            np.log1p([len(topic.aliases) for topic in catalogue.topics]),
        ],
        axis=1,
    )
    return np.asarray((features - features.mean(axis=0)) / features.std(axis=0), np.float64)


# How far each source is believed beside the guess. Tags are chosen from a list of one's own, wishes from one that all
# were shown. Groups speak for people at large: their popularity and developers' wishes do not go together.
BELIEF_IN_TAGS = 0.8
BELIEF_IN_GROUPS = 0.8
BELIEF_OF_DEVELOPERS_IN_GROUPS = 0.3

# Groups differ more in popularity than wishes do: 0.46 is the slope over the topics that groups and self-chosen tags
# share. Hidden tags of groups would be guessed best at 1 (nDCG@10 .51 against .46), but groups are not wishes.
GROUP_SLOPE = 0.5


def fit_bases(popularity: Floats, *, general: Anchor, asked: Anchor, named: Anchor) -> Bases:
    """Return base rates from those of groups (general), of the survey (asked) and of self-chosen tags (named).

    The guess is fitted to survey and tags, each with its own level and the same slopes; it stands at the survey's
    level, the only one that asked for wishes.
    """
    anchors = (asked, named)
    tables, targets, weights = [], [], []
    for number, anchor in enumerate(anchors):
        level = np.zeros((len(anchor.topics), len(anchors)))
        level[:, number] = 1
        tables.append(np.hstack([popularity[anchor.topics], level]))
        targets.append(anchor.base)
        weights.append(np.full(len(anchor.topics), 1 / len(anchor.topics)))
    table, target, weight = np.vstack(tables), np.concatenate(targets), np.concatenate(weights)
    n_features = popularity.shape[1]
    ridge = np.diag(np.r_[np.full(n_features, PENALTY), np.full(len(anchors), 1e-6)])
    fitted = np.linalg.solve(table.T @ (weight[:, None] * table) + ridge, table.T @ (weight * target))
    level = fitted[n_features]
    guess: Floats = popularity @ fitted[:n_features] + level
    told = guess.copy()
    told[general.topics] = level + GROUP_SLOPE * (general.base - general.base.mean())
    people = guess + BELIEF_IN_GROUPS * (told - guess)
    developers = guess + BELIEF_OF_DEVELOPERS_IN_GROUPS * (told - guess)
    developers[named.topics] += BELIEF_IN_TAGS * (named.base - developers[named.topics])
    developers[asked.topics] = asked.base
    return Bases(people, developers)


PENALTY = 0.05  # of standardised slopes, where every source weighs 1


def _or_mean(values: Floats, known: NDArray[np.bool_]) -> Floats:
    return np.where(known, values, values[known].mean() if known.any() else 0.0)
