"""The clauses that find the events of a filter in either database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, Select, and_, func, literal_column
from sqlmodel import col, select

from app.models import Community, Event, EventTopic, EventVersion
from app.places import box_around
from app.queries import search_index
from app.queries.areas import Box, in_box, in_circle
from app.queries.filters import EventFilter
from app.queries.language_ranges import in_language
from app.queries.word_search import holds_words

# A unary plus, which changes no value, keeps SQLite from the index of a column (sqlite.org/optoverview.html §7).
PLAIN_ID, PLAIN_LAT = literal_column("+event.id", Integer), literal_column("+event.lat", Float)
PLAIN_COMMUNITY = literal_column("+event.community_id", Integer)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a filter that an index knows the events of."""

    event_ids: Select[Any]
    clause: ColumnElement[bool]  # asks it of an event that was found in another way
    is_search: bool = False  # whether that index is SQLite's search index

    @property
    def leading(self) -> ColumnElement[bool]:
        """The clause that lets SQLite begin with the index."""
        return col(Event.id).in_(self.event_ids)


def conditions(wanted: EventFilter, dialect: str) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses of a filter; which way to go is left to the database (SQLite's `plans` tell it)."""
    return [*(part.clause for part in parts(wanted, dialect)), *common(wanted, dialect)]


def common(wanted: EventFilter, dialect: str) -> Iterator[ColumnElement[bool]]:
    """Yield the clauses of a filter that are no parts of their own."""
    if not wanted.include_merged:
        yield col(Event.merged_into).is_(None)
    if not wanted.include_deleted:
        yield col(Event.deleted_at).is_(None)
    if wanted.start is not None:
        yield col(Event.starts_at) >= wanted.start
    if wanted.end is not None:
        yield col(Event.starts_at) < wanted.end
    if dialect != "sqlite":
        yield from _said(wanted)
        if wanted.purpose:
            yield func.is_mainly(col(Event.purpose), wanted.purpose)  # migration 0023
        if wanted.words:
            yield holds_words(wanted.words)
    if wanted.near is not None:  # last: SQLite asks in this order, and it takes the longest
        yield in_circle(col(Event.lat), col(Event.lon), wanted.near, wanted.radius_km)


def parts(wanted: EventFilter, dialect: str) -> Iterator[Part]:
    """Yield the parts of a filter that may match a few of all events."""
    is_sqlite = dialect == "sqlite"
    for found in _told_beside(wanted):
        of_event = found.where(found.selected_columns[0] == col(Event.id))
        yield Part(found, of_event.exists() if is_sqlite else col(Event.id).in_(found))
    for box in _boxes(wanted):
        inside = in_box(col(Event.lat), col(Event.lon), box)
        yield Part(select(Event.id).where(inside), in_box(PLAIN_LAT, col(Event.lon), box) if is_sqlite else inside)
    if wanted.community:
        of = select(Community.id).where(Community.key == wanted.community)
        community = col(Event.community_id).in_(of)
        yield Part(select(Event.id).where(community), PLAIN_COMMUNITY.in_(of) if is_sqlite else community)
    if wanted.updated_since is not None:
        since = col(Event.updated_at) >= wanted.updated_since
        yield Part(select(Event.id).where(since), since)
    if is_sqlite and search_index.knows(wanted):
        yield Part(search_index.event_ids(wanted), and_(*_said(wanted), *_searched(wanted)), is_search=True)


def _told_beside(wanted: EventFilter) -> Iterator[Select[Any]]:
    if wanted.topics:
        yield select(EventTopic.event_id).where(col(EventTopic.topic).in_(wanted.topics))
    if wanted.sources:
        yield select(EventVersion.event_id).where(
            col(EventVersion.source_id).in_(wanted.sources), col(EventVersion.withdrawn_at).is_(None)
        )


def _said(wanted: EventFilter) -> Iterator[ColumnElement[bool]]:
    """Yield the clauses on what the columns of an event say."""
    if wanted.modes:
        yield col(Event.mode).in_(wanted.modes)
    if wanted.statuses:
        yield col(Event.status).in_(wanted.statuses)
    if wanted.language:
        yield in_language(col(Event.language), wanted.language)
    if wanted.free is not None:
        yield col(Event.is_free).is_(wanted.free)


def _searched(wanted: EventFilter) -> Iterator[ColumnElement[bool]]:
    """Yield the clause on what SQLite's search index tells better than the columns."""
    rest = replace(wanted, modes=(), statuses=(), language=None, free=None)
    if search_index.knows(rest):
        yield PLAIN_ID.in_(search_index.event_ids(rest))


def _boxes(wanted: EventFilter) -> list[Box]:
    """Return the boxes that all events of a filter lie in; that around a circle is what an index finds of it."""
    circled = [box_around(wanted.near.lat, wanted.near.lon, wanted.radius_km)] if wanted.near is not None else []
    return circled + ([wanted.box] if wanted.box is not None else [])
