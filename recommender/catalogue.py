"""The topic catalogue: what events and people can be about.

`data/topics/*.toml` holds one file a group of domains, written by hand; every topic has a label, a slug, a domain,
aliases (other names that mean the same) and neighbours (topics next to it, in any domain).
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

TOPIC_FILES = Path(__file__).parent / "data" / "topics"


class BrokenCatalogue(ValueError):  # noqa: N818
    """A topic file contradicts itself or another; the message names the file, the topic and the remedy."""


@dataclass(frozen=True, slots=True)
class Topic:
    slug: str
    label: str
    domain: str
    field: str  # the broad field a domain belongs to: "technology", "health", "arts" …
    aliases: tuple[str, ...]
    neighbours: tuple[str, ...]  # slugs, nearest first
    gloss: str  # one line of what it is, for tagging and for people


def key(label: str) -> str:
    """Return the form in which labels are compared: case, accents, punctuation and spacing do not count.

    `C++`, `C#`, `F#` and `.NET` keep the signs that make them different topics.
    """
    text = unicodedata.normalize("NFKD", label.casefold())
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = text.replace("&", " and ").replace("c++", "cpp").replace("c#", "csharp").replace("f#", "fsharp")
    text = text.replace(".net", " dotnet")
    return "".join(c if c.isalnum() else " " for c in text).replace(" ", "")


class Catalogue:
    """All topics, in a fixed order; a topic's position is its index in every array of the recommender."""

    def __init__(self, topics: Sequence[Topic], domains: dict[str, str]) -> None:
        self.topics = tuple(topics)
        self.domains = domains  # domain slug → name for people
        self.index = {topic.slug: position for position, topic in enumerate(self.topics)}
        self._by_key: dict[str, int] = {}
        for position, topic in enumerate(self.topics):
            for name in (topic.slug, topic.label, *topic.aliases):
                other = self._by_key.setdefault(key(name), position)
                if other != position:
                    raise BrokenCatalogue(
                        f"{name!r} names both {self.topics[other].slug!r} and {topic.slug!r}: keep it in one of them"
                    )
        for topic in self.topics:
            if topic.domain not in domains:
                raise BrokenCatalogue(f"{topic.slug!r} has the domain {topic.domain!r}, which no topic file describes")
            for neighbour in topic.neighbours:
                if neighbour not in self.index:
                    raise BrokenCatalogue(f"{topic.slug!r} has the neighbour {neighbour!r}, which is no topic's slug")
        naming: dict[str, set[str]] = {topic.slug: set() for topic in self.topics}
        for topic in self.topics:
            for neighbour in topic.neighbours:
                naming[neighbour].add(topic.slug)
        self.named_by = {slug: frozenset(others) for slug, others in naming.items()}  # who calls it a neighbour

    def __len__(self) -> int:
        return len(self.topics)

    def __iter__(self) -> Iterator[Topic]:
        return iter(self.topics)

    def __getitem__(self, slug: str) -> Topic:
        return self.topics[self.index[slug]]

    def resolve(self, label: str) -> Topic | None:
        """Return the topic a label, alias or slug names, or None."""
        position = self._by_key.get(key(label))
        return None if position is None else self.topics[position]

    def search(self, words: str, limit: int = 20) -> list[Topic]:
        """Return topics whose label, aliases or gloss hold the words: exact names first, then beginnings, then the rest."""
        wanted = key(words)
        if not wanted:
            return []
        found: list[tuple[int, int]] = []
        for position, topic in enumerate(self.topics):
            names = [key(name) for name in (topic.label, *topic.aliases)]
            if wanted in names:
                found.append((0, position))
            elif any(name.startswith(wanted) for name in names):
                found.append((1, position))
            elif any(wanted in name for name in names):
                found.append((2, position))
            elif wanted in key(topic.gloss):
                found.append((3, position))
        return [self.topics[position] for _, position in sorted(found)[:limit]]

    def suggest(self, label: str, limit: int = 3) -> list[str]:
        """Return labels of topics that an unknown label may have meant, best first."""
        close = get_close_matches(key(label), self._by_key, n=limit * 3, cutoff=0.72)
        return list(dict.fromkeys(self.topics[self._by_key[name]].label for name in close))[:limit]


@cache
def load_catalogue(folder: Path = TOPIC_FILES) -> Catalogue:
    """Read the topic files; the same folder is read once a process."""
    topics: list[Topic] = []
    domains: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        for slug, domain in tomllib.loads(path.read_text("utf-8")).items():
            domains[slug] = domain["name"]
            topics += [
                Topic(
                    slug=topic,
                    label=entry["label"],
                    domain=slug,
                    field=domain["field"],
                    aliases=tuple(entry.get("aliases", ())),
                    neighbours=tuple(entry.get("neighbours", ())),
                    gloss=entry.get("gloss", ""),
                )
                for topic, entry in domain["topics"].items()
            ]
    return Catalogue(topics, domains)
