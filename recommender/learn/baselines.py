"""What others would rank with: the plain and the well-known models that every benchmark is put beside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EASE_PENALTY = 800.0  # of 50, 200 and 800 the best on validation people of a city; the survey hardly minds
WALK_RESTART, WALK_STEPS = 0.15, 20


def co_occurrence(have: NDArray[np.floating], known: NDArray[np.floating]) -> Floats:
    """Return how often what is known was held together with each item, (n_people, n_items)."""
    both = have.T.astype(np.float64) @ have
    np.fill_diagonal(both, 0)
    return np.asarray(known @ both)


def item_knn(have: NDArray[np.floating], known: NDArray[np.floating], *, shrink: float = 100.0) -> Floats:
    """Return summed cosines of items (Sarwar et al. 2001), shrunk by pseudo-counts where items are rare."""
    both = have.T.astype(np.float64) @ have
    norm = np.sqrt(np.diag(both) + shrink)
    cosine = both / np.outer(norm, norm)
    np.fill_diagonal(cosine, 0)
    return np.asarray(known @ cosine)


def ease(have: NDArray[np.floating], known: NDArray[np.floating], *, penalty: float = EASE_PENALTY) -> Floats:
    """Return scores of EASE^R: B = I − P / diag(P), P = (XᵀX + λI)⁻¹ (Steck 2019, eq. 8)."""
    inverse = np.linalg.inv(have.T.astype(np.float64) @ have + penalty * np.eye(have.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return np.asarray(known @ weights)


def page_rank(graph: NDArray[np.floating], known: NDArray[np.floating]) -> Floats:
    """Return personalised PageRank mass (Haveliwala 2002) of walks that start from what is known, (n_people, n_items)."""
    step = graph / np.maximum(graph.sum(axis=1, keepdims=True), 1e-9)
    start = known / np.maximum(known.sum(axis=1, keepdims=True), 1e-9)
    mass = start
    for _ in range(WALK_STEPS):
        mass = WALK_RESTART * start + (1 - WALK_RESTART) * (mass @ step)
    return np.asarray(mass, np.float64)


def nearest(cosine: NDArray[np.floating], known: NDArray[np.floating], *, most: int = 3) -> Floats:
    """Return the mean of the `most` largest similarities to what is known, (n_people, n_items)."""
    rows = []
    for mine in known:
        similar = np.sort(cosine[mine > 0], axis=0)[-most:]
        rows.append(similar.mean(axis=0) if len(similar) else np.zeros(cosine.shape[1]))
    return np.stack(rows).astype(np.float64)
