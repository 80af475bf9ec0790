"""Which events are wanted, and the clauses that find them in either database."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    column,
    false,
    func,
    literal_column,
    or_,
    table,
)
from sqlalchemy import cast as cast_to
from sqlalchemy import select as core_select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col, select

from app.models import Community, Event, EventTopic, EventVersion
from app.places import EARTH_RADIUS_KM, Spot, box_around

SEARCH = table("event_search", column("rowid", Integer))  # FTS5's
RADIANS = math.pi / 180  # of a degree
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


def conditions(wanted: EventFilter, dialect: str, *, goes_by_start: bool = False) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses of a filter; SQLite can be kept from the indexes of all but time (see `plans`)."""
    number: SQLColumnExpression[Any] = literal_column("+event.id", Integer) if goes_by_start else col(Event.id)
    latitude: SQLColumnExpression[Any] = literal_column("+event.lat", Float) if goes_by_start else col(Event.lat)
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
    clauses += [_in_box(latitude, *box) for box in boxes(wanted)]
    if wanted.near is not None:
        clauses.append(_in_circle(wanted.near, wanted.radius_km))
    for found in _told_beside(wanted):
        of_event = found.where(found.selected_columns[0] == col(Event.id))
        clauses.append(of_event.exists() if goes_by_start else number.in_(found))
    clauses += [number.in_(found) for found in _searched(wanted, dialect)]
    return [*clauses, *_about(wanted, dialect)]


Box = tuple[float, float, float, float]


def boxes(wanted: EventFilter) -> list[Box]:
    """Return the boxes that all events of a filter lie in; that around a circle is what an index finds of it."""
    circled = [box_around(wanted.near.lat, wanted.near.lon, wanted.radius_km)] if wanted.near is not None else []
    return circled + ([wanted.box] if wanted.box is not None else [])


def numbered(wanted: EventFilter, dialect: str) -> Iterator[Select[Any]]:
    """Yield the numbers of the events that other tables find: by topic, by source, and on SQLite by words."""
    yield from _told_beside(wanted)
    yield from _searched(wanted, dialect)


def _told_beside(wanted: EventFilter) -> Iterator[Select[Any]]:
    if wanted.topics:
        yield select(EventTopic.event_id).where(col(EventTopic.topic).in_(wanted.topics))
    if wanted.sources:
        yield select(EventVersion.event_id).where(
            col(EventVersion.source_id).in_(wanted.sources), col(EventVersion.withdrawn_at).is_(None)
        )


def _searched(wanted: EventFilter, dialect: str) -> Iterator[Select[Any]]:
    if wanted.words and dialect == "sqlite":
        yield core_select(SEARCH.c.rowid).where(_matches(wanted.words))


def _about(wanted: EventFilter, dialect: str) -> Iterator[ColumnElement[bool]]:
    """Yield the clauses on what an event is and who tells of it; the rest of `conditions` is when and where."""
    if wanted.language:
        language, told = func.lower(col(Event.language)), wanted.language.lower()
        yield or_(language == told, language.startswith(f"{told}-", autoescape=True))
    if wanted.free is not None:
        yield col(Event.is_free).is_(wanted.free)
    if wanted.community:
        yield col(Event.community_id).in_(select(Community.id).where(Community.key == wanted.community))
    if wanted.purpose:
        shares = {name: func.coalesce(col(Event.purpose)[name].as_float(), 0.0) for name in PURPOSES}
        strongest = shares.pop(wanted.purpose)
        yield strongest > 0.0
        yield from (strongest >= share for share in shares.values())
    if wanted.words and dialect != "sqlite":
        yield _matching(wanted.words)


def in_box(box: Box) -> ColumnElement[bool]:
    return _in_box(col(Event.lat), *box)


def _in_box(
    latitude: SQLColumnExpression[Any], south: float, north: float, west: float, east: float
) -> ColumnElement[bool]:
    is_between = latitude.between(south, north)
    if west < -180 or east > 180 or west > east:  # the box crosses the antimeridian
        west, east = (west + 180) % 360 - 180, (east + 180) % 360 - 180
        return and_(is_between, or_(col(Event.lon) >= west, col(Event.lon) <= east))
    return and_(is_between, col(Event.lon).between(west, east))


def _in_circle(near: Spot, radius_km: float) -> ColumnElement[bool]:
    """Return the clause for a great-circle distance: the haversine formula (Sinnott 1984), doubled and with versines.

    Cosines are all it takes: not every SQLite has more functions than we give it (app.sqlite).
    """
    northwards = 1 - func.cos((col(Event.lat) - near.lat) * RADIANS)
    eastwards = 1 - func.cos((col(Event.lon) - near.lon) * RADIANS)
    along = math.cos(near.lat * RADIANS) * func.cos(col(Event.lat) * RADIANS)
    angle = min(radius_km / EARTH_RADIUS_KM, math.pi)
    return northwards + along * eastwards <= 1 - math.cos(angle)


# Words are read by the same rules in either database: whole words, or beginnings where an asterisk ends them; accents of
# Latin letters and case do not count; what is joined by signs stands side by side.


def _words(text: str) -> list[str]:
    return [word for word in text.split() if any(map(str.isalnum, word))]


def _matches(text: str) -> ColumnElement[bool]:
    """Return the clause for all of these words on SQLite."""
    # Each word quoted: FTS5's own query language is not offered, so that no input is a syntax error.
    quoted = " ".join(f'"{word.replace(chr(34), " ")}"{"*" * word.endswith("*")}' for word in _words(text))
    return literal_column(SEARCH.name).bool_op("MATCH")(quoted) if quoted else false()


def _matching(text: str) -> ColumnElement[bool]:
    """Return the clause for all of these words on PostgreSQL."""
    wanted = _words(text)
    if not wanted:
        return false()
    query: ColumnElement[Any] = reduce(lambda all_, one: all_.op("&&")(one), map(_tsquery, wanted))
    document = func.to_tsvector("simple", func.search_words(col(Event.title) + " " + col(Event.description)))
    return document.bool_op("@@")(query)


def _tsquery(word: str) -> ColumnElement[Any]:
    phrase = func.phraseto_tsquery("simple", func.search_words(word))
    if not word.endswith("*"):
        return phrase
    # NULL, which matches nothing, where a word has no letter left: `:*` alone is no query.
    return cast_to(func.nullif(cast_to(phrase, Text), "") + ":*", TSQUERY)
