"""Step 2, calendars: entries of one UID become occurrences: rules, dates, overrides (RFC 5545 §3.8.4.4, §3.8.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from heapq import merge
from itertools import islice, repeat
from operator import attrgetter, itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scrapers.content_lines import Component, Property
from scrapers.draft import Series, Window
from scrapers.recurrence import EmptyRule, RejectedRule, Rule, judge, occurrences, parse_rule
from scrapers.stamps import BadStamp, Stamp, ZoneLookup, basic, read_stamps, read_value, shown_in
from scrapers.vcalendar import as_rrule

MOST_OCCURRENCES = 1_000  # of one series in one window: daily for more than two years
MOST_RULES = 10  # of one event
LONGEST_SHIFT = timedelta(days=366)  # of THISANDFUTURE; what moves further is another series
LAST_YEAR = 9998  # the one after it is the last that Python knows, and has no room for offsets
_MARGIN = timedelta(days=2)  # wall time and UTC are never further apart

Report = Callable[[str, str, str], None]  # code, subject, message


@dataclass(frozen=True, slots=True)
class Setting:
    """What a calendar says for all of its entries."""

    floating: ZoneInfo  # where floating times and days belong
    zone_named: ZoneLookup
    header: Callable[[Component], str]  # writes the lines and zones of the calendar that a component depends on
    is_cancelled: bool = False  # by its METHOD


@dataclass(slots=True)
class Entry:
    """A VEVENT, read as far as its identity and its time."""

    uid: str
    component: Component
    lines: dict[str, list[Property]]  # of its identity and its time
    setting: Setting
    start: Stamp
    at: datetime  # the start in UTC
    replaces: Stamp | None = None  # RECURRENCE-ID
    warnings: list[str] = field(default_factory=list)

    @property
    def zone(self) -> tzinfo:
        return self.start.zone or self.setting.floating

    def all(self, name: str) -> list[Property]:
        return self.lines.get(name, [])

    def first(self, name: str) -> Property | None:
        found = self.lines.get(name)
        return found[0] if found else None


class Occurrence(NamedTuple):
    at: datetime  # UTC
    wall: datetime  # what the clock of the entry's zone shows
    entry: Entry
    recurrence_id: str = ""


by_start = attrgetter("at")


class _Shift(NamedTuple):
    """An override of one occurrence and all that follow (RANGE=THISANDFUTURE)."""

    since: str  # recurrence id
    by: timedelta
    entry: Entry


class _Moments(NamedTuple):
    """The set that a master's properties describe, not yet expanded."""

    rules: list[tuple[Rule, datetime | None]]  # with UNTIL in wall time
    counts_start: bool  # where no rule says otherwise, DTSTART is an occurrence
    excluding: list[tuple[Rule, datetime | None]]  # EXRULE (RFC 2445)
    extra: list[Stamp]
    excluded: frozenset[str]  # recurrence ids
    excluded_days: frozenset[str]

    @property
    def is_recurring(self) -> bool:
        return bool(self.rules or self.extra)


class Expansion(NamedTuple):
    occurrences: Iterator[Occurrence]  # inside the window, nearly by start
    is_recurring: bool
    horizon: datetime | None  # until when the definition itself says something; None: as far as it was expanded


def expand(
    group: Sequence[Entry], window: Window, report: Report, *, most_occurrences: int = MOST_OCCURRENCES
) -> Expansion:
    """Return what the entries of one UID say about the window."""
    masters = [entry for entry in group if entry.replaces is None]
    if not masters:  # a rule beside a RECURRENCE-ID that replaces nothing is still a rule
        masters = [entry for entry in group if "RRULE" in entry.lines]
    overrides = [entry for entry in group if entry.replaces is not None and entry not in masters]
    masters = _newest(masters) if len(masters) > 1 else masters
    moments = [_moments(master, report) for master in masters]
    is_recurring = any(each.is_recurring for each in moments)
    replaced, shifts = _overrides(overrides, masters[0] if masters else None) if overrides else ({}, [])
    for master, each in zip(masters, moments, strict=True):
        for key in (each.excluded | each.excluded_days) & replaced.keys():
            if _sequence(replaced[key].entry) < _sequence(master):  # moved once, then taken out
                del replaced[key]
    streams: list[Iterator[Occurrence]] = []
    if replaced:
        streams.append(iter(sorted((each for each in replaced.values() if each.at in window), key=by_start)))
    is_alone = len(group) == 1 and not is_recurring
    for master, each in zip(masters, moments, strict=True):
        found = _expand_master(master, each, window, shifts, replaced)
        limited = _limit(found, most_occurrences, master, report)
        streams.append((each._replace(recurrence_id="") for each in limited) if is_alone else limited)
    in_order = streams[0] if len(streams) == 1 else merge(*streams, key=by_start)
    endless = any(rule.is_endless for each in moments for rule, _ in each.rules)
    horizon = window.end if endless else max((entry.at for entry in group), default=None)
    return Expansion(in_order, is_recurring, horizon)


