"""Step 6c, ranking: which events are worth an evening for someone who knows these topics.

`topic_worth` says how much each topic is worth, `event_table` finds the events about them, `slate` makes a diverse few of
them; here the parts meet what is known of the person besides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.adjacency import load_adjacency
from recommender.candidate import UNWANTED, Choice, LeftOut, is_wanted
from recommender.event_table import DAY, Askers, Best, EventTable
from recommender.habits import Habits
from recommender.log_odds import Floats, logit, sigmoid
from recommender.reach import REACHES, Geography, Reach, geography
from recommender.reactions import Offsets, offsets_of
from recommender.slate import PER_DOMAIN, Offers, fill_slate
from recommender.topic_worth import OWN_FIELD, TopicScores, score_topics

SLATE = 7
# A lawyer whom one step leads to two evenings of a city with thousands would take the city for empty.
HANDFUL = 4
WIDER: Mapping[Reach, Reach] = {"next-door": "one-step", "one-step": "two-steps"}
# Of ten picks, how many may come from the fields a person works in already: the room next door has another door.
PER_HOME: Mapping[Reach, float] = {"next-door": 1.0, "one-step": 0.4, "two-steps": 0.2, "far": 0.1}
PER_OWN = 0.2  # and how many from domains of which they know two topics or more
DEPTH, DEEPER = 512, 8  # events looked at before a slate is filled, and how many times more where they do not fill it
MOSTLY_INSIDE = 0.5  # share of all topics that somebody knows from which one looks as deep at once
EXPLORED = 1000  # events among which one is drawn to find out
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

    `feasible` marks the events they could go to and `distance_km` tells how far those are, 0 where that counts
    nothing, both (n_events,); without it the candidates' own distances count. Where their reach leaves hardly any, the
    next wider one adds some.
    """
    slate = _choose(person, table, now=now, limit=limit, feasible=feasible, distance_km=distance_km)
    wider = WIDER.get(person.reach)
    enough = min(HANDFUL, limit)
    if not person.known or wider is None or len(slate) >= enough:
        return [one.choice for one in slate]
    further = _choose(
        replace(person, reach=wider, seed=None), table, now=now, limit=limit, feasible=feasible, distance_km=distance_km
    )
    for one in further:
        if len(slate) < enough and _may_join(one, slate, table):
            slate.append(one)
    return sorted((one.choice for one in slate), key=lambda choice: choice.explorative)


class Placed(NamedTuple):
    place: int  # of the event in its table
    choice: Choice


def _may_join(one: Placed, slate: Sequence[Placed], table: EventTable) -> bool:
    """Whether a choice may join a slate: none of its topic, community, series or title is there, nor two of its domain."""
    catalogue = load_adjacency().catalogue
    there = [other.place for other in slate]
    for codes in (table.title, table.community, table.series):
        if codes[one.place] >= 0 and (codes[there] == codes[one.place]).any():
            return False
    topics = [other.choice.topic for other in slate]
    domain = catalogue[one.choice.topic].domain
    return one.choice.topic not in topics and sum(catalogue[topic].domain == domain for topic in topics) < PER_DOMAIN


def _choose(
    person: Person,
    table: EventTable,
    *,
    now: datetime,
    limit: int,
    feasible: NDArray[np.bool_] | None,
    distance_km: NDArray[np.floating] | None,
) -> list[Placed]:
    catalogue = load_adjacency().catalogue
    ground = geography(catalogue)
    topics = score_topics(person.known, person.reach)
    worths, luck = _worths(person, topics, ground)
    held = np.array([catalogue.index[slug] for slug in person.known], np.intp)
    suits = suitability(person, table, now=now, feasible=feasible, distance_km=distance_km)
    askers = _askers(worths, topics, table, held)._replace(suits=suits[None])
    own = (np.bincount(ground.domain[held], minlength=len(ground.field)) >= OWN_FIELD)[ground.domain]
    depth = (DEPTH if luck is None else EXPLORED) * (DEEPER if topics.inside.mean() > MOSTLY_INSIDE else 1)
    while True:
        (best,) = table.best(askers, n=depth)
        shown = _unhidden(best, table, person.hidden)
        filled = fill_slate(
            _offers(shown, table, ground, is_home=askers.home[0], is_own=own),
            limit=limit,
            at_home=round(PER_HOME[person.reach] * limit),
            in_own=math.ceil(PER_OWN * limit),
            luck=None if luck is None else luck[shown.topics],
        )
        if filled.is_final or len(best.events) < depth:
            break
        depth *= DEEPER
    places = filled.places if filled.exploring is None else [*filled.places, filled.exploring]
    return [_placed(shown, place, table, topics, explorative=place == filled.exploring) for place in places]


