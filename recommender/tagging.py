"""Step 5, tagging: which topics of the catalogue an event is about, and how surely.

Three witnesses are heard: the names a text calls topics by (`names`), what its wording and its vector say (`heads`),
and its likeness to what the catalogue says of each topic. A small model learned from groups that tag themselves turns
their evidence into the probability that the topic applies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, key, load_catalogue
from recommender.embedding import Embedder, Vectors, load_embedder
from recommender.heads import Floats, hashed, word_counts
from recommender.names import Names, Words, words_of
from recommender.reach import geography
from recommender.tagging_model import TaggingModel, load_model

EVERYDAY_FILE = Path(__file__).parent / "data" / "everyday_names.txt"
MAX_WORDS = 150  # of the description; what an event is about is said at its beginning
MOST_TOPICS = 6
BATCH = 64  # texts whose (texts × topics) tables fit into the processor's cache
TITLE_WORDS = 3.0  # a word of the title or the group counts as much as three of the description
# A topic that only the group is named after gives way to what the title names: a steak dinner of designers is no talk on
# design. Under a bare title nothing gives way.
GROUP_YIELDS = 0.7
CATEGORY_TRUST = 0.95  # feeds file events under categories more loosely than organisers title them
EVERYDAY, ONE_WORD, MORE_WORDS = 0.15, 0.88, 0.92  # trust in a name nothing was learned about

TOPIC_FEATURES = (
    "constant",
    "title",  # the strongest name in the title or the categories
    "group",
    "text",
    "support",  # the strongest name of another topic of the domain, or of this one in another place
    "words",
    "vectors",
    "likeness",
    "named × support",
    "named × words",
    "named × vectors",
    "named × likeness",
)
FEATURE = {name: column for column, name in enumerate(TOPIC_FEATURES)}
NAMED = [FEATURE[name] for name in ("title", "group", "text")]
SUPPORT = FEATURE["support"]


@dataclass(frozen=True, slots=True)
class EventText:
    """What tagging reads of an event."""

    title: str
    text: str
    group: str = ""  # the community's name
    categories: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # titles of other events of the community, where they are known


Source = Literal["title", "text", "group", "wording"]


@dataclass(frozen=True, slots=True)
class Tag:
    topic: str  # slug
    weight: float  # 0 … 1, P(the topic applies)
    source: Source = "wording"  # the best place that names the topic: title or categories, text, group; or none does


@dataclass(frozen=True)
class Part:
    words: Words

    @cached_property
    def hashed(self) -> list[int]:
        return hashed(self.words)


@dataclass(frozen=True, slots=True)
class Reading:
    """The parts of a text as words."""

    title: Part
    group: Part
    categories: Part
    text: Part

    def counts(self) -> dict[int, float]:
        names = [(part.hashed, TITLE_WORDS) for part in (self.title, self.group, self.categories)]
        return word_counts([*names, (self.text.hashed, 1.0)])


@lru_cache(maxsize=512)  # tagging and purpose read the same texts one after the other
def read(text: EventText) -> Reading:
    return Reading(
        *(Part(words_of(part, MAX_WORDS)) for part in (text.title, text.group, "\n".join(text.categories), text.text))
    )


def embedded_text(text: EventText) -> str:
    """Return what an embedder reads of an event: its names first, since only the beginning is read."""
    return "\n".join(part for part in (text.title, text.group, " ".join(text.categories), text.text) if part)


class Witness:
    """The catalogue's names, how far each is to be trusted, and which topics lie in one domain."""

    def __init__(self, catalogue: Catalogue, trust: dict[str, float]) -> None:
        self.catalogue = catalogue
        self.names = topic_names(catalogue)
        everyday = everyday_names()
        self.trust = {
            name: trust.get(name, EVERYDAY if name in everyday else first)
            for name, first in first_trust(catalogue).items()
        }
        self.domain = geography(catalogue).domain
        self.senses = {
            name: [catalogue.index[topic.slug] for topic in topics] for name, topics in catalogue.senses.items()
        }

    def evidence(self, readings: Sequence[Reading]) -> Floats:
        """Return (n_texts, n_features, n_topics) with the features that names give; the heads' stay 0."""
        table = np.zeros((len(readings), len(TOPIC_FEATURES), len(self.catalogue)), np.float32)
        table[:, 0] = 1.0
        spoken = np.zeros((len(readings), len(self.catalogue.domains)), np.float32)  # how surely of a domain
        cells: list[tuple[int, int, int, float]] = []  # row, feature, topic, value
        for row, reading in enumerate(readings):
            places = self._places(reading)
            cells += [
                (row, feature, topic, trust)
                for feature, place in zip(NAMED, places, strict=True)
                for topic, trust in place.items()
            ]
            cells += [(row, SUPPORT, topic, value) for topic, value in self._supported(places, spoken[row])]
        table[:, SUPPORT] = spoken[:, self.domain]
        if cells:
            rows, features, topics, values = zip(*cells, strict=True)
            table[rows, features, topics] = values
        return table

    def _places(self, reading: Reading) -> list[dict[int, float]]:
        """Return the trust in the topics named in the title, by the group, and in the text."""
        parts = (reading.title, reading.categories, reading.group, reading.text)
        said = [[(mention.name, mention.value) for mention in self.names.mentions(part.words)] for part in parts]
        meant = self._meant(said)
        title, filed, group, text = (self._trusted(one, meant) for one in said)
        for topic, trust in filed.items():
            title[topic] = max(title.get(topic, 0.0), trust * CATEGORY_TRUST)
        times = Counter(meant.get(name, topic) for name, topic in said[-1])
        return [title, group, {topic: trust * (1 - 0.5 ** times[topic]) for topic, trust in text.items()}]

    def _trusted(self, said: Sequence[tuple[str, int]], meant: Mapping[str, int]) -> dict[int, float]:
        """Return for each topic the trust in its best name."""
        best: dict[int, float] = {}
        for name, usual in said:
            topic = meant.get(name, usual)
            best[topic] = max(best.get(topic, 0.0), self.trust[name])
        return best

    def _meant(self, said: Sequence[Sequence[tuple[str, int]]]) -> dict[str, int]:
        """Return which topic each ambiguous name stands for: the one nearest to what else is named."""
        every = {name: topic for part in said for name, topic in part}
        doubtful = every.keys() & self.senses.keys()
        if not doubtful:
            return {}
        topics, nearness = self.catalogue.topics, self.catalogue.nearness
        company = [(topics[topic], self.trust[name]) for name, topic in every.items() if name not in doubtful]
        return {
            name: max(
                self.senses[name],
                key=lambda sense: sum(nearness(topics[sense], other) * trust for other, trust in company),
            )
            for name in doubtful
        }

    def _supported(
        self, places: Sequence[dict[int, float]], spoken: NDArray[np.float32]
    ) -> Iterator[tuple[int, float]]:
        """Fill in how surely each domain is spoken of; yield how another name supports each topic that is named."""
        strongest: dict[int, float] = {}
        for place in places:
            for topic, trust in place.items():
                strongest[topic] = max(strongest.get(topic, 0.0), trust)
        best: dict[int, list[float]] = {}
        for topic, trust in strongest.items():
            best.setdefault(int(self.domain[topic]), [0.0]).append(trust)
        for domain, trusts in best.items():
            trusts.sort()
            spoken[domain] = trusts[-1]
        for topic, trust in strongest.items():
            second, first = best[int(self.domain[topic])][-2:]
            again = sorted(place.get(topic, 0.0) for place in places)[-2]
            yield topic, max(second if trust >= first else first, again)