def _newest(masters: list[Entry]) -> list[Entry]:
    """Return them without the series that a later revision of the same start replaces (RFC 5546 §2.1.5)."""
    revisions: dict[datetime, int] = {}
    for master in masters:
        revisions[master.at] = max(revisions.get(master.at, 0), _sequence(master))
    return [each for each in masters if "RRULE" not in each.lines or _sequence(each) == revisions[each.at]]


def _limit(found: Iterator[Occurrence], most: int, master: Entry, report: Report) -> Iterator[Occurrence]:
    yield from islice(found, most)
    if next(found, None) is not None:
        report("too_many_occurrences", master.uid, f"only the first {most:,} occurrences were kept")


def _expand_master(
    master: Entry, moments: _Moments, window: Window, shifts: list[_Shift], replaced: dict[str, Occurrence]
) -> Iterator[Occurrence]:
    """Yield the master's occurrences in the window without those that an override or EXDATE takes out."""
    margin = _MARGIN + max(abs(shift.by) for shift in shifts) if shifts else _MARGIN
    after, before = _wall(window.start, -margin), _wall(window.end, margin)
    dropped = {
        basic(wall)
        for rule, until in moments.excluding
        for wall in _walls(rule, until, master, after=after, before=before)
    }
    is_date, excluded = master.start.is_date, moments.excluded.union(replaced)
    previous = None
    for wall, zone in _merged(master, moments, after=after, before=before):
        at = wall.replace(tzinfo=zone).astimezone(UTC)
        key = basic(wall.date()) if is_date else basic(at)
        if key == previous or key in excluded:
            continue
        if moments.excluded_days and basic(wall.date()) in moments.excluded_days:
            continue
        if dropped and basic(wall) in dropped:
            continue
        previous = key
        entry = master
        for shift in shifts:
            if key >= shift.since:
                entry = shift.entry
                moved = wall + shift.by
        if entry is not master:
            wall, at = moved, moved.replace(tzinfo=entry.zone).astimezone(UTC)  # noqa: PLW2901
        if at in window:
            yield Occurrence(at, wall, entry, key)


def _merged(
    master: Entry, moments: _Moments, *, after: datetime, before: datetime
) -> Iterator[tuple[datetime, tzinfo]]:
    """Return wall times with their zones, by wall time."""
    streams = [_walls(rule, until, master, after=after, before=before) for rule, until in moments.rules]
    extra = [(stamp.wall, stamp.zone or master.zone) for stamp in moments.extra]
    if moments.counts_start:
        extra.append((master.start.wall, master.zone))
    extra = sorted((each for each in extra if after <= each[0] < before), key=itemgetter(0))
    zoned = [zip(stream, repeat(master.zone)) for stream in streams]
    if len(zoned) == 1 and not extra:
        return zoned[0]
    return merge(*zoned, extra, key=itemgetter(0))


def _walls(
    rule: Rule, until: datetime | None, master: Entry, *, after: datetime, before: datetime
) -> Iterator[datetime]:
    return occurrences(rule, master.start.wall, until=until, after=after, before=before)


@lru_cache(maxsize=16)
def _wall(instant: datetime, margin: timedelta) -> datetime:
    try:
        return instant.astimezone(UTC).replace(tzinfo=None) + margin
    except OverflowError:
        return datetime.max if margin > timedelta() else datetime.min  # noqa: DTZ901 (wall time)


def _moments(master: Entry, report: Report) -> _Moments:
    rules, are_empty = _rules(master, "RRULE", report)
    extra = _listed(master, "RDATE", "bad_rdate", report)
    excluded, days = [], []
    for stamp in _listed(master, "EXDATE", "bad_exdate", report):
        if stamp.is_date or master.start.is_date:
            days.append(basic(_day_in(stamp, master).date()))
        else:
            excluded.append(basic(stamp.instant(master.zone)))
    excluding, _ = _rules(master, "EXRULE", report)
    return _Moments(rules, not rules and not are_empty, excluding, extra, frozenset(excluded), frozenset(days))


def _day_in(stamp: Stamp, master: Entry) -> datetime:
    """Return the local day that an exclusion means; a UTC time means the day that it falls on at home."""
    return stamp.wall if stamp.zone is not UTC else shown_in(stamp.instant(UTC), master.setting.floating)


