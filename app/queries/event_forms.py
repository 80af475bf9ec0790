"""An event and what its sources say of it, as the API, the command line and the pages show them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.links import link
from app.models import Event, EventVersion, Source
from app.queries.listing import Listed
from recommender.catalogue import load_catalogue
from scrapers.text import clean_text


def event_json(listed: Listed) -> dict[str, Any]:
    """Return an event as the API, the command line and the pages show it. Times carry the event's own offset."""
    event, catalogue = listed.event, load_catalogue()
    zone = ZoneInfo(event.zone)
    facts: dict[str, Any] = clean_json(
        {
            "id": event.key,
            "title": event.title,
            "starts_at": event.starts_at.astimezone(zone).isoformat(),
            "ends_at": event.ends_at.astimezone(zone).isoformat() if event.ends_at else None,
            "zone": event.zone,
            "all_day": event.all_day,
            "status": event.status,
            "mode": event.mode,
            "url": link(event.url),
            "online_url": link(event.online_url),
            "venue": {
                "name": event.venue_name,
                "address": event.address,
                "city": event.city,
                "country": event.country,
                "lat": event.lat,
                "lon": event.lon,
            },
            "organizer": {"name": event.organizer_name, "url": link(event.organizer_url)},
            "community": {"id": listed.community.key, "name": listed.community.name} if listed.community else None,
            "topics": [
                {"slug": slug, "label": catalogue[slug].label, "weight": round(weight, 3)}
                for slug, weight in listed.topics
                if slug in catalogue.index
            ],
            "purpose": event.purpose,
            "categories": event.categories,
            "language": event.language,
            "price": event.price,
            "is_free": event.is_free,
            "description": event.description,
            "sequence": event.sequence,
            "updated_at": event.updated_at.isoformat(),
            "deleted": event.deleted_at is not None or event.merged_into is not None,
            "merged_into": listed.merged_into,
        }
    )
    return facts


def event_name(event: Event) -> dict[str, Any]:
    """Return what an event is called, and when it is."""
    starts_at = event.starts_at.astimezone(ZoneInfo(event.zone)).isoformat()
    return {"id": event.key, "title": clean_text(event.title), "starts_at": starts_at}


def clean_json(value: Any) -> Any:
    """Return JSON whose texts hold nothing but text (what was stored before a rule was made, or around it)."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {name: clean_json(one) for name, one in value.items()}
    return [clean_json(one) for one in value] if isinstance(value, list) else value


def place_words(event: Event) -> str:
    """Return where an event is, in one line that names its city once; "" where nothing is told."""
    parts = [event.venue_name, event.address]
    if event.city and event.city not in (event.address or ""):
        parts.append(event.city)
    return ", ".join(dict.fromkeys(part for part in parts if part))


async def versions_of(session: AsyncSession, event: Event) -> list[dict[str, Any]]:
    """Return what each source says of an event, first told first, and why each is the same as those before it."""
    rows = await session.exec(
        select(EventVersion, Source.url)
        .join(Source, col(Source.id) == EventVersion.source_id)
        .where(EventVersion.event_id == event.id)
        .order_by(col(EventVersion.id))
    )
    return [
        {
            "version": version.id,
            "source": url,
            "uid": version.uid,
            "recurrence_id": version.recurrence_id or None,
            "title": version.draft["title"],
            "starts_at": version.draft["starts_at"],
            "url": version.draft["url"],
            "first_seen_at": version.first_seen_at.isoformat(),
            "last_seen_at": version.last_seen_at.isoformat(),
            "withdrawn_at": version.withdrawn_at.isoformat() if version.withdrawn_at else None,
            "why": version.why if place else None,  # the first may have followed one that has left since
        }
        for place, (version, url) in enumerate(rows)
    ]
