"""Step 6, picks: the few events one step outside what somebody knows, each with its reason.

`picks_for` is the one door to the recommender: API, calendar, mail and page all show what it returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Event
from app.people.experience import Experience, experience_of
from app.people.wishes import Wish
from app.picking.ahead import events_ahead
from app.picking.ahead_table import Ahead, candidate_of
from app.picking.barriers import barrier
from app.picking.feasible import Feasible, feasible
from app.picking.grounds import Grounds
from app.places import Spot, distance_km
from app.queries import listing
from app.queries.event_forms import event_json
from app.queries.listing import Listed
from app.queries.plain_rows import EVENTS
from app.topic_names import label_of
from recommender.candidate import Candidate, Choice
from recommender.catalogue import load_catalogue
from recommender.event_table import EventTable
from recommender.habits import learn_habits
from recommender.ranking import Person, choose
from recommender.reach import geography
from recommender.reactions import offsets_of
from recommender.tabulating import tabulate
from recommender.topic_worth import score_topics

LEAST_OUTSIDE = 0.05  # share of all topics: who has fewer outside what they know knows something of nearly everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick(Grounds):
    """One event, and why: what every channel shows."""

    listed: Listed
    explorative: bool  # shown to find out rather than because it is sure

    def as_json(self) -> dict[str, Any]:
        return {
            "event": event_json(self.listed),
            "topics": [slug for slug, _ in self.listed.topics],
            **self.grounds_json(),
            "explorative": self.explorative,
        }


@dataclass(frozen=True, slots=True)
class Offer:
    """The events ahead, as they stand to a wish."""

    ahead: Ahead
    feasible: Feasible

    @property
    def is_empty(self) -> bool:
        return not self.feasible.open.any()

    def counted(self) -> dict[str, int]:
        """Return how many events somebody could go to are about each topic (slug)."""
        return self.ahead.counted(self.feasible.open)


async def offer(session: AsyncSession, wish: Wish, *, now: datetime) -> Offer:
    """Find the events that nothing keeps from being picked."""
    ahead = await events_ahead(session, now=now)
    return Offer(ahead, feasible(ahead, wish, now=now))


async def picks_for(session: AsyncSession, wish: Wish, *, now: datetime) -> list[Pick]:
    """Return the best events for a wish, best first, at most `wish.limit`."""
    return await picks_from(session, await offer(session, wish, now=now), wish, now=now)


async def picks_from(session: AsyncSession, offered: Offer, wish: Wish, *, now: datetime) -> list[Pick]:
    """Return the best of what is offered."""
    learned = await experience_of(session)
    table, is_open = offered.ahead.table, offered.feasible.open.copy()
    person = as_person(wish, table, is_open, learned)
    is_lost = bool(wish.known) and is_everywhere(wish)
    asker = replace(person, known={}) if is_lost else person
    while True:
        # Arithmetic would keep others waiting.
        choices = await asyncio.to_thread(
            choose, asker, table, now=now, limit=wish.limit, feasible=is_open, distance_km=offered.feasible.distance_km
        )
        numbers = [choice.candidate.id for choice in choices]
        listed = {item.event.id: item for item in await listing.listed(session, EVENTS.c.id.in_(numbers))}
        changed = [number for number in numbers if number not in listed or _is_barred(listed[number], wish)]
        if not changed:
            break
        # What is kept of the events may be a few seconds old; what is shown is not.
        is_open[list(offered.ahead.places(changed).values())] = False
    made = as_popular if is_lost else as_pick
    return [made(choice, listed[choice.candidate.id], wish, learned) for choice in choices]


def _is_barred(item: Listed, wish: Wish) -> bool:
    return item.event.merged_into is not None or barrier(item, wish) is not None


async def picks_among(session: AsyncSession, listed: Sequence[Listed], wish: Wish, *, now: datetime) -> list[Pick]:
    """Return the best of a few events that nothing keeps from being picked."""
    alive = (await events_ahead(session, now=now)).alive
    by_id = {item.event.id: item for item in listed}
    table = tabulate(as_candidate(item, wish.near, alive) for item in listed)
    learned = await experience_of(session)
    person = as_person(wish, table, np.ones(len(listed), np.bool_), learned)
    is_lost = bool(wish.known) and is_everywhere(wish)
    choices = choose(replace(person, known={}) if is_lost else person, table, now=now, limit=wish.limit)
    made = as_popular if is_lost else as_pick
    return [made(choice, by_id[choice.candidate.id], wish, learned) for choice in choices]


def is_everywhere(wish: Wish) -> bool:
    """Whether what somebody says they know leaves next to nothing outside it."""
    # Not "few paths": of whoever knows one small field, many a topic is outside and few are led to.
    return bool(score_topics(wish.known, wish.reach).inside.mean() > 1 - LEAST_OUTSIDE)


def as_popular(choice: Choice, listed: Listed, wish: Wish, learned: Experience) -> Pick:
    """Return a pick for somebody who knows everything: it says that it is none of a step outside."""
    pick = as_pick(choice, listed, replace(wish, known={}), learned)
    label = label_of(choice.topic)
    return replace(pick, reason=f"You know something of nearly every field; {label} is what many people like.")


def as_person(wish: Wish, table: EventTable, offered: NDArray[np.bool_], learned: Experience) -> Person:
    """Return what ranking needs to know of whoever wishes; their habits are told from beside what is offered, (n_events,)."""
    own = wish.offsets or offsets_of(geography(load_catalogue()).domain, ())
    company = frozenset(visit.community for visit in wish.visited if visit.community is not None)
    return Person(
        wish.known,
        wish.reach,
        purposes=wish.purposes,
        hidden=wish.refusals.topics,
        habits=learn_habits((visit.starts_at for visit in wish.visited), table.hour_of_week[offered])
        if wish.visited
        else None,
        offsets=replace(own, mean=own.mean + learned.drift),
        together=learned.company.together(company) if learned.company is not None and company else None,
        seed=wish.seed,
    )


def as_pick(choice: Choice, listed: Listed, wish: Wish, learned: Experience) -> Pick:
    return Pick.of(
        choice,
        wish.known,
        distance_km=away_km(listed.event, wish.near),
        drift=float(learned.drift[load_catalogue().index[choice.topic]]),
        listed=listed,
        explorative=choice.explorative,
    )


def away_km(event: Event, near: Spot | None) -> float | None:
    """Return how far away an event is, None where that does not count."""
    if near is None or event.lat is None or event.lon is None or event.mode == "online":
        return None
    return distance_km(near.lat, near.lon, event.lat, event.lon)


def as_candidate(item: Listed, near: Spot | None, alive: Mapping[int, float]) -> Candidate:
    community = item.community.key if item.community else None
    return candidate_of(item.event, dict(item.topics), community, alive, away_km(item.event, near))
