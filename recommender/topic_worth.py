"""Step 6c, topics: how much each is worth showing to somebody who knows some others.

How much the person may want it (`adjacency`), against how much people want it anyway, turned by the reach dial; 0 for
what is inside what they know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recommender.adjacency import DEVELOPER_FIELDS, Adjacency, Outlook, load_adjacency
from recommender.catalogue import Topic
from recommender.log_odds import sigmoid
from recommender.reach import Reach, distance_bands, geography, widen

HELD = 0.6  # from here on P(holds topic | known) counts a topic as known: HTML for a React developer
ENTWINED = 0.5  # share of the groups about a known topic from which another is no discovery: programming for JavaScript
OWN_FIELD = 2  # topics known in a domain that make it the person's own
BESIDES = 0.02  # share of P that counts although knowing something does not raise it: what everybody likes
LARGEST_LIFT = 16.0  # beyond it counts are small and lifts are noise

# How far knowing something must raise a topic, by its band, before an event about it is a path and no coincidence.
RAISED: Mapping[Reach, tuple[float, float, float, float]] = {
    "next-door": (1.0, 1.0, 1.5, 2.0),
    "one-step": (1.0, 1.0, 1.15, 2.0),
    "two-steps": (1.05, 1.05, 1.05, 1.05),
    "far": (0.0, 0.0, 0.0, 0.0),
}
# And how much of that, in log-odds, must be due to the very topics known, not only to their domains: because people who
# care for their bodies like to meditate, a nurse is not led to a church.
OWN_PULL: Mapping[Reach, tuple[float, float, float, float]] = {
    "next-door": (-9.0, -9.0, 0.1, 0.3),
    "one-step": (-9.0, -9.0, 0.1, 0.3),
    "two-steps": (-9.0, -9.0, -9.0, 0.1),
    "far": (-9.0, -9.0, -9.0, -9.0),
}
# How much each band is worth at each setting of the dial. Soft, never a filter: hard bands lost 9 to 27 % nDCG.
PREFERRED: Mapping[Reach, tuple[float, float, float, float]] = {
    "next-door": (1.0, 0.7, 0.35, 0.15),
    "one-step": (0.6, 1.0, 0.7, 0.3),
    "two-steps": (0.25, 0.6, 1.0, 0.7),
    "far": (0.08, 0.25, 0.7, 1.0),
}


@dataclass(frozen=True, slots=True)
class TopicScores:
    """What a person may want, a value a topic of the catalogue; all of shape (n_topics,)."""

    score: NDArray[np.float64]  # 0 for what is inside
    want: NDArray[np.float64]  # P(want | known)
    lift: NDArray[np.float64]  # P(want | known) / P(want)
    band: NDArray[np.int8]  # index into REACHES
    inside: NDArray[np.bool_]  # known, very likely held, or of the person's own field
    is_path: NDArray[np.bool_]  # whether knowing something raises it enough to lead there


def rank_topics(known: Mapping[str, int], reach: Reach = "one-step") -> NDArray[np.float64]:
    """Return how much each topic is worth showing to someone, (n_topics,); 0 for what they know."""
    return score_topics(known, reach).score


def next_topics(known: Mapping[str, int]) -> list[tuple[Topic, float]]:
    """Return the topics worth showing to someone, best first, with their scores, which compare within one answer only."""
    topics, scores = load_adjacency().catalogue.topics, rank_topics(known)
    return [(topics[place], float(scores[place])) for place in (-scores).argsort(kind="stable") if scores[place] > 0]


def score_topics(known: Mapping[str, int], reach: Reach) -> TopicScores:
    """Score every topic of the catalogue for what somebody knows; an empty profile gets what people want most."""
    return _score_topics(tuple(sorted(known.items())), reach)


@lru_cache(maxsize=512)
def _score_topics(profile: tuple[tuple[str, int], ...], reach: Reach) -> TopicScores:
    known = dict(profile)
    adjacency = load_adjacency()
    catalogue = adjacency.catalogue
    outlook = _outlook(profile)
    want = outlook.want
    usual = usually_wanted(adjacency, known)
    lift = want / np.maximum(usual, 1e-9)
    band = distance_bands(known, catalogue)
    inside = insideness(known, outlook, adjacency, reach)
    # What counts is how far knowing something raises a topic, not how many people like it anyway: a nurse is not led
    # to creative writing because everybody is. Geometric mean of the gain in P and of the lift.
    gain = np.maximum(want - usual, 0.0) + BESIDES * want
    raised = np.sqrt(gain * np.clip(lift, 1.0 / LARGEST_LIFT, LARGEST_LIFT))
    score = widen(raised, known, catalogue, reach) * np.asarray(PREFERRED[reach])[band]
    score[inside] = 0.0
    is_path = np.ones(len(catalogue), np.bool_)
    if known:
        is_path = lift >= np.asarray(RAISED[reach])[band]
        is_path &= outlook.specific >= np.asarray(OWN_PULL[reach])[band]
    return TopicScores(score, want, lift, band, inside, is_path)


@lru_cache(maxsize=64)  # whoever turns the dial asks again about the same topics
def _outlook(profile: tuple[tuple[str, int], ...]) -> Outlook:
    return load_adjacency().outlook(dict(profile))


def usually_wanted(adjacency: Adjacency, known: Mapping[str, int]) -> NDArray[np.float64]:
    """Return P(want topic) of people in general, (n_topics,); for technology, of developers when one of them asks.

    Against people in general every technology would be a discovery of whoever writes programs.
    """
    usual = adjacency.of_nobody
    if any(adjacency.catalogue[slug].field in DEVELOPER_FIELDS for slug in known):
        usual = np.maximum(usual, sigmoid(adjacency.developer_base + adjacency.drift))
        surveyed = adjacency.survey.topics
        usual[surveyed] = np.maximum(usual[surveyed], adjacency.counts["survey"].base[surveyed])
    return usual


def insideness(known: Mapping[str, int], outlook: Outlook, adjacency: Adjacency, reach: Reach) -> NDArray[np.bool_]:
    """Return which topics count as known already, (n_topics,).

    What is known or very likely held, and what groups about it are mostly about as well; beyond next door also the
    domains that are somebody's own, and in the others the neighbours of what is known: a painter needs nobody to hear
    of watercolours.
    """
    catalogue = adjacency.catalogue
    ground = geography(catalogue)
    held = np.array([catalogue.index[slug] for slug in known], np.intp)
    inside: NDArray[np.bool_] = outlook.hold >= HELD
    inside[held] = True
    if reach == "next-door":
        return inside
    targets, shares = adjacency.counts["groups"].from_sources(held)
    inside[targets[shares >= ENTWINED]] = True
    per_domain = np.bincount(ground.domain[held], minlength=len(ground.field))
    own = per_domain[ground.domain]  # (n_topics,) how many topics of its domain are known
    return inside | (own >= OWN_FIELD) | ((own > 0) & ground.beside(held))
