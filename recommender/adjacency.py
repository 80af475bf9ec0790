"""Step 6a: how much somebody who knows some topics wants each of the others.

Two models share one scale, log-odds. Inside the survey's vocabulary a ridge regression says what people who hold some
topics want next; everywhere else a topic's base rate is raised by lifts, one a pair of topics, learned from groups,
communities, people and hand-made neighbourhoods. All numbers come from `recommender.learn`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, load_catalogue

ARTEFACT = Path(__file__).parent / "data" / "adjacency.npz"

Floats = NDArray[np.float64]
Lifts = NDArray[np.float32]
Kind = Literal["survey", "groups", "people", "communities", "neighbours"]

# What a level from 1 (a little) to 5 (a master) is worth beside the survey's plain "have", which is taken for a 3. No
# data set tells levels and wishes of the same people, so this is an assumption.
LEVEL_WEIGHTS = (0.0, 0.5, 0.75, 1.0, 1.15, 1.3)

DAMPING = 0.5  # lifts of n known topics are added and divided by n ** 0.5: sources overlap (validated: 0.5, 0.75, 1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about the move from one topic to another; every number is a count or a ratio of counts.

    survey: of `n` people who know the source and not the target, `share` want the target; of all who do not know it,
    `base` do. groups: of `n` groups about the source, `share` are also about the target. people: of `n` developers who
    name the source, `share` also name the target. communities: commenters of the source's online communities turn up
    in the target's `lift` times as often as elsewhere. neighbours: put side by side by hand. The last two have no
    counts.
    """

    kind: Kind
    source: str
    lift: float  # how many times as often as without the source topic
    n: int | None = None
    share: float | None = None
    base: float | None = None


@dataclass(frozen=True)
class SurveyModel:
    """P(want) and P(hold) inside the survey's vocabulary of s topics."""

    topics: NDArray[np.intp]  # (s,) catalogue positions
    wishes: Floats  # (n_features, s)
    holdings: Floats  # (n_features, s)


@dataclass(frozen=True)
class Counts:
    """Counts of pairs of topics, sorted by source and target."""

    pair: NDArray[np.int64]  # (n_pairs,) source · n_topics + target
    n: NDArray[np.int64]
    some: NDArray[np.int64]  # of the n
    base: Floats  # (n_topics,) the share among all

    def of(self, pair: int) -> tuple[int, int] | None:
        place = int(np.searchsorted(self.pair, pair))
        if place == len(self.pair) or self.pair[place] != pair:
            return None
        return int(self.n[place]), int(self.some[place])


