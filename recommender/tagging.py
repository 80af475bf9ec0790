"""Step 5, tagging: which topics of the catalogue an event is about, and how surely.

Three witnesses are heard: the names a text calls topics by (`names`), what its wording and its vector say (`heads`),
and its likeness to what the catalogue says of each topic. A small model learned from groups that tag themselves turns
their evidence into the probability that the topic applies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from recommender.catalogue import Catalogue, load_catalogue
from recommender.embedding import Embedder, Vectors, load_embedder
from recommender.event_text import EventText, Reading, embedded_text, read
from recommender.heads import Floats
from recommender.tagging_features import EVERYDAY, NAMED, Witness, add_heads, standardised
from recommender.tagging_model import TaggingModel, load_model

MOST_TOPICS = 6
BATCH = 64  # texts whose (texts × topics) tables fit into the processor's cache
# A topic that only the group is named after gives way to what the title names: a steak dinner of designers is no talk on
# design. Under a bare title nothing gives way.
GROUP_YIELDS = 0.7
# Beside what is surely named, topics that only the wording recalls are told when they are more likely than not: half of
# the fainter ones were wrong where read ("business networking" beside all that is of business).
NAMED_SURELY, UNNAMED_LEAST = 0.8, 0.5

Source = Literal["title", "text", "group", "wording"]


@dataclass(frozen=True, slots=True)
class Tag:
    topic: str  # slug
    weight: float  # 0 … 1, P(the topic applies)
    source: Source = "wording"  # the best place that names the topic: title or categories, text, group; or none does


def sigmoid(logits: Floats) -> Floats:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


class Tagger:
    def __init__(self, catalogue: Catalogue, model: TaggingModel, embedder: Embedder | None) -> None:
        self.catalogue = catalogue
        self.model = model
        self.embedder = embedder
        self.id = f"{model.id}-{embedder.id if embedder else 'words'}"
        self.witness = Witness(catalogue, dict(model.trust))

    def tag(self, texts: Sequence[EventText], vectors: Vectors | None = None) -> list[list[Tag]]:
        """Return the topics of each text, best first, at most six; none is an answer.

        `vectors` are those of `embedded_text`, where they are known already.
        """
        if vectors is None:
            vectors = self.vectors(texts)
        return [
            self._told(weights, named)
            for readings, block in self._batches(texts, vectors)
            for weights, named in zip(*self._judged(readings, block), strict=True)
        ]

    def _told(self, log_odds: Floats, named: Floats) -> list[Tag]:
        threshold = self.model.threshold[self.embedder is not None]
        weights = sigmoid(log_odds)
        told = np.flatnonzero(weights >= threshold)
        source = {int(topic): source_of(named[:, topic]) for topic in told}
        titled = max((float(weights[topic]) for topic, place in source.items() if place == "title"), default=0.0)
        for topic, place in source.items():
            if place == "group":
                weights[topic] *= 1 - GROUP_YIELDS * titled
        named_best = max((float(weights[topic]) for topic, place in source.items() if place != "wording"), default=0.0)
        least = UNNAMED_LEAST if named_best >= NAMED_SURELY else threshold
        told = np.array(
            [topic for topic in told if source[int(topic)] != "wording" or weights[topic] >= least], np.intp
        )
        best = told[np.argsort(-weights[told], kind="stable")][:MOST_TOPICS]
        return [
            Tag(self.catalogue.topics[topic].slug, float(weights[topic]), source[int(topic)])
            for topic in best
            if weights[topic] >= threshold
        ]

    def vectors(self, texts: Sequence[EventText]) -> Vectors | None:
        return self.embedder.embed([embedded_text(text) for text in texts]) if self.embedder else None

    def blocks(self, texts: Sequence[EventText], vectors: Vectors | None = None) -> Iterator[Floats]:
        """Yield the log-odds that topics apply, (n_texts of a block, n_topics)."""
        if vectors is None:
            vectors = self.vectors(texts)
        for readings, block in self._batches(texts, vectors):
            yield self.log_odds(readings, block)

    def _batches(
        self, texts: Sequence[EventText], vectors: Vectors | None
    ) -> Iterator[tuple[list[Reading], Vectors | None]]:
        for start in range(0, len(texts), BATCH):
            readings = [read(text) for text in texts[start : start + BATCH]]
            yield readings, None if vectors is None else vectors[start : start + BATCH]

    def log_odds(self, readings: Sequence[Reading], vectors: Vectors | None) -> Floats:
        """Return (n_texts, n_topics)."""
        return self._judged(readings, vectors)[0]

    def _judged(self, readings: Sequence[Reading], vectors: Vectors | None) -> tuple[Floats, Floats]:
        """Return the log-odds that topics apply, and how they are named, (n_texts, len(NAMED), n_topics)."""
        words = self.model.topic_words.scores([reading.counts() for reading in readings])
        table = add_heads(
            self.witness.evidence(readings),
            words,
            None if vectors is None else self.model.topic_vectors.scores(vectors),
            None if vectors is None else standardised(self.model.topic_likeness.scores(vectors)),
        )
        weights = self.model.topic_weights[vectors is not None]
        return np.asarray(weights @ table, np.float32), table[:, NAMED]


def source_of(named: Floats) -> Source:
    """Return the best place that names a topic; everyday words do not count as its name."""
    title, group, text = (float(trust) > EVERYDAY for trust in named)
    return "title" if title else "text" if text else "group" if group else "wording"


@cache
def load_tagger() -> Tagger:
    catalogue = load_catalogue()
    return Tagger(catalogue, load_model(catalogue), load_embedder())
