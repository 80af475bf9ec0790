"""Step 6c, ranking: which events are worth an evening for someone who knows these topics.

An event's score is how much the person may want one of its topics (`adjacency`), turned by the reach dial towards
what lies outside, times what makes an evening good: its purpose, being there in person, nearness, a living group. A
slate is then filled best first under caps that keep it diverse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recommender.adjacency import DEVELOPER_FIELDS, Adjacency, load_adjacency, sigmoid
from recommender.catalogue import Catalogue, Topic
from recommender.reach import REACHES, Reach, beside_of, distance_bands, widen

HELD = 0.6  # from here on P(holds topic | known) counts a topic as known: HTML for a React developer
ENTWINED = 0.5  # share of the groups about a known topic from which another is no discovery: programming for JavaScript
OWN_FIELD = 2  # topics known in a domain that make it the person's own
BESIDES = 0.02  # share of P that counts although knowing something does not raise it: what everybody likes
LARGEST_LIFT = 16.0  # beyond it counts are small and lifts are noise
FAMILIAR = 0.5  # share of an event's topic weight from which it is inside what the person knows
WORTH = 0.05  # share of the best score, at home and outside, below which an event is no longer worth an evening

PURPOSES = {"learn": 1.0, "exchange": 1.0, "social": 0.55, "sell": 0.0, "recruit": 0.0}
UNWANTED = ("sell", "recruit")
UNWANTED_FROM = 0.5  # share of purpose from which a pitch or a job fair stays out of picks
MODES = {"in_person": 1.0, "hybrid": 1.0, "unknown": 0.9, "online": 0.7}
# Share of its strongest topic from which a topic of another field makes an event a bridge into that field.
BRIDGE = 0.75
# How far knowing something must raise a topic, by its band, before an event about it is a path and no coincidence.
RAISED: Mapping[Reach, tuple[float, float, float, float]] = {
    "next-door": (1.0, 1.0, 1.5, 2.0),
    "one-step": (1.0, 1.0, 1.15, 2.0),
    "two-steps": (1.05, 1.05, 1.05, 1.05),
    "far": (0.0, 0.0, 0.0, 0.0),
}
BRIDGING = 2.0  # starts from one's own field: the hospital's numbers are nearer to a nurse than numbers are
NAMED = 1.25  # what an organiser puts into the title is what the evening is about, not only what the group is
ALONGSIDE = 0.3  # what an event's other topics outside add: two steps out in one evening are better than one
CARRYING = 0.75  # share of its strongest topic from which another carries an event, too: no evening is about its asides
PER_DOMAIN, PER_TOPIC, PER_COMMUNITY, PER_DAY = 2, 1, 1, 3
# Of ten picks, how many may come from the fields a person works in already: the room next door has another door.
PER_HOME: Mapping[Reach, float] = {"next-door": 1.0, "one-step": 0.4, "two-steps": 0.2, "far": 0.1}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event somebody could go to, as far as ranking needs to know it."""

    id: int
    topics: Mapping[str, float]  # slug → weight 0 … 1
    starts_at: datetime
    mode: str = "unknown"
    distance_km: float | None = None
    purpose: Mapping[str, float] = field(default_factory=dict)  # shares, sum 1; empty when unknown
    community: str | None = None
    title: str = ""
    alive: float = 0.5  # 0 … 1
    welcomes: float = 0.0  # 0 … 1
    series: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate with the topic that carries it."""

    candidate: Candidate
    topic: str
    score: float  # comparable within one answer only
    reach: Reach  # how far the topic lies from what the person knows


@dataclass(frozen=True, slots=True)
class TopicScores:
    """What a person may want, a value a topic of the catalogue; all of shape (n_topics,)."""

    score: NDArray[np.float64]  # 0 for what is inside
    want: NDArray[np.float64]  # P(want | known)
    lift: NDArray[np.float64]  # P(want | known) / P(want)
    band: NDArray[np.int8]  # index into REACHES
    inside: NDArray[np.bool_]  # known, very likely held, or of the person's own field


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
    want = adjacency.want(known)
    usual = usually_wanted(adjacency, known)
    lift = want / np.maximum(usual, 1e-9)
    band = distance_bands(known, catalogue)
    inside = insideness(known, adjacency, reach)
    # What counts is how far knowing something raises a topic, not how many people like it anyway: a nurse is not led
    # to creative writing because everybody is. Geometric mean of the gain in P and of the lift.
    gain = np.maximum(want - usual, 0.0) + BESIDES * want
    raised = np.sqrt(gain * np.clip(lift, 1.0 / LARGEST_LIFT, LARGEST_LIFT))
    score = widen(raised, known, catalogue, reach) * np.asarray(PREFERRED[reach])[band]
    score[inside] = 0.0
    return TopicScores(score, want, lift, band, inside)


def usually_wanted(adjacency: Adjacency, known: Mapping[str, int]) -> NDArray[np.float64]:
    """Return P(want topic) of people in general, (n_topics,); for technology, of developers when one of them asks.

    Against people in general every technology would be a discovery of whoever writes programs.
    """
    usual = adjacency.want({})
    if any(adjacency.catalogue[slug].field in DEVELOPER_FIELDS for slug in known):
        usual = np.maximum(usual, sigmoid(adjacency.developer_base + adjacency.drift))
        surveyed = adjacency.survey.topics
        usual[surveyed] = np.maximum(usual[surveyed], adjacency.counts["survey"].base[surveyed])
    return usual


# How much each band is worth at each setting of the dial. Soft, never a filter: hard bands lost 9 to 27 % nDCG.
PREFERRED: Mapping[Reach, tuple[float, float, float, float]] = {
    "next-door": (1.0, 0.7, 0.35, 0.15),
    "one-step": (0.6, 1.0, 0.7, 0.3),
    "two-steps": (0.25, 0.6, 1.0, 0.7),
    "far": (0.08, 0.25, 0.7, 1.0),
}


def insideness(known: Mapping[str, int], adjacency: Adjacency, reach: Reach) -> NDArray[np.bool_]:
    """Return which topics count as known already, (n_topics,).

    What is known or very likely held, and what groups about it are mostly about as well; beyond next door also the
    domains that are somebody's own, and in the others the neighbours of what is known: a painter needs nobody to hear
    of watercolours.
    """
    catalogue = adjacency.catalogue
    inside: NDArray[np.bool_] = adjacency.hold(known) >= HELD
    inside[[catalogue.index[slug] for slug in known]] = True
    if reach == "next-door":
        return inside
    for slug in known:
        targets, shares = adjacency.counts["groups"].from_source(catalogue.index[slug], len(catalogue))
        inside[targets[shares >= ENTWINED]] = True
    own = Counter(catalogue[slug].domain for slug in known)
    beside = {near for slug in known for near in beside_of(slug, catalogue)}
    for position, topic in enumerate(catalogue.topics):
        if own[topic.domain] >= OWN_FIELD or (own[topic.domain] and topic.slug in beside):
            inside[position] = True
    return inside


def rank_events(
    known: Mapping[str, int],
    candidates: Iterable[Candidate],
    *,
    now: datetime,
    reach: Reach = "one-step",
    limit: int = 10,
    purposes: frozenset[str] = frozenset(),
) -> list[Choice]:
    """Return the best events, best first, at most `limit`; fewer when not so many are worth it.

    `purposes` names unwanted purposes (sell, recruit) that are asked for all the same.
    """
    topics = score_topics(known, reach)
    catalogue = load_adjacency().catalogue
    home = frozenset(catalogue[slug].field for slug in known)
    scored = []
    for candidate in candidates:
        if not is_wanted(candidate.purpose, purposes):
            continue
        choice = _choose(candidate, topics, catalogue, home, now)
        if choice is not None and (not known or _is_path(choice, topics, catalogue, reach)):
            scored.append(choice)
    scored.sort(key=lambda choice: (-choice.score, choice.candidate.starts_at, choice.candidate.id))
    return fill_slate(scored, catalogue, limit=limit, home=home, at_home=round(PER_HOME[reach] * limit))


def _is_path(choice: Choice, topics: TopicScores, catalogue: Catalogue, reach: Reach) -> bool:
    position = catalogue.index[choice.topic]
    return bool(topics.lift[position] >= RAISED[reach][topics.band[position]])


def is_wanted(purpose: Mapping[str, float], asked_for: frozenset[str] = frozenset()) -> bool:
    """Whether people come there to learn or meet rather than to sell or hire."""
    return sum(purpose.get(name, 0.0) for name in UNWANTED if name not in asked_for) < UNWANTED_FROM


def _choose(
    candidate: Candidate, topics: TopicScores, catalogue: Catalogue, home: frozenset[str], now: datetime
) -> Choice | None:
    """Return the candidate with the topic that carries it, or None when it is inside what the person knows.

    An event inside somebody's field that is about another field nearly as much is a bridge, and carried by that.
    """
    told = sorted(candidate.topics.items(), key=lambda topic: (-topic[1], topic[0]))
    placed = [(catalogue.index[slug], weight) for slug, weight in told if slug in catalogue.index]
    if not placed:
        return None
    familiar = sum(weight for position, weight in placed if topics.inside[position])
    carrying = [(position, weight) for position, weight in placed if weight >= CARRYING * placed[0][1]]
    if topics.inside[placed[0][0]] or familiar > FAMILIAR * sum(weight for _, weight in placed):
        carrying = [told for told in carrying if catalogue.topics[told[0]].field not in home]
    # A weight says how sure the tagger is; its square keeps half-sure topics from carrying an evening.
    values = [(topics.score[position] * weight**2, -position) for position, weight in carrying]
    value, best = max(values, default=(0.0, 0))
    if value <= 0.0:
        return None
    value += ALONGSIDE * (sum(other for other, _ in values) - value)
    if topics.inside[placed[0][0]]:
        value *= BRIDGING
    title = candidate.title.casefold()
    if any(catalogue.topics[position].label.casefold() in title for position, _ in carrying):
        value *= NAMED
    return Choice(
        candidate, catalogue.topics[-best].slug, float(value) * worth(candidate, now), REACHES[topics.band[-best]]
    )


def worth(candidate: Candidate, now: datetime) -> float:
    """Return what makes an evening good whatever it is about, 0 … about 1.1."""
    purpose = sum(PURPOSES[name] * share for name, share in candidate.purpose.items()) if candidate.purpose else 0.9
    near = 1.0 if candidate.distance_km is None else 1.0 / (1.0 + candidate.distance_km / 100.0)
    days_ahead = max(0.0, (candidate.starts_at - now).total_seconds() / 86400)
    soon = 1.0 / (1.0 + days_ahead / 120.0)
    return (
        (0.25 + 0.75 * purpose)
        * MODES.get(candidate.mode, MODES["unknown"])
        * near
        * soon
        * (0.75 + 0.25 * candidate.alive)
        * (1.0 + 0.1 * candidate.welcomes)
    )


def fill_slate(
    scored: Sequence[Choice], catalogue: Catalogue, *, limit: int, home: frozenset[str], at_home: int
) -> list[Choice]:
    """Take the best first under the caps a domain, topic, community, series and day, and for the fields of `home`.

    When the caps leave places open, events of topics already shown may fill them, then more of `home`; never of the
    same community.
    """
    slate: list[Choice] = []
    best = {
        is_home: max(
            (choice.score for choice in scored if (catalogue[choice.topic].field in home) == is_home), default=0.0
        )
        for is_home in (True, False)
    }
    worthy = [choice for choice in scored if choice.score >= WORTH * best[catalogue[choice.topic].field in home]]
    for per_topic, per_home in ((PER_TOPIC, at_home), (PER_DOMAIN, at_home), (PER_TOPIC, limit)):
        for choice in worthy:
            if len(slate) == limit:
                break
            topic = catalogue[choice.topic]
            is_home = topic.field in home
            if (
                choice not in slate
                and not (is_home and sum(catalogue[other.topic].field in home for other in slate) >= per_home)
                and sum(catalogue[other.topic].domain == topic.domain for other in slate) < PER_DOMAIN
                and sum(other.topic == choice.topic for other in slate) < per_topic
                and _brings_something_new(choice.candidate, [other.candidate for other in slate])
            ):
                slate.append(choice)
    return sorted(slate, key=lambda choice: -choice.score)


def _brings_something_new(candidate: Candidate, others: Sequence[Candidate]) -> bool:
    day = candidate.starts_at.date()
    return (
        (candidate.community is None or sum(other.community == candidate.community for other in others) < PER_COMMUNITY)
        and (candidate.series is None or all(other.series != candidate.series for other in others))
        and all(other.title.casefold() != candidate.title.casefold() for other in others)
        and sum(other.starts_at.date() == day for other in others) < PER_DAY
    )
