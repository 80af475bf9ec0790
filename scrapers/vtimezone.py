"""Time zones that a calendar brings along (RFC 5545 §3.6.5), for names that mean nothing elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scrapers.content_lines import Component
from scrapers.recurrence import RejectedRule, Rule, judge, occurrences, parse_rule

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)(?:\d\d)?")
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

    def last_onset(self, wall: datetime) -> datetime | None:
        onsets = [date for date in (self.start, *self.dates) if date <= wall]
        if self.rule is not None and wall >= self.start:
            end = wall if self.until is None else min(wall, self.until)
            onsets += occurrences(
                self.rule,
                self.start,
                until=self.until,
                after=self.start if end - self.start < _LOOK_BACK else end - _LOOK_BACK,
                before=wall + timedelta(microseconds=1),
            )
        return max(onsets, default=None)


class FileZone(tzinfo):
    """The offsets that one VTIMEZONE's rules give; a wall time that is shown twice counts as its first pass."""

    def __init__(self, observances: tuple[_Observance, ...]) -> None:
        self._observances = observances
        self._offset = lru_cache(maxsize=1024)(self._find_offset)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        return self._offset(moment.replace(tzinfo=None, fold=0)) if moment is not None else timedelta()

    def dst(self, _moment: datetime | None) -> None:
        return None

    def tzname(self, _moment: datetime | None) -> None:
        return None

    def _find_offset(self, wall: datetime) -> timedelta:
        latest: tuple[datetime, _Observance] | None = None
        for observance in self._observances:
            # Onsets are told on the clock before the change; in the hour that is skipped the old offset still counts.
            gap = max(timedelta(), observance.since - observance.before)
            onset = observance.last_onset(wall - gap)
            if onset is not None and (latest is None or onset > latest[0]):
                latest = onset, observance
        if latest is None:
            return min(self._observances, key=lambda observance: observance.start).before
        return latest[1].since

    def likely_zone(self, preferred: tuple[ZoneInfo, ...], year: int) -> ZoneInfo | None:
        """Return an IANA zone whose clocks show the same in this year: a preferred one, or one where many live."""
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
    if read is None or int(read[2]) > 18 or int(read[3]) > 59:
        return None
    size = timedelta(hours=int(read[2]), minutes=int(read[3]))
    return -size if read[1] == "-" else size


def _read_wall(text: str, *, utc_offset: timedelta = timedelta()) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=None) + utc_offset if read.tzinfo else read
    except (ValueError, OverflowError):
        return None
