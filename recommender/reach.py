"""Step 6c, the reach dial: how far from what they know somebody wants to be led, and how far each topic lies.

The dial turns weights, it never filters: every hard band of similarity or hops cost 9 to 27 % nDCG on survey people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue

Reach = Literal["next-door", "one-step", "two-steps", "far"]
REACHES: tuple[Reach, ...] = get_args(Reach)

# γ of each reach. On survey people 0.3 lifts the share of new domains in a list from 22 % to 36 % for 5 % of its nDCG.
GAMMAS: Mapping[str, float] = {"next-door": 0.0, "one-step": 0.3, "two-steps": 0.5, "far": 0.8}


@dataclass(frozen=True)
class Geography:
    """Which topics lie beside which, as arrays over a catalogue of t topics in d domains."""

    domain: NDArray[np.intp]  # (t,) number of each topic's domain
    field: NDArray[np.intp]  # (d,) number of each domain's field
    naming: NDArray[np.intp]  # (n_names,) topics that name a neighbour …
    named: NDArray[np.intp]  # (n_names,) … and that neighbour

    def named_by(self, some: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which topics any of these, (t,), name as neighbours, (t,)."""
        found = np.zeros(len(self.domain), np.bool_)
        found[self.named[some[self.naming]]] = True
        return found

    def beside(self, topics: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which topics name any of these as a neighbour or are named by one, (t,)."""
        some = np.zeros(len(self.domain), np.bool_)
        some[topics] = True
        found = self.named_by(some)
        found[self.naming[some[self.named]]] = True
        return found

    def among(self, numbers: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which domains are among the numbers, (d,)."""
        return np.bincount(numbers, minlength=len(self.field)) > 0


@cache
def geography(catalogue: Catalogue) -> Geography:
    order = {slug: number for number, slug in enumerate(catalogue.domains)}
    fields = {topic.domain: topic.field for topic in catalogue.topics}
    names = sorted(set(fields.values()))
    naming, named = (
        np.array(
            [
                (place, catalogue.index[slug])
                for place, topic in enumerate(catalogue.topics)
                for slug in topic.neighbours
            ],
            np.intp,
        )
        .reshape(-1, 2)
        .T
    )
    return Geography(
        np.array([order[topic.domain] for topic in catalogue.topics], np.intp),
        np.array([names.index(fields[slug]) if slug in fields else len(names) for slug in catalogue.domains], np.intp),
        naming,
        named,
    )


def widen(
    wanted: NDArray[np.float64], known: Mapping[str, int], catalogue: Catalogue, reach: str
) -> NDArray[np.float64]:
    """Return P · (1 + coverage of the topic's domain)^−γ, (n_topics,).

    Coverage is the sum of levels held in a domain over 3, so that a plain "know" counts 1.
    """
    ground = geography(catalogue)
    held = np.array([catalogue.index[slug] for slug in known], np.intp)
    levels = np.array(list(known.values()), np.float64) / 3
    covered = np.bincount(ground.domain[held], levels, minlength=len(ground.field))
    return np.asarray(wanted * ((1 + covered) ** -GAMMAS[reach])[ground.domain])


def distance_bands(known: Mapping[str, int], catalogue: Catalogue) -> NDArray[np.int8]:
    """Return how far each topic is from the nearest known one, as an index into REACHES, (n_topics,).

    Next door: the same domain, or a neighbour in the same field. One step: a neighbour in another field, or a domain
    of a known field that a neighbour belongs to. Two steps: the rest of a known field, a neighbour's neighbour, or the
    domain of a neighbour. Far: all else.
    """
    ground = geography(catalogue)
    held = np.array([catalogue.index[slug] for slug in known], np.intp)
    field = ground.field[ground.domain]
    in_field = np.bincount(field[held], minlength=int(field.max(initial=0)) + 1)[field] > 0
    in_domain = ground.among(ground.domain[held])[ground.domain]
    beside = ground.beside(held)
    in_beside_domain = ground.among(ground.domain[beside])[ground.domain]
    beyond = ground.named_by(beside)
    return np.select(
        [
            in_domain | (beside & in_field),
            beside | (in_beside_domain & in_field),
            in_field | beyond | in_beside_domain,
        ],
        [np.int8(REACHES.index(reach)) for reach in ("next-door", "one-step", "two-steps")],
        np.int8(REACHES.index("far")),
    )


def beside_of(slug: str, catalogue: Catalogue) -> frozenset[str]:
    """Return the topics that name this one as a neighbour, or are named by it."""
    return frozenset(catalogue[slug].neighbours) | catalogue.named_by[slug]
