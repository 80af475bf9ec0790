"""Step 6b, reading the events ahead: all of them once a day, and after that those that were stamped since."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, and_, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.picking.ahead_table import About, Ahead, Flags, Sketches, candidate_of, microseconds, sphere_points
from app.picking.barriers import MAINLY, MUTUAL_HELP, STILL_ON, says_it_is_off
from app.queries.filters import PURPOSES
from app.queries.plain_rows import EVENTS, TOPICS
from app.revisions import COUNTERS
from app.revisions import EVENTS as EVENTS_COUNTER
from recommender.catalogue import load_catalogue
from recommender.tabulating import Tabulator

HORIZON = timedelta(days=366)  # the longest that anybody may ask to look ahead, and the day itself
AROUND = timedelta(days=90)
LIVELY = 3.0  # events around now that make a community fully alive; one alone gives about a quarter
BATCH = 1000  # rows between two turns of the event loop

COMMUNITIES = SQLModel.metadata.tables["community"]
COUNTED = select(COUNTERS.c.number).where(COUNTERS.c.name == EVENTS_COUNTER)
STAMPED = select(func.max(EVENTS.c.updated_at))
COLUMNS = [
    EVENTS.c[name]
    for name in (
        *("id", "title", "starts_at", "zone", "all_day", "mode", "lat", "lon", "language", "is_free"),
        *("community_id", "series_key", "purpose", "welcomes", "sequence"),
    )
]
PLACELESS = (EVENTS.c.city.is_(None) & EVENTS.c.address.is_(None) & EVENTS.c.venue_name.is_(None)).label("is_placeless")


async def read(connection: AsyncConnection, day: datetime) -> Ahead:
    """Read the events from the beginning of a day on; the event loop gets turns, the arithmetic a thread."""
    standing = await _standing(connection, day)
    is_ahead = _is_ahead(day)
    about = await _about(connection, is_ahead)
    reading = _Reading(about, await liveliness(connection, day))
    async for rows in _streamed(connection, _rows().where(is_ahead).order_by(EVENTS.c.starts_at, EVENTS.c.id)):
        await asyncio.to_thread(reading.add, rows)
    return await asyncio.to_thread(reading.ahead, standing)


async def read_on(connection: AsyncConnection, kept: Ahead) -> Ahead:
    """Read what was stamped since: the same events as `read` finds, in the time that the changed ones take.

    How alive communities are is told anew by `read` alone.
    """
    standing = await _standing(connection, kept.day)
    is_stamped = EVENTS.c.updated_at >= kept.stamp if kept.stamp is not None else true()
    about = await _about(connection, is_stamped)
    # One statement finds those that are there and those that are no more: none can change between the two.
    statement = _rows().add_columns(_is_ahead(kept.day).label("is_ahead")).where(is_stamped)
    rows = [row async for part in _streamed(connection, statement) for row in part]
    reading = await asyncio.to_thread(_Reading, about, kept.alive, kept, frozenset(row.id for row in rows))
    await asyncio.to_thread(reading.add, [row for row in rows if row.is_ahead])
    return await asyncio.to_thread(reading.ahead, standing)


class _Standing(NamedTuple):
    """Where the counter and the stamps stood before anything was read: what came between is read now, and again."""

    revision: int
    stamp: datetime | None
    day: datetime


async def _standing(connection: AsyncConnection, day: datetime) -> _Standing:
    revision = (await connection.execute(COUNTED)).scalar() or 0
    return _Standing(revision, (await connection.execute(STAMPED)).scalar(), day)


def _is_ahead(day: datetime) -> ColumnElement[bool]:
    return and_(
        EVENTS.c.merged_into.is_(None),
        EVENTS.c.deleted_at.is_(None),
        EVENTS.c.status.in_(STILL_ON),
        EVENTS.c.starts_at >= day,
        EVENTS.c.starts_at < day + HORIZON,
    )


def _rows() -> Select[Any]:
    return select(*COLUMNS, PLACELESS, COMMUNITIES.c.key.label("community")).select_from(
        EVENTS.outerjoin(COMMUNITIES, COMMUNITIES.c.id == EVENTS.c.community_id)
    )


async def _about(connection: AsyncConnection, those: ColumnElement[bool]) -> About:
    """Read the topics of some events; they are told by the events' numbers."""
    index = load_catalogue().index
    told = select(TOPICS.c.event_id, TOPICS.c.topic, TOPICS.c.weight).join(EVENTS, EVENTS.c.id == TOPICS.c.event_id)
    parts = [About(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0))]
    async for rows in _streamed(connection, told.where(those)):
        event, topic, weight = zip(*rows, strict=True)
        places = [index.get(slug, -1) for slug in topic]
        parts.append(About(np.array(event, np.int64), np.array(places, np.int16), np.array(weight, np.float64)))
    return About.joined(parts)


async def _streamed(connection: AsyncConnection, statement: Select[Any]) -> AsyncIterator[Sequence[Any]]:
    async with connection.stream(statement) as result:
        async for part in result.partitions(BATCH):
            yield part
            await asyncio.sleep(0)


