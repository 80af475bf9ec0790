"""How a community meets, and whether it still does: told from the days on which it met.

Whether it is alive is the BG/NBD model (Fader, Hardie & Lee 2005, "Counting your customers the easy way"): meetings
come by chance at a rate of the group's own, and after each the group may end. Its four parameters are chosen, not
fitted: a rate of one a month known no better than one month's watching would tell it, and one group in twenty that
ends after a meeting. `adjacent evaluate` says how well that does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal

Label = Literal["regular", "irregular", "dormant", "ended", "new"]

LOOKED_BACK = timedelta(days=365)  # what a community is judged by
AHEAD = timedelta(weeks=8)  # in which `again` expects a meeting
RECENT = timedelta(weeks=20)  # what a rhythm must explain
FEWEST = 3  # days that make a rhythm
FITS = 0.5  # F1 between a rhythm's days and the real ones from which on it is believed
KEPT = 0.6  # share of a rhythm's days from which on people may be told of it without a word about the others
FREQUENT = 3  # days between meetings in the middle, below which no weekday matters

ENDED, DORMANT = 0.1, 0.5  # P(alive) below which a community is called so

# BG/NBD: r and alpha (days) of the rate's Gamma, a and b of the Beta of ending after a meeting.
_R, _ALPHA, _A, _B = 1.0, 30.0, 1.0, 19.0

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_TIMES = {1: "once", 2: "twice"}
_EVERY = {1: "every", 2: "every second", 3: "every third", 4: "every fourth"}


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A weekday, every so many weeks counted from `anchor`, or the nth of a month (-1: the last)."""

    weekday: int  # Monday is 0
    weeks: int | None = None
    nth: int | None = None
    anchor: date = date.min

    @property
    def rule(self) -> str:
        """As an RFC 5545 RRULE; it needs a DTSTART on one of its days."""
        day = _WEEKDAYS[self.weekday]
        if self.weeks is None:
            return f"FREQ=MONTHLY;BYDAY={self.nth}{day}"
        return f"FREQ=WEEKLY;BYDAY={day}" if self.weeks == 1 else f"FREQ=WEEKLY;INTERVAL={self.weeks};BYDAY={day}"

    @property
    def words(self) -> str:
        day = _NAMES[self.weekday]
        if self.weeks is None:
            return f"on the {_ORDINALS[self.nth or 1]} {day} of the month"
        return f"{_EVERY[self.weeks]} {day}"

    def days(self, since: date, until: date) -> Iterator[date]:
        """Yield its days in [since, until)."""
        day = since + timedelta(days=(self.weekday - since.weekday()) % 7)
        while day < until:
            if self._falls_on(day):
                yield day
            day += timedelta(days=7)

    def _falls_on(self, day: date) -> bool:
        if self.weeks is not None:
            return (day - self.anchor).days // 7 % self.weeks == 0
        return (day + timedelta(days=7)).month != day.month if self.nth == -1 else (day.day - 1) // 7 + 1 == self.nth


@dataclass(frozen=True, slots=True)
class Cadence:
    label: Label
    rhythm: Rhythm | None
    kept: float  # share of the rhythm's days on which it met or will; 0 without one
    alive: float  # P(it has not ended); 1 where something is announced
    again: float  # P(it meets within AHEAD)
    next_on: date | None  # announced, or a guess; None for communities that are dormant or ended
    is_guess: bool
    per_month: float  # meetings in the last quarter, by the month
    trend: float | None  # that, to the quarter before; None where nothing was held then
    last_on: date | None

    @property
    def words(self) -> str | None:
        """How it meets, as it follows "meets"; None where nothing can be said."""
        if self.rhythm is not None:
            return self.rhythm.words if self.kept >= KEPT else f"on a {_NAMES[self.rhythm.weekday]}, not every week"
        if self.label not in ("regular", "irregular"):
            return None
        if self.per_month >= 8:
            return "several times a week"
        times = round(self.per_month)
        return f"about {_TIMES.get(times, f'{times} times')} a month" if times else "now and then"


