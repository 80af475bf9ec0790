"""Step 1 of learning: read the third-party files as arrays over the catalogue's topics."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.labels import key

MIN_WISHES = 20  # a survey topic fewer people want cannot be learned


@dataclass(frozen=True)
class Survey:
    """Who holds and who wants what; people in the order of the file."""

    topics: NDArray[np.intp]  # catalogue positions, rising
    have: NDArray[np.float32]  # (n_people, n_topics), 0 or 1
    want: NDArray[np.float32]  # (n_people, n_topics), 0 or 1; wants of held topics are kept

    def take(self, people: NDArray[np.intp]) -> Survey:
        return Survey(self.topics, self.have[people], self.want[people])


def lines(path: Path) -> Iterator[str]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            yield from file
    else:
        with path.open(encoding="utf-8", newline="") as file:
            yield from file


def rows(path: Path) -> Iterator[dict[str, str]]:
    return csv.DictReader(lines(path))


def positions(catalogue: Catalogue, labels: Iterable[str]) -> list[int]:
    """Return the positions of the topics that labels name, each once, rising; unknown labels are skipped."""
    found = {catalogue.index[topic.slug] for label in labels if (topic := catalogue.resolve(label)) is not None}
    return sorted(found)


def survey_positions(catalogue: Catalogue, labels: Iterable[str]) -> list[int]:
    found = {catalogue.index[topic.slug] for label in labels if (topic := catalogue.resolve_survey(label)) is not None}
    return sorted(found)


def read_survey(path: Path, catalogue: Catalogue, topics: NDArray[np.intp] | None = None) -> Survey:
    """Read one year of the survey, over the given topics or over all that at least 20 people want."""
    answers = [json.loads(line) for line in lines(path)]
    have = incidence([survey_positions(catalogue, one["have"]) for one in answers], len(catalogue))
    want = incidence([survey_positions(catalogue, one["want"]) for one in answers], len(catalogue))
    if topics is None:
        topics = np.flatnonzero(want.sum(axis=0) >= MIN_WISHES)
    return Survey(topics, have[:, topics], want[:, topics])


def incidence(members: Sequence[Sequence[int]], n_topics: int) -> NDArray[np.float32]:
    """Return (n_members, n_topics) with 1 where a member has a topic."""
    table = np.zeros((len(members), n_topics), np.float32)
    for row, topics in enumerate(members):
        table[row, list(topics)] = 1
    return table


def read_group_labels(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Return the city and the tags of every group, by its id."""
    groups: dict[str, tuple[str, list[str]]] = {}
    for row in rows(folder / "group_tags.csv.gz"):
        groups.setdefault(row["group_id"], (row["city"], []))[1].append(row["name"])
    return groups


def read_groups(folder: Path, catalogue: Catalogue) -> NDArray[np.float32]:
    """Return (n_groups, n_topics): what groups of several cities say they are about."""
    return incidence([positions(catalogue, tags) for _, tags in read_group_labels(folder).values()], len(catalogue))


def read_self_tags(folder: Path, catalogue: Catalogue) -> NDArray[np.float32]:
    """Return (n_people, n_topics): what developers say about themselves."""
    people = [json.loads(line)["topics"] for line in lines(folder / "self_tags.jsonl.gz")]
    return incidence([positions(catalogue, tags) for tags in people], len(catalogue))


def read_members(folder: Path, catalogue: Catalogue) -> NDArray[np.float64]:
    """Return (n_topics,): how many members of groups follow a topic in all cities, 0 where that is not told."""
    members = np.zeros(len(catalogue))
    for row in rows(folder / "meetup_topics.csv.gz"):
        for one in positions(catalogue, [row["topic_name"]]):
            members[one] = max(members[one], float(row["members"] or 0))
    return members


@dataclass(frozen=True)
class Communities:
    """Online communities, the topics they are about, and how commenters move between them."""

    of_topic: NDArray[np.float32]  # (n_topics, n_communities), rows sum to 1 or 0
    mass: NDArray[np.float32]  # (n_communities, n_communities) personalised PageRank mass
    lift: NDArray[np.float32]  # the same, log lift; 0 where the pair is not listed


def read_communities(folder: Path, catalogue: Catalogue) -> Communities:
    pairs = list(rows(folder / "interest_kernel.csv.gz"))
    names = sorted({row["a"] for row in pairs} | {row["b"] for row in pairs})
    column = {name: position for position, name in enumerate(names)}
    mass = np.zeros((len(names), len(names)), np.float32)
    lift = np.zeros_like(mass)
    for row in pairs:
        mass[column[row["a"]], column[row["b"]]] = float(row["ppr_mass"])
        lift[column[row["a"]], column[row["b"]]] = float(row["log_lift"])
    of_topic = np.zeros((len(catalogue), len(names)), np.float32)
    by_key = {key(name): name for name in names}
    for position, topic in enumerate(catalogue.topics):
        for name in (topic.slug, topic.label, *topic.aliases):
            if (community := by_key.get(key(name))) is not None:
                of_topic[position, column[community]] = 1
    for row in rows(folder / "interest_labels.csv.gz"):
        if row["subreddit"] in column and row["vocab"] not in COARSE_VOCABULARIES:
            for position in positions(catalogue, [row["label"]]):
                of_topic[position, column[row["subreddit"]]] = 1
    return Communities(of_topic / np.maximum(of_topic.sum(axis=1, keepdims=True), 1), mass, lift)


# Their labels name whole walks of life, not topics.
COARSE_VOCABULARIES = frozenset({"meetup_category", "cps_occ22"})
