"""Step 6b, the events ahead as arrays: what ranking and rules need to know of each, read from the database in one go."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from app.picking.barriers import MAINLY, MUTUAL_HELP, STILL_ON, says_it_is_off
from app.queries.filters import PURPOSES
from app.queries.plain_rows import EVENTS, TOPICS
from app.revisions import COUNTERS
from app.revisions import EVENTS as EVENTS_COUNTER
from recommender.candidate import Candidate
from recommender.catalogue import load_catalogue
from recommender.event_table import EventTable, Tabulator

HORIZON = timedelta(days=366)  # the longest that anybody may ask to look ahead, and the day itself
AROUND = timedelta(days=90)
LIVELY = 3.0  # events around now that make a community fully alive; one alone gives about a quarter
BATCH = 1000  # rows between two turns of the event loop

COMMUNITIES = SQLModel.metadata.tables["community"]
COUNTED = select(COUNTERS.c.number).where(COUNTERS.c.name == EVENTS_COUNTER)
SHOWN = (EVENTS.c.merged_into.is_(None), EVENTS.c.deleted_at.is_(None))
COLUMNS = [
    EVENTS.c[name]
    for name in (
        *("id", "title", "starts_at", "zone", "all_day", "mode", "lat", "lon", "language", "is_free"),
        *("community_id", "series_key", "purpose", "welcomes", "sequence"),
    )
]
ABOUT = ("event", "topic", "weight")
PLACELESS = (EVENTS.c.city.is_(None) & EVENTS.c.address.is_(None) & EVENTS.c.venue_name.is_(None)).label("is_placeless")

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class About:
    """Topics of events: a row each of an event and one of its topics, by event."""

    event: NDArray[np.integer]  # (n,)
    topic: NDArray[np.int16]  # (n,) catalogue positions; -1 for one that the catalogue has lost
    weight: NDArray[np.floating]  # (n,)

    def of(self, events: Sequence[int]) -> list[dict[str, float]]:
        """Return the topics of each of these events by their slugs, with weights."""
        topics = load_catalogue().topics
        firsts, lasts = (np.searchsorted(self.event, events, side).tolist() for side in ("left", "right"))
        return [
            {
                topics[place].slug: weight
                for place, weight in zip(self.topic[some].tolist(), self.weight[some].tolist(), strict=True)
                if place >= 0
            }
            for some in map(slice, firsts, lasts)
        ]


@dataclass(frozen=True)
class Sketches:
    """The events of a table again as far as they are kept: numbers, beginnings by the clocks of UTC, topics."""

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    about: About  # with events as places

    def __getitem__(self, place: int) -> Candidate:
        starts_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(self.starts[place]))
        (topics,) = self.about.of([place])
        return Candidate(int(self.ids[place]), topics, starts_at)


@dataclass(frozen=True)
class Ahead:
    """The e events from the beginning of a day on that may be picked, by start, and what keeps people from them.

    Some 300 bytes an event, in arrays as narrow as what they hold: there may be millions of them.
    """

    revision: int
    day: datetime
    table: EventTable  # without distances; its candidates are sketches
    alive: Mapping[int, float]  # number of a community → 0 … 1
    ids: NDArray[np.int64]  # (e,)
    starts: NDArray[np.int64]  # (e,) microseconds since 1970
    points: NDArray[np.float64]  # (3, e) on the unit sphere; not a number where nobody could locate the place
    is_placeless: Flags  # (e,) names no place at all
    all_day: Flags
    is_free: Flags
    sequence: NDArray[np.int32]
    mode: NDArray[np.int16]  # (e,) places in `modes`
    modes: tuple[str, ...]
    language: NDArray[np.int16]  # (e,) places in `languages`, -1 where none is told
    languages: tuple[str, ...]
    purposes: NDArray[np.float32]  # (e, len(PURPOSES)) shares, 0 where nothing is known
    about: About  # with events as places
    has_topics: Flags
    among_themselves: tuple[tuple[int, str], ...]  # events for those concerned by a topic, and its slug

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _by_id(self) -> NDArray[np.int32]:
        return np.argsort(self.ids).astype(np.int32)

    def places(self, event_ids: Iterable[int]) -> dict[int, int]:
        """Return the places of those events, by their numbers, that are among these."""
        wanted = np.array(list(event_ids), np.int64)
        if not len(self) or not len(wanted):
            return {}
        found = self._by_id[np.searchsorted(self.ids, wanted, sorter=self._by_id).clip(max=len(self) - 1)]
        told = zip(wanted.tolist(), found.tolist(), (self.ids[found] == wanted).tolist(), strict=True)
        return {event_id: place for event_id, place, is_there in told if is_there}

    def between(self, start: datetime, end: datetime) -> slice:
        first, last = np.searchsorted(self.starts, (_microseconds(start), _microseconds(end)))
        return slice(int(first), int(last))

    def counted(self, some: Flags) -> dict[str, int]:
        """Return how many of some events, (e,), are about each topic (slug)."""
        catalogue = load_catalogue()
        topics = self.about.topic[some[self.about.event]]
        numbers = np.bincount(topics[topics >= 0], minlength=len(catalogue))
        return {catalogue.topics[place].slug: int(numbers[place]) for place in np.flatnonzero(numbers)}


async def read(connection: AsyncConnection, day: datetime) -> Ahead:
    """Read the events from the beginning of a day on; the event loop gets turns, the arithmetic a thread."""
    # The counter first: what is committed between the two is read now, and again at the next question.
    revision = (await connection.execute(COUNTED)).scalar() or 0
    ahead = (*SHOWN, EVENTS.c.status.in_(STILL_ON), EVENTS.c.starts_at >= day, EVENTS.c.starts_at < day + HORIZON)
    about = await _about(connection, ahead)
    reading = _Reading(about, await liveliness(connection, day))
    events = select(*COLUMNS, PLACELESS, COMMUNITIES.c.key.label("community")).select_from(
        EVENTS.outerjoin(COMMUNITIES, COMMUNITIES.c.id == EVENTS.c.community_id)
    )
    async for rows in _streamed(connection, events.where(*ahead).order_by(EVENTS.c.starts_at, EVENTS.c.id)):
        await asyncio.to_thread(reading.add, rows)
    return await asyncio.to_thread(reading.ahead, revision, day)


async def _about(connection: AsyncConnection, ahead: Sequence[ColumnElement[bool]]) -> About:
    """Read the topics of the events ahead."""
    index = load_catalogue().index
    told = select(TOPICS.c.event_id, TOPICS.c.topic, TOPICS.c.weight).join(EVENTS, EVENTS.c.id == TOPICS.c.event_id)
    parts = [About(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0))]
    async for rows in _streamed(connection, told.where(*ahead)):
        event_ids, slugs, weights = zip(*rows, strict=True)
        topics = np.array([index.get(slug, -1) for slug in slugs], np.int16)
        parts.append(About(np.array(event_ids, np.int64), topics, np.array(weights, np.float64)))
    event, topic, weight = (np.concatenate([getattr(one, name) for one in parts]) for name in ABOUT)
    order = np.argsort(event, kind="stable")
    return About(event[order], topic[order], weight[order])


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
    """What is kept of some events, named as in `Ahead`."""

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
    """Takes the events ahead some at a time, by start, and keeps arrays of them: all their rows would be gigabytes."""

    def __init__(self, about: About, alive: Mapping[int, float]) -> None:
        self._about = about  # with numbers of events
        self._alive = alive
        self._tabulator = Tabulator()
        self._parts: list[_Columns] = []
        self._modes: dict[str, int] = {}
        self._languages: dict[str, int] = {}
        self._among_themselves: list[tuple[int, str]] = []
        self._size = 0

    def add(self, rows: Sequence[Any]) -> None:
        rows = [row for row in rows if not says_it_is_off(row.title)]
        topics = self._about.of([row.id for row in rows])
        self._tabulator.add(
            [candidate_of(row, told, row.community, self._alive) for row, told in zip(rows, topics, strict=True)]
        )
        self._among_themselves += [
            (self._size + place, slug) for place, told in enumerate(topics) for slug in _mutual_help(told)
        ]
        self._parts.append(_columns(rows, self._modes, self._languages))
        self._size += len(rows)

    def ahead(self, revision: int, day: datetime) -> Ahead:
        parts = self._parts or [_columns((), {}, {})]
        # Points are columns, shares of purposes rows.
        kept = _Columns(*(np.concatenate(one, axis=-1 if name == "points" else 0) for name, one in _by_name(parts)))
        about = self._placed(kept.ids)
        has_topics = np.zeros(len(kept.ids), np.bool_)
        has_topics[about.event] = True
        return Ahead(
            revision=revision,
            day=day,
            table=self._tabulator.table(Sketches(kept.ids, kept.starts, about)),
            alive=self._alive,
            modes=tuple(self._modes),
            languages=tuple(self._languages),
            about=about,
            has_topics=has_topics,
            among_themselves=tuple(self._among_themselves),
            **kept._asdict(),
        )

    def _placed(self, ids: NDArray[np.int64]) -> About:
        """Return the topics with places for numbers of events."""
        order = np.argsort(ids)
        at = np.searchsorted(ids, self._about.event, sorter=order)
        found = np.append(order, 0)[at]
        is_there = np.append(ids, -1)[found] == self._about.event if len(ids) else np.zeros(len(found), np.bool_)
        place = found[is_there].astype(np.int32)
        by_place = np.argsort(place, kind="stable")
        topic, weight = (told[is_there][by_place] for told in (self._about.topic, self._about.weight))
        return About(place[by_place], topic, weight.astype(np.float32))


def _by_name(parts: Sequence[_Columns]) -> Iterable[tuple[str, tuple[Any, ...]]]:
    return zip(_Columns._fields, zip(*parts, strict=True), strict=True)


def _columns(rows: Sequence[Any], modes: dict[str, int], languages: dict[str, int]) -> _Columns:
    """Return the arrays of some rows; modes and languages that are new get the next numbers."""
    language = [languages.setdefault(row.language, len(languages)) if row.language else -1 for row in rows]
    shares = [[row.purpose.get(name, 0.0) for name in PURPOSES] for row in rows]
    return _Columns(
        ids=np.array([row.id for row in rows], np.int64),
        starts=np.array([_microseconds(row.starts_at) for row in rows], np.int64),
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
        purposes=np.array(shares, np.float32).reshape(-1, len(PURPOSES)),
    )


def _mutual_help(topics: Mapping[str, float]) -> list[str]:
    return [slug for slug, weight in topics.items() if weight >= MAINLY and slug in MUTUAL_HELP]


def candidate_of(
    event: Any,
    topics: Mapping[str, float],
    community: str | None,
    alive: Mapping[int, float],
    away_km: float | None = None,
) -> Candidate:
    """Return an event, a row of its table, as ranking knows it; `community` is the key of who holds it."""
    return Candidate(
        id=event.id,
        topics=topics,
        starts_at=event.starts_at.astimezone(ZoneInfo(event.zone)),
        mode=event.mode,
        distance_km=away_km,
        purpose=event.purpose,
        community=community,
        title=event.title,
        alive=alive.get(event.community_id or 0, 0.5),
        welcomes=event.welcomes,
        series=event.series_key,
    )


def sphere_points(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points on the unit sphere, (3, n), from degrees."""
    north, east = np.radians(lat), np.radians(lon)
    return np.array([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
