"""Communities as people see them: groups, user groups, associations and chats, how they meet and how to join."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.community.community_filter import RESTING, CommunityFilter, clauses
from app.community.told_rhythm import told_rhythm
from app.models import Community, CommunityTopic, Event
from app.queries.event_forms import event_name
from app.topic_names import label_of


@dataclass(frozen=True, slots=True)
class Active:
    """A community with what it is about and what it announces."""

    community: Community
    topics: tuple[tuple[str, float], ...]  # slug and weight, the strongest first
    next_event: Event | None
    upcoming: int

    @property
    def cadence(self) -> str | None:
        """How it meets, in words: "every Tuesday", "about twice a month"; by its own word where its file gives it."""
        told = told_rhythm(self.community.rhythm) if self.community.rhythm else None
        return told.words if told is not None else self.community.activity.get("words")

    @property
    def is_unchecked(self) -> bool:
        """Whether nothing but its own file speaks for it: its address was never fetched well."""
        return self.community.file is not None and self.community.checked_at is None

    @property
    def state(self) -> str | None:
        """Whether it lives, in a word: that of its activity, or `unchecked`; None where nothing is known."""
        return "unchecked" if self.is_unchecked else self.community.activity.get("label")

    @property
    def last_active_on(self) -> str | None:
        """The last day it was seen to meet; what a file says of itself nobody has seen."""
        return None if self.is_unchecked else self.community.activity.get("last_on")

    @property
    def is_resting(self) -> bool:
        return self.community.activity.get("label") in RESTING

    def as_json(self) -> dict[str, Any]:
        one, coming = self.community, self.next_event
        return {
            "id": one.key,
            "name": one.name,
            "kind": one.kind,
            "url": one.url,
            "description": one.description,
            "topics": [{"slug": slug, "label": label_of(slug), "weight": weight} for slug, weight in self.topics],
            "join": one.join or one.url,
            "join_steps": one.join_steps,
            "channel": one.channel,
            "links": one.links,
            "code_of_conduct": one.code_of_conduct,
            "cost": one.cost,
            "openness": one.openness,
            "purpose": one.purpose,
            "city": one.city,
            "country": one.country,
            "lat": one.lat,
            "lon": one.lon,
            "is_online": one.is_online,
            "language": one.language,
            "cadence": self.cadence,
            "state": self.state,
            "activity": one.activity or None,
            "last_active_at": self.last_active_on,
            "next_event": coming and event_name(coming),
            "upcoming": self.upcoming,
            "seen_in": one.seen_in,
            "checked_at": one.checked_at.isoformat() if one.checked_at else None,
            "updated_at": one.updated_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the communities of a filter, how many there are in all, and when one of them last changed."""

    communities: list[Active]
    count: int
    updated_at: datetime | None


async def find(
    session: AsyncSession,
    wanted: CommunityFilter,
    *,
    now: datetime,
    limit: int,
    beside: tuple[str, int] | None = None,
    backwards: bool = False,
) -> Found:
    """Return communities by name: the next ones after that of the (name, id) `beside`, or the last ones before it."""
    matching = clauses(wanted)
    count, updated_at = (
        await session.exec(select(func.count(), func.max(Community.updated_at)).select_from(Community).where(*matching))
    ).one()
    name, id_ = col(Community.name), col(Community.id)
    if beside is not None:
        further = (name < beside[0], id_ < beside[1]) if backwards else (name > beside[0], id_ > beside[1])
        matching.append(or_(further[0], and_(name == beside[0], further[1])))
    order = (name.desc(), id_.desc()) if backwards else (name, id_)
    rows = list(await session.exec(select(Community).where(*matching).order_by(*order).limit(limit)))
    return Found(await with_activity(session, rows[::-1] if backwards else rows, now=now), count, updated_at)


async def community_by_key(session: AsyncSession, key: str, *, now: datetime) -> Active | None:
    rows = await session.exec(select(Community).where(Community.key == key))
    found = await with_activity(session, list(rows), now=now)
    return found[0] if found else None


async def with_activity(session: AsyncSession, found: Sequence[Community], *, now: datetime) -> list[Active]:
    """Return communities with what they are about and announce, in the same order."""
    ids = [one.id for one in found]
    announced = (
        col(Event.community_id).in_(ids),
        col(Event.starts_at) >= now,
        col(Event.status) != "cancelled",
        col(Event.deleted_at).is_(None),
        col(Event.merged_into).is_(None),
    )
    first = (
        select(Event.id)
        .where(Event.community_id == Community.id, *announced[1:])
        .order_by(col(Event.starts_at), col(Event.id))
        .limit(1)
        .correlate(Community)
        .scalar_subquery()
    )
    coming = await session.exec(
        select(Event).where(col(Event.id).in_(select(first).select_from(Community).where(col(Community.id).in_(ids))))
    )
    next_events = {event.community_id: event for event in coming}
    counted = await session.exec(
        select(Event.community_id, func.count()).where(*announced).group_by(col(Event.community_id))
    )
    upcoming = dict(list(counted))
    topics: dict[int, list[tuple[str, float]]] = defaultdict(list)
    told = await session.exec(
        select(CommunityTopic)
        .where(col(CommunityTopic.community_id).in_(ids))
        .order_by(col(CommunityTopic.weight).desc(), col(CommunityTopic.topic))
    )
    for topic in told:
        topics[topic.community_id].append((topic.topic, topic.weight))
    return [Active(one, tuple(topics[one.id or 0]), next_events.get(one.id), upcoming.get(one.id, 0)) for one in found]
