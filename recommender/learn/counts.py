"""Step 6 of learning: the counts that reasons quote, for pairs of topics with enough people or groups behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.learn.sources import Communities, Survey

MIN_PEOPLE = 30
MIN_GROUPS = 20
MIN_LIFT = 1.2  # below that a move is no more likely than without the source topic: nothing worth saying


@dataclass(frozen=True)
class PairCounts:
    """Of `n` that have the source, `some` have or want the target; `base` is the share among all."""

    source: NDArray[np.intp]  # (n_pairs,)
    target: NDArray[np.intp]
    n: NDArray[np.int64]
    some: NDArray[np.int64]
    base: NDArray[np.float64]  # (n_topics,)


def wishes(survey: Survey, n_topics: int) -> PairCounts:
    """Count, of the people who hold the source and not the target, those who want the target."""
    lacks = 1 - survey.have
    new = survey.want * lacks
    base = np.zeros(n_topics)
    base[survey.topics] = new.sum(axis=0) / np.maximum(lacks.sum(axis=0), 1)
    n, some = (np.rint(survey.have.T.astype(np.float64) @ table).astype(np.int64) for table in (lacks, new))
    return _kept(n, some, survey.topics, base, MIN_PEOPLE)


def together(table: NDArray[np.float32], minimum: int) -> PairCounts:
    """Count, of the rows of an incidence table that have the source, those that have the target as well."""
    topics = np.flatnonzero(table.sum(axis=0) > 0)
    part = table[:, topics].astype(np.float64)
    some = np.rint(part.T @ part).astype(np.int64)
    n = np.broadcast_to(np.diag(some)[:, None], some.shape)
    return _kept(n, some, topics, table.mean(axis=0).astype(np.float64), minimum)


def domains_together(table: NDArray[np.float32], domain: NDArray[np.intp], n_domains: int) -> NDArray[np.int64]:
    """Count the rows that have topics of two domains, (n_domains + 1, n_domains); the last row holds all rows with any.

    On the diagonal stands in how many rows a domain is.
    """
    member = (domain[:, None] == np.arange(n_domains)).astype(np.float32)
    present = ((table @ member) > 0).astype(np.float64)  # (n_rows, n_domains)
    told = present[present.any(axis=1)]
    together = np.vstack([told.T @ told, np.full((1, n_domains), len(told))])
    return np.asarray(np.rint(together), np.int64)


def community_lifts(communities: Communities, *, most: int = 12) -> PairCounts:
    """Return how many times as often as elsewhere commenters of the source's communities turn up in the target's.

    `some` holds the lift in hundredths, `n` is 100. Only the strongest targets of each topic are kept.
    """
    lift = np.exp(np.minimum(communities.of_topic @ communities.lift @ communities.of_topic.T, 6.0))
    mass = communities.of_topic @ communities.mass @ communities.of_topic.T
    np.fill_diagonal(mass, 0)
    mass[lift < 2 * MIN_LIFT] = 0
    best = np.argsort(-mass, axis=1, kind="stable")[:, :most]
    source = np.repeat(np.arange(len(mass)), best.shape[1])
    target = best.ravel()
    keep = mass[source, target] > 0
    source, target = source[keep], target[keep]
    order = np.lexsort((target, source))
    source, target = source[order], target[order]
    some = np.rint(100 * lift[source, target]).astype(np.int64)
    return PairCounts(source, target, np.full(len(source), 100), some, np.ones(len(mass)))


def _kept(
    n: NDArray[np.int64],
    some: NDArray[np.int64],
    topics: NDArray[np.intp],
    base: NDArray[np.float64],
    minimum: int,
) -> PairCounts:
    lift = some / np.maximum(n, 1) / np.maximum(base[topics], 1e-9)
    keep = (n >= minimum) & (some >= MIN_SEEN) & (lift >= MIN_LIFT)
    np.fill_diagonal(keep, False)
    here, there = np.nonzero(keep)
    return PairCounts(topics[here], topics[there], n[keep], some[keep], base)


MIN_SEEN = 5  # a share that rests on fewer is an accident
