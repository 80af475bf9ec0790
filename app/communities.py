"""Communities: the group, association or chat behind a source, known by what its calendar calls itself."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Community, Source
from scrapers import Reading

# Lists of many organisers' events have no one community behind them.
LISTS = frozenset({"conferences"})


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
    community.name = name
    community.url = (reading.organizer.url if reading.organizer else None) or community.url
    community.description = reading.description or community.description
    community.city, community.country = source.city or community.city, source.country or community.country
    community.lat, community.lon = source.lat, source.lon
    community.is_online = bool(reading.events) and all(draft.mode == "online" for draft in reading.events)
    community.updated_at = now
    session.add(community)
    await session.flush()
    source.community_id = community.id
