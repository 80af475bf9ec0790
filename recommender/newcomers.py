"""Topics that came into the catalogue since all was learned, an operator's above all: what is supposed of them.

Nothing was counted about them, but somebody wrote down beside which topics they stand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue

Lifts = NDArray[np.float32]


def welcomed(fine: Lifts, new: Sequence[int], catalogue: Catalogue) -> Lifts:
    """Return lifts (n_topics, n_topics) in which new topics lead where their neighbours do, and are led to as they are.

    A step between a new topic and a neighbour is lifted as steps between neighbours usually are.
    """
    if not len(new):
        return fine
    beside = sides(catalogue)
    old = np.ones(len(catalogue), np.bool_)
    old[new] = False
    usual = np.median(fine[np.ix_(old, old)][beside[np.ix_(old, old)]])
    fine = fine.copy()
    kin = {topic: np.flatnonzero(beside[topic] & old) for topic in new}
    for topic, near in kin.items():
        if len(near):
            fine[topic] = fine[near].mean(axis=0)
    for topic, near in kin.items():
        if len(near):
            fine[:, topic] = fine[:, near].mean(axis=1)
    for topic in new:
        fine[topic, beside[topic]] = fine[beside[topic], topic] = usual
        fine[topic, topic] = 0
    return fine


def sides(catalogue: Catalogue) -> NDArray[np.bool_]:
    """Return which topics stand beside each other, (n_topics, n_topics); naming each other in one direction is enough."""
    beside = np.zeros((len(catalogue), len(catalogue)), np.bool_)
    for topic in catalogue.topics:
        here = catalogue.index[topic.slug]
        for neighbour in topic.neighbours:
            there = catalogue.index[neighbour]
            beside[here, there] = beside[there, here] = True
    return beside
