"""What is asked of the database, in one place: upcoming events, with topics and community, filtered and in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Community, Event, EventTopic, EventVersion, FetchState, Source
from app.places import Spot, box_around, distance_km
from recommender.catalogue import Topic, load_catalogue

CHUNK = 500  # bound parameters a statement: SQLite's oldest limit is 999


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; what is left open does not filter."""

    start: datetime | None = None  # first start, inclusive
    end: datetime | None = None  # last start, exclusive
    words: str | None = None  # full text, all words
    topics: tuple[str, ...] = ()  # slugs, any of them
    modes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    near: Spot | None = None
    radius_km: float = 50.0
    box: tuple[float, float, float, float] | None = None  # south, north, west, east in degrees
    language: str | None = None
    free: bool | None = None
    community: str | None = None  # its key
    purpose: str | None = None  # the strongest one
    updated_since: datetime | None = None
    include_deleted: bool = False


def conditions(wanted: EventFilter, dialect: str) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses of a filter, all but the exact circle around `near` (see `within`)."""
    clauses: list[ColumnElement[bool]] = [col(Event.merged_into).is_(None)]
    if not wanted.include_deleted:
        clauses.append(col(Event.deleted_at).is_(None))
    if wanted.start is not None:
        clauses.append(col(Event.starts_at) >= wanted.start)
    if wanted.end is not None:
        clauses.append(col(Event.starts_at) < wanted.end)
    if wanted.updated_since is not None:
        clauses.append(col(Event.updated_at) >= wanted.updated_since)
    if wanted.modes:
        clauses.append(col(Event.mode).in_(wanted.modes))
    if wanted.statuses:
        clauses.append(col(Event.status).in_(wanted.statuses))
    if wanted.language:
        clauses.append(func.lower(col(Event.language)).startswith(wanted.language.lower()))
    if wanted.free is not None:
        clauses.append(col(Event.is_free).is_(wanted.free))
    if wanted.topics:
        clauses.append(col(Event.id).in_(select(EventTopic.event_id).where(col(EventTopic.topic).in_(wanted.topics))))
    if wanted.community:
        clauses.append(col(Event.community_id).in_(select(Community.id).where(Community.key == wanted.community)))
    if wanted.sources:
        clauses.append(
            col(Event.id).in_(select(EventVersion.event_id).where(col(EventVersion.source_id).in_(wanted.sources)))
        )
    if wanted.near is not None:
        clauses.append(_in_box(*box_around(wanted.near.lat, wanted.near.lon, wanted.radius_km)))
    if wanted.box is not None:
        clauses.append(_in_box(*wanted.box))
    if wanted.words:
        clauses.append(_matches(wanted.words, dialect))
    return clauses


def _in_box(south: float, north: float, west: float, east: float) -> ColumnElement[bool]:
    latitude = col(Event.lat).between(south, north)
    if west < -180 or east > 180 or west > east:  # the box crosses the antimeridian
        west, east = (west + 180) % 360 - 180, (east + 180) % 360 - 180
        return and_(latitude, or_(col(Event.lon) >= west, col(Event.lon) <= east))
    return and_(latitude, col(Event.lon).between(west, east))


def _matches(words: str, dialect: str) -> ColumnElement[bool]:
    if dialect == "sqlite":
        # Each word quoted: FTS5's own query language is not offered, so that no input is a syntax error.
        quoted = " ".join('"' + word.replace('"', '""') + '"' for word in words.split())
        found = text("SELECT rowid FROM event_search WHERE event_search MATCH :words").bindparams(words=quoted)
        return col(Event.id).in_(found.columns(literal_column("rowid", Event.__table__.c.id.type)))  # type: ignore[attr-defined]
    document = func.to_tsvector("simple", col(Event.title) + " " + col(Event.description))
    return document.op("@@")(func.plainto_tsquery("simple", words))


def within(event: Event, near: Spot, radius_km: float) -> bool:
    return (
        event.lat is not None
        and event.lon is not None
        and (distance_km(near.lat, near.lon, event.lat, event.lon) <= radius_km)
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """An event with what is shown beside it."""

    event: Event
    topics: tuple[tuple[str, float], ...] = ()  # slug, weight; strongest first
    community: Community | None = None


async def events(
    session: AsyncSession, wanted: EventFilter, *, limit: int | None = None, after: tuple[datetime, int] | None = None
) -> list[Listed]:
    """Return events by start; `after` is the (starts_at, id) of the last one of the page before."""
    clauses = conditions(wanted, session.get_bind().dialect.name)
    if after is not None:
        clauses.append(
            or_(col(Event.starts_at) > after[0], and_(col(Event.starts_at) == after[0], col(Event.id) > after[1]))
        )
    statement = select(Event).where(*clauses).order_by(col(Event.starts_at), col(Event.id))
    if limit is not None and wanted.near is None:
        statement = statement.limit(limit)
    found = list(await session.exec(statement))
    if wanted.near is not None:
        found = [event for event in found if within(event, wanted.near, wanted.radius_km)][:limit]
    return await with_topics(session, found)


async def with_topics(session: AsyncSession, found: Sequence[Event]) -> list[Listed]:
    topics: dict[int, list[tuple[str, float]]] = defaultdict(list)
    ids = [event.id for event in found]
    for start in range(0, len(ids), CHUNK):
        rows = await session.exec(select(EventTopic).where(col(EventTopic.event_id).in_(ids[start : start + CHUNK])))
        for row in rows:
            topics[row.event_id].append((row.topic, row.weight))
    known = await communities_by_id(session, {event.community_id for event in found if event.community_id})
    return [
        Listed(
            event,
            tuple(sorted(topics.get(event.id or 0, ()), key=lambda topic: (-topic[1], topic[0]))),
            known.get(event.community_id or 0),
        )
        for event in found
    ]


async def communities_by_id(session: AsyncSession, ids: Iterable[int]) -> dict[int, Community]:
    wanted = sorted(ids)
    found: dict[int, Community] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = await session.exec(select(Community).where(col(Community.id).in_(wanted[start : start + CHUNK])))
        found |= {row.id: row for row in rows if row.id is not None}
    return found


async def event_by_key(session: AsyncSession, key: str) -> Event | None:
    """Return the event a permanent name stands for, merged or not."""
    return (await session.exec(select(Event).where(Event.key == key))).one_or_none()


async def count_events(session: AsyncSession, wanted: EventFilter, *, at_most: int) -> int:
    """Count matching events, but no further than `at_most`."""
    clauses = conditions(wanted, session.get_bind().dialect.name)
    if wanted.near is not None:
        spots = await session.exec(select(Event.lat, Event.lon).where(*clauses))
        near = wanted.near
        return sum(distance_km(near.lat, near.lon, lat, lon) <= wanted.radius_km for lat, lon in spots)
    limited = select(col(Event.id)).where(*clauses).limit(at_most).subquery()
    return (await session.exec(select(func.count()).select_from(limited))).one()


def event_json(listed: Listed) -> dict[str, Any]:
    """Return an event as the API, the command line and the pages show it. Times carry the event's own offset."""
    event, catalogue = listed.event, load_catalogue()
    zone = ZoneInfo(event.zone)
    return {
        "id": event.key,
        "title": event.title,
        "starts_at": event.starts_at.astimezone(zone).isoformat(),
        "ends_at": event.ends_at.astimezone(zone).isoformat() if event.ends_at else None,
        "zone": event.zone,
        "all_day": event.all_day,
        "status": event.status,
        "mode": event.mode,
        "url": event.url,
        "online_url": event.online_url,
        "venue": {
            "name": event.venue_name,
            "address": event.address,
            "city": event.city,
            "country": event.country,
            "lat": event.lat,
            "lon": event.lon,
        },
        "organizer": {"name": event.organizer_name, "url": event.organizer_url},
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
        "deleted": event.deleted_at is not None,
    }


