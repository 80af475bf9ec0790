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

from recommender.learn.logistic import fit_logistic
from recommender.learn.signals import COUNTED, Signals
from recommender.log_odds import damped, logit, mixture, odds, shares, sigmoid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """Profiles and what they turned out to want: `asked` marks the pairs of person and topic that count."""

    known: NDArray[np.float32]  # (n_people, n_topics)
    truth: NDArray[np.float32]  # (n_people, n_targets)
    asked: NDArray[np.bool_]  # (n_people, n_targets)
    targets: NDArray[np.intp]  # catalogue positions
    signals: Signals  # from sources that hold none of these people


@dataclass(frozen=True)
class Lifts:
    """What knowing one topic adds to the log-odds of another."""

    broad: NDArray[np.float32]  # (n_domains, n_domains)
    fine: NDArray[np.float32]  # (n_topics, n_topics)
    domain: NDArray[np.intp]  # (n_topics,)

    def pull(self, known: NDArray[np.float32], targets: NDArray[np.intp]) -> Floats:
        """Return what the known topics of people add to the log-odds of targets, (n_people, n_targets)."""
        broad = mixture(shares(known, self.domain, len(self.broad)), odds(self.broad))
        return broad[:, self.domain[targets]] + damped(known, self.fine[:, targets])


@dataclass(frozen=True)
class Weights:
    """What a unit of each signal adds to the log-odds of wanting; names are `broad …` and `fine …`."""

    counted: Mapping[str, float]
    uncounted: Mapping[str, float]  # where a topic is not counted, the other signals must say more


def fit_weights(tasks: Sequence[Task], *, penalty: float = 1e-3) -> Weights:
    """Fit the weights of signals to tasks, with the counted signals and without; no signal may speak against itself.

    Every task weighs the same, however many people it has.
    """
    tables, truths, offsets, shares_of_loss = [], [], [], []
    for task in tasks:
        rate = (task.truth * task.asked).sum(axis=0) / np.maximum(task.asked.sum(axis=0), 1)
        usable = (rate > 0) & (rate < 1)
        asked = task.asked & usable
        features = []
        for pull in _pulls(task).values():
            mean = (pull * asked).sum(axis=0) / np.maximum(asked.sum(axis=0), 1)
            features.append((pull - mean)[asked])
        tables.append(np.stack(features, axis=1))
        truths.append(task.truth[asked])
        offset = np.where(usable, logit(np.clip(rate, 1e-6, 1 - 1e-6)), 0)
        offsets.append(np.broadcast_to(offset, asked.shape)[asked])
        shares_of_loss.append(np.full(int(asked.sum()), 1 / max(float((task.truth * asked).sum()), 1)))
    table, truth = np.vstack(tables).astype(np.float64), np.concatenate(truths).astype(np.float64)
    offset, share = np.concatenate(offsets), np.concatenate(shares_of_loss)
    names = _pulls_names(tasks[0])

    def fitted(use: Sequence[str]) -> dict[str, float]:
        columns = [names.index(name) for name in use]
        part = table[:, columns]
        scale = np.maximum(part.std(axis=0), 1e-9)
        found = fit_logistic(part / scale, truth, offset=offset, share=share, penalty=penalty, may_fall=False)
        return dict(zip(use, (found / scale).tolist(), strict=True))

    return Weights(fitted(names), fitted([name for name in names if name not in COUNTED]))


def combined(signals: Signals, weights: Weights) -> Lifts:
    """Return the weighted sum of signals."""
    broad = sum(weights.counted[f"broad {name}"] * signal for name, signal in signals.broad.items())
    counted, uncounted = (
        np.asarray(sum(chosen.get(f"fine {name}", 0.0) * signal for name, signal in signals.fine.items()), np.float32)
        for chosen in (weights.counted, weights.uncounted)
    )
    both = signals.counted[:, None] & signals.counted[None, :]
    return Lifts(np.asarray(broad, np.float32), np.where(both, counted, uncounted), signals.domain)


def _pulls_names(task: Task) -> list[str]:
    return [f"broad {name}" for name in task.signals.broad] + [f"fine {name}" for name in task.signals.fine]


def _pulls(task: Task) -> dict[str, Floats]:
    domain = task.signals.domain
    pulls: dict[str, Floats] = {}
    for name, broad in task.signals.broad.items():
        part = shares(task.known, domain, len(broad))
        pulls[f"broad {name}"] = mixture(part, odds(broad))[:, domain[task.targets]]
    for name, fine in task.signals.fine.items():
        pulls[f"fine {name}"] = damped(task.known, fine[:, task.targets])
    return pulls


def base_rates(task: Task, lifts: Lifts) -> Floats:
    """Return the log-odds (n_targets,) at which the lifts give every target of a task its true rate; NaN at 0 or 1."""
    pull = lifts.pull(task.known, task.targets)
    asked = task.asked
    rate = (task.truth * asked).sum(axis=0) / np.maximum(asked.sum(axis=0), 1)
    usable = (rate > 0) & (rate < 1)
    base = logit(np.clip(rate, 1e-4, 0.99)) - (pull * asked).sum(axis=0) / np.maximum(asked.sum(axis=0), 1)
    for _ in range(30):  # Newton's method; the mean of the sigmoid rises in the base
        chance = sigmoid(base + pull) * asked
        gap = chance.sum(axis=0) - rate * asked.sum(axis=0)
        base = base - np.clip(gap / np.maximum((chance * (1 - chance)).sum(axis=0), 1e-6), -1, 1)
    return np.where(usable, base, np.nan)
