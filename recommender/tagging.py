"""Step 5, tagging: which topics of the catalogue an event is about, and how surely."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from recommender.catalogue import Catalogue, load_catalogue
from recommender.embedding import Vectors
from recommender.names import Names, words_of

MAX_WORDS = 150  # of the description; what an event is about is said at its beginning
MOST_TOPICS = 6
THRESHOLD = 0.4


@dataclass(frozen=True, slots=True)
class EventText:
    """What tagging reads of an event."""

    title: str
    text: str
    group: str = ""  # the community's name
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tag:
    topic: str  # slug
    weight: float  # 0 … 1, P(the topic applies)


def embedded_text(text: EventText) -> str:
    """Return what an embedder reads of an event: its name first, since only the beginning is read."""
    return "\n".join(part for part in (text.title, text.group, " ".join(text.categories), text.text) if part)


class Tagger:
    def __init__(self, catalogue: Catalogue) -> None:
        self.id = "names-1"
        self.catalogue = catalogue
        self.names = Names(
            (name, position)
            for position, topic in enumerate(catalogue.topics)
            for name in (topic.label, *topic.aliases)
        )

    def tag(self, texts: Sequence[EventText], vectors: Vectors | None = None) -> list[list[Tag]]:
        """Return the topics of each text, best first, at most six; none is an answer."""
        del vectors
        return [self._tag(text) for text in texts]

    def _tag(self, text: EventText) -> list[Tag]:
        scores = self.scores(text)
        best = sorted(scores.items(), key=lambda score: (-score[1], score[0]))[:MOST_TOPICS]
        return [Tag(self.catalogue.topics[position].slug, weight) for position, weight in best if weight >= THRESHOLD]

    def scores(self, text: EventText) -> dict[int, float]:
        unsure: dict[int, float] = defaultdict(lambda: 1.0)
        domains: Counter[str] = Counter()
        parts = (
            (text.title, 0.75),
            (text.group, 0.65),
            ("\n".join(text.categories), 0.7),
            (text.text, 0.3),
        )
        for part, trust in parts:
            seen: set[int] = set()
            for mention in self.names.mentions(words_of(part, MAX_WORDS)):
                sure = (
                    trust
                    if " " in mention.written or len(mention.name) > 4 or mention.written.isupper()
                    else trust * 0.5
                )
                unsure[mention.value] *= 1 - (sure * 0.5 if mention.value in seen else sure)
                if mention.value not in seen:
                    domains[self.catalogue.topics[mention.value].domain] += 1
                seen.add(mention.value)
        return {
            position: 1 - left if domains[self.catalogue.topics[position].domain] > 1 else (1 - left) * 0.9
            for position, left in unsure.items()
        }


@cache
def load_tagger() -> Tagger:
    return Tagger(load_catalogue())


def tag_labels(texts: Sequence[EventText], labels: Sequence[str], *, limit: int) -> list[list[tuple[str, float]]]:
    """Return for each text the `limit` best of these labels, which need not be in the catalogue; no threshold."""
    tagger = load_tagger()
    own = Names((label, position) for position, label in enumerate(labels))
    resolved = [tagger.catalogue.resolve(label) for label in labels]
    answers = []
    for text in texts:
        scores = tagger.scores(text)
        said = Counter(
            own.values[mention.name] for mention in own.mentions(words_of(f"{text.title}\n{text.group}\n{text.text}"))
        )
        total = [
            (scores.get(tagger.catalogue.index[topic.slug], 0.0) if topic else 0.0) + 0.3 * min(said[position], 2)
            for position, topic in enumerate(resolved)
        ]
        best = sorted(range(len(labels)), key=lambda position: (-total[position], position))[:limit]
        answers.append([(labels[position], min(total[position], 1.0)) for position in best])
    return answers
