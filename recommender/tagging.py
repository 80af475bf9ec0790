"""Step 5, tagging: which topics of the catalogue an event is about, and how surely.

Three witnesses are heard: the names a text calls topics by (`names`), what its wording and its vector say (`heads`),
and its likeness to what the catalogue says of each topic. A small model learned from groups that tag themselves turns
their evidence into the probability that the topic applies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
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
from recommender.tagging_model import TaggingModel, load_model

EVERYDAY_FILE = Path(__file__).parent / "data" / "everyday_names.txt"
MAX_WORDS = 150  # of the description; what an event is about is said at its beginning
MOST_TOPICS = 6
LEAST = 4.0  # times less than usual is the least a label is expected: heads are linear and may fall below 0
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
        order = {slug: position for position, slug in enumerate(catalogue.domains)}
        self.domain = np.array([order[topic.domain] for topic in catalogue.topics])
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
