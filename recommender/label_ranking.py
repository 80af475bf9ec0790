"""Rank candidate labels for people, all from plain JSON: what `rank` on the command line prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from recommender.adjacency import DEVELOPER_FIELDS, load_adjacency
from recommender.catalogue import Catalogue, Topic
from recommender.reach import widen

LOWEST, PLAIN_LEVEL, HIGHEST = 1, 3, 5  # plain: of a label given without a level
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
    reader = LabelReader(catalogue)
    topics = reader.topics(labels)
    names = list(topics)
    places = np.array([catalogue.index[topic.slug] for topic in topics.values()], np.intp)
    for start in range(0, len(people), BATCH):
        batch = [reader.known(person.get("know", ())) for person in people[start : start + BATCH]]
        for known, wanted in zip(batch, adjacency.want_many(batch), strict=True):
            scores = wanted[places]
            keys = scores if reach is None else widen(wanted, known, catalogue, reach)[places]
            order = np.argsort(-keys, kind="stable")
            best = order[scores[order] > 0][:limit]  # only known topics have no chance at all
            yield {"ranked": [{"topic": names[place], "score": round(float(scores[place]), 6)} for place in best]}


class LabelReader:
    """Says which topics labels mean, each label looked up once.

    A label is read by its company: among developers' topics Poetry and Yarn are tools, elsewhere they are not.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._plain = cache(catalogue.resolve)
        self._technical = cache(catalogue.resolve_survey)

    def topics(self, labels: Iterable[str]) -> dict[str, Topic]:
        """Return the topics of those labels that name one, in their order."""
        read = {label: topic for label in labels if (topic := self._technical(label)) is not None}
        technical = sum(topic.field in DEVELOPER_FIELDS for topic in read.values())
        if 2 * technical > len(read):
            return read
        return {label: topic for label in labels if (topic := self._plain(label)) is not None}

    def known(self, know: Mapping[str, int] | Sequence[str]) -> dict[str, int]:
        """Return slugs with levels; when labels share a topic its highest level counts."""
        levels = know if isinstance(know, Mapping) else dict.fromkeys(know, PLAIN_LEVEL)
        known: dict[str, int] = {}
        for label, topic in self.topics(levels).items():
            level = min(max(int(levels[label]), LOWEST), HIGHEST)
            known[topic.slug] = max(level, known.get(topic.slug, LOWEST))
        return known
