"""Step 6b, the events ahead as arrays: what ranking and rules need to know of each, read from the database in one go."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
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
from recommender.event_table import EventTable, tabulate

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
PLACELESS = (EVENTS.c.city.is_(None) & EVENTS.c.address.is_(None) & EVENTS.c.venue_name.is_(None)).label("is_placeless")

Flags = NDArray[np.bool_]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Ahead:
    """The e events from the beginning of a day on that may be picked, by start, and what keeps people from them."""

    revision: int
    day: datetime
    table: EventTable  # without distances
    alive: Mapping[int, float]  # number of a community → 0 … 1
    starts: NDArray[np.int64]  # (e,) microseconds since 1970
    points: NDArray[np.float64]  # (3, e) on the unit sphere; not a number where nobody could locate the place
    is_placeless: Flags  # (e,) names no place at all
    all_day: Flags
    is_free: Flags
    sequence: NDArray[np.int64]
    mode: Codes  # (e,) places in `modes`
    modes: tuple[str, ...]
    language: Codes  # (e,) places in `languages`, -1 where none is told
    languages: tuple[str, ...]
    purposes: NDArray[np.float64]  # (e, len(PURPOSES)) shares, 0 where nothing is known
    about: tuple[Codes, Codes]  # (n,) each: events and catalogue positions of all their topics
    has_topics: Flags
    among_themselves: tuple[tuple[int, str], ...]  # events for those concerned by a topic, and its slug

    @cached_property
    def place(self) -> Mapping[int, int]:
        """The place of each event by its number."""
        return {candidate.id: place for place, candidate in enumerate(self.table.candidates)}

    @cached_property
    def series(self) -> Mapping[str, int]:
        """The code of each series in the table."""
        told = zip(self.table.candidates, self.table.series.tolist(), strict=True)
        return {candidate.series: code for candidate, code in told if candidate.series is not None}

    def between(self, start: datetime, end: datetime) -> slice:
        first, last = np.searchsorted(self.starts, (_microseconds(start), _microseconds(end)))
        return slice(int(first), int(last))

    def counted(self, some: Flags) -> dict[str, int]:
        """Return how many of some events, (e,), are about each topic (slug)."""
        events, topics = self.about
        catalogue = load_catalogue()
        numbers = np.bincount(topics[some[events]], minlength=len(catalogue))
        return {catalogue.topics[place].slug: int(numbers[place]) for place in np.flatnonzero(numbers)}


async def read(connection: AsyncConnection, day: datetime) -> Ahead:
    """Read the events from the beginning of a day on; the event loop gets turns, the arithmetic a thread."""
    # The counter first: what is committed between the two is read now, and again at the next question.
    revision = (await connection.execute(COUNTED)).scalar() or 0
    ahead = (*SHOWN, EVENTS.c.status.in_(STILL_ON), EVENTS.c.starts_at >= day, EVENTS.c.starts_at < day + HORIZON)
    events = select(*COLUMNS, PLACELESS, COMMUNITIES.c.key.label("community")).select_from(
        EVENTS.outerjoin(COMMUNITIES, COMMUNITIES.c.id == EVENTS.c.community_id)
    )
    rows = await _streamed(connection, events.where(*ahead).order_by(EVENTS.c.starts_at, EVENTS.c.id))
    about = select(TOPICS.c.event_id, TOPICS.c.topic, TOPICS.c.weight).join(EVENTS, EVENTS.c.id == TOPICS.c.event_id)
    topics = await _streamed(connection, about.where(*ahead))
    alive = await liveliness(connection, day)
    return await asyncio.to_thread(_arranged, revision, day, rows, topics, alive)


async def _streamed(connection: AsyncConnection, statement: Select[Any]) -> list[Any]:
    rows: list[Any] = []
    async with connection.stream(statement) as result:
        async for part in result.partitions(BATCH):
            rows += part
            await asyncio.sleep(0)
    return rows


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


def _arranged(
    revision: int, day: datetime, rows: Sequence[Any], topics: Sequence[Any], alive: Mapping[int, float]
) -> Ahead:
    told: dict[int, dict[str, float]] = defaultdict(dict)
    for event_id, topic, weight in topics:
        told[event_id][topic] = weight
    rows = [row for row in rows if not says_it_is_off(row.title)]
    modes, mode = _coded([row.mode for row in rows])
    languages, language = _coded([row.language or None for row in rows])
    index = load_catalogue().index
    about = [(place, index[slug]) for place, row in enumerate(rows) for slug in told.get(row.id, ()) if slug in index]
    about_event, about_topic = np.array(about, np.intp).reshape(-1, 2).T
    return Ahead(
        revision=revision,
        day=day,
        table=tabulate(candidate_of(row, told.get(row.id, {}), row.community, alive) for row in rows),
        alive=alive,
        starts=np.array([_microseconds(row.starts_at) for row in rows], np.int64),
        points=sphere_points(
            np.array([math.nan if row.lat is None else row.lat for row in rows]),
            np.array([math.nan if row.lon is None else row.lon for row in rows]),
        ),
        is_placeless=np.array([row.is_placeless for row in rows], np.bool_),
        all_day=np.array([row.all_day for row in rows], np.bool_),
        is_free=np.array([row.is_free is True for row in rows], np.bool_),
        sequence=np.array([row.sequence for row in rows], np.int64),
        mode=mode,
        modes=modes,
        language=language,
        languages=languages,
        purposes=np.array([[row.purpose.get(name, 0.0) for name in PURPOSES] for row in rows], np.float64).reshape(
            -1, len(PURPOSES)
        ),
        about=(about_event, about_topic),
        has_topics=np.array([row.id in told for row in rows], np.bool_),
        among_themselves=tuple(
            (place, slug) for place, row in enumerate(rows) for slug in _mutual_help(told.get(row.id, {}))
        ),
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


def _coded(names: Sequence[str | None]) -> tuple[tuple[str, ...], Codes]:
    order = {name: place for place, name in enumerate(dict.fromkeys(name for name in names if name is not None))}
    return tuple(order), np.array([-1 if name is None else order[name] for name in names], np.intp)


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
