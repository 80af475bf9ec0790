"""What tagging is learned from: groups that tag themselves, descriptions of single topics, and both as arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, key
from recommender.embedding import Vectors, load_embedder
from recommender.event_text import EventText, embedded_text, read
from recommender.heads import Floats
from recommender.learn.sources import incidence, lines, positions, rows

MIN_GROUPS = 2  # that use a tag, for it to get a class of its own
# What the events of a group are called when they are called nothing: the group alone must tell what they are about.
BARE_TITLES = ("Monthly meeting", "October meetup", "Weekly get-together", "Annual meeting", "Meetup #12", "Kick-off")


@dataclass(frozen=True)
class Groups:
    texts: tuple[EventText, ...]  # title is the group's name
    tags: tuple[tuple[str, ...], ...]
    cities: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, chosen: Sequence[int] | NDArray[np.intp]) -> Groups:
        return Groups(
            tuple(self.texts[one] for one in chosen),
            tuple(self.tags[one] for one in chosen),
            tuple(self.cities[one] for one in chosen),
        )


def read_tagged_groups(folder: Path) -> Groups:
    groups = [json.loads(line) for line in lines(folder / "tagged_groups.jsonl")]
    return Groups(
        tuple(EventText(one["name"], one["text"]) for one in groups),
        tuple(tuple(one["tags"]) for one in groups),
        tuple(one["city"] for one in groups),
    )


@dataclass(frozen=True)
class WeakDocuments:
    """Descriptions of single topics."""

    texts: tuple[str, ...]
    vectors: Vectors
    topics: Floats  # (n_documents, n_topics) 0 or 1
    asked: NDArray[np.intp]  # those written by others, which may be asked what they are about

    def without(self, positions: NDArray[np.intp]) -> WeakDocuments:
        kept = np.setdiff1d(np.arange(len(self.texts)), positions)
        return WeakDocuments(
            tuple(self.texts[one] for one in kept),
            self.vectors[kept],
            self.topics[kept],
            np.intersect1d(self.asked, kept),
        )


def read_weak_documents(folder: Path, catalogue: Catalogue) -> WeakDocuments:
    described = [
        (f"{row['topic_name']}\n{row['description']}", positions(catalogue, [row["topic_name"]]))
        for row in rows(folder / "meetup_topics.csv.gz")
    ]
    pages = [json.loads(line) for line in lines(folder / "github_topics.jsonl")]
    described += [
        (f"{page['name']}\n{page['short']}", positions(catalogue, [page["name"], page["slug"]])) for page in pages
    ]
    described = [one for one in described if one[1]]
    asked = np.arange(len(described))
    described += [(text, [position]) for position, text in enumerate(catalogue_texts(catalogue))]
    texts = tuple(text for text, _ in described)
    return WeakDocuments(texts, embedded(texts), incidence([topics for _, topics in described], len(catalogue)), asked)


def catalogue_texts(catalogue: Catalogue) -> list[str]:
    """Return what the catalogue says of each topic, in the order that matters when only the beginning is read."""
    return [f"{topic.label}. {topic.gloss}. {', '.join(topic.aliases[:12])}" for topic in catalogue.topics]


@lru_cache(maxsize=4096)
def embedded(texts: tuple[str, ...]) -> Vectors:
    return load_embedder().embed(texts)


def forget_vectors() -> None:
    """Begin without vectors: a vector's last bit depends on the texts it was made beside, and so would the bytes."""
    load_embedder.cache_clear()
    embedded.cache_clear()


def as_events(group: EventText, number: int) -> tuple[EventText, ...]:
    """Return a group as texts in the forms events come in; `number` picks among bare titles."""
    words = group.text.split()
    return (
        group,
        EventText(group.title, ""),
        EventText(" ".join(words[:9]), " ".join(words[9:]), group=group.title),
        EventText(BARE_TITLES[number % len(BARE_TITLES)], "", group=group.title),
    )


@dataclass(frozen=True)
class Lesson:
    """Groups as arrays."""

    groups: Groups
    vectors: Vectors
    topics: Floats  # (n_groups, n_topics)
    labels: Floats  # (n_groups, n_labels)
    words: list[dict[int, float]]

    def take(self, chosen: NDArray[np.intp]) -> Lesson:
        return Lesson(
            self.groups.take(chosen),
            self.vectors[chosen],
            self.topics[chosen],
            self.labels[chosen],
            [self.words[one] for one in chosen],
        )


def tag_vocabulary(groups: Groups) -> list[str]:
    """Return the keys of tags that several groups use, in order."""
    counts: dict[str, int] = {}
    for tags in groups.tags:
        for name in {key(tag) for tag in tags}:
            counts[name] = counts.get(name, 0) + 1
    return sorted(name for name, count in counts.items() if count >= MIN_GROUPS)


def read_lesson(groups: Groups, catalogue: Catalogue, vocabulary: Sequence[str]) -> Lesson:
    label = {name: position for position, name in enumerate(vocabulary)}
    return Lesson(
        groups,
        embedded(tuple(embedded_text(text) for text in groups.texts)),
        incidence([positions(catalogue, tags) for tags in groups.tags], len(catalogue)),
        incidence([[label[key(tag)] for tag in tags if key(tag) in label] for tags in groups.tags], len(label)),
        [read(text).counts() for text in groups.texts],
    )
