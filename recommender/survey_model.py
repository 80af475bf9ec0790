"""Step 6c, the survey's model: what people want and hold of the topics a survey of developers asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.log_odds import Floats, Lifts, damped, logit

# Single pairs say more the less is known of a person. On a fixed validation split nDCG@10 is .373, .348, .339 and .329
# (all, 8, 5, 3 topics shown) without them, .372, .348, .340, .330 with 0.15, .369, .347, .339, .329 with 0.3.
SHARE_OF_PAIRS = 0.15


@dataclass(frozen=True)
class SurveyModel:
    """P(want) and P(hold) inside the survey's vocabulary of s topics."""

    topics: NDArray[np.intp]  # (s,) catalogue positions
    worlds: Floats  # (s, w) how far each topic belongs to each world: what goes together, domains
    wishes: Floats  # (w + n_features, s) ridge regression on what is known
    prior: Floats  # (s,) log-odds of wanting a topic, of those who do not hold it
    moves: Lifts  # (s, s) what holding the row adds to that of the column, pair by pair
    holdings: Floats  # (n_features, s)

    def want(self, known: Floats) -> Floats:
        """Return log-odds that people want each topic they do not hold, (n_people, s)."""
        regression = logit(proper(situate(known, self.worlds) @ self.wishes))
        pairs = self.prior + damped(known, self.moves)
        return (1 - SHARE_OF_PAIRS) * regression + SHARE_OF_PAIRS * pairs

    def hold(self, known: Floats) -> Floats:
        """Return log-odds that people hold each topic already, (n_people, s)."""
        return logit(proper(describe(known) @ self.holdings))


def describe(known: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the features of profiles (n_people, s) → (n_people, 2 s + 3).

    Each topic appears plain and divided by the root of the profile's size, so that its weight may fade as more is
    known; the last feature is the constant.
    """
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    root = np.sqrt(count)
    return np.hstack([known, 2 * known / root, 1 / root, np.log(count), np.ones_like(count)])


def situate(known: NDArray[np.floating], worlds: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the worlds people live in, over the root of how much they know, before `describe`, (n_people, w + 2 s + 3).

    Ridge regression moves along such directions freely, since they are few: what hardly anybody of a world was asked is
    learned from the world.
    """
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.hstack([known @ worlds / np.sqrt(count), describe(known)])


def proper(estimate: Floats) -> Floats:
    """Return probabilities in (0, 0.98] from linear estimates, in the same order.

    Below 1 % the estimate, which may be negative, decays exponentially, with the same slope where both meet.
    """
    floor = 0.01
    low = floor * np.exp(np.minimum(estimate, floor) / floor - 1)
    return np.minimum(np.where(estimate < floor, np.maximum(low, 1e-30), estimate), 0.98)
