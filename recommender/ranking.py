"""Step 6c, ranking: which events are worth an evening for someone who knows these topics.

`topic_worth` says how much each topic is worth, `event_table` finds the events about them, `slate` makes a diverse few of
them; here the parts meet what is known of the person besides.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommender.adjacency import load_adjacency, logit, sigmoid
from recommender.candidate import (
    PURPOSES,
    UNWANTED,
    UNWANTED_FROM,
    Candidate,
    Choice,
    LeftOut,
    is_wanted,
)
from recommender.catalogue import Catalogue
from recommender.event_table import DAY, MODES, EventTable, tabulate
from recommender.habits import Habits
from recommender.reach import REACHES, Reach, geography
from recommender.reactions import Offsets, offsets_of
from recommender.slate import Caps, fill_slate
from recommender.topic_worth import (
    OWN_FIELD,
    TopicScores,
    next_topics,
    rank_topics,
    score_topics,
)

__all__ = [
    "MODES",
    "PURPOSES",
    "UNWANTED",
    "UNWANTED_FROM",
    "Candidate",
    "Choice",
    "LeftOut",
    "Person",
    "Slate",
    "TopicScores",
    "is_wanted",
    "next_topics",
    "rank_events",
    "rank_slate",
    "rank_topics",
    "score_topics",
    "tabulate",
    "worth",
]

Floats = NDArray[np.float64]

SLATE = 7
# Of ten picks, how many may come from the fields a person works in already: the room next door has another door.
PER_HOME: Mapping[Reach, float] = {"next-door": 1.0, "one-step": 0.4, "two-steps": 0.2, "far": 0.1}
PER_OWN = 0.2  # and how many from domains of which they know two topics or more
DEPTH = 200  # events looked at before a slate is filled; more only where these do not fill it
NEAR_KM = 100.0  # at that distance an event is worth half
SOON_DAYS = 120.0  # and so far ahead


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of somebody who wants picks."""

    known: Mapping[str, int]  # slug → level 1 … 5
    reach: Reach = "one-step"
    purposes: frozenset[str] = frozenset()  # unwanted ones (sell, recruit) that are asked for all the same
    hidden: frozenset[str] = frozenset()  # slugs: no event about them, ever
    habits: Habits | None = None
    offsets: Offsets | None = None  # what their reactions say of topics
    together: Mapping[str, float] | None = None  # community → times as likely among those who go where they go
    seed: str | None = None  # "person:week": gives one place to exploring, the same all week; None: no such place


@dataclass(frozen=True, slots=True)
class Slate:
    choices: tuple[Choice, ...]  # best first, the explorative one last
    left_out: tuple[LeftOut, ...]  # in the order of the candidates


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
    return choose(Person(known, reach, purposes), tabulate(candidates), now=now, limit=limit)


def rank_slate(person: Person, candidates: Iterable[Candidate], *, now: datetime, limit: int = SLATE) -> Slate:
    """Return a person's slate and why each other candidate is not in it."""
    table = tabulate(candidates)
    choices = choose(person, table, now=now, limit=limit)
    return Slate(tuple(choices), tuple(left_out(person, table, choices)))


def choose(
    person: Person,
    table: EventTable,
    *,
    now: datetime,
    limit: int = SLATE,
    feasible: NDArray[np.bool_] | None = None,
    distance_km: NDArray[np.floating] | None = None,
) -> list[Choice]:
    """Return the slate of a person from a table of events, at most `limit` of them.

    `feasible` marks the events they could go to and `distance_km` tells how far those are, NaN where that counts
    nothing, both (n_events,); without it the candidates' own distances count.
    """
    catalogue = load_adjacency().catalogue
    topics = score_topics(person.known, person.reach)
    worths, luck = _worths(person, topics, catalogue)
    caps = _caps(person, catalogue, limit)
    home = _fields(person, table)
    suits = suitability(person, table, now=now, feasible=feasible, distance_km=distance_km)
    depth = DEPTH
    while True:
        best = table.best(topics, worths, n=depth, home=home, suits=suits)
        scored = [
            Choice(table.candidates[event], catalogue.topics[topic].slug, score, REACHES[topics.band[topic]])
            for event, score, topic in zip(*(part.tolist() for part in best), strict=True)
            if person.hidden.isdisjoint(table.candidates[event].topics)
        ]
        slate, is_final = fill_slate(scored, catalogue, limit=limit, caps=caps, luck=luck)
        if is_final or len(best.events) < depth:
            return slate
        depth *= 8


