"""Step 6c, adjacency: how much somebody who knows some topics wants each of the others.

Two models share one scale, log-odds. Inside the survey's vocabulary a ridge regression says what people who hold some
topics want next; everywhere else a topic's base rate is raised by lifts, one a pair of topics, learned from groups,
communities, people and hand-made neighbourhoods. All numbers come from `recommender.learn`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, load_catalogue
from recommender.newcomers import welcomed
from recommender.reactions import OF_A_TIME, Reaction, Spread, counted, levelled, posterior

ARTEFACT = Path(__file__).parent / "data" / "adjacency.npz"

Floats = NDArray[np.float64]
Lifts = NDArray[np.float32]
Kind = Literal["survey", "groups", "people", "communities", "neighbours", "domains"]

# What a level from 1 (a little) to 5 (a master) is worth beside the survey's plain "have", which is taken for a 3. No
# data set tells levels and wishes of the same people, so this is an assumption.
LEVEL_WEIGHTS = (0.0, 0.5, 0.75, 1.0, 1.15, 1.3)

DEVELOPER_FIELDS = frozenset({"technology", "data"})  # those developer surveys speak of
FEWEST_GROUPS, FEWEST_BOTH = 20, 5  # counts of fewer are accidents
DAMPING = 0.5  # lifts of n known topics are added and divided by n ** 0.5: sources overlap (validated: 0.5, 0.75, 1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about the move from one topic to another; every number is a count or a ratio of counts.

    survey: of `n` people who know the source and not the target, `share` want the target; of all who do not know it,
    `base` do. groups: of `n` groups about the source, `share` are also about the target. people: of `n` developers who
    name the source, `share` also name the target. communities: commenters of the source's online communities turn up
    in the target's `lift` times as often as elsewhere. neighbours: put side by side by hand. These two have no counts.
    domains: of `n` groups about anything in the source's domain, `share` are also about something in the target's.
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
    worlds: Floats  # (s, w) how far each topic belongs to each world: what goes together, domains
    wishes: Floats  # (w + n_features, s) ridge regression on what is known
    prior: Floats  # (s,) log-odds of wanting a topic, of those who do not hold it
    moves: Lifts  # (s, s) what holding the row adds to that of the column, pair by pair
    holdings: Floats  # (n_features, s)

    def want(self, known: Floats) -> Floats:
        """Return log-odds that people want each topic they do not hold, (n_people, s)."""
        regression = logit(proper(situate(known, self.worlds) @ self.wishes))
        pairs = self.prior + damped(known, self.moves)
        return (1 - SHARE_OF_PAIRS) * regression + SHARE_OF_PAIRS * pairs

    def hold(self, known: Floats) -> Floats:
        """Return log-odds that people hold each topic already, (n_people, s)."""
        return logit(proper(describe(known) @ self.holdings))


# Single pairs say more the less is known of a person. On a fixed validation split nDCG@10 is .373, .348, .339 and .329
# (all, 8, 5, 3 topics shown) without them, .372, .348, .340, .330 with 0.15, .369, .347, .339, .329 with 0.3.
SHARE_OF_PAIRS = 0.15


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

    def from_sources(self, sources: NDArray[np.intp]) -> tuple[NDArray[np.int64], Floats]:
        """Return the targets counted with any of these, and their shares; a target once for each of its sources."""
        n_topics = len(self.base)
        first, last = np.searchsorted(self.pair, [sources * n_topics, (sources + 1) * n_topics])
        size = last - first
        place = np.arange(size.sum()) + np.repeat(last - np.cumsum(size), size)
        return self.pair[place] % n_topics, self.some[place] / self.n[place]


class Pulls(NamedTuple):
    """What people's profiles say of topics before the survey's model is asked; log-odds, a row a person."""

    known: Floats  # (n_people, n_topics) profiles
    base: Floats  # (n_people, n_topics) the base rate for people of their kind
    broad: Floats  # (n_people, n_topics) what the domains of what they know add
    fine: Floats  # (n_people, n_topics) what those very topics add to that
    unsurveyed: Floats  # (n_people, s) what those outside the survey's vocabulary add to topics inside it


@dataclass(frozen=True, slots=True)
class Outlook:
    """What knowing some topics says of each topic, (n_topics,) all."""

    want: Floats  # P(want | known), 0 for known ones
    hold: Floats  # P(holds already | known), 1 for known ones
    specific: Floats  # what those very topics add to the log-odds of wanting beyond what their domains do


@dataclass(frozen=True)
class Adjacency:
    catalogue: Catalogue
    survey: SurveyModel
    people_base: Floats  # (n_topics,) log-odds that somebody wants a topic, knowing nothing about them
    developer_base: Floats  # (n_topics,) the same of people whose topics are technology
    domain: NDArray[np.intp]  # (n_topics,) the number of each topic's domain
    broad: Lifts  # (n_domains, n_domains) what knowing topics of the row's domain adds to the log-odds of the column's
    fine: Lifts  # (n_topics, n_topics) what knowing the row adds to that
    hold_line: tuple[float, float, float]  # log-odds of holding = constant + slope · base + slope · lift
    drift: Floats  # (n_topics,) logit of today's prior less that of the prior learned
    counts: Mapping[str, Counts]  # by kind of evidence
    domains_together: NDArray[np.int64]  # (n_domains, n_domains) groups about both; on the diagonal, about one
    n_groups: int

    def want(self, known: Mapping[str, int]) -> Floats:
        """Return P(want topic | known), (n_topics,); known topics get 0."""
        return np.asarray(self.want_many([known])[0])

    def outlook(self, known: Mapping[str, int]) -> Outlook:
        """Return all that the data say of somebody, in one pass over the lifts."""
        pulls = self._pulls(self.profiles([known]))
        log_odds = self._log_odds(pulls)
        want: Floats = sigmoid(log_odds + self.drift)[0]
        hold = self._hold(pulls)[0]
        is_known = pulls.known[0] > 0
        want[is_known], hold[is_known] = 0, 1
        return Outlook(want, hold, (log_odds - pulls.base - pulls.broad)[0])

    def want_many(self, people: Sequence[Mapping[str, int]]) -> Floats:
        """Return P(want topic | known) of several people, (n_people, n_topics)."""
        wanted: Floats = sigmoid(self.log_odds(people))
        wanted[self.profiles(people) > 0] = 0
        return wanted

    def log_odds(self, people: Sequence[Mapping[str, int]]) -> Floats:
        """Return log-odds of wanting each topic, known ones too: as if those were not known, (n_people, n_topics)."""
        return self._log_odds(self._pulls(self.profiles(people))) + self.drift

    def shares(self, known: Mapping[str, int], topic: str) -> list[tuple[str, float]]:
        """Return the known topics that raise a topic, strongest first, with what each adds to its log-odds."""
        target = self.catalogue.index[topic]
        slugs = [slug for slug in known if slug != topic]
        whole = self.profiles([{slug: known[slug] for slug in slugs}])
        without = self.profiles([{other: known[other] for other in slugs if other != slug} for slug in slugs])
        if not slugs:
            return []
        profiles = np.vstack([whole, without])
        score = self._log_odds(self._pulls(profiles))[:, target]
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
        if (wide := self._evidence_of_domains(int(self.domain[here]), int(self.domain[there]))) is not None:
            found.append(wide)
        return tuple(found)

    def _evidence_of_domains(self, here: int, there: int) -> Evidence | None:
        n, some = int(self.domains_together[here, here]), int(self.domains_together[here, there])
        if here == there or n < FEWEST_GROUPS or some < FEWEST_BOTH:
            return None
        base = float(self.domains_together[there, there]) / self.n_groups
        return Evidence("domains", SOURCES["groups"], some / n / base, n, some / n, base)

    def refreshed(self, answers: Mapping[str, tuple[int, float, int]], *, spread: Spread = OF_A_TIME) -> Adjacency:
        """Return the same weights under a newer prior.

        `answers` tells for some topics how many people were asked, how many of them were expected to want it (the sum
        of P(want)), and how many did. The prior drifts, the weights last: with 300 fresh answers, weights five years
        old regain most of what new ones have. Topics nobody was asked about drift with their domain.
        """
        asked, expected, wanting = np.zeros((3, len(self.catalogue)))
        for slug, told in answers.items():
            place = self.catalogue.index[slug]
            asked[place], expected[place], wanting[place] = told
        return self._drifted(asked, expected, wanting, spread)

    def refreshed_by(self, reactions: Iterable[Reaction], *, spread: Spread = OF_A_TIME) -> Adjacency:
        """Return the same weights under the prior that an instance's reactions tell; `expected` of each is P(want)."""
        asked, expected, welcome = counted(len(self.catalogue), reactions)
        return self._drifted(asked, levelled(asked, expected, welcome), welcome, spread)

    def _drifted(self, asked: Floats, expected: Floats, wanting: Floats, spread: Spread) -> Adjacency:
        offsets = posterior(self.domain, asked, expected, wanting, spread=spread)
        return replace(self, drift=self.drift + offsets.mean)

    @cached_property
    def of_nobody(self) -> Floats:
        """P(want topic) knowing nothing of somebody, (n_topics,)."""
        return self.want({})

    def profiles(self, people: Sequence[Mapping[str, int]]) -> Floats:
        """Return (n_people, n_topics): what each known topic is worth by its level."""
        table = np.zeros((len(people), len(self.catalogue)))
        for row, known in enumerate(people):
            for slug, level in known.items():
                table[row, self.catalogue.index[slug]] = LEVEL_WEIGHTS[level]
        return table

    def _log_odds(self, pulls: Pulls) -> Floats:
        return self._mixed(pulls, self.survey.want, pulls.base, 1.0)

    def _hold(self, pulls: Pulls) -> Floats:
        """Return P(holds topic already | known), (n_people, n_topics), as if known ones were not."""
        constant, by_base, by_lift = self.hold_line
        held: Floats = sigmoid(self._mixed(pulls, self.survey.hold, constant + by_base * pulls.base, by_lift))
        return held

    def _pulls(self, known: Floats) -> Pulls:
        broad = mixture(shares(known, self.domain, len(self.broad)), self._odds_of_domains)[:, self.domain]
        elsewhere = known.copy()
        elsewhere[:, self.survey.topics] = 0
        count = np.maximum(known.sum(axis=1, keepdims=True), 1)
        unsurveyed = summed(elsewhere, self._fine_of_survey) / count**DAMPING
        return Pulls(known, self._base(known), broad, damped(known, self.fine), unsurveyed)

    def _base(self, known: Floats) -> Floats:
        """Return the base rate of every topic for people of their kind, (n_people, n_topics)."""
        count = np.maximum(known.sum(axis=1, keepdims=True), 1e-9)
        technical = known @ self._technical / count
        return np.asarray(self.people_base + technical * (self.developer_base - self.people_base))

    @cached_property
    def _technical(self) -> Floats:
        """(n_topics, 1): 1 for topics of the fields whose people the survey asked."""
        return np.array([[topic.field in DEVELOPER_FIELDS] for topic in self.catalogue.topics], np.float64)

    @cached_property
    def _odds_of_domains(self) -> Floats:
        return odds(self.broad)

    @cached_property
    def _fine_of_survey(self) -> Lifts:
        return np.ascontiguousarray(self.fine[:, self.survey.topics])

    def _mixed(self, pulls: Pulls, answer: Callable[[Floats], Floats], base: Floats, slope: float) -> Floats:
        """Return log-odds: base + slope · lifts, or what the survey's model answers, as far as it knows the person."""
        scores = base + slope * (pulls.broad + pulls.fine)
        inside = self.survey.topics
        shown = pulls.known[:, inside]
        asked = shown.any(axis=1)
        shown, start = shown[asked], base[asked][:, inside]
        part = (shown.sum(axis=1, keepdims=True) / pulls.known[asked].sum(axis=1, keepdims=True)) ** DAMPING
        scores[np.ix_(asked, inside)] = start + part * (answer(shown) - start) + slope * pulls.unsurveyed[asked]
        return scores


