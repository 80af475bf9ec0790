"""Step 2 of learning: from what people hold to what they want or hold besides, inside the survey's vocabulary.

Asymmetric ridge regression: for each topic only people who do not hold it count, since rebuilding somebody's own stack
teaches nothing about what they want next. Symmetric models lose to plain popularity on this task.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recommender.learn.sources import Survey
from recommender.log_odds import logit
from recommender.survey_model import SurveyModel, describe, situate

# How many topics of a profile are shown to the model (None: all) and how often such profiles count, so that it can answer
# people who name three as well as those who name thirty. Counting whole profiles twice helps those who name all (on a
# fixed validation split .3732 → .3745) and costs the others nothing.
SHOWN: tuple[tuple[int | None, float], ...] = ((1, 1), (3, 1), (5, 1), (8, 1), (12, 1), (None, 2))
DRAWS = 2  # thinned profiles of a person and number: one more draw is worth .003 where all topics are shown, a third nothing
SHOWN_OF_HOLDINGS = (2, 5, 10)
# Validation nDCG@10 (all, 8, 5, 3 topics shown) .369, .347, .336, .325 without worlds at their best penalty, 400; with
# domains alone .371, .347, .338, .328 at 800; with both kinds .372, .348, .340, .330 at 1600, .369, .348, .339, .331 at 3200.
PENALTY = 1600.0
PENALTY_OF_HOLDINGS = 400.0
GOING_TOGETHER = 32  # directions in which what people hold goes together
WORLD_SCALE, DOMAIN_SCALE = 4.0, 2.0  # how freely the regression moves along them
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


def fit_survey(survey: Survey, domain: NDArray[np.intp]) -> SurveyModel:
    """Fit all parts; `domain` is that of each topic of the catalogue."""
    prior, moves = fit_moves(survey.have, survey.want)
    worlds = fit_worlds(survey.have, domain[survey.topics])
    wishes = fit_wishes(survey.have, survey.want, worlds)
    return SurveyModel(survey.topics, worlds, wishes, prior, moves, fit_holdings(survey.have))


def fit_worlds(have: NDArray[np.float32], domain: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return how far topics belong to worlds, (n_topics, n_worlds).

    Worlds are the leading eigenvectors of how often topics are held together, over the roots of how often each is (with
    HELD_BESIDES more), each with its largest part above 0; then the domains.
    """
    together = have.T.astype(np.float64) @ have
    norm = np.sqrt(np.diag(together) + HELD_BESIDES)
    likeness = together / np.outer(norm, norm)
    np.fill_diagonal(likeness, 0)
    _, vectors = np.linalg.eigh(likeness)
    leading = vectors[:, -GOING_TOGETHER:]
    largest = np.abs(leading).argmax(axis=0)
    leading = leading * np.sign(leading[largest, np.arange(leading.shape[1])])
    members = (domain[:, None] == np.unique(domain)).astype(np.float64)
    worlds: NDArray[np.float64] = np.hstack([WORLD_SCALE * leading, DOMAIN_SCALE * members])
    return worlds


HELD_BESIDES = 50


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
    have: NDArray[np.float32],
    want: NDArray[np.float32],
    worlds: NDArray[np.float64],
    *,
    penalty: float = PENALTY,
) -> NDArray[np.float64]:
    """Return weights so that `situate(known, worlds) @ weights` is P(want | known) for those who do not hold."""
    rng = np.random.default_rng(SEED)
    draws = [
        (count, often / times)
        for count, often in SHOWN
        for times in [1 if count is None else DRAWS]
        for _ in range(times)
    ]
    shown = ((thinned(have, count, rng), often) for count, often in draws)
    return _ridge(((situate(known, worlds).astype(np.float32), have, often) for known, often in shown), want, penalty)


def fit_holdings(have: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return weights so that `describe(known) @ weights` is P(holds | known), for profiles that show only a part.

    A topic is never its own evidence: people who show it are left out of its fit (compare EASE, Steck 2019).
    """
    rng = np.random.default_rng(SEED)
    profiles = (thinned(have, count, rng) for count in SHOWN_OF_HOLDINGS)
    return _ridge(((describe(known), known, 1.0) for known in profiles), have, PENALTY_OF_HOLDINGS)


def _ridge(
    batches: Iterable[tuple[NDArray[np.floating], NDArray[np.float32], float]],
    target: NDArray[np.float32],
    penalty: float,
) -> NDArray[np.float64]:
    """Solve one ridge regression a topic over batches of (features, left out, weight), tables with a row a person.

    The sums over all people are shared; those over the people left out of a topic are taken off again.
    """
    n_topics = target.shape[1]
    gram: NDArray[np.float32] | None = None
    cross = np.zeros((n_topics, 0))
    for features, left_out, often in batches:
        if gram is None:
            gram = np.zeros((n_topics, features.shape[1], features.shape[1]), np.float32)
            cross = np.zeros((n_topics, features.shape[1]))
        everyone, all_targets = features.T @ features, features.T @ target
        for topic in range(n_topics):
            out = left_out[:, topic] > 0
            part = features[out]
            gram[topic] += often * (everyone - part.T @ part)
            cross[topic] += often * (all_targets[:, topic] - part.T @ target[out, topic])
    assert gram is not None
    ridge = np.diag(np.r_[np.full(gram.shape[1] - 1, penalty), 1e-3])  # the last feature is the constant
    weights = [np.linalg.solve(one + ridge, sums) for one, sums in zip(gram, cross, strict=True)]
    return np.stack(weights, axis=1)
