"""Rank candidate labels for people, all from plain JSON: what `rank` on the command line prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.adjacency import DEVELOPER_FIELDS, load_adjacency
from recommender.catalogue import Catalogue, Topic, key
from recommender.event_text import EventText
from recommender.log_odds import sigmoid
from recommender.reach import widen
from recommender.tagging import load_tagger

Floats = NDArray[np.float64]

LOWEST, PLAIN_LEVEL, HIGHEST = 1, 3, 5  # plain: of a label given without a level
BATCH = 1000  # people at once: (1,000 × 2,000) numbers are 16 MB
READ = 0.3  # chance from which a label that names no topic counts as being about one
UNREAD = 1e-6  # P(want) of a label nobody can make anything of: it comes last


class NoPerson(ValueError):  # noqa: N818
    """A line of JSON that does not say what somebody knows; the message says what it should look like."""


def rank_candidates(
    people: Sequence[Mapping[str, Any]], labels: Sequence[str], *, limit: int, reach: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield for each person the candidate labels they do not know, best first, with P(want).

    `know` of a person is a list of labels or maps them to levels; raises NoPerson where it is neither. Candidates that
    name no topic are ranked by those their words are about. With a reach the order follows `widen`; the score stays P.
    """
    adjacency = load_adjacency()
    catalogue = adjacency.catalogue
    reader = LabelReader(catalogue)
    candidates = Candidates.of(labels, reader)
    for start in range(0, len(people), BATCH):
        known = [reader.known(levels_of(person)) for person in people[start : start + BATCH]]
        for person, topics, wanted in zip(people[start:], known, sigmoid(adjacency.log_odds(known)), strict=False):
            scores = candidates.scores(wanted)
            order = scores if reach is None else candidates.scores(widen(wanted, topics, catalogue, reach))
            held = candidates.held([catalogue.index[slug] for slug in topics], levels_of(person))
            best = np.argsort(-order, kind="stable")
            best = best[~held[best]][:limit]
            yield {
                "ranked": [
                    {"topic": candidates.labels[place], "score": round(float(scores[place]), 6)} for place in best
                ]
            }


def levels_of(person: Mapping[str, Any]) -> dict[str, int]:
    """Return the labels that somebody knows with their levels; raises NoPerson."""
    match person.get("know", []):
        case list() as labels if all(isinstance(label, str) for label in labels):
            return dict.fromkeys(labels, PLAIN_LEVEL)
        case dict() as levels if all(isinstance(level, (int, float)) and isfinite(level) for level in levels.values()):
            return {label: round(min(max(level, LOWEST), HIGHEST)) for label, level in levels.items()}
    raise NoPerson('"know" must be a list of labels or map labels to levels from 1 to 5')


@dataclass(frozen=True)
class Candidates:
    """The labels that are ranked, and how they hang on topics."""

    labels: tuple[str, ...]
    topic: NDArray[np.intp]  # (n_labels,) catalogue positions, -1 where a label names no topic
    about: Floats  # (n_strangers, n_topics) what labels that name no topic are about
    strangers: dict[str, int]  # key of each label that names no topic → its place among the labels

    @classmethod
    def of(cls, labels: Iterable[str], reader: LabelReader) -> Candidates:
        names = tuple(dict.fromkeys(labels))
        topics = reader.topics(names)
        index = reader.catalogue.index
        topic = np.array([index[topics[name].slug] if name in topics else -1 for name in names], np.intp)
        strange = [place for place, name in enumerate(names) if name not in topics]
        about = read_as_text([names[place] for place in strange], reader.catalogue)
        return cls(names, topic, about, {key(names[place]): place for place in strange})

    def scores(self, wanted: Floats) -> Floats:
        """Return what a value a topic, (n_topics,), makes of each label, (n_labels,)."""
        scores = wanted[self.topic]
        scores[self.topic < 0] = np.maximum(self.about @ wanted, UNREAD)
        return scores

    def held(self, topics: Sequence[int], labels: Iterable[str]) -> NDArray[np.bool_]:
        """Return which labels somebody knows, by topics or by the very names, (n_labels,)."""
        held = np.isin(self.topic, topics)
        if self.strangers:
            held[[self.strangers[name] for label in labels if (name := key(label)) in self.strangers]] = True
        return held


def read_as_text(labels: Sequence[str], catalogue: Catalogue) -> Floats:
    """Return how much of each topic's chance labels that name none take over, (n_labels, n_topics).

    The tagger reads a label as it reads titles. Of what it finds likely, chances weigh each other: c² / Σ c, so that half
    a chance of one topic gives half of what people want that topic.
    """
    about = np.zeros((len(labels), len(catalogue)))
    if labels:
        log_odds = np.concatenate(list(load_tagger().blocks([EventText(title=label, text="") for label in labels])))
        chances = sigmoid(log_odds.astype(np.float64))
        chances[chances < READ] = 0
        about = chances**2 / np.maximum(chances.sum(axis=1, keepdims=True), 1e-9)
    return about


class LabelReader:
    """Says which topics labels mean.

    A label is read by its company: among developers' topics Poetry and Yarn are tools, elsewhere they are not; beside
    telephony Networking is of computers.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._technical = cache(catalogue.resolve_survey)

    def topics(self, labels: Iterable[str]) -> dict[str, Topic]:
        """Return the topics of those labels that name one, in their order."""
        read = {label: topic for label in labels if (topic := self._technical(label)) is not None}
        technical = sum(topic.field in DEVELOPER_FIELDS for topic in read.values())
        if 2 * technical > len(read):
            return self.catalogue.told_apart(read)
        return self.catalogue.resolve_together(labels)

    def known(self, levels: Mapping[str, int]) -> dict[str, int]:
        """Return slugs with levels; when labels share a topic its highest level counts."""
        known: dict[str, int] = {}
        for label, topic in self.topics(levels).items():
            known[topic.slug] = max(levels[label], known.get(topic.slug, LOWEST))
        return known

    def unknown(self, labels: Iterable[str]) -> list[str]:
        """Return the labels that name no topic in their company, each once."""
        asked = dict.fromkeys(labels)
        topics = self.topics(asked)
        return [label for label in asked if label not in topics]
