"""Step 2, reading: a calendar's bytes become EventDrafts; what is broken costs one event, not the calendar."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from heapq import merge
from itertools import islice
from zoneinfo import ZoneInfo

from scrapers.content_lines import Component, components, decode, looks_like_calendar, unescape
from scrapers.details import DETAIL_LINES, LONGEST_TEXT, Details, first_prose
from scrapers.draft import EventDraft, Organizer, Problem, Reading, Series, Unreadable, Window
from scrapers.series import (
    LAST_YEAR,
    MOST_OCCURRENCES,
    Entry,
    Occurrence,
    Setting,
    by_start,
    define,
    expand,
)
from scrapers.stamps import BadStamp, basic, read_stamp
from scrapers.text import clean_url, one_line
from scrapers.vcalendar import home_zone
from scrapers.vtimezone import read_zone
from scrapers.zone_names import resolve_zone

__all__ = ["looks_like_calendar", "read_calendar"]

MOST_EVENTS = 10_000  # of one source in one window; twice as many take more than 2 s on a busy machine
MOST_PROBLEMS = 20  # told one by one, of each kind
LONGEST_UID = 255

_CALENDAR_LINES = frozenset(
    [
        "DAYLIGHT",
        "DESCRIPTION",
        "METHOD",
        "NAME",
        "TIMEZONE-ID",
        "TZ",
        "URL",
        "X-ORIGINAL-URL",
        "X-WR-CALDESC",
        "X-WR-CALNAME",
        "X-WR-TIMEZONE",
    ]
)
_IDENTITY_LINES = frozenset(["UID", "DTSTART", "RECURRENCE-ID", "SEQUENCE", "RRULE", "RDATE", "EXDATE", "EXRULE"])
_RECURRENCE_LINES = frozenset(["RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"])
_SERIES_LINES = (_IDENTITY_LINES | DETAIL_LINES) - {"UID"}  # the UID is written anew


class _Problems:
    """Collects problems, so that one mistake made ten thousand times is told twenty times and then counted."""

    def __init__(self) -> None:
        self._told: list[Problem] = []
        self._count: Counter[str] = Counter()

    def report(self, code: str, subject: str | Component, message: str) -> None:
        self._count[code] += 1
        if self._count[code] <= MOST_PROBLEMS:
            named = subject if isinstance(subject, str) else _subject(subject)
            self._told.append(Problem(code, one_line(named[:200]), one_line(message)))

    def all(self) -> tuple[Problem, ...]:
        more = (
            Problem(code, "", f"the same of {count - MOST_PROBLEMS} more")
            for code, count in self._count.items()
            if count > MOST_PROBLEMS
        )
        return (*self._told, *more)


class _Calendar:
    """What a VCALENDAR says for all of its events."""

    def __init__(self, component: Component, home: ZoneInfo, problems: _Problems) -> None:
        self.component = component
        self.lines = component.lines(_CALENDAR_LINES)
        named = self.text("X-WR-TIMEZONE") or self.text("TIMEZONE-ID")
        self.own_zone = resolve_zone(named) if named else self._vcalendar_zone(home)
        is_cancelled = self.text("METHOD").upper() == "CANCEL"
        self.setting = Setting(self.own_zone or home, self.zone_named, self.header, is_cancelled)
        self._parts = {
            _zone_name(found["TZID"][0].bare): part
            for part in component.inside
            if part.name == "VTIMEZONE" and "TZID" in (found := part.lines(("TZID",)))
        }
        self._own_zones = {name: part for name, part in self._parts.items() if resolve_zone(name) is None}
        self._common_header = component.write(("X-WR-TIMEZONE", "TIMEZONE-ID", "METHOD", "TZ", "DAYLIGHT"))
        self._zones: dict[str, tzinfo | None] = {}
        self._problems = problems

    def text(self, *names: str) -> str:
        """Return the first of these properties that says something, on one line."""
        texts = (one_line(prop.text[:LONGEST_TEXT]) for name in names for prop in self.lines.get(name, []))
        return next(filter(None, texts), "")

    def _vcalendar_zone(self, home: ZoneInfo) -> ZoneInfo | None:
        offset, daylight = self.text("TZ"), self.lines.get("DAYLIGHT", [])
        return home_zone(offset, [prop.bare for prop in daylight], home) if offset else None

    def zone_named(self, name: str) -> tzinfo | None:
        if name not in self._zones:
            self._zones[name] = zone = self._find_zone(name)
            if zone is None:
                self._problems.report(
                    "unknown_zone", name, f"nothing tells what TZID={name[:80]} means; read as local time"
                )
        return self._zones[name]

    def _find_zone(self, name: str) -> tzinfo | None:
        if zone := resolve_zone(name):
            return zone
        part = self._parts.get(_zone_name(name))
        if part is None:
            return None
        place = part.lines(("X-LIC-LOCATION",)).get("X-LIC-LOCATION")
        return (resolve_zone(place[0].bare) if place else None) or read_zone(part)

    def header(self, component: Component) -> str:
        """Return what a series of this calendar needs besides itself."""
        if not self._own_zones:
            return self._common_header
        text = component.text.replace("\\,", ",")
        named = (part for name, part in self._own_zones.items() if name in text)
        return self._common_header + "".join(map(_written, named))


def _zone_name(text: str) -> str:
    """Return what a TZID says, escaped as a value or quoted as a parameter."""
    return unescape(text).strip(' "')


def _written(component: Component) -> str:
    inside = "".join(map(_written, component.inside))
    return f"\nBEGIN:{component.name}{component.text}{inside}\nEND:{component.name}"


def read_calendar(
    body: bytes,
    *,
    url: str,
    window: Window,
    zone: ZoneInfo,
    most_events: int = MOST_EVENTS,
    most_occurrences: int = MOST_OCCURRENCES,
) -> Reading:
    """Return the events of a calendar that start in the window; raises Unreadable where there is none.

    `zone` is that of floating times and whole days where the calendar names none. Whatever is wrong with an event
    becomes a Problem; a calendar without events is a good Reading with `listed` 0. `most_events` counts those of all
    events in the window, `most_occurrences` those of one series.
    """
    found = components(decode(body))
    parts = [part for part in found if part.name == "VCALENDAR"]
    if loose := [part for part in found if part.name == "VEVENT"]:
        parts.append(Component("VCALENDAR", inside=loose))
    if not parts:
        raise Unreadable("no_calendar", f"{url}: no BEGIN:VCALENDAR in {len(body)} bytes")
    problems = _Problems()
    calendars = [_Calendar(part, zone, problems) for part in parts]
    window = Window(_within_the_calendar(window.start), _within_the_calendar(window.end))
    if body.rstrip()[-40:].upper().find(b"END:VCALENDAR") < 0 and b"\0" not in body[:4]:
        problems.report("truncated", url, "the calendar does not end with END:VCALENDAR")
    entries = [entry for calendar in calendars for entry in _entries(calendar, problems)]
    occurrences, series, last_start = _expand_all(entries, window, problems, most_events + 1, most_occurrences)
    drafts = list(_drafts(occurrences[:most_events], url, problems))
    if len(occurrences) > most_events:
        problems.report("too_many_events", "", f"only the first {most_events:,} events of the window were kept")
        last_start = drafts[-1].starts_at.astimezone(UTC)
    first = calendars[0]
    home = next((calendar.own_zone for calendar in calendars if calendar.own_zone), None)
    return Reading(
        events=tuple(drafts),
        problems=problems.all(),
        series=tuple(series),
        kind="icalendar",
        name=first.text("X-WR-CALNAME", "NAME") or None,
        description=first_prose(first.lines, "X-WR-CALDESC", "DESCRIPTION") or None,
        organizer=_publisher(first),
        zone=home.key if home else None,
        last_start=last_start,
        listed=len(entries),
    )


def _within_the_calendar(instant: datetime) -> datetime:
    """Return the instant, moved to where every zone has a date for it."""
    return min(max(instant, datetime(2, 1, 1, tzinfo=UTC)), datetime(LAST_YEAR, 1, 1, tzinfo=UTC))


def _publisher(calendar: _Calendar) -> Organizer | None:
    link = clean_url(calendar.text("X-ORIGINAL-URL", "URL"))
    return Organizer(calendar.text("X-WR-CALNAME", "NAME") or None, link) if link else None


def _entries(calendar: _Calendar, problems: _Problems) -> Iterator[Entry]:
    setting = calendar.setting
    for component in calendar.component.inside:
        if component.name != "VEVENT":
            continue
        lines = component.lines(_IDENTITY_LINES)
        if "DTSTART" not in lines:
            problems.report("no_start", component, "an event without DTSTART was left out")
            continue
        try:
            start = read_stamp(lines["DTSTART"][0], setting.zone_named)
            replaces = read_stamp(lines["RECURRENCE-ID"][0], setting.zone_named) if "RECURRENCE-ID" in lines else None
        except BadStamp as bad:
            problems.report("bad_start", component, f"{bad}; the event was left out")
            continue
        uid = one_line(lines["UID"][0].bare) if "UID" in lines else ""
        if not 0 < len(uid) <= LONGEST_UID:
            uid = _made_up_uid(component)
        yield Entry(uid, component, lines, setting, start, start.instant(setting.floating), replaces)


def _subject(component: Component) -> str:
    """Return what a problem with an event calls it: its UID, or else its title."""
    lines = component.lines(("UID", "SUMMARY"))
    return next((lines[name][0].value[:80] for name in ("UID", "SUMMARY") if name in lines), "")


def _made_up_uid(component: Component) -> str:
    lines = component.lines(("UID", "DTSTART", "SUMMARY"))
    told = [lines[name][0].value.strip() for name in ("UID", "DTSTART", "SUMMARY") if name in lines]
    return hashlib.sha256("\n".join(told).encode(errors="replace")).hexdigest()[:32]


def _expand_all(
    entries: list[Entry], window: Window, problems: _Problems, most_events: int, most_occurrences: int
) -> tuple[list[Occurrence], list[Series], datetime | None]:
    """Return the first occurrences in the window, the series, and the last start told of."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.uid, []).append(entry)
    single: list[Occurrence] = []
    streams: list[Iterable[Occurrence]] = []
    series: list[Series] = []
    last: datetime | None = None
    for group in groups.values():
        if any(not _RECURRENCE_LINES.isdisjoint(entry.lines) for entry in group):
            expansion = expand(group, window, problems.report, most_occurrences=most_occurrences)
            streams.append(expansion.occurrences)
            if expansion.is_recurring:
                series.append(define(group, _SERIES_LINES))
            horizon = expansion.horizon
        else:
            single += _told_once(group, window)
            horizon = max(entry.at for entry in group)
        if horizon and (last is None or horizon > last):
            last = horizon
    single.sort(key=by_start)
    kept = list(islice(merge(single, *streams, key=by_start), most_events))
    if kept and (last is None or kept[-1].at > last):
        last = kept[-1].at
    return kept, series, last


def _told_once(group: list[Entry], window: Window) -> list[Occurrence]:
    """Return those entries in the window, which do not recur; what shares a UID is told apart by its start."""
    return [
        Occurrence(entry.at, entry.start.wall, entry, _start_id(entry) if len(group) > 1 else "")
        for entry in group
        if entry.at in window
    ]


def _start_id(entry: Entry) -> str:
    return basic(entry.start.wall.date()) if entry.start.is_date else basic(entry.at)


def _drafts(occurrences: list[Occurrence], url: str, problems: _Problems) -> Iterator[EventDraft]:
    seen: dict[tuple[str, str], int] = {}
    parts: dict[int, Details] = {}
    for occurrence in sorted(occurrences, key=by_start):
        details = parts.get(id(occurrence.entry))
        if details is None:
            details = parts[id(occurrence.entry)] = Details(occurrence.entry, url, problems.report)
        key = (occurrence.entry.uid, occurrence.recurrence_id)
        seen[key] = twin = seen.get(key, 0) + 1  # some writers give one UID to all events of a day
        yield details.draft(occurrence, twin=twin)