def _worths(person: Person, topics: TopicScores, catalogue: Catalogue) -> tuple[Floats, dict[str, float] | None]:
    """Return what topics are worth after the person's reactions, (n_topics,), and how this week's luck turns that."""
    worths = np.where(topics.is_path, topics.score, 0.0)
    offsets = person.offsets
    if offsets is None and person.seed is not None:
        offsets = offsets_of(geography(catalogue).domain, ())
    if offsets is None:
        return worths, None
    log_odds = logit(np.clip(topics.want, 1e-9, 1 - 1e-9))
    expected = sigmoid(log_odds + offsets.mean)
    worths = worths * expected / np.maximum(topics.want, 1e-9)
    if person.seed is None:
        return worths, None
    drawn = sigmoid(log_odds + offsets.drawn(person.seed)) / expected
    return worths, dict(zip(catalogue.index, drawn.tolist(), strict=True))


def _caps(person: Person, catalogue: Catalogue, limit: int) -> Caps:
    known = Counter(catalogue[slug].domain for slug in person.known)
    return Caps(
        home=frozenset(catalogue[slug].field for slug in person.known),
        at_home=round(PER_HOME[person.reach] * limit),
        own=frozenset(domain for domain, number in known.items() if number >= OWN_FIELD),
        in_own=math.ceil(PER_OWN * limit),
    )


def _fields(person: Person, table: EventTable) -> NDArray[np.bool_]:
    """Return which topics belong to fields the person works in, (n_topics,)."""
    index = load_adjacency().catalogue.index
    known = table.field[[index[slug] for slug in person.known]]
    return np.isin(table.field, known)


def suitability(
    person: Person,
    table: EventTable,
    *,
    now: datetime,
    feasible: NDArray[np.bool_] | None = None,
    distance_km: NDArray[np.floating] | None = None,
) -> Floats:
    """Return how well purpose, place, time and company of each event suit a person, (n_events,); 0: not to be shown."""
    far = table.distance_km if distance_km is None else distance_km
    suits = 1.0 / (1.0 + np.nan_to_num(far) / NEAR_KM)
    ahead = np.maximum(table.days - now.timestamp() / DAY, 0.0)
    suits /= 1.0 + ahead / SOON_DAYS
    suits *= table.purposes.suit(person.purposes)
    if person.habits is not None:
        suits *= person.habits.factor.ravel()[table.hour_of_week]
    if person.together is not None:
        lifts = [person.together.get(community, 1.0) for community in table.communities]
        suits *= np.array([*lifts, 1.0])[table.community]
    if feasible is not None:
        suits *= feasible
    return suits


def worth(candidate: Candidate, now: datetime) -> float:
    """Return what makes an evening good whatever it is about, 0 … about 1.1."""
    table = tabulate([candidate])
    return float(table.worth[0] * suitability(Person({}), table, now=now)[0])


def left_out(person: Person, table: EventTable, choices: Sequence[Choice]) -> Iterator[LeftOut]:
    """Yield why each event of a table is not among the choices."""
    catalogue = load_adjacency().catalogue
    topics = score_topics(person.known, person.reach)
    worths, _ = _worths(person, topics, catalogue)
    scores, carried = table.score(np.arange(len(table.candidates)), topics, worths, home=_fields(person, table))
    chosen = {choice.candidate.id for choice in choices}
    for event, score, topic in zip(table.candidates, scores.tolist(), carried.tolist(), strict=True):
        if event.id in chosen:
            continue
        placed = sorted((-weight, slug) for slug, weight in event.topics.items() if slug in catalogue.index)
        hidden = next((slug for _, slug in placed if slug in person.hidden), None)
        if not placed:
            yield LeftOut(event, "no-topic", "")
        elif hidden is not None:
            yield LeftOut(event, "hidden-topic", hidden)
        elif not is_wanted(event.purpose, person.purposes):
            aims = [name for name in UNWANTED if name not in person.purposes]
            yield LeftOut(event, "purpose", max(aims, key=lambda name: event.purpose.get(name, 0.0)))
        elif score > 0:
            yield LeftOut(event, "outranked", catalogue.topics[topic].slug)
        else:
            inside = next((slug for _, slug in placed if topics.inside[catalogue.index[slug]]), None)
            yield LeftOut(event, "no-path" if inside is None else "inside", inside or placed[0][1])
