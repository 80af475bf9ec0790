"""Step 6c, the scale: log-odds, and how what somebody knows is summed on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Lifts = NDArray[np.float32]

DAMPING = 0.5  # lifts of n known topics are added and divided by n ** 0.5: sources overlap (validated: 0.5, 0.75, 1)


def logit(share: Floats) -> Floats:
    return np.log(share) - np.log1p(-share)


def sigmoid(log_odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-log_odds))


def shares(known: NDArray[np.floating], domain: NDArray[np.intp], n_domains: int) -> Floats:
    """Return which share of what people know lies in each domain, (n_people, n_domains)."""
    people, topics = np.nonzero(known)  # few topics are known to anybody: a product with all of them costs more
    held = np.zeros((len(known), n_domains))
    np.add.at(held, (people, domain[topics]), known[people, topics])
    count = known.sum(axis=1, keepdims=True)
    return np.where(count > 0, held / np.maximum(count, 1e-9), 1 / n_domains)


def odds(lifts: Lifts) -> Floats:
    return np.exp(lifts.astype(np.float64))


def mixture(part: Floats, of_domains: Floats) -> Floats:
    """Return log Σ_d part_d · odds_d, (n_people, n_domains); odds of domains by domains, (n_domains, n_domains).

    Everything somebody knows speaks for its share of them: who paints and programs is half a painter with a painter's
    chances, not somebody between the two.
    """
    return np.log(part @ of_domains)


def damped(known: NDArray[np.floating], fine: Lifts) -> Floats:
    """Return the sum of lifts over the root of how much is known, (n_people, n_targets)."""
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.asarray(summed(known, fine) / count**DAMPING, np.float64)


def summed(known: NDArray[np.floating], fine: Lifts) -> Lifts:
    some = np.flatnonzero(known.any(axis=0))  # few topics are known to anybody: leave out the rest of the product
    return np.asarray(known[:, some].astype(np.float32) @ fine[some], np.float32)
