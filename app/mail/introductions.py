"""Step 7 for mail, one community to look at: about what somebody's picks are about, alive, and another one each week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.community.communities import RESTING, Active, with_activity
from app.models import Community, CommunityTopic, Hidden, Person
from app.picking.slates import Shown
from app.places import distance_km

TAKE_TURNS = 5  # communities that are worth introducing; one a week


@dataclass(frozen=True, slots=True)
class Introduced:
    """A community to look at, and what it is about that a pick of theirs is about, too."""

    active: Active
    topic: str  # its label


async def introduce(
    session: AsyncSession,
    people: Mapping[int, Person],
    slates: Mapping[int, Sequence[Shown]],
    chosen: Mapping[int, Sequence[Shown]],
    *,
    now: datetime,
) -> dict[int, Introduced]:
    """Return for each person a community they could join; `chosen` are the picks that the mail tells."""
    about = await _about(session, {_topic(shown) for slate in slates.values() for shown in slate})
    hidden = await session.exec(
        select(Hidden.person_id, Hidden.subject).where(col(Hidden.person_id).in_(people), Hidden.kind == "community")
    )
    unwanted, turn = set(hidden), now.isocalendar().week
    introduced: dict[int, tuple[Community, str]] = {}
    for id_, slate in slates.items():
        told = {shown.listed.event.community_id for shown in chosen[id_]}
        found = {
            community.id: (community, shown.pick["path"][-1])
            for shown in slate
            for community in about[_topic(shown)]
            if (id_, community.key) not in unwanted and _is_in_reach(community, people[id_])
        }
        # One that no pick tells of is news.
        best = sorted(found.values(), key=lambda one: one[0].id in told)[:TAKE_TURNS]
        if best:
            introduced[id_] = best[turn % len(best)]
    alive = await with_activity(session, list({one.id: one for one, _ in introduced.values()}.values()), now=now)
    by_id = {active.community.id: active for active in alive}
    return {id_: Introduced(by_id[one.id], topic) for id_, (one, topic) in introduced.items()}


def _topic(shown: Shown) -> str:
    return str(shown.pick.get("topic") or shown.pick["topics"][0])


async def _about(session: AsyncSession, topics: set[str]) -> dict[str, list[Community]]:
    """Return the communities about each topic that live and can be joined, most about it first."""
    rows = await session.exec(
        select(CommunityTopic.topic, Community)
        .join(Community, col(Community.id) == CommunityTopic.community_id)
        .where(col(CommunityTopic.topic).in_(topics))
        .order_by(col(CommunityTopic.weight).desc(), col(Community.id))
    )
    about: dict[str, list[Community]] = defaultdict(list)
    for topic, community in rows:
        if (community.join or community.url) and community.activity.get("label") not in RESTING:
            about[topic].append(community)
    return about


def _is_in_reach(community: Community, person: Person) -> bool:
    if community.is_online:
        return person.online
    if person.lat is None or person.lon is None:
        return True
    if community.lat is None or community.lon is None:
        return False
    return distance_km(person.lat, person.lon, community.lat, community.lon) <= person.within_km