def topic_names(catalogue: Catalogue) -> Names:
    return Names(_spelled(catalogue))


def _spelled(catalogue: Catalogue) -> Iterator[tuple[str, int]]:
    for position, topic in enumerate(catalogue.topics):
        for name in topic.names:
            yield name, position


def everyday_names() -> frozenset[str]:
    lines = EVERYDAY_FILE.read_text("utf-8").splitlines()
    return frozenset(
        key(name) for line in lines if not line.startswith("#") for name in line.split(",") if name.strip()
    )


def first_trust(catalogue: Catalogue) -> dict[str, float]:
    """Return by name's key how far a name is trusted by its look alone."""
    everyday = everyday_names()
    found: dict[str, float] = {}
    for name, _ in _spelled(catalogue):
        name_key = key(name)
        by_look = MORE_WORDS if " " in name.strip() else ONE_WORD
        found.setdefault(name_key, EVERYDAY if name_key in everyday else by_look)
    return found


def add_heads(table: Floats, words: Floats, vectors: Floats | None, likeness: Floats | None) -> Floats:
    """Fill in what the heads say, (n_texts, n_topics) each, and return the table."""
    named = table[:, NAMED].max(axis=1)
    support = table[:, SUPPORT]
    table[:, FEATURE["named × support"]] = named * support
    heads = {"words": words, "vectors": vectors, "likeness": likeness}
    for name, scores in heads.items():
        if scores is not None:
            table[:, FEATURE[name]] = scores
            table[:, FEATURE[f"named × {name}"]] = named * scores
    return table


def standardised(likeness: Floats) -> Floats:
    """Return how far a topic's likeness to a text stands out among all topics: (standard deviations / 4)², at most 2.

    Squared, since two deviations are common among thousands of topics and four are not.
    """
    centred = likeness - likeness.mean(axis=1, keepdims=True)
    deviations = centred / (4 * centred.std(axis=1, keepdims=True) + 1e-6)
    return np.asarray(np.clip(deviations, 0.0, 1.4) ** 2, np.float32)


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