def shares(known: NDArray[np.floating], domain: NDArray[np.intp], n_domains: int) -> Floats:
    """Return which share of what people know lies in each domain, (n_people, n_domains)."""
    people, topics = np.nonzero(known)  # few topics are known to anybody: a product with all of them costs more
    held = np.zeros((len(known), n_domains))
    np.add.at(held, (people, domain[topics]), known[people, topics])
    count = known.sum(axis=1, keepdims=True)
    return np.where(count > 0, held / np.maximum(count, 1e-9), 1 / n_domains)


def odds(lifts: Lifts) -> Floats:
    return np.exp(lifts.astype(np.float64))


def mixture(part: Floats, of_domains: Floats) -> Floats:
    """Return log Σ_d part_d · odds_d, (n_people, n_domains); odds of domains by domains, (n_domains, n_domains).

    Everything somebody knows speaks for its share of them: who paints and programs is half a painter with a painter's
    chances, not somebody between the two.
    """
    return np.log(part @ of_domains)


def damped(known: NDArray[np.floating], fine: Lifts) -> Floats:
    """Return the sum of lifts over the root of how much is known, (n_people, n_targets)."""
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.asarray(summed(known, fine) / count**DAMPING, np.float64)


def summed(known: NDArray[np.floating], fine: Lifts) -> Lifts:
    some = np.flatnonzero(known.any(axis=0))  # few topics are known to anybody: leave out the rest of the product
    return np.asarray(known[:, some].astype(np.float32) @ fine[some], np.float32)


