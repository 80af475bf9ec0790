"""When somebody goes out: how much better an hour of the week suits them than it suits events in general."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DAYS, HOURS = 7, 24
NEAR_HOURS = (0.25, 0.5, 1.0, 0.5, 0.25)  # an evening at seven says something of six and eight
PSEUDO_VISITS = 10.0  # how many visits the usual hours count as: two visits say little, twenty nearly all
WEEKDAY_SHARE = 0.5  # of what a visit tells, how much is told of its weekday at any hour
STRENGTH = 0.25  # habits shift a ranking, they do not decide it: sixteen times as usual is twice as good …
LEAST, MOST = 0.5, 1.5  # … and no hour is better or worse than this


@dataclass(frozen=True)
class Habits:
    factor: Floats  # (7, 24), Monday first; 1 where an hour suits as much as usual

    def of(self, hours: NDArray[np.integer]) -> Floats:
        """Return how well hours of the week suit, (n,); both count from Monday at midnight."""
        return np.asarray(self.factor.ravel()[hours])


def hour_of_week(start: datetime) -> int:
    """Return the hour of a local time, counted from Monday at midnight."""
    return HOURS * start.weekday() + start.hour


def learn_habits(visited: Iterable[datetime], offered: NDArray[np.integer]) -> Habits:
    """Return the habits told by the local beginnings of events somebody went to, beside the hours of the week, (n,), of
    those that were offered.

    Dirichlet smoothing: (visits + m · usual share) / (n + m) over the usual share, to the power of STRENGTH. A visit counts
    by halves for its weekday and for its hour with the hours around it (hours of the week as a signal: Macedo, Marinho
    and Santos, RecSys 2015). Without visits every hour is as good as any other.
    """
    usual = _spread(_counted(offered)) + 1.0 / (DAYS * HOURS)
    usual /= usual.sum()
    visits = _counted(np.array([hour_of_week(start) for start in visited], np.intp))
    n = visits.sum()
    by_weekday = visits.sum(axis=1, keepdims=True) * usual / usual.sum(axis=1, keepdims=True)
    told = WEEKDAY_SHARE * by_weekday + (1 - WEEKDAY_SHARE) * _spread(visits)
    share = (told + PSEUDO_VISITS * usual) / (n + PSEUDO_VISITS)
    return Habits(np.clip((share / usual) ** STRENGTH, LEAST, MOST))


def _counted(hours: NDArray[np.integer]) -> Floats:
    return np.bincount(hours, minlength=DAYS * HOURS).reshape(DAYS, HOURS).astype(np.float64)


def _spread(table: Floats) -> Floats:
    """Share each count with the hours around it; midnight borders on the day's own other end, sums stay."""
    kernel = np.array(NEAR_HOURS) / sum(NEAR_HOURS)
    reach = len(kernel) // 2
    spread = np.zeros_like(table)
    for by, part in zip(range(-reach, reach + 1), kernel, strict=True):
        spread += part * np.roll(table, by, axis=1)
    return spread
