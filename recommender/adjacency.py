"""Step 6c, adjacency: how much somebody who knows some topics wants each of the others.

Two models share one scale, log-odds. Inside the survey's vocabulary a ridge regression says what people who hold some
topics want next; everywhere else a topic's base rate is raised by lifts, one a pair of topics, learned from groups,
communities, people and hand-made neighbourhoods. All numbers come from `recommender.learn`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue, load_catalogue
from recommender.evidence import SOURCES, Counts, Evidence
from recommender.log_odds import DAMPING, Floats, Lifts, damped, mixture, odds, shares, sigmoid, summed
from recommender.newcomers import welcomed
from recommender.reactions import OF_A_TIME, Spread, levelled, posterior
from recommender.survey_model import SurveyModel

ARTEFACT = Path(__file__).parent / "data" / "adjacency.npz"

# What a level from 1 (a little) to 5 (a master) is worth beside the survey's plain "have", which is taken for a 3. No
# data set tells levels and wishes of the same people, so this is an assumption.
LEVEL_WEIGHTS = (0.0, 0.5, 0.75, 1.0, 1.15, 1.3)

DEVELOPER_FIELDS = frozenset({"technology", "data"})  # those developer surveys speak of
FEWEST_GROUPS, FEWEST_BOTH = 20, 5  # counts of fewer are accidents


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

        `answers` tells for some topics how many people reacted, how many of them were expected to want it (the sum of
        P(want)), and how many welcomed it. The prior drifts, the weights last: with 300 fresh answers, weights five
        years old regain most of what new ones have. Topics nobody was asked about drift with their domain.
        """
        asked, expected, welcome = np.zeros((3, len(self.catalogue)))
        for slug, told in answers.items():
            place = self.catalogue.index[slug]
            asked[place], expected[place], welcome[place] = told
        offsets = posterior(self.domain, asked, levelled(asked, expected, welcome), welcome, spread=spread)
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