def _placed(shown: Best, place: int, table: EventTable, topics: TopicScores, *, explorative: bool) -> Placed:
    """Return the choice that stands at a place among the best events."""
    event, topic = int(shown.events[place]), int(shown.topics[place])
    slug = load_adjacency().catalogue.topics[topic].slug
    reach = REACHES[topics.band[topic]]
    score = float(shown.scores[place])
    return Placed(event, Choice(table.candidates[event], slug, score, reach, explorative=explorative))


def _unhidden(best: Best, table: EventTable, hidden: frozenset[str]) -> Best:
    """Return the events none of whose topics somebody hid, asides included."""
    if not hidden:
        return best
    kept = [hidden.isdisjoint(table.candidates[event].topics) for event in best.events.tolist()]
    return Best(best.events[kept], best.scores[kept], best.topics[kept])


def _offers(
    best: Best, table: EventTable, ground: Geography, *, is_home: NDArray[np.bool_], is_own: NDArray[np.bool_]
) -> Offers:
    """Return events as a slate takes them; `is_home` and `is_own` mark topics, (n_topics,)."""
    return Offers(
        score=best.scores,
        topic=best.topics,
        domain=ground.domain[best.topics],
        is_home=is_home[best.topics],
        is_own=is_own[best.topics],
        community=table.community[best.events],
        series=table.series[best.events],
        title=table.title[best.events],
        day=table.day[best.events],
    )


def _askers(worths: Floats, topics: TopicScores, table: EventTable, held: NDArray[np.intp]) -> Askers:
    """Return one person as the table knows people; `held` are the positions of the topics they know."""
    return Askers(worths.astype(np.float32)[None], topics.inside[None], np.isin(table.field, table.field[held])[None])


def _worths(person: Person, topics: TopicScores, ground: Geography) -> tuple[Floats, Floats | None]:
    """Return what topics are worth after the person's reactions and what this week's luck makes of that, (n_topics,)."""
    worths = np.where(topics.is_path, topics.score, 0.0)
    offsets = person.offsets
    if offsets is None and person.seed is not None:
        offsets = offsets_of(ground.domain, ())
    if offsets is None:
        return worths, None
    log_odds = logit(np.clip(topics.want, 1e-9, 1 - 1e-9))
    expected = sigmoid(log_odds + offsets.mean)
    worths = worths * expected / np.maximum(topics.want, 1e-9)
    if person.seed is None:
        return worths, None
    return worths, sigmoid(log_odds + offsets.drawn(person.seed)) / expected


def suitability(
    person: Person,
    table: EventTable,
    *,
    now: datetime,
    feasible: NDArray[np.bool_] | None = None,
    distance_km: NDArray[np.floating] | None = None,
) -> NDArray[np.float32]:
    """Return how well purpose, place, time and company of each event suit a person, (n_events,); 0: not to be shown."""
    far = table.distance_km if distance_km is None else distance_km.astype(np.float32)
    suits = table.purposes.suit(person.purposes) if person.purposes else table.purposes.usual
    suits = suits / (
        (1 + far / NEAR_KM) * (1 + np.maximum(table.days - np.float32(now.timestamp() / DAY), 0) / SOON_DAYS)
    )
    if person.habits is not None:
        suits *= person.habits.of(table.hour_of_week)
    if person.together is not None:
        lifts = [person.together.get(community, 1.0) for community in table.communities]
        suits *= np.array([*lifts, 1.0])[table.community]  # -1, no community, finds the last
    if feasible is not None:
        suits *= feasible
    return np.asarray(suits, np.float32)


def left_out(person: Person, table: EventTable, choices: Sequence[Choice]) -> Iterator[LeftOut]:
    """Yield why each event of a table is not among the choices."""
    catalogue = load_adjacency().catalogue
    topics = score_topics(person.known, person.reach)
    worths, _ = _worths(person, topics, geography(catalogue))
    askers = _askers(worths, topics, table, np.array([catalogue.index[slug] for slug in person.known], np.intp))
    every = np.arange(len(table))
    scores = table.score(askers, np.zeros_like(every), every)
    carried = table.carriers(askers, np.zeros_like(every), every)
    chosen = {choice.candidate.id for choice in choices}
    for place, score, topic in zip(every.tolist(), scores.tolist(), carried.tolist(), strict=True):
        event = table.candidates[place]
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