async def sources(session: AsyncSession) -> list[Source]:
    return list(await session.exec(select(Source).order_by(col(Source.id))))


async def source_healths(session: AsyncSession, *, only: int | None = None) -> list[dict[str, Any]]:
    """Return what is shown of sources: state, last good and next fetch, upcoming events, last error."""
    told = (
        select(EventVersion.source_id, func.count().label("events"))
        .where(col(EventVersion.withdrawn_at).is_(None))
        .group_by(col(EventVersion.source_id))
        .subquery()
    )
    statement = (
        select(Source, FetchState, func.coalesce(told.c.events, 0))
        .join(FetchState, col(FetchState.source_id) == Source.id)
        .outerjoin(told, told.c.source_id == Source.id)
        .order_by(col(Source.id))
    )
    if only is not None:
        statement = statement.where(Source.id == only)
    return [
        {
            "id": source.id,
            "url": source.url,
            "name": source.name,
            "kind": source.kind,
            "state": source.state,
            "city": source.city,
            "zone": source.zone,
            "events": number,
            "listed": state.listed,
            "last_good_at": state.last_good_at.isoformat() if state.last_good_at else None,
            "last_fetch_at": state.last_fetch_at.isoformat() if state.last_fetch_at else None,
            "next_fetch_at": state.next_fetch_at.isoformat(),
            "failures": state.failures,
            "error_code": state.error_code,
            "error": state.error,
            "is_demo": source.is_demo,
        }
        for source, state, number in await session.exec(statement)
    ]


def topic_json(topic: Topic) -> dict[str, Any]:
    return {
        "slug": topic.slug,
        "label": topic.label,
        "domain": topic.domain,
        "field": topic.field,
        "aliases": list(topic.aliases),
        "neighbours": list(topic.neighbours),
        "gloss": topic.gloss,
    }


async def versions_of(session: AsyncSession, event: Event) -> list[dict[str, Any]]:
    """Return what each source says of an event."""
    rows = await session.exec(
        select(EventVersion, Source.url)
        .join(Source, col(Source.id) == EventVersion.source_id)
        .where(EventVersion.event_id == event.id)
        .order_by(col(EventVersion.id))
    )
    return [
        {
            "source": url,
            "uid": version.uid,
            "recurrence_id": version.recurrence_id or None,
            "title": version.draft["title"],
            "starts_at": version.draft["starts_at"],
            "url": version.draft["url"],
            "first_seen_at": version.first_seen_at.isoformat(),
            "last_seen_at": version.last_seen_at.isoformat(),
            "withdrawn_at": version.withdrawn_at.isoformat() if version.withdrawn_at else None,
        }
        for version, url in rows
    ]
