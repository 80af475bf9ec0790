"""Step 2, reading: the only place where floating times, dates and odd zone names get a zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import dateparser  # type: ignore[import-untyped]
import tzfpy
from dateutil import parser as dateutil_parser

from scrapers.zone_names import resolve_zone

LONGEST_DATE = 100  # dateparser takes seconds for a page of digits
LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "pt"]  # without a list dateparser loads every locale it has

_DATE_ONLY = re.compile(r"\d{4}-\d\d-\d\d|\d{8}")
_MAIL_DATE = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:GMT|[+-]\d{4})", re.ASCII)
_ISO_START = re.compile(r"\d{4}-?\d\d-?\d\d(?:$|[T ]\d)")
_WORTH_PARSING = re.compile(r"\d.*(?:[-/.,]|[^\W\d_]{3})|[^\W\d_]{3}.*\d")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_BRACKETED = re.compile(r"\s*\([^()]*\)\s*$")
_GMT_SIGN = re.compile(r"\b(?:GMT|UTC)\s*(?=[+-]\d)")
_CLOCK = re.compile(r"\d\s*:\s*\d\d|\d\s*(?:[ap]\.?m\b|uhr\b|h\b|h\d\d)|T\d\d", re.IGNORECASE)
_NUMERIC_DATE = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,? +(\d{1,2}):(\d\d)(?::00)?(?: *([ap])\.?m\.?)?)?", re.ASCII | re.IGNORECASE
)
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4}")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?!\d)")


@dataclass(frozen=True, slots=True)
class When:
    at: datetime  # aware; midnight in its zone where only a day was told
    all_day: bool = False


def localize(wall: datetime, zone: tzinfo) -> datetime:
    """Return the instant at which clocks in `zone` show `wall`, as a time that these clocks do show.

    In the hour that a clock change repeats it is the first pass; in the hour that it skips, the offset before the
    change counts (PEP 495 fold=0, RFC 5545 §3.3.5), so 02:30 becomes 03:30.
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC).astimezone(zone)


def clock_zone(at: datetime, zone: ZoneInfo) -> ZoneInfo:
    """Return a zone whose clocks show the hour as it was written; UTC is taken for a notation, not for a place."""
    offset = at.utcoffset()
    if not offset or offset == at.astimezone(zone).utcoffset():
        return zone
    return resolve_zone(at.strftime("%z")) or zone


def zone_at(lat: float | None, lon: float | None) -> ZoneInfo | None:
    """Return the zone whose clocks people read at a position in degrees, or None where no position is told."""
    return None if lat is None or lon is None else resolve_zone(tzfpy.get_tz(lon, lat))


def parse_when(text: str, *, zone: tzinfo) -> When | None:
    """Return the moment that a text names completely (day, month and year), or None; it never looks at the clock.

    A time without an offset is one in `zone`. Dates like 05/03/2026 put the month first where `zone` is American or
    says nothing (UTC), the day first elsewhere; behind a year the month comes first everywhere.
    """
    text = _YEAR_FIRST.sub(lambda found: f"{found[1]}-{found[3]:0>2}-{found[4]:0>2}", text.strip(), count=1)
    if not 8 <= len(text) <= LONGEST_DATE:
        return None
    return (
        _parse_iso(text, zone)
        or _parse_mail_date(text, zone)
        or _parse_numeric(text, zone)
        or _parse_written(text, zone)
    )


def _parse_iso(text: str, zone: tzinfo) -> When | None:
    if not _ISO_START.match(text):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _when(read, zone, all_day=_DATE_ONLY.fullmatch(text) is not None)


def _parse_mail_date(text: str, zone: tzinfo) -> When | None:
    """Read what RSS and HTTP write (RFC 5322 §3.3), thirty times as fast as dateutil does."""
    if not _MAIL_DATE.fullmatch(text):
        return None
    try:
        return _when(parsedate_to_datetime(text), zone, all_day=False)
    except ValueError:
        return None


def _parse_numeric(text: str, zone: tzinfo) -> When | None:
    """Read "3/5/2026 6:30 PM", which forms and tables write, thirty times as fast as dateutil does."""
    found = _NUMERIC_DATE.fullmatch(text)
    if found is None:
        return None
    first, second, year, hour, minute, half = found.groups()
    month, day = (second, first) if _puts_day_first(text, zone) else (first, second)
    if half and not 1 <= int(hour) <= 12:
        return None
    hours = int(hour or 0) % 12 + 12 * (half.casefold() == "p") if half else int(hour or 0)
    try:
        read = datetime(int(year), int(month), int(day), hours, int(minute or 0))  # noqa: DTZ001 (wall time)
    except ValueError:
        return None
    return _when(read, zone, all_day=hour is None)


def _parse_written(text: str, zone: tzinfo) -> When | None:
    if not text.isascii() and any(char.isdigit() and not char.isascii() for char in text):
        return None  # int() reads Arabic digits, the libraries' tables of months do not
    if not _WORTH_PARSING.search(text):
        return None
    text = _ORDINAL.sub("", _GMT_SIGN.sub("", _BRACKETED.sub("", text)))
    year_first = _YEAR_FIRST.search(text)
    if year_first and int(year_first[3]) > 12:
        return None  # dateutil would take it for a day
    day_first = year_first is None and _puts_day_first(text, zone)
    all_day = _CLOCK.search(text) is None
    read = _dateutil(text, day_first=day_first) or _dateparser(text, day_first=day_first)
    return _when(read, zone, all_day=all_day) if read else None


def _dateutil(text: str, *, day_first: bool) -> datetime | None:
    """Read with two different defaults: what differs was not in the text, and half a date is none."""
    found: list[datetime] = []
    for default in (datetime(2000, 1, 1), datetime(2001, 2, 2)):  # noqa: DTZ001 (only fills gaps)
        try:
            found.append(dateutil_parser.parse(text, default=default, dayfirst=day_first, tzinfos=_named_zone))
        except (ValueError, OverflowError):
            return None
    return found[0] if found[0] == found[1] else None


def _named_zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset)) if abs(offset) < 86_400 else None
    return resolve_zone(name) if name else None


def _dateparser(text: str, *, day_first: bool) -> datetime | None:
    read: datetime | None = dateparser.parse(
        text,
        languages=LANGUAGES,
        settings={
            "PARSERS": ["absolute-time"],  # "in three days" would ask the clock
            "REQUIRE_PARTS": ["day", "month", "year"],
            "RELATIVE_BASE": datetime(2000, 1, 1),  # noqa: DTZ001 (only fills gaps)
            "DATE_ORDER": "DMY" if day_first else "MDY",
        },
    )
    return read


def _puts_day_first(text: str, zone: tzinfo) -> bool:
    numeric = _NUMERIC.search(text)
    if numeric is None or numeric[2] != "/":
        return True
    key = zone.key if isinstance(zone, ZoneInfo) else "UTC"
    return not (key in ("UTC", "Pacific/Honolulu") or key.startswith(("America/", "US/", "Etc/")))


def _when(read: datetime, zone: tzinfo, *, all_day: bool) -> When | None:
    try:
        if all_day:
            midnight = read.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            return When(localize(midnight, zone), all_day=True)
        return When(read if read.tzinfo else localize(read, zone))
    except OverflowError:  # 31 December 9999 in the far West is no instant that Python knows
        return None
