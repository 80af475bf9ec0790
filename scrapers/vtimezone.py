"""Step 2, calendars: time zones that one brings along (RFC 5545 §3.6.5), for names that mean nothing elsewhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scrapers.content_lines import Component
from scrapers.recurrence import RejectedRule, Rule, judge, occurrences, parse_rule

_OFFSET = re.compile(r"([+-])(\d\d?)(?::?(\d\d)(?:\d\d)?)?", re.ASCII)  # RFC 5545 wants four or six digits
_PROPERTIES = frozenset({"DTSTART", "RDATE", "RRULE", "TZOFFSETFROM", "TZOFFSETTO"})
_LOOK_BACK = timedelta(days=2 * 366)  # a rule that is still in force changes the clock at least every year

# Where people live: the first of these with a file's offsets lends its name, since events need an IANA zone.
_LIKELY_ZONES = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Helsinki",
    "Europe/Moscow",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
    "America/Halifax",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Asia/Dubai",
    "Asia/Bangkok",
    "Asia/Jerusalem",
    "Africa/Lagos",
    "Africa/Johannesburg",
    "Africa/Nairobi",
    "Australia/Sydney",
    "Australia/Brisbane",
    "Australia/Adelaide",
    "Australia/Perth",
    "Pacific/Auckland",
)


class _Observance(NamedTuple):
    start: datetime  # wall time of the first onset, on the clock before it
    before: timedelta
    since: timedelta
    rule: Rule | None
    until: datetime | None  # wall time
    dates: tuple[datetime, ...]

    def onsets(self, begin: datetime, end: datetime) -> list[datetime]:
        """Return the wall times in [begin, end) at which this observance sets in, and its very first before them."""
        onsets = [date for date in (self.start, *self.dates) if date < end]
        if self.rule is not None and self.start < end:
            onsets += occurrences(self.rule, self.start, until=self.until, after=max(begin, self.start), before=end)
            if self.until is not None and self.until < begin:  # the last onset stays in force
                near = max(self.start, self.until - _LOOK_BACK)
                onsets += occurrences(self.rule, self.start, until=self.until, after=near, before=begin)
        return onsets


class FileZone(tzinfo):
    """The offsets that one VTIMEZONE's rules give; a wall time that is shown twice counts as its first pass."""

    def __init__(self, observances: tuple[_Observance, ...]) -> None:
        self._observances = observances
        self._changes = lru_cache(maxsize=64)(self._find_changes)
        self._likely_zone = lru_cache(maxsize=64)(self._find_likely_zone)
        self._earliest = min(observances, key=lambda observance: observance.start).before

    def utcoffset(self, moment: datetime | None) -> timedelta:
        if moment is None:
            return self._earliest
        changes = self._changes(moment.year)
        place = bisect_right(changes, moment.replace(tzinfo=None, fold=0), key=lambda change: change[0])
        return changes[place - 1][1] if place else self._earliest

    def dst(self, _moment: datetime | None) -> None:
        return None

    def tzname(self, _moment: datetime | None) -> None:
        return None

    def _find_changes(self, year: int) -> list[tuple[datetime, timedelta]]:
        """Return the wall times up to the end of a year from which on an offset counts, ascending.

        Onsets are told on the clock before the change; in the hour that is skipped the old offset still counts.
        """
        begin, end = datetime(max(1, year - 2), 1, 1), datetime(min(year, 9998) + 1, 1, 1)  # noqa: DTZ001 (wall time)
        return sorted(
            (onset + max(timedelta(), observance.since - observance.before), observance.since)
            for observance in self._observances
            for onset in observance.onsets(begin, end)
        )

    def likely_zone(self, preferred: tuple[ZoneInfo, ...], year: int) -> ZoneInfo | None:
        """Return an IANA zone whose clocks show the same in this year: a preferred one, or one where many live."""
        return self._likely_zone(preferred, year)

    def _find_likely_zone(self, preferred: tuple[ZoneInfo, ...], year: int) -> ZoneInfo | None:
        months = [datetime(year, month, 15, 12, tzinfo=UTC) for month in (1, 4, 7, 11)]
        own = [self.utcoffset(moment) for moment in months]
        for zone in (*preferred, *map(ZoneInfo, _LIKELY_ZONES)):
            if [zone.utcoffset(moment.replace(tzinfo=None)) for moment in months] == own:
                return zone
        return None


@lru_cache(maxsize=256)
def _zone_of(observances: tuple[_Observance, ...]) -> FileZone:
    return FileZone(observances)


def read_zone(component: Component) -> FileZone | None:
    """Return the zone that a VTIMEZONE describes, or None where it describes none."""
    observances = tuple(
        observance
        for part in component.inside
        if part.name in ("STANDARD", "DAYLIGHT")
        if (observance := _read_observance(part)) is not None
    )
    return _zone_of(observances) if observances else None  # equal rules share their cache


def _read_observance(part: Component) -> _Observance | None:
    lines = part.lines(_PROPERTIES)
    values = {name: found[0].bare for name, found in lines.items()}
    before, since = (_read_offset(values.get(name, "")) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
    start = _read_wall(values.get("DTSTART", ""))
    if since is None or start is None:
        return None
    before = since if before is None else before
    rule = until = None
    if "RRULE" in values:
        try:
            rule = parse_rule(values["RRULE"])
            until = _read_wall(rule.until, utc_offset=before) if rule.until else None
            judge(rule, start, until=until)
        except RejectedRule:
            rule = None  # the first onset alone still tells an offset
    dates = [_read_wall(text) for line in lines.get("RDATE", []) for text in line.bare.split(",")[:500]]
    return _Observance(start, before, since, rule, until, tuple(date for date in dates if date is not None))


def _read_offset(text: str) -> timedelta | None:
    read = _OFFSET.fullmatch(text)
    if read is None or int(read[2]) > 18 or int(read[3] or 0) > 59:
        return None
    size = timedelta(hours=int(read[2]), minutes=int(read[3] or 0))
    return -size if read[1] == "-" else size


def _read_wall(text: str, *, utc_offset: timedelta = timedelta()) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=None) + utc_offset if read.tzinfo else read
    except (ValueError, OverflowError):
        return None
