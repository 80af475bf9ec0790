"""Step 2 of learning: from what people hold to what they want or hold besides, inside the survey's vocabulary.

Asymmetric ridge regression: for each topic only people who do not hold it count, since rebuilding somebody's own stack
teaches nothing about what they want next. Symmetric models lose to plain popularity on this task.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recommender.adjacency import SurveyModel, describe, logit
from recommender.learn.sources import Survey

# How many topics of a profile are shown to the model (None: all) and how often such profiles count, so that it can answer
# people who name three as well as those who name thirty. Counting whole profiles twice helps those who name all (on a
# fixed validation split .3732 → .3745) and costs the others nothing.
SHOWN: tuple[tuple[int | None, float], ...] = ((1, 1), (3, 1), (5, 1), (8, 1), (12, 1), (None, 2))
SHOWN_OF_HOLDINGS = (2, 5, 10)
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


def fit_survey(survey: Survey) -> SurveyModel:
    prior, moves = fit_moves(survey.have, survey.want)
    return SurveyModel(survey.topics, fit_wishes(survey.have, survey.want), prior, moves, fit_holdings(survey.have))


def fit_moves(have: NDArray[np.float32], want: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return log-odds (n_topics,) of wanting a topic among those who lack it, and what holding another adds to them.

    The latter is (n_topics, n_topics), row = held; PSEUDO_PEOPLE with the common rate pull rare pairs to 0.
    """
    lacks = (1 - have).astype(np.float64)
    new = want * lacks
    rate = (new.sum(axis=0) + 0.5) / (lacks.sum(axis=0) + 1)
    share = (have.T @ new + PSEUDO_PEOPLE * rate) / (have.T @ lacks + PSEUDO_PEOPLE)
    moves = logit(share) - logit(rate)
    np.fill_diagonal(moves, 0)
    return logit(rate), moves.astype(np.float32)


PSEUDO_PEOPLE = 20


def fit_wishes(
    have: NDArray[np.float32], want: NDArray[np.float32], *, penalty: float = PENALTY
) -> NDArray[np.float64]:
    """Return weights (n_features, n_topics): `describe(known) @ weights` is P(want | known) for those who do not hold."""
    rng = np.random.default_rng(SEED)
    profiles = ((thinned(have, count, rng), have, often) for count, often in SHOWN)
    return _ridge(profiles, want, penalty)


def fit_holdings(have: NDArray[np.float32], *, penalty: float = PENALTY) -> NDArray[np.float64]:
    """Return weights so that `describe(known) @ weights` is P(holds | known), for profiles that show only a part.

    A topic is never its own evidence: people who show it are left out of its fit (compare EASE, Steck 2019).
    """
    rng = np.random.default_rng(SEED)
    profiles = (thinned(have, count, rng) for count in SHOWN_OF_HOLDINGS)
    return _ridge(((known, known, 1.0) for known in profiles), have, penalty)


def _ridge(
    batches: Iterable[tuple[NDArray[np.float32], NDArray[np.float32], float]],
    target: NDArray[np.float32],
    penalty: float,
) -> NDArray[np.float64]:
    """Solve one ridge regression a topic over batches of (known, left out, weight), tables (n_people, n_topics).

    The sums over all people are shared; those over the people left out of a topic are taken off again.
    """
    n_topics = target.shape[1]
    n_features = describe(target[:1]).shape[1]
    gram = np.zeros((n_topics, n_features, n_features))
    cross = np.zeros((n_topics, n_features))
    for known, left_out, often in batches:
        features = describe(known)
        everyone, all_targets = features.T @ features, features.T @ target
        for topic in range(n_topics):
            out = left_out[:, topic] > 0
            part = features[out]
            gram[topic] += often * (everyone - part.T @ part)
            cross[topic] += often * (all_targets[:, topic] - part.T @ target[out, topic])
    ridge = np.diag(np.r_[np.full(n_features - 1, penalty), 1e-3])  # the last feature is the constant
    return np.asarray(np.linalg.solve(gram + ridge, cross[:, :, None])[:, :, 0].T)
