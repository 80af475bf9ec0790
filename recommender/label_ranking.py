"""Rank candidate labels for people, all from plain JSON: what `rank` on the command line prints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from recommender.adjacency import load_adjacency
from recommender.catalogue import Catalogue
from recommender.reach import widen

PLAIN_LEVEL = 3  # of a label given without one
BATCH = 1000  # people at once: (1,000 × 2,000) numbers are 16 MB


def rank_candidates(
    people: Sequence[Mapping[str, Any]], labels: Sequence[str], *, limit: int, reach: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield for each person the candidate labels of topics they do not know, best first, with P(want).

    `know` of a person is a list of labels or maps them to levels. Labels that name no topic are left out. With a reach
    the order follows `widen`; the score stays P.
    """
    adjacency = load_adjacency()
    catalogue = adjacency.catalogue
    found = {label: topic for label in labels if (topic := catalogue.resolve(label)) is not None}
    names = list(found)
    places = np.array([catalogue.index[topic.slug] for topic in found.values()], np.intp)
    for start in range(0, len(people), BATCH):
        batch = [known_topics(person.get("know", ()), catalogue) for person in people[start : start + BATCH]]
        for known, wanted in zip(batch, adjacency.want_many(batch), strict=True):
            scores = wanted[places]
            keys = scores if reach is None else widen(wanted, known, catalogue, reach)[places]
            fresh = np.array([topic.slug not in known for topic in found.values()], np.bool_)
            order = np.argsort(-keys, kind="stable")
            best = order[fresh[order]][:limit]
            yield {"ranked": [{"topic": names[place], "score": round(float(scores[place]), 6)} for place in best]}


def known_topics(know: Mapping[str, int] | Sequence[str], catalogue: Catalogue) -> dict[str, int]:
    """Return slugs with levels; when labels share a topic its highest level counts."""
    levels = know if isinstance(know, Mapping) else dict.fromkeys(know, PLAIN_LEVEL)
    known: dict[str, int] = {}
    for label, level in levels.items():
        if (topic := catalogue.resolve(label)) is not None:
            known[topic.slug] = max(min(max(int(level), 1), 5), known.get(topic.slug, 0))
    return known