def cadence(days: Iterable[date], today: date, announced: Iterable[date] = ()) -> Cadence:
    """Return how a community meets, from the local days on which it met before today and those it announces.

    The order of days does not matter, and what lies on the wrong side of today does not count.
    """
    met = sorted({day for day in days if today - LOOKED_BACK <= day < today})
    ahead = sorted({day for day in announced if day >= today})
    soon = [day for day in ahead if day < today + AHEAD]
    if not met and not ahead:
        return Cadence("ended", None, 0.0, 0.0, 0.0, None, False, 0.0, None, None)
    held = [*met, *soon]
    end = soon[-1] + timedelta(days=1) if soon else today
    found = rhythm(held, end)
    alive = 1.0 if ahead else _alive(met, today)
    next_on = ahead[0] if ahead else _next(met, found, today) if alive >= DORMANT else None
    late, early = _between(met, today, 0, 91), _between(met, today, 91, 182)
    return Cadence(
        label=_label(held, found, alive),
        rhythm=found,
        kept=_kept(found, held, end) if found is not None else 0.0,
        alive=alive,
        again=1.0 if soon else _again(met, today) if met else 0.0,
        next_on=next_on,
        is_guess=next_on is not None and not ahead,
        per_month=late / 3,
        trend=late / early if early else None,
        last_on=met[-1] if met else None,
    )


def rhythm(met: Sequence[date], today: date) -> Rhythm | None:
    """Return the rhythm that explains the recent ones of sorted days before today best, if one does."""
    recent = _recent(met, today)
    if len(recent) < FEWEST:
        return None
    best, fits = None, FITS
    for candidate in _candidates(recent):
        expected = set(candidate.days(recent[0], today))
        hits = len(expected.intersection(recent))
        # A rhythm with more to choose from has to fit better.
        score = 2 * hits / (len(expected) + len(recent)) - 0.02 * (candidate.weeks or 2)
        if hits >= FEWEST and score > fits:
            best, fits = candidate, score
    return best


def _recent(met: Sequence[date], today: date) -> list[date]:
    """Return the days that a rhythm must explain, of sorted ones before today."""
    recent = [day for day in met if today - day <= RECENT] or list(met)
    return recent if len(recent) >= FEWEST else list(met[-FEWEST - 1 :])


def _kept(found: Rhythm, met: Sequence[date], today: date) -> float:
    recent = _recent(met, today)
    expected = set(found.days(recent[0], today))
    return len(expected.intersection(recent)) / len(expected)


def _candidates(recent: Sequence[date]) -> Iterator[Rhythm]:
    for weekday, _ in Counter(day.weekday() for day in recent).most_common(3):
        anchor = max(day for day in recent if day.weekday() == weekday)
        yield from (Rhythm(weekday, weeks=weeks, anchor=anchor) for weeks in _EVERY)
        yield from (Rhythm(weekday, nth=nth) for nth in _ORDINALS)


def _label(met: Sequence[date], found: Rhythm | None, alive: float) -> Label:
    if alive < ENDED:
        return "ended"
    if alive < DORMANT:
        return "dormant"
    if len(met) < FEWEST:
        return "new"
    return "regular" if found is not None or _gap(met) <= FREQUENT else "irregular"


def _next(met: Sequence[date], found: Rhythm | None, today: date) -> date:
    if found is not None:
        return next(found.days(today, today + timedelta(days=70)))
    gap = max(1, round(_gap(met)))
    late = max(0, -(-(today - met[-1]).days // gap))
    guess = met[-1] + timedelta(days=gap * max(1, late))
    usual = Counter(day.weekday() for day in met[-8:]).most_common(1)[0][0]
    around = (guess + timedelta(days=shift) for shift in range(-3, 4))
    return next((day for day in around if day.weekday() == usual and day >= today), guess)


def _gap(met: Sequence[date]) -> float:
    """Days between two meetings, in the middle of the last nine; a month for a single one."""
    return median([(later - earlier).days for earlier, later in pairwise(met[-9:])] or [30])


def _between(met: Sequence[date], today: date, newest: int, oldest: int) -> int:
    return sum(newest <= (today - day).days - 1 < oldest for day in met)


def _alive(met: Sequence[date], today: date) -> float:
    """BG/NBD's P(alive | x, t_x, T); a group seen once can have ended after that meeting, too."""
    repeats, watched, until_last = len(met) - 1, (today - met[0]).days, (met[-1] - met[0]).days
    silence: float = ((_ALPHA + watched) / (_ALPHA + until_last)) ** (_R + repeats)
    return 1.0 / (1.0 + _A / (_B + max(0, repeats - 1)) * silence)


def _again(met: Sequence[date], today: date) -> float:
    """P(alive) times P(a meeting within AHEAD | alive), with the rate's posterior integrated out."""
    repeats, watched = len(met) - 1, (today - met[0]).days
    none: float = ((_ALPHA + watched) / (_ALPHA + watched + AHEAD.days)) ** (_R + repeats)
    return _alive(met, today) * (1 - none)
