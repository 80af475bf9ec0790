"""How well a ranking or a probability does, one number a person, and the interval of their mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]  # (n_people, n) topics in the order of a list


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


def serendipity(lists: Places, truth: Floats, likeness: Floats) -> Floats:
    """Return the mean over a list of hit · (1 − likeness of the topic to the nearest known one), (n_people,).

    Relevant and unexpected at once (Kotkov, Wang and Veijalainen 2016); `likeness` is (n_people, n_topics), 0 … 1. NaN
    without a true topic.
    """
    hits = np.take_along_axis(truth, lists, axis=1)
    surprise = 1 - np.take_along_axis(likeness, lists, axis=1)
    return np.where(truth.sum(axis=1) > 0, (hits * surprise).mean(axis=1), np.nan)


def novelty(lists: Places, share: Floats) -> Floats:
    """Return the mean self-information of a list in bits, −log2 of the share of people who hold a topic, (n_people,).

    Zhou et al. 2010; topics nobody holds count as held by one in a million.
    """
    return np.asarray(-np.log2(np.maximum(share, 1e-6))[lists].mean(axis=1))


def coverage(lists: Places, n_topics: int) -> float:
    """Return the share of topics that are in anybody's list (Ge, Delgado-Battenfeld and Jannach 2010)."""
    return len(np.unique(lists)) / n_topics


def intra_list_diversity(lists: Places, likeness: Floats) -> Floats:
    """Return the mean of 1 − likeness over the pairs of a list, (n_people,) (Smyth and McClave 2001).

    `likeness` is (n_topics, n_topics), 0 … 1. A list of one topic has no pair: NaN.
    """
    n = lists.shape[1]
    if n < 2:
        return np.full(len(lists), np.nan)
    alike = likeness[lists[:, :, None], lists[:, None, :]]  # (n_people, n, n)
    return np.asarray(1 - (alike.sum(axis=(1, 2)) - np.trace(alike, axis1=1, axis2=2)) / (n * (n - 1)))


def miscalibration(lists: Places, truth: Floats, domain: Places, *, mixing: float = 0.01) -> Floats:
    """Return Σ_d p_d ln(p_d / q_d), (n_people,): 0 where a list's domains are spread like those of what people want.

    Kullback–Leibler divergence of Steck 2018 (eq. 4), q mixed with a hundredth of p so that it is finite. NaN without a
    true topic.
    """
    member = (domain[:, None] == np.arange(domain.max() + 1)).astype(np.float64)
    wanted = truth @ member
    p = wanted / np.maximum(wanted.sum(axis=1, keepdims=True), 1e-9)
    q = (1 - mixing) * member[lists].mean(axis=1) + mixing * p
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log(p / q), 0.0)
    return np.where(wanted.sum(axis=1) > 0, terms.sum(axis=1), np.nan)


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


def best(scores: Floats, k: int) -> Places:
    """Return the k topics with the highest scores of each row, best first; equal scores keep their column order."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def _hits(scores: Floats, truth: Floats, k: int) -> Floats:
    return np.take_along_axis(truth, best(scores, k), axis=1).astype(np.float64)
