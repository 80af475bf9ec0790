"""Step 6 for communities: the groups and chats one step outside what somebody knows, with the reasons picks have."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.community.communities import Active, with_activity
from app.models import Community, CommunityTopic
from app.people.wishes import Wish
from app.picking.grounds import Grounds
from app.places import distance_km
from recommender.ranking import Candidate, rank_events

UNCHECKED_ALIVE = 0.4  # how alive a community counts of which nothing but its own word is known
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CommunityPick(Grounds):
    """A community, and why."""

    active: Active

    def as_json(self) -> dict[str, Any]:
        return {"community": self.active.as_json(), **self.grounds_json()}


async def communities_for(session: AsyncSession, wish: Wish, *, now: datetime) -> list[CommunityPick]:
    """Return the best communities for a wish, best first, at most `wish.limit`; none that is dormant or has ended."""
    with_topics = select(CommunityTopic.community_id)
    rows = await session.exec(select(Community).where(col(Community.id).in_(with_topics)).order_by(col(Community.id)))
    found = [community for community in rows if is_joinable(community, wish)]
    active: list[Active] = []
    for start in range(0, len(found), BATCH):
        active += await with_activity(session, found[start : start + BATCH], now=now)
    wanted = [
        one for one in active if not one.is_resting and wish.refusals.topics.isdisjoint(slug for slug, _ in one.topics)
    ]
    return await asyncio.to_thread(_best, wanted, wish, now)  # arithmetic would keep other requests waiting


def is_joinable(community: Community, wish: Wish) -> bool:
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
    away = _away(community, wish)
    return away is not None and away <= wish.within_km


def _away(community: Community, wish: Wish) -> float | None:
    if wish.near is None or community.is_online or community.lat is None or community.lon is None:
        return None
    return distance_km(wish.near.lat, wish.near.lon, community.lat, community.lon)


def _best(found: Sequence[Active], wish: Wish, now: datetime) -> list[CommunityPick]:
    by_id = {one.community.id or 0: one for one in found}
    choices = rank_events(
        wish.known,
        [_candidate(one, number, wish, now) for number, one in enumerate(found)],
        now=now,
        reach=wish.reach,
        limit=wish.limit,
        purposes=wish.purposes,
    )
    return [
        CommunityPick.of(
            choice, wish.known, distance_km=choice.candidate.distance_km, active=by_id[choice.candidate.id]
        )
        for choice in choices
    ]


def _candidate(active: Active, number: int, wish: Wish, now: datetime) -> Candidate:
    community = active.community
    activity: Mapping[str, Any] = community.activity
    return Candidate(
        id=community.id or 0,
        topics=dict(active.topics),
        # Joining is possible any day: each on one of its own, and none later than another.
        starts_at=now - timedelta(days=number),
        mode="online" if community.is_online else "in_person",
        distance_km=_away(community, wish),
        purpose=community.purpose,
        community=community.key,
        title=community.name,
        alive=UNCHECKED_ALIVE if _is_its_own_word(community) else activity.get("alive", 0.5),
    )


def _is_its_own_word(community: Community) -> bool:
    return community.file is not None and community.checked_at is None