@dataclass(frozen=True)
class Adjacency:
    catalogue: Catalogue
    survey: SurveyModel
    base: Floats  # (n_topics,) log-odds that somebody wants a topic, knowing nothing about them
    lifts: Lifts  # (n_topics, n_topics) what knowing the row adds to the log-odds of the column
    hold_line: tuple[float, float, float]  # log-odds of holding = constant + slope · base + slope · lift
    drift: Floats  # (n_topics,) logit of today's prior less that of the prior learned
    counts: Mapping[str, Counts]  # by kind of evidence

    def want(self, known: Mapping[str, int]) -> Floats:
        """Return P(want topic | known), (n_topics,); known topics get 0."""
        return self.want_many([known])[0]

    def want_many(self, people: Sequence[Mapping[str, int]]) -> Floats:
        """Return P(want topic | known) of several people, (n_people, n_topics)."""
        known = self.profiles(people)
        wanted = sigmoid(self._mixed(known, self.survey.wishes, self.base, self._pull(known)) + self.drift)
        wanted[known > 0] = 0
        return wanted

    def hold(self, known: Mapping[str, int]) -> Floats:
        """Return P(holds topic already | known), (n_topics,); known topics get 1."""
        profile = self.profiles([known])
        constant, by_base, by_lift = self.hold_line
        base = constant + by_base * self.base
        held = sigmoid(self._mixed(profile, self.survey.holdings, base, by_lift * self._pull(profile)))[0]
        held[profile[0] > 0] = 1
        return held

    def shares(self, known: Mapping[str, int], topic: str) -> list[tuple[str, float]]:
        """Return the known topics that raise a topic, strongest first, with what each adds to its log-odds."""
        target = self.catalogue.index[topic]
        slugs = [slug for slug in known if slug != topic]
        whole = self.profiles([{slug: known[slug] for slug in slugs}])
        without = self.profiles([{other: known[other] for other in slugs if other != slug} for slug in slugs])
        if not slugs:
            return []
        profiles = np.vstack([whole, without])
        score = self._mixed(profiles, self.survey.wishes, self.base, self._pull(profiles))[:, target]
        gains = zip(slugs, (score[0] - score[1:]).tolist(), strict=True)
        return sorted([(slug, gain) for slug, gain in gains if gain > 0], key=lambda one: (-one[1], one[0]))

    def evidence(self, source: str, target: str) -> tuple[Evidence, ...]:
        """Return what the data say about the move, strongest kind first; empty when there is nothing worth saying."""
        here, there = self.catalogue.index[source], self.catalogue.index[target]
        found = []
        for kind, name in SOURCES.items():
            if (counted := self.counts[kind].of(here * len(self.catalogue) + there)) is None:
                continue
            n, some = counted
            base = float(self.counts[kind].base[there])
            if kind == "communities":
                found.append(Evidence(kind, name, some / n))
            else:
                found.append(Evidence(kind, name, some / n / base, n, some / n, base))
        if target in self.catalogue[source].neighbours:
            found.append(Evidence("neighbours", "the topic catalogue", 1.0))
        return tuple(found)

    def refreshed(self, answers: Mapping[str, tuple[int, float, int]], *, pseudo_people: float = 100) -> Adjacency:
        """Return the same weights under a newer prior.

        `answers` tells for some topics how many people were asked, how many of them were expected to want it (the sum
        of P(want)), and how many did. The prior drifts, the weights last: with 300 fresh answers, weights five years
        old regain most of what new ones have. What was learned counts as `pseudo_people` more answers.
        """
        drift = self.drift.copy()
        for slug, (asked, expected, wanting) in answers.items():
            then = np.float64(expected / asked)
            now = (wanting + pseudo_people * then) / (asked + pseudo_people)
            drift[self.catalogue.index[slug]] += logit(now) - logit(then)
        return replace(self, drift=drift)

    def profiles(self, people: Sequence[Mapping[str, int]]) -> Floats:
        """Return (n_people, n_topics): what each known topic is worth by its level."""
        table = np.zeros((len(people), len(self.catalogue)))
        for row, known in enumerate(people):
            for slug, level in known.items():
                table[row, self.catalogue.index[slug]] = LEVEL_WEIGHTS[level]
        return table

    def _pull(self, known: Floats) -> Floats:
        """Return what lifts add to the log-odds of every topic."""
        count = np.maximum(known.sum(axis=1, keepdims=True), 1)
        return (known.astype(np.float32) @ self.lifts) / count**DAMPING

    def _mixed(self, known: Floats, weights: Floats, base: Floats, pull: Floats) -> Floats:
        """Return log-odds: by the survey's model inside its vocabulary, as far as the person is known there."""
        scores = base + pull
        inside = self.survey.topics
        shown = known[:, inside]
        asked = shown.sum(axis=1) > 0
        shown = shown[asked]
        rest = known[asked].copy()
        rest[:, inside] = 0
        count = np.maximum(known[asked].sum(axis=1, keepdims=True), 1)
        part = (shown.sum(axis=1, keepdims=True) / known[asked].sum(axis=1, keepdims=True)) ** DAMPING
        by_survey = logit(proper(describe(shown) @ weights)) - base[inside]
        by_rest = (rest.astype(np.float32) @ self.lifts[:, inside]) / count**DAMPING
        scores[np.ix_(asked, inside)] = base[inside] + part * by_survey + by_rest
        return scores