def describe(known: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the features of profiles (n_people, s) → (n_people, 2 s + 3).

    Each topic appears plain and divided by the root of the profile's size, so that its weight may fade as more is
    known; the last feature is the constant.
    """
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    root = np.sqrt(count)
    return np.hstack([known, 2 * known / root, 1 / root, np.log(count), np.ones_like(count)])


def situate(known: NDArray[np.floating], worlds: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the worlds people live in, over the root of how much they know, before `describe`, (n_people, w + 2 s + 3).

    Ridge regression moves along such directions freely, since they are few: what hardly anybody of a world was asked is
    learned from the world.
    """
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.hstack([known @ worlds / np.sqrt(count), describe(known)])


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

    Topics that came into the catalogue since are known by their domain and their neighbours; those that left it are
    dropped.
    """
    with np.load(path) as file:
        stored: dict[str, NDArray[Any]] = {name: file[name] for name in file.files}
    size = len(catalogue)
    place = np.array([catalogue.index.get(slug, -1) for slug in _lines(stored["slugs"])])
    new = np.setdiff1d(np.arange(size), place).tolist()
    order = {slug: position for position, slug in enumerate(_lines(stored["domains"]))}
    domain = np.array([order.get(topic.domain, len(order)) for topic in catalogue.topics])
    broad = np.zeros((len(order) + 1, len(order) + 1), np.float32)  # the last is for domains that are new
    broad[:-1, :-1] = stored["broad_lifts"]
    topics = place[stored["survey_topics"]]
    asked = topics >= 0
    columns = np.r_[asked, asked, np.ones(3, np.bool_)]
    worlds = stored["worlds"].astype(np.float64)
    survey = SurveyModel(
        topics[asked],
        worlds[asked],
        stored["wishes"].astype(np.float64)[np.ix_(np.r_[np.ones(worlds.shape[1], np.bool_), columns], asked)],
        stored["prior"].astype(np.float64)[asked],
        stored["moves"].astype(np.float32)[np.ix_(asked, asked)],
        stored["holdings"].astype(np.float64)[np.ix_(columns, asked)],
    )
    constant, by_base, by_lift = stored["hold_line"].tolist()
    return Adjacency(
        catalogue=catalogue,
        survey=survey,
        people_base=_placed(stored["base_people"], place, size),
        developer_base=_placed(stored["base_developers"], place, size),
        domain=domain,
        broad=broad,
        fine=welcomed(_fine(stored, place, size), new, catalogue),
        hold_line=(constant, by_base, by_lift),
        drift=np.zeros(size),
        counts={kind: _counts(stored, kind, place, size) for kind in SOURCES},
        domains_together=np.pad(stored["domains_together"][:-1].astype(np.int64), (0, 1)),
        n_groups=int(stored["domains_together"][-1, 0]),
    )


def _placed(values: NDArray[np.floating], place: NDArray[np.intp], size: int) -> Floats:
    """Return values by catalogue position, the median where a topic is new."""
    placed = np.full(size, float(np.median(values)))
    placed[place[place >= 0]] = values[place >= 0]
    return placed


def _fine(stored: Mapping[str, NDArray[Any]], place: NDArray[np.intp], size: int) -> Lifts:
    steps = stored["lift_steps"].astype(np.float32) * stored["lift_step"].astype(np.float32)
    targets = place[stored["lift_targets"]]
    sources = np.broadcast_to(place[:, None], targets.shape)
    kept = (sources >= 0) & (targets >= 0)
    fine = np.zeros((size, size), np.float32)
    fine[sources[kept], targets[kept]] = steps[kept]
    return fine


def _counts(stored: Mapping[str, NDArray[Any]], kind: str, place: NDArray[np.intp], size: int) -> Counts:
    source, target = place[stored[f"{kind}_source"]], place[stored[f"{kind}_target"]]
    kept = (source >= 0) & (target >= 0)
    pair = source[kept].astype(np.int64) * size + target[kept]
    order = np.argsort(pair, kind="stable")
    base = np.zeros(size)
    base[place[place >= 0]] = stored[f"{kind}_base"][place >= 0]
    n, some = (stored[f"{kind}_{part}"][kept][order].astype(np.int64) for part in ("n", "some"))
    return Counts(pair[order], n, some, base)


def _lines(text: NDArray[np.uint8]) -> list[str]:
    return text.tobytes().decode().split("\n")


@cache
def load_adjacency() -> Adjacency:
    """Read what was learned, once a process."""
    return read_adjacency(ARTEFACT, load_catalogue())
