"""Step 2, calendars: dates, times, periods and durations, as RFC 5545 §3.3 writes them, and as others do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from scrapers.content_lines import Property, read_parameters

_LENIENT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d))?(?:\.\d+)?(Z)?)?(?:\D.*)?", re.ASCII | re.IGNORECASE
)
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?",
    re.ASCII | re.IGNORECASE,
)

ZoneLookup = Callable[[str], tzinfo | None]


class BadStamp(ValueError):  # noqa: N818
    """Text that is no date or time; the message shows it."""


class Stamp(NamedTuple):
    wall: datetime  # naive; midnight for a date
    zone: tzinfo | None  # None: floating
    is_date: bool

    def instant(self, floating: tzinfo) -> datetime:
        """Return the moment in UTC; in the first and last hours that Python knows, the wall time as if it were UTC."""
        return shown_in(self.wall.replace(tzinfo=self.zone or floating), UTC)


def read_stamp(prop: Property, zone_named: ZoneLookup) -> Stamp:
    """Return the one time a property holds; raises BadStamp."""
    zone, is_date = _kind(prop, zone_named)
    return read_value(prop.bare, zone=zone, is_date=is_date)


def read_stamps(prop: Property, zone_named: ZoneLookup) -> tuple[list[Stamp], list[str]]:
    """Return the times of a list (RDATE, EXDATE; of a PERIOD its start), and the parts that are none."""
    zone, is_date = _kind(prop, zone_named)
    stamps, broken = [], []
    for text in dict.fromkeys(prop.bare.replace(";", ",").split(",")):  # vCalendar 1.0 has semicolons
        if not text.strip():
            continue
        try:
            stamps.append(read_value(text.partition("/")[0], zone=zone, is_date=is_date))
        except BadStamp:
            broken.append(text)
    return stamps, broken


def read_value(text: str, *, zone: tzinfo | None, is_date: bool = False) -> Stamp:
    text = text.strip()
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return _read_lenient(text, zone)
    # DATE without VALUE=DATE, VALUE=DATE at midnight; a TZID beside a date means nothing (RFC 5545 §3.2.19). Some write
    # VALUE=DATE beside a time that they do mean.
    if len(text) == 8 or (is_date and read == _midnight(read)):
        return Stamp(_midnight(read), None, is_date=True)
    if read.tzinfo is UTC:
        return Stamp(read.replace(tzinfo=None), UTC, is_date=False)
    if read.tzinfo is not None:
        return Stamp(read.astimezone(UTC).replace(tzinfo=None), UTC, is_date=False)
    if len(text) == 10:
        return Stamp(read, None, is_date=True)
    return Stamp(read, zone, is_date=False)


def _read_lenient(text: str, zone: tzinfo | None) -> Stamp:
    """Read what fromisoformat refuses: 24:00, a leap second, no separator, junk behind it."""
    read = _LENIENT.fullmatch(text)
    if read is None:
        raise BadStamp(f"{text[:40]!r} is no date")
    year, month, day, hour, minute, second, utc = read.groups()
    try:
        midnight = datetime(int(year), int(month), int(day))  # noqa: DTZ001 (wall time)
        if hour is None:
            return Stamp(midnight, None, is_date=True)
        if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 60:
            raise BadStamp(f"{text[:40]!r} is no time of day")
        wall = midnight + timedelta(hours=int(hour), minutes=int(minute), seconds=min(59, int(second or 0)))
    except (ValueError, OverflowError):
        raise BadStamp(f"{text[:40]!r} is no date") from None
    return Stamp(wall, UTC if utc else zone, is_date=False)


def read_duration(text: str) -> timedelta | None:
    """Return a DURATION, or None where it is none, negative, or longer than time."""
    read = _DURATION.fullmatch(text.strip())
    if read is None or read[1] == "-" or not any(read.groups()[1:]):
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in read.groups()[1:])
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def shown_in(moment: datetime, zone: tzinfo) -> datetime:
    """Return the same moment on the clocks of a zone; at the edges of the calendar the same wall time instead."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.replace(tzinfo=zone)


def basic(moment: date) -> str:
    """Return an instant in UTC as `20260305T183000Z`, a day as `20260305`."""
    written = moment.isoformat()[:19].replace("-", "").replace(":", "")
    return f"{written}Z" if isinstance(moment, datetime) else written


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def _kind(prop: Property, zone_named: ZoneLookup) -> tuple[tzinfo | None, bool]:
    """Return the zone that a property's parameters name, and whether they say that it holds days."""
    if not prop.parameters:
        return None, False
    named = read_parameters(prop.parameters)
    zone = zone_named(named["TZID"]) if named.get("TZID") else None
    return zone, named.get("VALUE", "").upper() == "DATE"
