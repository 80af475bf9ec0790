"""The topic catalogue: what events and people can be about, and which topic a label means.

Topics are described in files (`recommender.topic_files`); every one has a label, a slug, a domain, aliases (other names that
mean the same) and neighbours (topics next to it, in any domain).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path

from recommender.labels import key, readings, tails
from recommender.suggestions import Suggestions
from recommender.topic_files import BrokenCatalogue, Topic, read_topics

__all__ = ["BrokenCatalogue", "Catalogue", "Topic", "key", "load_catalogue", "read_also"]

SHORTEST_PART = 4  # letters: "art" is no part of "start-up"
SAME_FIELD, SAME_DOMAIN, NEXT_DOOR = 0.3, 0.8, 1.0  # how near two topics are, to tell what an ambiguous name means


class Catalogue:
    """All topics, in a fixed order; a topic's position is its index in every array of the recommender."""

    def __init__(
        self, topics: Sequence[Topic], domains: dict[str, str], senses: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.topics = tuple(topics)
        self.domains = domains  # domain slug → name for people
        self.index = {topic.slug: position for position, topic in enumerate(self.topics)}
        self._by_key: dict[str, int] = {}
        self._by_survey: dict[str, int] = {}
        naming: dict[str, set[str]] = {topic.slug: set() for topic in self.topics}
        for position, topic in enumerate(self.topics):
            for name in topic.names:
                self._claim(self._by_key, name, position)
            if topic.survey is not None:
                self._claim(self._by_survey, topic.survey, position)
        for topic in self.topics:
            if topic.domain not in domains:
                raise BrokenCatalogue(
                    f"{topic.file}: {topic.slug!r} has the domain {topic.domain!r}, which has no name: add [{topic.domain}]"
                )
            for neighbour in topic.neighbours:
                if neighbour not in self.index:
                    meant = self.suggest(neighbour, limit=1)
                    remedy = f"write {self.resolve(meant[0]).slug!r}" if meant else "leave it out"  # type: ignore[union-attr]
                    raise BrokenCatalogue(
                        f"{topic.file}: {topic.slug!r} has the neighbour {neighbour!r}, which is no topic's slug: {remedy}"
                    )
                naming[neighbour].add(topic.slug)
        self.named_by = {slug: frozenset(others) for slug, others in naming.items()}  # who calls it a neighbour
        # The key of an ambiguous name → the topics it may mean, the usual one first.
        self.senses = {key(name): tuple(self[slug] for slug in slugs) for name, slugs in (senses or {}).items()}
        # Thousands of people know the same labels.
        self._resolved = lru_cache(maxsize=1 << 14)(self.resolve)
        self._senses_of = lru_cache(maxsize=1 << 14)(self._read_senses)

    def _claim(self, names: dict[str, int], name: str, position: int) -> None:
        other = names.setdefault(key(name), position)
        if other != position:
            first, second = self.topics[other], self.topics[position]
            raise BrokenCatalogue(
                f"{name!r} names both {first.slug!r} ({first.file}) and {second.slug!r} ({second.file}): "
                "keep it in one of them"
            )

    def __len__(self) -> int:
        return len(self.topics)

    def __iter__(self) -> Iterator[Topic]:
        return iter(self.topics)

    def __getitem__(self, slug: str) -> Topic:
        return self.topics[self.index[slug]]

    def resolve(self, label: str) -> Topic | None:
        """Return the topic a label, alias or slug names, or None.

        Where no topic has the very name, "the" before it, a plural and words like "meetup" or "developer" after it
        do not count.
        """
        for name in readings(label):
            if (position := self._by_key.get(name)) is not None:
                return self.topics[position]
        return None

    def resolve_together(self, labels: Iterable[str]) -> dict[str, Topic]:
        """Return the topics of those labels that name one; an ambiguous label means the topic nearest to the others."""
        return self.told_apart({label: topic for label in labels if (topic := self._resolved(label)) is not None})

    def told_apart(self, read: Mapping[str, Topic]) -> dict[str, Topic]:
        """Return labels with the topics they name, where the ambiguous ones mean what is nearest to the others."""
        return {
            label: self._meant(senses, [other for name, other in read.items() if name != label])
            if (senses := self._senses_of(label))
            else topic
            for label, topic in read.items()
        }

    def _meant(self, senses: Sequence[Topic], company: Sequence[Topic]) -> Topic:
        # Of senses equally near the usual one counts, which comes first.
        return max(senses, key=lambda sense: sum(self.nearness(sense, other) for other in company))

    def _read_senses(self, label: str) -> tuple[Topic, ...]:
        """Return the topics an ambiguous label may mean, the usual one first, and none for other labels."""
        named = next((name for name in readings(label) if name in self._by_key), "")
        return self.senses.get(named, ())

    def nearness(self, one: Topic, other: Topic) -> float:
        if one is other or other.slug in one.neighbours or one.slug in other.neighbours:
            return NEXT_DOOR
        if one.domain == other.domain:
            return SAME_DOMAIN
        return SAME_FIELD if one.field == other.field else 0.0

    def resolve_survey(self, label: str) -> Topic | None:
        """Return the topic that a developer survey means by a label: there, Poetry and Yarn are tools."""
        position = self._by_survey.get(key(label))
        return self.resolve(label) if position is None else self.topics[position]

    def search(self, words: str, limit: int = 20) -> list[Topic]:
        """Return topics whose label, aliases or gloss hold the words.

        Exact names come first; then labels that begin so, or have a word that does; then aliases likewise; then words
        that hold the letters inside; then glosses.
        """
        wanted = key(words)
        if not wanted:
            return []
        found = [
            (rank, position)
            for position, parts in enumerate(self._searchable)
            if (rank := parts.rank(wanted)) is not None
        ]
        return [self.topics[position] for _, position in sorted(found)[:limit]]

    def suggest(self, label: str, limit: int = 3) -> list[str]:
        """Return labels of topics that an unknown label may have meant, best first."""
        merits: dict[int, float] = defaultdict(float)
        for name, merit in self._suggestions.of(label):
            position = self._by_key[name]
            merits[position] = max(merits[position], merit)
        best = sorted(merits, key=lambda position: (-merits[position], position))
        return [self.topics[position].label for position in best[:limit]]

    @cached_property
    def _suggestions(self) -> Suggestions:
        return Suggestions(name for topic in self.topics for name in topic.names)

    @cached_property
    def _searchable(self) -> list[Searchable]:
        return [Searchable.of(topic) for topic in self.topics]


@dataclass(frozen=True, slots=True)
class Searchable:
    """What a search looks at: keys of a topic's names and gloss, from each word on."""

    label: list[str]
    aliases: list[list[str]]
    gloss: list[str]
    text: str  # all of it: what is not in here is nowhere, and asking that first is twenty times as fast

    @classmethod
    def of(cls, topic: Topic) -> Searchable:
        label, aliases, gloss = tails(topic.label), [tails(alias) for alias in topic.aliases], tails(topic.gloss)
        return cls(label, aliases, gloss, "\n".join(whole for parts in (label, *aliases, gloss) for whole in parts[:1]))

    def rank(self, wanted: str) -> int | None:
        """Return how well the topic answers, 0 best, or None."""
        if wanted not in self.text:
            return None
        wholes = [self.label[0], *(alias[0] for alias in self.aliases)]
        answers = (
            wanted in wholes,
            self.label[0].startswith(wanted),
            any(tail.startswith(wanted) for tail in self.label),
            any(whole.startswith(wanted) for whole in wholes),
            any(tail.startswith(wanted) for alias in self.aliases for tail in alias),
            len(wanted) >= SHORTEST_PART and any(wanted in whole for whole in wholes),
            any(tail.startswith(wanted) for tail in self.gloss),
        )
        return answers.index(True) if True in answers else None


@dataclass(slots=True)
class OwnTopics:
    """Which file of the operator's is read after the bundled ones, for the whole process."""

    file: Path | None = None


OWN = OwnTopics()


def read_also(file: Path) -> None:
    """Let `load_catalogue` read an operator's file, too; call it before anything that keeps a catalogue is loaded."""
    load_catalogue(file)  # a broken file stops the start
    OWN.file = file


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """Return the catalogue with an operator's own file, by default that of `read_also`; read once a process."""
    return _load(extra if extra is not None else OWN.file)


@cache
def _load(extra: Path | None) -> Catalogue:
    return Catalogue(*read_topics(extra))