def _rules(master: Entry, name: str, report: Report) -> tuple[list[tuple[Rule, datetime | None]], bool]:
    """Return the rules that can be followed, and whether one of the others ends before anything happens."""
    found = []
    is_empty = False
    for prop in master.all(name)[:MOST_RULES]:
        try:
            rule = parse_rule(as_rrule(prop.bare, master.start.wall))
            if master.start.is_date:
                rule = rule.on_whole_days()
            until = _until(rule, master)
            judge(rule, master.start.wall, until=until)
        except EmptyRule as empty:
            report("never_happens", master.uid, f"{name}:{prop.bare[:100]} – {empty}")
            is_empty = True
        except (RejectedRule, BadStamp) as refusal:
            report("rrule_rejected", master.uid, f"{name}:{prop.bare[:100]} – {refusal}")
            master.warnings.append("rrule_rejected")
        else:
            found.append((rule, until))
    return found, is_empty


def _until(rule: Rule, master: Entry) -> datetime | None:
    """Return the last wall time; an instant becomes what the master's clocks show then."""
    if rule.until is None:
        return None
    stamp = read_value(rule.until, zone=None)
    if stamp.is_date:
        return stamp.wall  # midnight, also for an event at seven: libical, ical.js and recurring-ical-events agree
    if stamp.zone is None:
        return stamp.wall
    if master.start.is_date:
        return stamp.wall
    offset = stamp.wall.replace(tzinfo=master.zone).utcoffset() or timedelta()
    return stamp.wall + offset if stamp.wall.year < LAST_YEAR else stamp.wall


def _listed(master: Entry, name: str, code: str, report: Report) -> list[Stamp]:
    found: list[Stamp] = []
    for prop in master.all(name):
        stamps, broken = read_stamps(prop, master.setting.zone_named)
        found += stamps
        for text in broken:
            report(code, master.uid, f"{name} holds {text[:40]!r}, which is no date")
            master.warnings.append(code)
    return found


def _overrides(entries: Iterable[Entry], master: Entry | None) -> tuple[dict[str, Occurrence], list[_Shift]]:
    """Return the replaced occurrences by recurrence id (the highest SEQUENCE wins), and the shifts by their begin."""
    replaced: dict[str, Occurrence] = {}
    shifts: list[_Shift] = []
    for entry in sorted(entries, key=_sequence):
        assert entry.replaces is not None
        key = _key(entry.replaces, master or entry)
        replaced[key] = Occurrence(entry.at, entry.start.wall, entry, key)
        prop = entry.first("RECURRENCE-ID")
        if master is not None and prop is not None and (prop.parameter("RANGE") or "").upper() == "THISANDFUTURE":
            by = entry.start.wall - _wall_in(entry.replaces, master)
            if abs(by) < LONGEST_SHIFT:
                shifts.append(_Shift(key, by, entry))
    return replaced, sorted(shifts, key=lambda shift: shift.since)


def _sequence(entry: Entry) -> int:
    prop = entry.first("SEQUENCE")
    text = prop.bare if prop else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _key(replaces: Stamp, master: Entry) -> str:
    if master.start.is_date:
        return basic(replaces.wall.date())
    if replaces.is_date:  # some write the day of an occurrence that has a time
        replaces = Stamp(datetime.combine(replaces.wall, master.start.wall.time()), None, is_date=False)
    return basic(replaces.instant(master.zone))


def _wall_in(replaces: Stamp, master: Entry) -> datetime:
    if replaces.is_date and not master.start.is_date:
        return datetime.combine(replaces.wall, master.start.wall.time())
    if replaces.zone is None or replaces.zone == master.zone or not isinstance(master.zone, ZoneInfo):
        return replaces.wall
    return shown_in(replaces.instant(master.zone), master.zone).replace(tzinfo=None)


def define(group: Sequence[Entry], wanted: frozenset[str]) -> Series:
    """Return the series as a calendar of its own, with its UID, the properties that are wanted, and no others."""
    headers = [entry.setting.header(entry.component) for entry in group]
    calendars = [
        "\nBEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Adjacent//series//EN"
        + header
        + "".join(
            f"\nBEGIN:VEVENT\nUID:{entry.uid}{entry.component.write(wanted)}\nEND:VEVENT"
            for entry, own in zip(group, headers, strict=True)
            if own == header
        )
        + "\nEND:VCALENDAR"
        for header in dict.fromkeys(headers)
    ]
    lines = "".join(calendars).split("\n")[1:]
    definition = "\r\n".join([line if len(line) < 19 else _fold(line) for line in lines]) + "\r\n"
    octets = definition.encode(errors="replace")
    return Series(group[0].uid, hashlib.sha256(octets).hexdigest(), octets)


def _fold(line: str) -> str:
    """Fold so that no line is longer than 75 octets even if every character takes four (RFC 5545 §3.1)."""
    if len(line) <= 75 and line.isascii():
        return line
    size = 74 if line.isascii() else 18
    return "\r\n ".join(line[start : start + size] for start in range(0, len(line), size))
