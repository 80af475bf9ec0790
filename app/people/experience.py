"""What the instance has learned from its own feedback, worked out once a day: which topics are wanted here, and who goes
where together. Every pick starts from it.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import Database
from app.models import Community, Event, EventTopic, Expertise, Feedback, Setting
from app.people.feedback import GOING, WELCOMING
from app.people.reactions import ANSWERS
from recommender.adjacency import load_adjacency
from recommender.catalogue import load_catalogue
from recommender.co_attendance import CoAttendance, fit_co_attendance
from recommender.topic_worth import score_topics

Answers = Mapping[str, tuple[int, float, int]]  # topic → asked, expected to want it, wanting it

PRIOR, COMPANY = "experience: prior", "experience: company"  # settings
FEWEST = 30  # people who went to two groups or more, before company tells anything


@dataclass(frozen=True, slots=True)
class Experience:
    drift: NDArray[np.float64]  # (n_topics,) log-odds by which topics are wanted more here than elsewhere
    company: CoAttendance | None = None


async def learn_from_feedback(database: Database, *, now: datetime) -> int:
    """Learn again from all feedback (a daily job); return how many answers there were."""
    async with database.reading() as session:
        answers = await _answers(session)
        visits = await _visits(session)
        domains = await _domains(session, {key for mine in visits for key in mine})
    refreshed = await asyncio.to_thread(load_adjacency().refreshed, answers)
    index = load_catalogue().index
    drift = {slug: round(float(refreshed.drift[index[slug]]), 4) for slug in answers}
    company = [domains, [sorted(mine) for mine in visits]] if len(visits) >= FEWEST else None
    async with database.writing() as session:
        stamp = now.isoformat()
        await session.merge(Setting(name=PRIOR, value=json.dumps([stamp, drift, company is not None])))
        await session.merge(Setting(name=COMPANY, value=json.dumps(company)))
    return sum(asked for asked, _, _ in answers.values())


async def experience_of(session: AsyncSession) -> Experience:
    """Return what was learned last; nothing where that never happened."""
    prior = await session.get(Setting, PRIOR)
    if prior is None:
        return Experience(np.zeros(len(load_catalogue())))
    _, told, has_company = json.loads(prior.value)
    company = await session.get(Setting, COMPANY) if has_company else None
    fitted = await asyncio.to_thread(_fitted, company.value) if company is not None else None
    drift = np.zeros(len(load_catalogue()))
    for slug, value in told.items():
        if slug in load_catalogue().index:
            drift[load_catalogue().index[slug]] = value
    return Experience(drift, fitted)


@lru_cache(maxsize=2)
def _fitted(company: str) -> CoAttendance | None:
    told = json.loads(company)
    return fit_co_attendance(told[1], told[0]) if told is not None else None


async def _answers(session: AsyncSession) -> Answers:
    """Count what people answered, one answer a person and topic, the last: nobody speaks twice."""
    rows = await session.exec(
        select(Feedback.person_id, Feedback.topic, Feedback.kind)
        .where(col(Feedback.kind).in_(ANSWERS), col(Feedback.topic).is_not(None))
        .order_by(col(Feedback.id))
    )
    said = {(person_id, topic or ""): kind in WELCOMING for person_id, topic, kind in rows}
    known = await _known(session, {person_id for person_id, _ in said})
    return await asyncio.to_thread(count_answers, said, known)


def count_answers(
    said: Mapping[tuple[int, str], bool], known: Mapping[int, Mapping[str, int]]
) -> dict[str, tuple[int, float, int]]:
    """Return the answers of people (by number) on topics, beside what was expected of people who know what they know."""
    index = load_catalogue().index
    counted: dict[str, tuple[int, float, int]] = {}
    for (person_id, topic), is_welcome in said.items():
        if topic not in index:
            continue
        expected = float(score_topics(known.get(person_id, {}), "one-step").want[index[topic]])
        if expected > 0:  # known by now: tells no longer what people who do not know it want
            asked, so_far, wanting = counted.get(topic, (0, 0.0, 0))
            counted[topic] = (asked + 1, so_far + expected, wanting + is_welcome)
    return counted


async def _known(session: AsyncSession, people: Collection[int]) -> dict[int, dict[str, int]]:
    known: dict[int, dict[str, int]] = defaultdict(dict)
    for row in await session.exec(select(Expertise)):
        if row.person_id in people and row.topic in load_catalogue().index:
            known[row.person_id][row.topic] = row.level
    return known


async def _visits(session: AsyncSession) -> list[set[str]]:
    """Return the communities that each person goes to, of those who go to two or more."""
    rows = await session.exec(
        select(Feedback.person_id, Community.key)
        .join(Event, col(Event.id) == Feedback.event_id)
        .join(Community, col(Community.id) == Event.community_id)
        .where(col(Feedback.kind).in_(GOING))
        .order_by(col(Feedback.person_id))
    )
    visited: dict[int, set[str]] = defaultdict(set)
    for person_id, key in rows:
        visited[person_id].add(key)
    return [keys for keys in visited.values() if len(keys) > 1]


async def _domains(session: AsyncSession, keys: Iterable[str]) -> dict[str, str]:
    """Return the domain that each community's events are mainly about."""
    rows = await session.exec(
        select(Community.key, EventTopic.topic, func.sum(EventTopic.weight))
        .join(Event, col(Event.community_id) == Community.id)
        .join(EventTopic, col(EventTopic.event_id) == Event.id)
        .group_by(col(Community.key), col(EventTopic.topic))
    )
    catalogue, wanted = load_catalogue(), set(keys)
    strongest: dict[str, tuple[float, str]] = {}
    for key, topic, weight in rows:
        if key in wanted and topic in catalogue.index:
            strongest[key] = max(strongest.get(key, (0.0, "")), (float(weight), catalogue[topic].domain))
    return {key: strongest.get(key, (0.0, ""))[1] for key in sorted(wanted)}
