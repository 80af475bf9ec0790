"""How well cadence does: of a real city's groups the last eight weeks are hidden, and guessed.

Nothing was fitted to the city. Its groups were listed at the end, so groups that had ended before are missing from it,
and shares of groups that meet again are higher than in life, for baselines and model alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from recommender.cadence import AHEAD, Cadence, cadence
from recommender.learn.sources import rows
from recommender.metrics import Floats, Result, result

ZONE = ZoneInfo("America/Chicago")
SETTING = "Nashville, last 8 weeks hidden"

# How likely a group meets again, from its days and today; only the order counts, and the side of 0.5.
CHANCES: dict[str, Callable[[list[date], date, Cadence], float]] = {
    "met within 60 days": lambda days, today, _: 1 / (1 + (today - days[-1]).days / 60),
    "meetings in 90 days": lambda days, today, _: 1 - 0.5 ** sum((today - day).days <= 90 for day in days),
    "cadence": lambda _days, _today, told: told.again,
}
NEXT: dict[str, Callable[[list[date], date, Cadence], date]] = {
    "a week after the last, again and again": lambda days, today, _: _ahead(days[-1], 7, today),
    "the middle gap after the last": lambda days, today, _: _ahead(days[-1], _gap(days), today),
    "cadence": lambda days, today, told: told.next_on or _ahead(days[-1], _gap(days), today),
}


def measure_cadence(folder: Path) -> list[Result]:
    """Measure who meets again (AUC, accuracy, Brier score) and when (the day, and within three days of it)."""
    met = read_meetings(folder)
    today = max(day for days in met for day in days) + timedelta(days=1) - AHEAD
    known = [days for days in met if days[0] < today]
    before = [[day for day in days if day < today] for days in known]
    first = [next((day for day in days if day >= today), None) for days in known]
    told = [cadence(days, today) for days in before]
    again = np.array([day is not None for day in first])
    results: list[Result] = []
    for name, chance in CHANCES.items():
        chances = np.array([chance(days, today, one) for days, one in zip(before, told, strict=True)])
        results += [
            _told(name, "AUC", placements(chances, again)),
            _told(name, "accuracy", ((chances > 0.5) == again).astype(float)),
            _told(name, "Brier score", (chances - again) ** 2),
        ]
    for name, guess in NEXT.items():
        late = np.array(
            [
                abs((day - guess(days, today, one)).days)
                for days, one, day in zip(before, told, first, strict=True)
                if day is not None
            ]
        )
        results += [
            _told(name, "next day", (late == 0).astype(float)),
            _told(name, "within 3 days", (late <= 3).astype(float)),
        ]
    return results


def read_meetings(folder: Path) -> list[list[date]]:
    """Return the local days on which each group of the city met, rising."""
    met: dict[str, set[date]] = {}
    for row in rows(folder / "nashville_events.csv.gz"):
        day = datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).astimezone(ZONE).date()
        met.setdefault(row["group_id"], set()).add(day)
    return [sorted(days) for days in met.values()]


def placements(scores: Floats, truth: NDArray[np.bool_]) -> Floats:
    """Return for each true one the share of false ones below it; their mean is the area under the ROC curve.

    DeLong, DeLong & Clarke-Pearson 1988; equal scores count half.
    """
    false = np.sort(scores[~truth])
    low, high = (np.searchsorted(false, scores[truth], side=side) for side in ("left", "right"))
    return np.asarray((low + high) / 2 / len(false))


def _told(model: str, measure: str, values: Floats) -> Result:
    return result("cadence", SETTING, model, measure, values)


def _ahead(last: date, step: float, today: date) -> date:
    while last < today:
        last += timedelta(days=max(1, round(step)))
    return last


def _gap(days: Iterable[date]) -> float:
    recent = sorted(days)[-9:]
    return median([(later - earlier).days for earlier, later in pairwise(recent)] or [30])
