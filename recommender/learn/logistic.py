"""Logistic regression with an offset and weights of 0 or more, neither of which scikit-learn knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.log_odds import sigmoid

Floats = NDArray[np.float64]

STEPS = 50


def fit_logistic(
    table: Floats,
    truth: Floats,
    *,
    offset: Floats,
    share: Floats,
    penalty: float,
    may_fall: bool,
) -> Floats:
    """Return the weights (n_features,) that minimise Σ share · logloss + penalty · |weights|².

    Log-odds are offset + table @ weights. Unless weights may fall below 0, they are held there by projected Newton steps
    (Bertsekas 1982): weights at 0 whose loss would fall further down stay out of the step.
    """

    def loss_at(weights: Floats) -> float:
        log_odds = offset + table @ weights
        return float(share @ (np.logaddexp(0, log_odds) - truth * log_odds) + penalty * weights @ weights)

    weights = np.zeros(table.shape[1])
    loss = loss_at(weights)
    for _ in range(STEPS):
        chance = sigmoid(offset + table @ weights)
        slope = table.T @ (share * (chance - truth)) + 2 * penalty * weights
        curve = table.T @ ((share * chance * (1 - chance))[:, None] * table) + 2 * penalty * np.eye(len(weights))
        free = np.full(len(weights), True) if may_fall else (weights > 0) | (slope < 0)
        step = np.zeros(len(weights))
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], slope[free])
        for halving in range(12):
            tried = weights - step / 2**halving
            tried = tried if may_fall else np.maximum(tried, 0)
            tried_loss = loss_at(tried)
            if tried_loss <= loss:
                break
        if loss - tried_loss < 1e-10 * abs(loss):
            break
        weights, loss = tried, tried_loss
    return weights
