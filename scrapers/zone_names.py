"""Step 2, reading: the names that calendars, mail programs and people give to time zones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

LONGEST_ZONE_NAME = 200  # a TZID of a megabyte is a file name too long for zoneinfo
# What Windows, Outlook and Rails call zones that are not named after a city, or after one that IANA does not list.
_SPOKEN_NAMES = {
    "alaska": "America/Anchorage",
    "aleutian islands": "America/Adak",
    "arizona": "America/Phoenix",
    "astana": "Asia/Almaty",
    "atlantic time (canada)": "America/Halifax",
    "baja california": "America/Tijuana",
    "bougainville island": "Pacific/Bougainville",
    "brasilia": "America/Sao_Paulo",
    "cabo verde is": "Atlantic/Cape_Verde",
    "cape verde is": "Atlantic/Cape_Verde",
    "central america": "America/Guatemala",
    "central time": "America/Chicago",
    "central time (us & canada)": "America/Chicago",
    "chatham islands": "Pacific/Chatham",
    "chetumal": "America/Cancun",
    "chokurdakh": "Asia/Srednekolymsk",
    "city of buenos aires": "America/Argentina/Buenos_Aires",
    "coordinated universal time": "UTC",
    "easter island": "Pacific/Easter",
    "eastern time": "America/New_York",
    "eastern time (us & canada)": "America/New_York",
    "ekaterinburg": "Asia/Yekaterinburg",
    "haiti": "America/Port-au-Prince",
    "hawaii": "Pacific/Honolulu",
    "indiana (east)": "America/Indiana/Indianapolis",
    "international date line west": "Etc/GMT+12",
    "jerusalem standard time": "Asia/Jerusalem",
    "kiritimati island": "Pacific/Kiritimati",
    "lord howe island": "Australia/Lord_Howe",
    "marquesas islands": "Pacific/Marquesas",
    "mitteleuropäische zeit": "Europe/Berlin",
    "monrovia": "Africa/Monrovia",
    "mountain time": "America/Denver",
    "mountain time (us & canada)": "America/Denver",
    "mumbai": "Asia/Kolkata",
    "new delhi": "Asia/Kolkata",
    "newfoundland": "America/St_Johns",
    "norfolk island": "Pacific/Norfolk",
    "nuku'alofa": "Pacific/Tongatapu",
    "pacific time": "America/Los_Angeles",
    "pacific time (us & canada)": "America/Los_Angeles",
    "port louis": "Indian/Mauritius",
    "saint pierre and miquelon": "America/Miquelon",
    "salvador": "America/Bahia",
    "samoa": "Pacific/Apia",
    "saskatchewan": "America/Regina",
    "solomon is": "Pacific/Guadalcanal",
    "sri jayawardenepura": "Asia/Colombo",
    "turks and caicos": "America/Grand_Turk",
    "west central africa": "Africa/Lagos",
    "yangon (rangoon)": "Asia/Yangon",
    "yukon": "America/Whitehorse",
}
# Abbreviations that people print beside a time; those of IANA (EST, MST, CET …) stay what IANA says, and those that
# several countries use (IST) say nothing.
_ABBREVIATIONS = {
    "z": "UTC",
    "acdt": "Australia/Adelaide",
    "acst": "Australia/Darwin",
    "aedt": "Australia/Sydney",
    "aest": "Australia/Brisbane",
    "awst": "Australia/Perth",
    "brt": "America/Sao_Paulo",
    "bst": "Europe/London",
    "cdt": "America/Chicago",
    "cest": "Europe/Berlin",
    "cst": "America/Chicago",
    "ct": "America/Chicago",
    "eat": "Africa/Nairobi",
    "edt": "America/New_York",
    "et": "America/New_York",
    "hkt": "Asia/Hong_Kong",
    "jst": "Asia/Tokyo",
    "kst": "Asia/Seoul",
    "mdt": "America/Denver",
    "mesz": "Europe/Berlin",
    "mez": "Europe/Berlin",
    "msk": "Europe/Moscow",
    "mt": "America/Denver",
    "nzdt": "Pacific/Auckland",
    "nzst": "Pacific/Auckland",
    "pdt": "America/Los_Angeles",
    "pst": "America/Los_Angeles",
    "pt": "America/Los_Angeles",
    "sast": "Africa/Johannesburg",
    "sgt": "Asia/Singapore",
    "wat": "Africa/Lagos",
}
# IANA's Etc zones know whole hours only; in each of these zones the clocks never change.
_BROKEN_HOURS = {
    "-09:30": "Pacific/Marquesas",
    "+03:30": "Asia/Tehran",
    "+04:30": "Asia/Kabul",
    "+05:30": "Asia/Kolkata",
    "+05:45": "Asia/Kathmandu",
    "+06:30": "Asia/Yangon",
    "+08:45": "Australia/Eucla",
    "+09:30": "Australia/Darwin",
}
_AREAS = frozenset(["Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"])
_DISPLAY = re.compile(r"\((?:utc|gmt)\s*([+-]\d{1,2})?[:.]?(\d{2})?\)\s*(.*)", re.IGNORECASE | re.DOTALL)
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d\d))?", re.IGNORECASE | re.ASCII)
_IANA_INSIDE = re.compile(r"[A-Za-z_-]+(?:/[A-Za-z0-9_+-]+)+")
_COUNTED = re.compile(r" \d$")  # Outlook's second copy: "Eastern Standard Time 1"


@lru_cache(maxsize=4096)
def resolve_zone(name: str) -> ZoneInfo | None:
    """Return the IANA zone that a calendar, a mail program or a person means by this name, or None.

    Understands IANA names in any case, names behind a prefix (`/mozilla.org/20050126_1/Europe/Berlin`), Windows
    names, their display form (`(UTC+01:00) Amsterdam, Berlin`), bare cities, common abbreviations and offsets.
    """
    if len(name) > LONGEST_ZONE_NAME:
        return None
    text = " ".join(name.replace("\\", "").strip(" \t\r\n\"'").split())
    if not text:
        return None
    key = next(_meanings(text), None)
    return ZoneInfo(key) if key else None


def _meanings(text: str) -> Iterator[str]:
    """Yield the IANA names that a name may mean, the likeliest first."""
    names = _iana_names()
    lowered = text.casefold()
    for candidate in (lowered, lowered.replace(" ", "_")):
        if candidate in names:
            yield names[candidate]
    if "://" in text and (last := lowered.rpartition("/")[2]) in names:
        yield names[last]  # tzone://Microsoft/Utc
    windows = _windows_names()
    season = _COUNTED.sub("", lowered.rpartition("/")[2])
    for candidate in (lowered, season, season.replace("daylight", "standard").replace("summer", "standard")):
        if candidate in windows:
            yield windows[candidate]
    if lowered in _ABBREVIATIONS:
        yield _ABBREVIATIONS[lowered]
    if offset := _OFFSET.fullmatch(text):
        yield from _fixed_zone(offset[1], int(offset[2]), int(offset[3] or 0))
    for path in _IANA_INSIDE.findall(text.replace(" ", "_")):
        parts = path.casefold().strip("_").split("/")
        for start in range(len(parts)):
            if (tail := "/".join(parts[start:])) in names:
                yield names[tail]
    yield from _spoken(text)


def _spoken(text: str) -> Iterator[str]:
    """Read `(UTC+01:00) Amsterdam, Berlin`, `Eastern Time (US & Canada)` or `Berlin`."""
    shown = _DISPLAY.fullmatch(text)
    hours, minutes, places = shown.groups() if shown else (None, None, text)
    cities = _cities()
    for place in (places, *re.split(r"\s*[,;/]\s*", places)):
        spoken = place.casefold().strip(" .")
        key = _SPOKEN_NAMES.get(spoken) or cities.get(spoken.replace(" ", "_").replace(".", ""))
        if key and (hours is None or _has_offset(key, int(hours), int(minutes or 0))):
            yield key
    if shown and not places:
        if hours is None:
            yield "UTC"
        else:
            yield from _fixed_zone(hours[0], abs(int(hours)), int(minutes or 0))


def _fixed_zone(sign: str, hours: int, minutes: int) -> Iterator[str]:
    if minutes:
        yield from filter(None, [_BROKEN_HOURS.get(f"{sign}{hours:02}:{minutes:02}")])
    elif hours == 0:
        yield "UTC"
    elif hours <= (14 if sign == "+" else 12):
        yield f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"  # POSIX counts westwards


def _has_offset(key: str, hours: int, minutes: int) -> bool:
    wanted = timedelta(hours=hours, minutes=minutes if hours >= 0 else -minutes)
    return any(datetime(2025, month, 1, tzinfo=ZoneInfo(key)).utcoffset() == wanted for month in (1, 7))


@cache
def _iana_names() -> dict[str, str]:
    names = (files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in names if name != "Factory"}


@cache
def _windows_names() -> dict[str, str]:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # noqa: PLC0415 (brings all of icalendar along)

    return {name.casefold(): key for name, key in WINDOWS_TO_OLSON.items()}


@cache
def _cities() -> dict[str, str]:
    keys = [key for key in _iana_names().values() if key.partition("/")[0] in _AREAS]
    return {key.rpartition("/")[2].casefold(): key for key in sorted(keys, key=lambda key: -key.count("/"))}