def describe(known: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the features of profiles (n_people, s) → (n_people, 2 s + 3).

    Each topic appears plain and divided by the root of the profile's size, so that its weight may fade as more is
    known; the last feature is the constant.
    """
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    root = np.sqrt(count)
    return np.hstack([known, 2 * known / root, 1 / root, np.log(count), np.ones_like(count)])


def proper(estimate: Floats) -> Floats:
    """Return probabilities in (0, 0.98] from linear estimates, in the same order.

    Below 1 % the estimate, which may be negative, decays exponentially, with the same slope where both meet.
    """
    floor = 0.01
    low = floor * np.exp(np.minimum(estimate, floor) / floor - 1)
    return np.minimum(np.where(estimate < floor, np.maximum(low, 1e-30), estimate), 0.98)


def logit(share: Floats) -> Floats:
    return np.log(share) - np.log1p(-share)


def sigmoid(log_odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-log_odds))


SOURCES: dict[Kind, str] = {
    "survey": "Stack Overflow Developer Survey 2024",
    "groups": "local groups of several cities",
    "people": "developers' own lists of tags",
    "communities": "shared commenters of online communities",
}


def read_adjacency(path: Path, catalogue: Catalogue) -> Adjacency:
    """Read what was learned for a catalogue.

    Topics that came into the catalogue since are known by their domain; those that left it are dropped.
    """
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    size = len(catalogue)
    place = np.array([catalogue.index.get(slug, -1) for slug in _lines(stored["slugs"])])
    lifts = _lifts(stored, place, catalogue)
    base = np.full(size, float(np.median(stored["base"])))
    base[place[place >= 0]] = stored["base"][place >= 0]
    topics = place[stored["survey_topics"]]
    asked = topics >= 0
    columns = np.r_[asked, asked, np.ones(3, np.bool_)]
    survey = SurveyModel(
        topics[asked],
        stored["wishes"].astype(np.float64)[np.ix_(columns, asked)],
        stored["holdings"].astype(np.float64)[np.ix_(columns, asked)],
    )
    constant, by_base, by_lift = stored["hold_line"].tolist()
    return Adjacency(
        catalogue=catalogue,
        survey=survey,
        base=base,
        lifts=lifts,
        hold_line=(constant, by_base, by_lift),
        drift=np.zeros(size),
        counts={kind: _counts(stored, kind, place, size) for kind in SOURCES},
    )


def _lifts(stored: Mapping[str, NDArray[np.generic]], place: NDArray[np.intp], catalogue: Catalogue) -> Lifts:
    """Unfold the lifts: those of pairs of domains, then the pairs of topics that differ from them."""
    order = {slug: position for position, slug in enumerate(_lines(stored["domains"]))}
    domain = np.array([order.get(topic.domain, len(order)) for topic in catalogue.topics])
    means = np.zeros((len(order) + 1, len(order) + 1), np.float32)
    means[:-1, :-1] = stored["domain_lifts"]
    lifts = means[np.ix_(domain, domain)]
    steps = stored["lift_steps"].astype(np.float32) * stored["lift_step"].astype(np.float32)
    targets = place[stored["lift_targets"]]
    sources = np.broadcast_to(place[:, None], targets.shape)
    kept = (sources >= 0) & (targets >= 0)
    lifts[sources[kept], targets[kept]] += steps[kept]
    np.fill_diagonal(lifts, 0)
    return lifts


def _counts(stored: Mapping[str, NDArray[np.generic]], kind: str, place: NDArray[np.intp], size: int) -> Counts:
    source, target = place[stored[f"{kind}_source"]], place[stored[f"{kind}_target"]]
    kept = (source >= 0) & (target >= 0)
    pair = source[kept].astype(np.int64) * size + target[kept]
    order = np.argsort(pair, kind="stable")
    base = np.zeros(size)
    base[place[place >= 0]] = stored[f"{kind}_base"][place >= 0]
    n, some = (stored[f"{kind}_{part}"][kept][order].astype(np.int64) for part in ("n", "some"))
    return Counts(pair[order], n, some, base)


def _lines(text: NDArray[np.generic]) -> list[str]:
    return text.tobytes().decode().split("\n")


@cache
def load_adjacency() -> Adjacency:
    """Read what was learned, once a process."""
    return read_adjacency(ARTEFACT, load_catalogue())
