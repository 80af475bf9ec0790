"""Step 6b, feasibility: which of the events ahead nothing keeps somebody from, all of them at once.

The rules are those of `barriers.barrier`, which says them one event at a time and in words; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.people.wishes import EVENING, LATE, Refusals, Wish
from app.picking.ahead_table import Ahead, Flags, sphere_points
from app.picking.barriers import is_of, speaks
from app.places import EARTH_RADIUS_KM, Spot
from app.queries.filters import PURPOSES
from recommender.candidate import UNWANTED, UNWANTED_FROM
from recommender.catalogue import load_catalogue
from recommender.event_table import code_of

WEEKEND = 5 * 24  # the hour of the week at which it begins


class Feasible(NamedTuple):
    """The events of the days somebody looks at; each (e,)."""

    reachable: Flags  # they could go there, as `barriers.ELSEWHERE` means it
    open: Flags  # and nothing else keeps them from it
    distance_km: NDArray[np.float64]  # 0 where it does not count


def feasible(ahead: Ahead, wish: Wish, *, now: datetime) -> Feasible:
    distance = np.zeros(len(ahead.starts))
    ahead_of_them = np.zeros(len(ahead.starts), np.bool_)
    ahead_of_them[ahead.between(now, now + timedelta(days=wish.days))] = True
    if wish.near is not None:
        distance = _distance_km(ahead, wish.near)
    reachable = ahead_of_them & _whereabouts(ahead, wish, distance)
    is_open = reachable & ahead.has_topics & _preferred(ahead, wish) & _of_purpose(ahead, wish.purposes)
    is_open &= _unrefused(ahead, wish.refusals)
    for place, slug in ahead.among_themselves:
        if slug not in wish.known:
            is_open[place] = False
    counts = ~np.isnan(distance) & (ahead.mode != _code(ahead.modes, "online"))
    return Feasible(reachable, is_open, np.where(counts, distance, 0.0))


def _distance_km(ahead: Ahead, near: Spot) -> NDArray[np.float64]:
    """Return great-circle distances, (e,), from chords: exact for near points, where cosines are not."""
    here = sphere_points(np.array([near.lat]), np.array([near.lon]))
    chord = np.sqrt(((ahead.points - here) ** 2).sum(axis=0))
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1.0)))


def _whereabouts(ahead: Ahead, wish: Wish, distance: NDArray[np.float64]) -> Flags:
    is_online = ahead.mode == _code(ahead.modes, "online")
    near_enough: Flags = np.ones_like(is_online)
    if wish.near is not None:
        # No comparison with what is no number holds: an unlocated place is elsewhere until shown otherwise.
        near_enough = (distance <= wish.within_km) | (np.isnan(distance) & ahead.is_placeless)
    if not wish.online:
        return np.asarray(near_enough & ~is_online)
    return np.asarray(near_enough | is_online | (ahead.mode == _code(ahead.modes, "hybrid")))


def _preferred(ahead: Ahead, wish: Wish) -> Flags:
    preferred = np.ones(len(ahead.starts), np.bool_)
    if wish.modes:
        preferred &= np.array([is_of(mode, wish.modes) for mode in ahead.modes], np.bool_)[ahead.mode]
    if wish.languages:
        # The last, which no language at all (-1) finds: it is none that they do not speak.
        spoken = [*(speaks(language, wish.languages) for language in ahead.languages), True]
        preferred &= np.array(spoken, np.bool_)[ahead.language]
    if wish.free_only:
        preferred &= ahead.is_free
    if wish.hours != "any":
        is_weekend = ahead.table.hour_of_week >= WEEKEND
        hour = ahead.table.hour_of_week % 24
        is_evening = (hour >= EVENING) & (hour < LATE)
        on_weekday = ahead.all_day | (is_evening if wish.hours == "evening" else ~is_evening)
        preferred &= is_weekend if wish.hours == "weekend" else ~is_weekend & on_weekday
    return preferred


def _of_purpose(ahead: Ahead, wanted: frozenset[str]) -> Flags:
    unwanted = [PURPOSES.index(name) for name in UNWANTED if name not in wanted]
    others = [place for place in range(len(PURPOSES)) if place not in unwanted]
    is_pitch = ahead.purposes[unwanted].sum(axis=0) >= UNWANTED_FROM
    is_wanted = np.array([name in wanted for name in PURPOSES], np.bool_)
    main = np.array(others)[ahead.purposes[others].argmax(axis=0)]
    return np.asarray(~ahead.purposes.any(axis=0) | (~is_pitch & is_wanted[main]))


def _unrefused(ahead: Ahead, refusals: Refusals) -> Flags:
    unrefused = np.ones(len(ahead.starts), np.bool_)
    index = load_catalogue().index
    hidden = [index[slug] for slug in refusals.topics if slug in index]
    if hidden:
        unrefused[ahead.about.event[np.isin(ahead.about.topic, hidden)]] = False
    if refusals.communities:
        table = ahead.table
        by_whom = [*(key in refusals.communities for key in table.communities), False]
        unrefused &= ~np.array(by_whom, np.bool_)[table.community]
    unrefused[list(ahead.places(refusals.events).values())] = False
    seen = {place: refusals.seen[event] for event, place in ahead.places(refusals.seen).items()}
    _drop_series(ahead, unrefused, refusals.seen_series, spared=seen)
    for place, told in seen.items():
        unrefused[place] &= ahead.sequence[place] > told.sequence
    _drop_series(ahead, unrefused, refusals.series)
    return unrefused


def _drop_series(ahead: Ahead, kept: Flags, series: Collection[str], *, spared: Collection[int] = ()) -> None:
    if series:
        is_of_them = np.isin(ahead.table.series, [code_of(one) for one in series])
        is_of_them[list(spared)] = False
        kept &= ~is_of_them


def _code(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else -2
