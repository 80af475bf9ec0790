"""Step 6 for communities: the groups and chats one step outside what somebody knows, with the reasons picks have."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import sqlmodel
from numpy.typing import NDArray
from sqlalchemy import select
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.community.communities import Active, with_activity
from app.community.community_filter import RESTING
from app.models import Community
from app.people.wishes import Wish
from app.picking.community_choice import choose_communities
from app.picking.grounds import Grounds
from app.places import distance_km
from recommender.candidate import Candidate, Choice
from recommender.event_table import EventTable
from recommender.ranking import Person
from recommender.tabulating import tabulate

COMMUNITIES = SQLModel.metadata.tables["community"].c
TOPICS = SQLModel.metadata.tables["communitytopic"].c
# Few of a community's columns keep somebody from it or speak for it, and all communities are read.
RANKED = (
    *(COMMUNITIES.id, COMMUNITIES.key, COMMUNITIES.name, COMMUNITIES.is_online, COMMUNITIES.lat, COMMUNITIES.lon),
    *(COMMUNITIES.language, COMMUNITIES.purpose, COMMUNITIES.activity, COMMUNITIES.file, COMMUNITIES.checked_at),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityPick(Grounds):
    """A community, and why."""

    active: Active

    @classmethod
    def of_json(cls, grounds: Mapping[str, Any], *, active: Active) -> Self:
        """Return a community with the grounds it was stored with (`grounds_json`)."""
        path, evidence = tuple(grounds["path"]), tuple(grounds["evidence"])
        return cls(**{**grounds, "path": path, "evidence": evidence}, active=active)

    def as_json(self) -> dict[str, Any]:
        return {"community": self.active.as_json(), **self.grounds_json()}


@dataclass(frozen=True, slots=True)
class Living:
    """The communities that may be picked, none dormant or ended, in the order of the table's rows."""

    rows: tuple[Any, ...]  # with the columns of RANKED
    topics: tuple[frozenset[str], ...]
    is_seen: NDArray[np.bool_]  # whether somebody saw it meet, or its address answered
    table: EventTable  # without distances


async def communities_for(session: AsyncSession, wish: Wish, *, now: datetime) -> list[CommunityPick]:
    """Return the best communities for a wish, at most `wish.limit`; none that is dormant or has ended.

    Those that were seen to live come first, then those nobody has looked at yet.
    """
    (choices,) = await choices_for_each(session, [wish], now=now)
    active = await _active(session, {choice.candidate.id for choice in choices}, now=now)
    return [
        CommunityPick.of(choice, wish.known, distance_km=away_km(one.community, wish), active=one)
        for choice in choices
        if (one := active.get(choice.candidate.id)) is not None
    ]


async def choices_for_each(session: AsyncSession, wishes: Sequence[Wish], *, now: datetime) -> list[list[Choice]]:
    """Return the numbers of the best communities for each wish, as `communities_for` does.

    What is known of communities is read once for all of them.
    """
    living = await _living(session, now=now)
    if not living.rows:
        return [[] for _ in wishes]
    # Arithmetic would keep other requests waiting.
    return await asyncio.to_thread(lambda: [_best(living, wish, now) for wish in wishes])


async def _living(session: AsyncSession, *, now: datetime) -> Living:
    connection = await session.connection()
    topics: dict[int, dict[str, float]] = defaultdict(dict)
    told = await connection.execute(select(TOPICS.community_id, TOPICS.topic, TOPICS.weight))
    for community_id, topic, weight in told:
        topics[community_id][topic] = weight
    rows = tuple(
        row
        for row in await connection.execute(select(*RANKED).order_by(COMMUNITIES.id))
        if row.id in topics and row.activity.get("label") not in RESTING
    )
    return Living(
        rows,
        tuple(frozenset(topics[row.id]) for row in rows),
        np.array([row.file is None or row.checked_at is not None for row in rows], np.bool_),
        tabulate(_candidate(row, topics[row.id], now - timedelta(days=place)) for place, row in enumerate(rows)),
    )


async def _active(session: AsyncSession, ids: set[int], *, now: datetime) -> dict[int, Active]:
    active: dict[int, Active] = {}
    for some in chunks(sorted(ids)):
        rows = await session.exec(sqlmodel.select(Community).where(col(Community.id).in_(some)))
        active |= {one.community.id or 0: one for one in await with_activity(session, list(rows), now=now)}
    return active


def is_joinable(community: Any, wish: Wish) -> bool:
    """Tell whether somebody could take part: near enough, or online where that counts, in a language they asked for."""
    if community.key in wish.refusals.communities:
        return False
    if wish.languages and community.language and community.language.split("-")[0].lower() not in wish.languages:
        return False
    if community.is_online:
        return wish.online and (not wish.modes or "online" in wish.modes)
    if wish.modes and wish.modes.isdisjoint(("in_person", "hybrid")):
        return False
    if wish.near is None:
        return True
    away = away_km(community, wish)
    return away is not None and away <= wish.within_km


def away_km(community: Any, wish: Wish) -> float | None:
    if wish.near is None or community.is_online or community.lat is None or community.lon is None:
        return None
    return distance_km(wish.near.lat, wish.near.lon, community.lat, community.lon)


def _best(living: Living, wish: Wish, now: datetime) -> list[Choice]:
    refused = wish.refusals.topics
    is_open = np.array(
        [
            is_joinable(row, wish) and refused.isdisjoint(topics)
            for row, topics in zip(living.rows, living.topics, strict=True)
        ],
        np.bool_,
    )
    return choose_communities(
        Person(wish.known, wish.reach, wish.purposes),
        living.table,
        now=now,
        limit=wish.limit,
        joinable=is_open,
        is_seen=living.is_seen,
        distance_km=np.array([away_km(row, wish) or 0.0 for row in living.rows]),
    )


def _candidate(community: Any, topics: Mapping[str, float], starts_at: datetime) -> Candidate:
    """Return a community as ranking knows it: joining is possible any day, each on one of its own and none later."""
    return Candidate(
        id=community.id,
        topics=topics,
        starts_at=starts_at,
        mode="online" if community.is_online else "in_person",
        purpose=community.purpose,
        community=community.key,
        title=community.name,
        alive=community.activity.get("alive", 0.5),
    )
