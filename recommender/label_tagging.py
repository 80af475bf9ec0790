"""Step 5 for labels that need not be in the catalogue: which of a list suit a text best, what `tag --candidates` prints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from recommender.catalogue import key
from recommender.embedding import Vectors
from recommender.event_text import EventText, Reading, read
from recommender.heads import Floats
from recommender.names import Names
from recommender.tagging import BATCH, Tagger, load_tagger, sigmoid
from recommender.tagging_features import standardised

LEAST = 4.0  # times less than usual is the least a label is expected: heads are linear and may fall below 0

LABEL_FEATURES = (
    "constant",
    "topic",  # log-odds of the topic the label names; 0 when it names none
    "no topic",
    "title",  # whether title or group hold the very label
    "text",
    "rate",  # share of groups that use the label, log
    "expected",  # the same for a group with such words, and such a vector, log over the rate
    "likeness",
)


def tag_labels(
    texts: Sequence[EventText], labels: Sequence[str], *, limit: int, tagger: Tagger | None = None
) -> list[list[tuple[str, float]]]:
    """Return for each text the `limit` best of these labels, best first, with no threshold.

    Labels need not be in the catalogue: the topic they name, the label itself in the text, tags of groups spelled
    alike, and the likeness of label and text all count.
    """
    if not labels:
        return [[] for _ in texts]
    tagger = tagger or load_tagger()
    known = Labels(labels, tagger)
    vectors = tagger.vectors(texts)
    answers: list[list[tuple[str, float]]] = []
    for start in range(0, len(texts), BATCH):
        readings = [read(text) for text in texts[start : start + BATCH]]
        block = None if vectors is None else vectors[start : start + BATCH]
        log_odds = tagger.log_odds(readings, block)
        table = known.evidence(readings, log_odds, block)
        known.temper(table, log_odds)
        weights = sigmoid(tagger.model.label_weights[block is not None] @ table)
        for row in weights:
            best = np.argsort(-row, kind="stable")[:limit]
            answers.append([(labels[position], float(row[position])) for position in best])
    return answers


class Labels:
    """A list of labels and what the tagger knows of each."""

    def __init__(self, labels: Sequence[str], tagger: Tagger) -> None:
        model = tagger.model
        self.size = len(labels)
        self.model = model
        self.names = Names((label, position) for position, label in enumerate(labels))
        self.twins: dict[str, list[int]] = {}  # labels that differ in spelling only
        for position, label in enumerate(labels):
            self.twins.setdefault(key(label), []).append(position)
        topics = [tagger.catalogue.resolve(label) for label in labels]
        self.topic = np.array([tagger.catalogue.index[topic.slug] if topic else -1 for topic in topics])
        self.tag = np.array([model.label_positions.get(key(label), -1) for label in labels])
        # A label nobody learned stands for the rarest ones.
        self.rate = np.append(model.label_rates, 0.5 * model.label_rates.min())[self.tag]
        self.home = at_home(tagger)
        self.vectors = None
        if tagger.embedder is not None:
            vectors = tagger.embedder.embed(list(labels))
            self.vectors = (vectors - vectors.mean(axis=0)).T  # (dimensions, n_labels)

    def evidence(self, readings: Sequence[Reading], log_odds: Floats, vectors: Vectors | None) -> Floats:
        """Return (n_texts, n_features, n_labels)."""
        table = np.zeros((len(readings), len(LABEL_FEATURES), self.size), np.float32)
        put = {name: table[:, column] for column, name in enumerate(LABEL_FEATURES)}
        has_topic, has_tag = self.topic >= 0, self.tag >= 0
        put["constant"][:] = 1.0
        put["topic"][:, has_topic] = log_odds[:, self.topic[has_topic]]
        put["no topic"][:, ~has_topic] = 1.0
        put["rate"][:] = np.log(self.rate)
        heads = self.model.label_words.scores([reading.counts() for reading in readings])
        for row, reading in enumerate(readings):
            for place, parts in (("title", (reading.title, reading.group)), ("text", (reading.text,))):
                for part in parts:
                    for mention in self.names.mentions(part.words):
                        put[place][row, self.twins[mention.name]] = 1.0
        if vectors is not None and self.vectors is not None:
            heads += self.model.label_vectors.scores(vectors)
            put["likeness"][:] = standardised((vectors - self.model.label_vectors.centre) @ self.vectors)
        rate = self.rate[has_tag]
        put["expected"][:, has_tag] = np.log(np.clip(rate + heads[:, self.tag[has_tag]], rate / LEAST, 1.0) / rate)
        return table

    def temper(self, table: Floats, log_odds: Floats) -> None:
        """Let what groups call themselves count as far as the texts are of the world it was learned in.

        Of groups of programmers a quarter say Python; of an evening whose only topic is Reiki that tells nothing.
        """
        chances = sigmoid(log_odds)
        familiar = ((chances * self.home).max(axis=1) / chances.max(axis=1))[:, None]
        rate, expected = (table[:, LABEL_FEATURES.index(name)] for name in ("rate", "expected"))
        rate[:] = familiar * rate + (1 - familiar) * rate.mean(axis=1, keepdims=True)
        expected *= familiar


def at_home(tagger: Tagger) -> Floats:
    """Return how much the groups that were learned from are about the field of each topic, 1 for the most frequent."""
    catalogue = tagger.catalogue
    seen: dict[str, float] = defaultdict(float)
    for label, position in tagger.model.label_positions.items():
        if (topic := catalogue.resolve(label)) is not None:
            seen[topic.field] += float(tagger.model.label_rates[position])
    most = max(seen.values())
    return np.array([seen[topic.field] / most for topic in catalogue], np.float32)
