"""Step 6b, the events ahead as arrays: what ranking and rules need to know of each. `ahead_reading` fills them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from recommender.candidate import Candidate
from recommender.catalogue import load_catalogue
from recommender.event_table import EventTable

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class About:
    """Topics of events: a row each of an event and one of its topics, by event."""

    event: NDArray[np.integer]  # (n,)
    topic: NDArray[np.int16]  # (n,) catalogue positions; -1 for one that the catalogue has lost
    weight: NDArray[np.floating]  # (n,)

    def between(self, places: slice) -> About:
        """Return the rows of these events alone."""
        first, last = np.searchsorted(self.event, (places.start, places.stop))
        return About(self.event[first:last], self.topic[first:last], self.weight[first:last])

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

    @classmethod
    def joined(cls, parts: Sequence[About]) -> About:
        event, topic, weight = (
            np.concatenate([getattr(one, name) for one in parts]) for name in ("event", "topic", "weight")
        )
        order = np.argsort(event, kind="stable")
        return cls(event[order], topic[order], weight[order])

    def at(self, some: Flags, ids: NDArray[np.int64]) -> About:
        """Return the topics of some events, (e,), told by the numbers of the events instead of their places."""
        kept = some[self.event]
        return About(ids[self.event[kept]], self.topic[kept], self.weight[kept])

    def placed(self, ids: NDArray[np.int64]) -> About:
        """Return the topics of these events told by their places instead of their numbers."""
        order = np.argsort(ids)
        at = np.searchsorted(ids, self.event, sorter=order)
        found = np.append(order, 0)[at]
        is_there = np.append(ids, -1)[found] == self.event if len(ids) else np.zeros(len(found), np.bool_)
        place = found[is_there].astype(np.int32)
        by_place = np.argsort(place, kind="stable")
        topic, weight = (told[is_there][by_place] for told in (self.topic, self.weight))
        return About(place[by_place], topic, weight.astype(np.float32))


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

    revision: int  # of the events' counter
    stamp: datetime | None  # the newest `updated_at` there was
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
    purposes: NDArray[np.float32]  # (len(PURPOSES), e) shares, 0 where nothing is known
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
        first, last = np.searchsorted(self.starts, (microseconds(start), microseconds(end)))
        return slice(int(first), int(last))

    def counted(self, some: Flags) -> dict[str, int]:
        """Return how many of some events, (e,), are about each topic (slug)."""
        catalogue = load_catalogue()
        topics = self.about.topic[some[self.about.event]]
        numbers = np.bincount(topics[topics >= 0], minlength=len(catalogue))
        return {catalogue.topics[place].slug: int(numbers[place]) for place in np.flatnonzero(numbers)}


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


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
