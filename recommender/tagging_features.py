"""Step 5d, features: what the names in a text say of each topic, and how what the heads say joins it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, key
from recommender.event_text import Reading
from recommender.heads import Floats
from recommender.names import Names
from recommender.reach import geography

EVERYDAY_FILE = Path(__file__).parent / "data" / "everyday_names.txt"
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
