"""How a community meets by its own word: the plain ones among RFC 5545 rules, as a rhythm that has words."""

from __future__ import annotations

from recommender.cadence import Rhythm

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
INTERVALS, NTHS = (1, 2, 3, 4), (1, 2, 3, 4, -1)  # those there are words for


def told_rhythm(rule: str) -> Rhythm | None:
    """Return a weekday every one to four weeks, or the nth of each month; None for rules that say more or less."""
    parts = dict(part.split("=", 1) for part in rule.upper().split(";") if "=" in part)
    frequency, interval, by_day = (parts.pop(name, "") for name in ("FREQ", "INTERVAL", "BYDAY"))
    if parts.keys() - {"WKST"} or by_day[-2:] not in DAYS:
        return None
    weekday, nth = DAYS.index(by_day[-2:]), by_day[:-2]
    match frequency:
        case "WEEKLY" if not nth and (interval or "1") in map(str, INTERVALS):
            return Rhythm(weekday, weeks=int(interval or 1))
        case "MONTHLY" if nth.removeprefix("+") in map(str, NTHS) and interval in ("", "1"):
            return Rhythm(weekday, nth=int(nth))
    return None
