"""Step 6, picks: the few events one step outside what somebody knows, each with its reason.

`picks_for` is the one door to the recommender: API, calendar, mail and page all show what it returns.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import queries
from app.barriers import STILL_ON, barrier
from app.experience import Experience, experience_of
from app.models import Event
from app.places import Spot, distance_km
from app.topic_names import label_of
from app.wishes import Wish
from recommender.candidate import Candidate, Choice
from recommender.catalogue import load_catalogue
from recommender.habits import learn_habits
from recommender.ranking import Person, choose, score_topics, tabulate
from recommender.reach import Reach, geography
from recommender.reactions import offsets_of
from recommender.reasons import explain

LEAST_OUTSIDE = 0.02  # share of all topics below which nothing worth a path is left
LIVELY = 3.0  # events around now that make a community fully alive; one alone gives about a quarter
AROUND = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Pick:
    """One event, and why: what every channel shows."""

    listed: queries.Listed
    topic: str  # the slug that carries it
    path: tuple[str, str]  # labels: what you know, what this is
    reach: Reach
    score: float
    reason: str
    evidence: tuple[str, ...]
    distance_km: float | None
    explorative: bool  # shown to find out rather than because it is sure

    def as_json(self) -> dict[str, Any]:
        return {
            "event": queries.event_json(self.listed),
            "topic": self.topic,
            "topics": [slug for slug, _ in self.listed.topics],
            "path": list(self.path),
            "reach": self.reach,
            "score": round(self.score, 4),
            "reason": self.reason,
            "evidence": list(self.evidence),
            "distance_km": None if self.distance_km is None else round(self.distance_km, 1),
            "explorative": self.explorative,
        }


async def picks_for(session: AsyncSession, wish: Wish, *, now: datetime) -> list[Pick]:
    """Return the best events for a wish, best first, at most `wish.limit`."""
    return await picks_among(session, await candidates(session, wish, now=now), wish, now=now)


async def picks_among(
    session: AsyncSession, listed: Sequence[queries.Listed], wish: Wish, *, now: datetime
) -> list[Pick]:
    """Return the best of these events, which `candidates` gave."""
    alive = await liveliness(session, now)
    learned = await experience_of(session)
    return await asyncio.to_thread(_best, listed, wish, alive, learned, now)  # arithmetic would keep others waiting


def _best(
    listed: Sequence[queries.Listed], wish: Wish, alive: Mapping[int, float], learned: Experience, now: datetime
) -> list[Pick]:
    by_id = {item.event.id: item for item in listed}
    table = tabulate(as_candidate(item, wish.near, alive) for item in listed)
    person = as_person(wish, table.candidates, learned)
    if wish.known and is_everywhere(wish):
        choices = choose(replace(person, known={}), table, now=now, limit=wish.limit)
        return [as_popular(choice, by_id[choice.candidate.id]) for choice in choices]
    choices = choose(person, table, now=now, limit=wish.limit)
    return [as_pick(choice, by_id[choice.candidate.id], wish.known) for choice in choices]


def is_everywhere(wish: Wish) -> bool:
    """Whether what somebody says they know leaves next to nothing outside it."""
    topics = score_topics(wish.known, wish.reach)
    return bool(np.count_nonzero(topics.is_path & (topics.score > 0)) < LEAST_OUTSIDE * len(topics.score))


def as_popular(choice: Choice, listed: queries.Listed) -> Pick:
    """Return a pick for somebody who knows everything: it says that it is none of a step outside."""
    pick = as_pick(choice, listed, {})
    label = label_of(choice.topic)
    return replace(pick, reason=f"You know something of nearly every field; {label} is what many people like.")


def as_person(wish: Wish, offered: Iterable[Candidate], learned: Experience) -> Person:
    """Return what ranking needs to know of whoever wishes; their habits are told from beside what is offered."""
    own = wish.offsets or offsets_of(geography(load_catalogue()).domain, ())
    company = frozenset(visit.community for visit in wish.visited if visit.community is not None)
    return Person(
        wish.known,
        wish.reach,
        purposes=wish.purposes,
        hidden=wish.refusals.topics,
        habits=learn_habits((visit.starts_at for visit in wish.visited), (one.starts_at for one in offered))
        if wish.visited
        else None,
        offsets=replace(own, mean=own.mean + learned.drift),
        together=learned.company.together(company) if learned.company is not None and company else None,
        seed=wish.seed,
    )


def as_pick(choice: Choice, listed: queries.Listed, known: Mapping[str, int]) -> Pick:
    reason = explain(choice, known)
    return Pick(
        listed=listed,
        topic=choice.topic,
        path=reason.path,
        reach=reason.reach,
        score=choice.score,
        reason=reason.sentence,
        evidence=reason.evidence,
        distance_km=choice.candidate.distance_km,
        explorative=choice.explorative,
    )


async def candidates(session: AsyncSession, wish: Wish, *, now: datetime) -> list[queries.Listed]:
    """Return the upcoming events that nothing keeps from being picked."""
    return [item for item in await upcoming(session, wish, now=now) if barrier(item, wish) is None]


async def upcoming(session: AsyncSession, wish: Wish, *, now: datetime) -> list[queries.Listed]:
    """Return the events of the days a wish looks at."""
    return await queries.events(
        session, queries.EventFilter(start=now, end=now + timedelta(days=wish.days), statuses=STILL_ON)
    )


def as_candidate(item: queries.Listed, near: Spot | None, alive: Mapping[int, float]) -> Candidate:
    event = item.event
    assert event.id is not None
    away = None
    if near is not None and event.lat is not None and event.lon is not None and event.mode != "online":
        away = distance_km(near.lat, near.lon, event.lat, event.lon)
    return Candidate(
        id=event.id,
        topics=dict(item.topics),
        starts_at=event.starts_at.astimezone(ZoneInfo(event.zone)),
        mode=event.mode,
        distance_km=away,
        purpose=event.purpose,
        community=item.community.key if item.community else None,
        title=event.title,
        alive=alive.get(event.community_id or 0, 0.5),
        welcomes=event.welcomes,
        series=event.series_key,
    )


async def liveliness(session: AsyncSession, now: datetime) -> dict[int, float]:
    """Return how alive each community is, 0 … 1, from its events of the last and next three months."""
    rows = await session.exec(
        select(Event.community_id, func.count())
        .where(
            col(Event.community_id).is_not(None),
            col(Event.starts_at).between(now - AROUND, now + AROUND),
            col(Event.deleted_at).is_(None),
        )
        .group_by(col(Event.community_id))
    )
    return {community: 1 - math.exp(-number / LIVELY) for community, number in rows if community is not None}
