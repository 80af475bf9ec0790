"""How well a ranking or a probability does, one number a person, and the interval of their mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Result:
    part: str  # what is measured: "adjacency", "tagging" …
    setting: str
    model: str
    measure: str
    value: float
    low: float  # 95 % interval, by bootstrap over people
    high: float
    n: int  # people, groups or texts

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def ndcg(scores: Floats, truth: Floats, k: int) -> Floats:
    """Return normalised discounted cumulative gain at k of each row (Järvelin and Kekäläinen 2002, binary gains).

    Σ hit_r / log2(r + 1) over ranks 1 … k, divided by the best that could be. Equal scores keep their column order.
    NaN for rows without a true column.
    """
    hits = _hits(scores, truth, k)
    discount = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.r_[0, np.cumsum(discount)][np.minimum(truth.sum(axis=1).astype(int), hits.shape[1])]
    return np.where(ideal > 0, hits @ discount / np.where(ideal > 0, ideal, 1), np.nan)


def recall(scores: Floats, truth: Floats, k: int) -> Floats:
    """Return hits among the first k over min(k, true columns), so that 1 can be reached; NaN without a true column."""
    possible = np.minimum(truth.sum(axis=1), k)
    return np.where(possible > 0, _hits(scores, truth, k).sum(axis=1) / np.maximum(possible, 1), np.nan)


def calibration_error(chances: Floats, truth: Floats, bins: int = 20) -> float:
    """Return the expected calibration error: |mean chance − share true| over bins of equal count, weighted.

    Naeini et al. 2015, with quantile bins: most chances are small, so bins of equal width would be empty.
    """
    order = np.argsort(chances, axis=None)
    parts = zip(np.array_split(chances.ravel()[order], bins), np.array_split(truth.ravel()[order], bins), strict=True)
    return sum(abs(float(chance.mean() - true.mean())) * len(chance) for chance, true in parts) / chances.size


def result(part: str, setting: str, model: str, measure: str, values: Floats) -> Result:
    """Return the mean of one value a person with its 95 % interval: 1,000 bootstrap samples, the same each time.

    People for whom the measure is undefined (NaN) do not count.
    """
    known = values[~np.isnan(values)]
    rng = np.random.default_rng(0)
    means = np.array([known[rng.integers(0, len(known), len(known))].mean() for _ in range(1000)])
    low, high = np.quantile(means, [0.025, 0.975])
    return Result(part, setting, model, measure, float(known.mean()), float(low), float(high), len(known))


def _hits(scores: Floats, truth: Floats, k: int) -> Floats:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(truth, best, axis=1).astype(np.float64)
