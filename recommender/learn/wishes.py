"""Step 2 of learning: from what people hold to what they want or hold besides, inside the survey's vocabulary.

Asymmetric ridge regression: for each topic only people who do not hold it count, since rebuilding somebody's own stack
teaches nothing about what they want next. Symmetric models lose to plain popularity on this task.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.adjacency import describe

# How many topics of a profile are shown to the model, so that it can answer people who name three as well as those who
# name thirty; None shows all. Whole profiles count twice (a fixed validation split: .3732 → .3745 at all shown).
SHOWN = (1, 3, 5, 8, 12, None, None)
PENALTY = 400.0  # of 200, 400, 600, 1500, 3000 the best on the same split, over 1, 3, 5, 8 and all topics shown
SEED = 20240501


def thinned(have: NDArray[np.float32], shown: int | None, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return profiles of which at most `shown` topics are kept, at random."""
    if shown is None:
        return have
    lots = rng.random(have.shape, dtype=np.float32) * have
    kept = np.argsort(-lots, axis=1, kind="stable")[:, :shown]
    few = np.zeros_like(have)
    np.put_along_axis(few, kept, np.take_along_axis(have, kept, axis=1), axis=1)
    return few


def fit_wishes(
    have: NDArray[np.float32],
    want: NDArray[np.float32],
    *,
    shown: Sequence[int | None] = SHOWN,
    penalty: float = PENALTY,
) -> NDArray[np.float64]:
    """Return weights (n_features, n_topics): `describe(known) @ weights` is P(want | known) for those who do not hold."""
    rng = np.random.default_rng(SEED)
    return _ridge(((thinned(have, count, rng), have) for count in shown), want, penalty)


def fit_holdings(have: NDArray[np.float32], *, penalty: float = PENALTY) -> NDArray[np.float64]:
    """Return weights so that `describe(known) @ weights` is P(holds | known), for profiles that show only a part.

    A topic is never its own evidence: people who show it are left out of its fit (compare EASE, Steck 2019).
    """
    rng = np.random.default_rng(SEED)
    profiles = (thinned(have, count, rng) for count in SHOWN if count is not None)
    return _ridge(((known, known) for known in profiles), have, penalty)


def _ridge(
    batches: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]],
    target: NDArray[np.float32],
    penalty: float,
) -> NDArray[np.float64]:
    """Solve one ridge regression a topic over batches of (known, left out), both (n_people, n_topics).

    The sums over all people are shared; those over the people left out of a topic are taken off again.
    """
    n_topics = target.shape[1]
    gram: NDArray[np.float64] | float = 0.0
    cross: NDArray[np.float64] | float = 0.0
    for known, left_out in batches:
        features = describe(known)
        grams = np.empty((n_topics, features.shape[1], features.shape[1]))
        crosses = np.empty((n_topics, features.shape[1]))
        whole, all_targets = features.T @ features, features.T @ target
        for topic in range(n_topics):
            out = left_out[:, topic] > 0
            part = features[out]
            grams[topic] = whole - part.T @ part
            crosses[topic] = all_targets[:, topic] - part.T @ target[out, topic]
        gram, cross = gram + grams, cross + crosses
    assert isinstance(gram, np.ndarray)
    assert isinstance(cross, np.ndarray)
    ridge = np.diag(np.r_[np.full(gram.shape[1] - 1, penalty), 1e-3])  # the last feature is the constant
    return np.linalg.solve(gram + ridge, cross[:, :, None])[:, :, 0].T
