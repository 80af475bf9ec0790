"""Step 3, communities: the group, association or chat behind a source, known by what its calendar calls itself."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Community, Event, Source
from scrapers import Reading

# Lists of many organisers' events have no one community behind them.
LISTS = frozenset({"conferences"})
LOOKED_BACK, LOOKED_AHEAD = timedelta(days=365), timedelta(days=120)  # what a rhythm is read from
RHYTHMS = ((2, "daily"), (10, "weekly"), (20, "every two weeks"), (45, "monthly"), (100, "every few months"))  # days


def community_name(name: str) -> str:
    """Return a group's name without what calendar exports put around it ("Events - Book Club" → "Book Club")."""
    text = re.sub(r"^(?:upcoming )?(?:events?|calendar|termine)\s*[-–—:|]\s*", "", name.strip(), flags=re.IGNORECASE)
    text = re.sub(r"\s*[-–—:|]\s*(?:upcoming )?(?:events?|calendar|termine)$", "", text, flags=re.IGNORECASE)
    return text.strip() or name.strip()


def community_key(name: str, url: str) -> str:
    """Return the community's permanent name in addresses: readable, and unique by its source."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "community"
    return f"{slug}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"


async def adopt(session: AsyncSession, source: Source, reading: Reading, *, now: datetime) -> None:
    """Make or update the community behind a source, where the reading says who that is."""
    told = (reading.organizer.name if reading.organizer else None) or reading.name
    if not told or reading.kind in LISTS:
        return
    name = community_name(told)
    community = await session.get(Community, source.community_id) if source.community_id else None
    if community is None:
        key = community_key(name, source.url)
        community = (await session.exec(select(Community).where(Community.key == key))).one_or_none() or Community(
            key=key, name=name, updated_at=now
        )
    organizer_url = reading.organizer.url if reading.organizer else None
    facts: dict[str, Any] = {
        "name": name,
        "url": organizer_url or community.url,
        "description": reading.description or community.description,
        "city": source.city or community.city,
        "country": source.country or community.country,
        "lat": source.lat,
        "lon": source.lon,
    }
    if reading.events:
        facts["is_online"] = all(draft.mode == "online" for draft in reading.events)
    if any(getattr(community, field) != fact for field, fact in facts.items()):
        for field, fact in facts.items():
            setattr(community, field, fact)
        community.updated_at = now
    session.add(community)
    await session.flush()
    source.community_id = community.id


@dataclass(frozen=True, slots=True)
class Active:
    """A community with how alive it is."""

    community: Community
    cadence: str | None  # "weekly", "monthly" …; None where fewer than three events are known
    last_active_at: datetime | None  # its last event so far
    next_event: Event | None
    upcoming: int

    def as_json(self) -> dict[str, Any]:
        one, coming = self.community, self.next_event
        return {
            "id": one.key,
            "name": one.name,
            "kind": one.kind,
            "url": one.url,
            "description": one.description,
            "join": one.join or one.url,
            "city": one.city,
            "country": one.country,
            "lat": one.lat,
            "lon": one.lon,
            "is_online": one.is_online,
            "language": one.language,
            "cadence": self.cadence,
            "last_active_at": self.last_active_at.isoformat() if self.last_active_at else None,
            "next_event": coming
            and {"id": coming.key, "title": coming.title, "starts_at": coming.starts_at.isoformat()},
            "upcoming": self.upcoming,
            "updated_at": one.updated_at.isoformat(),
        }


def cadence(starts: Sequence[datetime]) -> str | None:
    """Return a group's rhythm from its days: the median gap between them, in words; None for fewer than three."""
    days = sorted({start.date() for start in starts})
    if len(days) < 3:
        return None
    gap = median((later - earlier).days for earlier, later in pairwise(days))
    return next((name for longest, name in RHYTHMS if gap <= longest), "now and then")


async def communities(
    session: AsyncSession,
    *,
    now: datetime,
    limit: int,
    words: str | None = None,
    is_online: bool | None = None,
    beside: tuple[str, int] | None = None,
    backwards: bool = False,
) -> tuple[list[Active], int]:
    """Return communities by name, and how many there are in all.

    They are the next ones after that of the (name, id) `beside`, or the last ones before it.
    """
    clauses = []
    if words:
        clauses.append(func.lower(col(Community.name)).contains(words.lower(), autoescape=True))
    if is_online is not None:
        clauses.append(col(Community.is_online).is_(is_online))
    count = (await session.exec(select(func.count()).select_from(Community).where(*clauses))).one()
    name, id_ = col(Community.name), col(Community.id)
    if beside is not None:
        further = (name < beside[0], id_ < beside[1]) if backwards else (name > beside[0], id_ > beside[1])
        clauses.append(or_(further[0], and_(name == beside[0], further[1])))
    order = (name.desc(), id_.desc()) if backwards else (name, id_)
    rows = list(await session.exec(select(Community).where(*clauses).order_by(*order).limit(limit)))
    return await with_activity(session, rows[::-1] if backwards else rows, now=now), count


async def community_by_key(session: AsyncSession, key: str, *, now: datetime) -> Active | None:
    rows = await session.exec(select(Community).where(Community.key == key))
    found = await with_activity(session, list(rows), now=now)
    return found[0] if found else None


async def with_activity(session: AsyncSession, found: Sequence[Community], *, now: datetime) -> list[Active]:
    """Return communities with how alive they are, in the same order."""
    held = await session.exec(
        select(Event)
        .where(
            col(Event.community_id).in_([one.id for one in found]),
            col(Event.starts_at).between(now - LOOKED_BACK, now + LOOKED_AHEAD),
            col(Event.status) != "cancelled",
            col(Event.deleted_at).is_(None),
            col(Event.merged_into).is_(None),
        )
        .order_by(col(Event.starts_at), col(Event.id))
    )
    events: dict[int | None, list[Event]] = defaultdict(list)
    for event in held:
        events[event.community_id].append(event)
    return [_active(one, events[one.id], now) for one in found]


def _active(community: Community, events: Iterable[Event], now: datetime) -> Active:
    past: list[Event] = []
    coming: list[Event] = []
    for event in events:
        (past if event.starts_at < now else coming).append(event)
    return Active(
        community,
        cadence([event.starts_at for event in (*past, *coming)]),
        past[-1].starts_at if past else None,
        coming[0] if coming else None,
        len(coming),
    )