async def liveliness(connection: AsyncConnection, now: datetime) -> dict[int, float]:
    """Return how alive each community is, 0 … 1, from its events of the last and next three months."""
    around: tuple[ColumnElement[bool], ...] = (
        EVENTS.c.community_id.is_not(None),
        EVENTS.c.starts_at.between(now - AROUND, now + AROUND),
        EVENTS.c.deleted_at.is_(None),
    )
    rows = await connection.execute(
        select(EVENTS.c.community_id, func.count()).where(*around).group_by(EVENTS.c.community_id)
    )
    return {community: 1 - math.exp(-number / LIVELY) for community, number in rows}


class _Columns(NamedTuple):
    """What is kept of some events, named as in `Ahead`; events are the last axis."""

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    points: NDArray[np.float64]
    is_placeless: Flags
    all_day: Flags
    is_free: Flags
    sequence: NDArray[np.int32]
    mode: NDArray[np.int16]
    language: NDArray[np.int16]
    purposes: NDArray[np.float32]


class _Reading:
    """Takes the events ahead some at a time and keeps arrays of them: all their rows would be gigabytes.

    It may begin with what was kept, without events that changed.
    """

    def __init__(
        self,
        about: About,  # with numbers of events
        alive: Mapping[int, float],
        kept: Ahead | None = None,
        changed: Collection[int] = (),
    ) -> None:
        self._about = about
        self._alive = alive
        self._parts: list[_Columns] = []
        self._modes: dict[str, int] = {}
        self._languages: dict[str, int] = {}
        self._told = about
        self._tabulator = Tabulator()
        if kept is not None:
            stays = ~np.isin(kept.ids, list(changed))
            places = np.flatnonzero(stays)
            self._parts.append(_taken(_Columns(*(getattr(kept, name) for name in _Columns._fields)), places))
            self._modes |= {name: number for number, name in enumerate(kept.modes)}
            self._languages |= {name: number for number, name in enumerate(kept.languages)}
            self._told = About.joined([kept.about.at(stays, kept.ids), about])
            self._tabulator = Tabulator(kept.table, places)

    def add(self, rows: Sequence[Any]) -> None:
        rows = [row for row in rows if not says_it_is_off(row.title)]
        topics = self._about.of([row.id for row in rows])
        self._tabulator.add(
            [candidate_of(row, told, row.community, self._alive) for row, told in zip(rows, topics, strict=True)]
        )
        self._parts.append(_columns(rows, self._modes, self._languages))

    def ahead(self, standing: _Standing) -> Ahead:
        columns = _joined(self._parts or [_columns((), {}, {})])
        order = np.lexsort((columns.ids, columns.starts))
        columns = _taken(columns, order)
        about = self._told.placed(columns.ids)
        has_topics = np.zeros(len(order), np.bool_)
        has_topics[about.event] = True
        return Ahead(
            **standing._asdict(),
            table=self._tabulator.table(Sketches(columns.ids, columns.starts, about), order),
            alive=self._alive,
            modes=tuple(self._modes),
            languages=tuple(self._languages),
            about=about,
            has_topics=has_topics,
            among_themselves=_among_themselves(about),
            **columns._asdict(),
        )


def _joined(parts: Sequence[_Columns]) -> _Columns:
    joined: list[NDArray[Any]] = [np.concatenate(several, axis=-1) for several in zip(*parts, strict=True)]
    return _Columns(*joined)


def _taken(columns: _Columns, places: NDArray[np.intp]) -> _Columns:
    taken: list[NDArray[Any]] = [column.take(places, axis=-1) for column in columns]
    return _Columns(*taken)


def _among_themselves(about: About) -> tuple[tuple[int, str], ...]:
    index, topics = load_catalogue().index, load_catalogue().topics
    concerned = np.isin(about.topic, [index[slug] for slug in MUTUAL_HELP]) & (about.weight >= np.float32(MAINLY))
    told = zip(about.event[concerned].tolist(), about.topic[concerned].tolist(), strict=True)
    return tuple((place, topics[topic].slug) for place, topic in told)


def _columns(rows: Sequence[Any], modes: dict[str, int], languages: dict[str, int]) -> _Columns:
    """Return the arrays of some rows; modes and languages that are new get the next numbers."""
    language = [languages.setdefault(row.language, len(languages)) if row.language else -1 for row in rows]
    shares = [[row.purpose.get(name, 0.0) for row in rows] for name in PURPOSES]
    return _Columns(
        ids=np.array([row.id for row in rows], np.int64),
        starts=np.array([microseconds(row.starts_at) for row in rows], np.int64),
        points=sphere_points(
            np.array([math.nan if row.lat is None else row.lat for row in rows], np.float64),
            np.array([math.nan if row.lon is None else row.lon for row in rows], np.float64),
        ),
        is_placeless=np.array([row.is_placeless for row in rows], np.bool_),
        all_day=np.array([row.all_day for row in rows], np.bool_),
        is_free=np.array([row.is_free is True for row in rows], np.bool_),
        sequence=np.array([row.sequence for row in rows], np.int32),
        mode=np.array([modes.setdefault(row.mode, len(modes)) for row in rows], np.int16),
        language=np.array(language, np.int16),
        purposes=np.array(shares, np.float32),
    )
