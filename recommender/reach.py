"""The reach dial: how far outside what somebody knows the ring lies, and how far a topic is.

The dial turns weights, it never filters: every hard band of similarity or hops cost 9 to 27 % nDCG.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue

Reach = Literal["next-door", "one-step", "two-steps", "far"]
REACHES: tuple[Reach, ...] = get_args(Reach)

GAMMA: Mapping[Reach, float] = {"next-door": 0.0, "one-step": 0.3, "two-steps": 0.5, "far": 0.8}


def widen(
    want: NDArray[np.float64], known: Mapping[str, int], catalogue: Catalogue, reach: Reach
) -> NDArray[np.float64]:
    """Return P(want j | known) · (1 + cov(domain of j))^−γ, (n_topics,), γ by the dial.

    cov is the sum of levels known in a domain, in units of level 3, so that three plain "know it" count as 3.
    """
    covered: dict[str, float] = {}
    for slug, level in known.items():
        domain = catalogue[slug].domain
        covered[domain] = covered.get(domain, 0.0) + level / 3
    cover = np.array([covered.get(topic.domain, 0.0) for topic in catalogue.topics])  # (n_topics,)
    return want * (1.0 + cover) ** -GAMMA[reach]


def distance_bands(known: Mapping[str, int], catalogue: Catalogue) -> NDArray[np.int8]:
    """Return how far each topic is from the nearest known one, as an index into REACHES, (n_topics,).

    Next door: the same domain, or a neighbour in the same field. One step: a neighbour in another field, or a
    domain that a neighbour belongs to. Two steps: the rest of a known field, or a neighbour's neighbour. Far: all else.
    """
    band = np.full(len(catalogue), 3, dtype=np.int8)
    fields = {catalogue[slug].field for slug in known}
    domains = {catalogue[slug].domain for slug in known}
    beside = {near for slug in known for near in beside_of(slug, catalogue)}
    beside_domains = {catalogue[slug].domain for slug in beside}
    beyond = {near for slug in beside for near in catalogue[slug].neighbours}
    for position, topic in enumerate(catalogue.topics):
        if topic.domain in domains or (topic.slug in beside and topic.field in fields):
            band[position] = 0
        elif topic.slug in beside or (topic.domain in beside_domains and topic.field in fields):
            band[position] = 1
        elif topic.field in fields or topic.slug in beyond or topic.domain in beside_domains:
            band[position] = 2
    return band


def beside_of(slug: str, catalogue: Catalogue) -> frozenset[str]:
    """Return the topics that name this one as a neighbour, or are named by it."""
    return frozenset(catalogue[slug].neighbours) | catalogue.named_by[slug]
