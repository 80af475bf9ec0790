"""Step 6b, feasibility: which of the events ahead nothing keeps somebody from, all of them at once.

The rules are those of `barriers.barrier`, which says them one event at a time and in words; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.people.wishes import EVENING, LATE, Refusals, Wish
from app.picking.ahead_table import Ahead, Flags, sphere_points
from app.picking.barriers import is_of, speaks
from app.places import EARTH_RADIUS_KM, Spot
from app.queries.filters import PURPOSES
from recommender.candidate import UNWANTED, UNWANTED_FROM
from recommender.catalogue import load_catalogue
from recommender.tabulating import code_of

WEEKEND = 5 * 24  # the hour of the week at which it begins


class Feasible(NamedTuple):
    """All events, (e,) each; none but those of the days somebody looks at is reachable."""

    reachable: Flags  # they could go there, as `barriers.ELSEWHERE` means it
    open: Flags  # and nothing else keeps them from it
    distance_km: NDArray[np.float64]  # 0 where it does not count


def feasible(ahead: Ahead, wish: Wish, *, now: datetime) -> Feasible:
    # Of the days somebody looks at alone: a year has many others.
    days = ahead.between(now, now + timedelta(days=wish.days))
    size = days.stop - days.start
    distance = np.zeros(size) if wish.near is None else _distance_km(ahead.points[:, days], wish.near)
    reachable = _whereabouts(ahead, days, wish, distance)
    is_open = reachable & ahead.has_topics[days] & _preferred(ahead, days, wish)
    is_open &= _of_purpose(ahead.purposes[:, days], wish.purposes) & _unrefused(ahead, days, wish.refusals)
    for place, slug in ahead.among_themselves:
        if slug not in wish.known and days.start <= place < days.stop:
            is_open[place - days.start] = False
    counts = ~np.isnan(distance) & (ahead.mode[days] != _code(ahead.modes, "online"))
    return Feasible(
        *(_among_all(one, days, len(ahead)) for one in (reachable, is_open, np.where(counts, distance, 0.0)))
    )


def _among_all(some: NDArray[Any], days: slice, size: int) -> NDArray[Any]:
    """Return values of the events of some days among all events, (e,)."""
    values = np.zeros(size, some.dtype)
    values[days] = some
    return values


def _distance_km(points: NDArray[np.float64], near: Spot) -> NDArray[np.float64]:
    """Return great-circle distances, (n,), from chords: exact for near points, where cosines are not."""
    here = sphere_points(np.array([near.lat]), np.array([near.lon]))
    chord = np.sqrt(((points - here) ** 2).sum(axis=0))
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1.0)))


def _whereabouts(ahead: Ahead, days: slice, wish: Wish, distance: NDArray[np.float64]) -> Flags:
    mode = ahead.mode[days]
    is_online = mode == _code(ahead.modes, "online")
    near_enough: Flags = np.ones_like(is_online)
    if wish.near is not None:
        # No comparison with what is no number holds: an unlocated place is elsewhere until shown otherwise.
        near_enough = (distance <= wish.within_km) | (np.isnan(distance) & ahead.is_placeless[days])
    if not wish.online:
        return np.asarray(near_enough & ~is_online)
    return np.asarray(near_enough | is_online | (mode == _code(ahead.modes, "hybrid")))


def _preferred(ahead: Ahead, days: slice, wish: Wish) -> Flags:
    preferred = np.ones(days.stop - days.start, np.bool_)
    if wish.modes:
        preferred &= np.array([is_of(mode, wish.modes) for mode in ahead.modes], np.bool_)[ahead.mode[days]]
    if wish.languages:
        # The last, which no language at all (-1) finds: it is none that they do not speak.
        spoken = [*(speaks(language, wish.languages) for language in ahead.languages), True]
        preferred &= np.array(spoken, np.bool_)[ahead.language[days]]
    if wish.free_only:
        preferred &= ahead.is_free[days]
    if wish.hours != "any":
        hour_of_week = ahead.table.hour_of_week[days]
        is_weekend = hour_of_week >= WEEKEND
        hour = hour_of_week % 24
        is_evening = (hour >= EVENING) & (hour < LATE)
        on_weekday = ahead.all_day[days] | (is_evening if wish.hours == "evening" else ~is_evening)
        preferred &= is_weekend if wish.hours == "weekend" else ~is_weekend & on_weekday
    return preferred


def _of_purpose(purposes: NDArray[np.float32], wanted: frozenset[str]) -> Flags:
    unwanted = [PURPOSES.index(name) for name in UNWANTED if name not in wanted]
    others = [place for place in range(len(PURPOSES)) if place not in unwanted]
    is_pitch = purposes[unwanted].sum(axis=0) >= UNWANTED_FROM
    is_wanted = np.array([name in wanted for name in PURPOSES], np.bool_)
    main = np.array(others)[purposes[others].argmax(axis=0)]
    return np.asarray(~purposes.any(axis=0) | (~is_pitch & is_wanted[main]))


def _unrefused(ahead: Ahead, days: slice, refusals: Refusals) -> Flags:
    unrefused = np.ones(days.stop - days.start, np.bool_)
    index = load_catalogue().index
    hidden = [index[slug] for slug in refusals.topics if slug in index]
    if hidden:
        about = ahead.about.between(days)
        unrefused[about.event[np.isin(about.topic, hidden)] - days.start] = False
    if refusals.communities:
        table = ahead.table
        by_whom = [*(key in refusals.communities for key in table.communities), False]
        unrefused &= ~np.array(by_whom, np.bool_)[table.community[days]]
    unrefused[list(_places(ahead, days, refusals.events).values())] = False
    seen = {place: refusals.seen[event] for event, place in _places(ahead, days, refusals.seen).items()}
    series = ahead.table.series[days]
    _drop_series(series, unrefused, refusals.seen_series, spared=seen)
    for place, told in seen.items():
        unrefused[place] &= ahead.sequence[days.start + place] > told.sequence
    _drop_series(series, unrefused, refusals.series)
    return unrefused


def _places(ahead: Ahead, days: slice, event_ids: Iterable[int]) -> dict[int, int]:
    """Return the places among the events of some days, by their numbers, of those that are there."""
    return {
        number: place - days.start
        for number, place in ahead.places(event_ids).items()
        if days.start <= place < days.stop
    }


def _drop_series(
    told: NDArray[np.int64], kept: Flags, series: Collection[str], *, spared: Collection[int] = ()
) -> None:
    if series:
        is_of_them = np.isin(told, [code_of(one) for one in series])
        is_of_them[list(spared)] = False
        kept &= ~is_of_them


def _code(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else -2
