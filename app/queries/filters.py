"""Which events are wanted, and the clauses that find them in either database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, false, func, literal_column, or_, text
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col, select

from app.models import Community, Event, EventTopic, EventVersion
from app.places import Spot, box_around, distance_km

PURPOSES = ("learn", "exchange", "sell", "recruit", "social")


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
    include_merged: bool = False  # also what was merged into others


def conditions(wanted: EventFilter, dialect: str) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses of a filter, all but the exact circle around `near` (see `is_within`)."""
    clauses: list[ColumnElement[bool]] = []
    if not wanted.include_merged:
        clauses.append(col(Event.merged_into).is_(None))
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
    if wanted.near is not None:
        clauses.append(_in_box(*box_around(wanted.near.lat, wanted.near.lon, wanted.radius_km)))
    if wanted.box is not None:
        clauses.append(_in_box(*wanted.box))
    return [*clauses, *_about(wanted, dialect)]


def _about(wanted: EventFilter, dialect: str) -> Iterator[ColumnElement[bool]]:
    """Yield the clauses on what an event is and who tells of it; the rest of `conditions` is when and where."""
    if wanted.language:
        language, told = func.lower(col(Event.language)), wanted.language.lower()
        yield or_(language == told, language.startswith(f"{told}-", autoescape=True))
    if wanted.free is not None:
        yield col(Event.is_free).is_(wanted.free)
    if wanted.topics:
        yield col(Event.id).in_(select(EventTopic.event_id).where(col(EventTopic.topic).in_(wanted.topics)))
    if wanted.community:
        yield col(Event.community_id).in_(select(Community.id).where(Community.key == wanted.community))
    if wanted.sources:
        told_of = select(EventVersion.event_id).where(
            col(EventVersion.source_id).in_(wanted.sources), col(EventVersion.withdrawn_at).is_(None)
        )
        yield col(Event.id).in_(told_of)
    if wanted.purpose:
        shares = {name: func.coalesce(col(Event.purpose)[name].as_float(), 0.0) for name in PURPOSES}
        strongest = shares.pop(wanted.purpose)
        yield strongest > 0.0
        yield from (strongest >= share for share in shares.values())
    if wanted.words:
        yield _matches(wanted.words, dialect)


def _in_box(south: float, north: float, west: float, east: float) -> ColumnElement[bool]:
    latitude = col(Event.lat).between(south, north)
    if west < -180 or east > 180 or west > east:  # the box crosses the antimeridian
        west, east = (west + 180) % 360 - 180, (east + 180) % 360 - 180
        return and_(latitude, or_(col(Event.lon) >= west, col(Event.lon) <= east))
    return and_(latitude, col(Event.lon).between(west, east))


def _matches(words: str, dialect: str) -> ColumnElement[bool]:
    """Return the clause for all of these words, in either database by the same rules: whole words, or beginnings where
    an asterisk ends them; accents of Latin letters and case do not count; what is joined by signs stands side by side.
    """
    wanted = [word for word in words.split() if any(map(str.isalnum, word))]
    if not wanted:
        return false()
    if dialect == "sqlite":
        # Each word quoted: FTS5's own query language is not offered, so that no input is a syntax error.
        quoted = " ".join(f'"{word.replace(chr(34), " ")}"{"*" * word.endswith("*")}' for word in wanted)
        found = text("SELECT rowid FROM event_search WHERE event_search MATCH :words").bindparams(words=quoted)
        return col(Event.id).in_(found.columns(literal_column("rowid", Event.__table__.c.id.type)))  # type: ignore[attr-defined]
    query: ColumnElement[Any] = reduce(lambda all_, one: all_.op("&&")(one), map(_tsquery, wanted))
    document = func.to_tsvector("simple", func.search_words(col(Event.title) + " " + col(Event.description)))
    return document.op("@@")(query)


def _tsquery(word: str) -> ColumnElement[Any]:
    phrase = func.phraseto_tsquery("simple", func.search_words(word))
    if not word.endswith("*"):
        return phrase
    # NULL, which matches nothing, where a word has no letter left: `:*` alone is no query.
    return cast_to(func.nullif(cast_to(phrase, Text), "") + ":*", TSQUERY)


def is_within(lat: float | None, lon: float | None, near: Spot, radius_km: float) -> bool:
    return lat is not None and lon is not None and distance_km(near.lat, near.lon, lat, lon) <= radius_km
