"""Step 4 of learning: one lift a pair of topics, and one base rate a topic, for everything the survey does not ask.

The lift of a pair is a weighted sum of its signals. The weights are fitted where there is truth, on three tasks at
once: what survey people want (every topic treated as if the survey did not hold it), which tags a group carries beside
those shown, and what developers say about themselves. A topic's own rate is taken out of each task, so that only the
lift is learned; signals that draw on the same source as a task come from another part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recommender.adjacency import DAMPING, logit, sigmoid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """Profiles and what they turned out to want: `asked` marks the pairs of person and topic that count."""

    known: NDArray[np.float32]  # (n_people, n_topics)
    truth: NDArray[np.float32]  # (n_people, n_targets)
    asked: NDArray[np.bool_]  # (n_people, n_targets)
    targets: NDArray[np.intp]  # catalogue positions
    signals: Mapping[str, NDArray[np.float32]]  # those built without these people; they replace the common ones


def pulls(known: NDArray[np.float32], signal: NDArray[np.float32], targets: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return (n_people, n_targets): what the known topics say about each target, damped as at run time."""
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    return (known @ signal[:, targets]) / count**DAMPING


def fit_weights(
    signals: Mapping[str, NDArray[np.float32]], tasks: Sequence[Task], *, penalty: float = 1e-3
) -> dict[str, float]:
    """Return what a unit of each signal adds to the log-odds of wanting; no signal may speak against itself.

    Every task weighs the same, however many people it has.
    """
    scale = {name: float(signal.std()) or 1.0 for name, signal in signals.items()}
    columns, truths, offsets, shares = [], [], [], []
    for task in tasks:
        rate = (task.truth * task.asked).sum(axis=0) / np.maximum(task.asked.sum(axis=0), 1)
        usable = (rate > 0) & (rate < 1)
        asked = task.asked & usable
        features = []
        for name, common in signals.items():
            pull = pulls(task.known, task.signals.get(name, common), task.targets) / scale[name]
            mean = (pull * asked).sum(axis=0) / np.maximum(asked.sum(axis=0), 1)
            features.append((pull - mean)[asked])
        columns.append(np.stack(features, axis=1))
        truths.append(task.truth[asked])
        offset = np.where(usable, logit(np.clip(rate, 1e-6, 1 - 1e-6)), 0)
        offsets.append(np.broadcast_to(offset, asked.shape)[asked])
        shares.append(np.full(int(asked.sum()), 1 / max(float((task.truth * asked).sum()), 1)))
    table, truth = np.vstack(columns).astype(np.float64), np.concatenate(truths).astype(np.float64)
    offset, share = np.concatenate(offsets), np.concatenate(shares)

    def loss(weights: Floats) -> tuple[float, Floats]:
        log_odds = offset + table @ weights
        miss = np.logaddexp(0, log_odds) - truth * log_odds
        slope = table.T @ (share * (sigmoid(log_odds) - truth))
        return float(share @ miss + penalty * weights @ weights), slope + 2 * penalty * weights

    start = np.full(len(signals), 0.1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * len(signals))
    return {name: float(weight) / scale[name] for name, weight in zip(signals, found.x, strict=True)}


def base_rates(task: Task, lifts: NDArray[np.float32]) -> Floats:
    """Return the log-odds (n_targets,) at which the lifts give every target of a task its true rate; NaN at 0 or 1."""
    pull = pulls(task.known, lifts, task.targets).astype(np.float64)
    asked = task.asked
    rate = (task.truth * asked).sum(axis=0) / np.maximum(asked.sum(axis=0), 1)
    usable = (rate > 0) & (rate < 1)
    base = logit(np.clip(rate, 1e-4, 0.99)) - (pull * asked).sum(axis=0) / np.maximum(asked.sum(axis=0), 1)
    for _ in range(30):  # Newton's method; the mean of the sigmoid rises in the base
        chance = sigmoid(base + pull) * asked
        gap = chance.sum(axis=0) - rate * asked.sum(axis=0)
        base = base - np.clip(gap / np.maximum((chance * (1 - chance)).sum(axis=0), 1e-6), -1, 1)
    return np.where(usable, base, np.nan)
