"""Real calendars beside what libical, ical.js, node-ical and icalendar + recurring-ical-events agree on.

A calendar counts when its starts are the consensus, or when a property of the calendar explains why they are not: the
parsers disagree with each other, or with RFC 5545, on exactly these. As a program it writes the table of the others:

    ./run python tests/calendar_agreement.py --write docs/calendar-agreement.md
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.content_lines import components, decode
from scrapers.draft import EventDraft, Unreadable, Window
from scrapers.ical import read_calendar
from scrapers.recurrence import RejectedRule, parse_rule
from scrapers.zone_names import resolve_zone

SHARED = Path(__file__).parent.parent.parent / "shared"
UTC_ZONE = ZoneInfo("UTC")
HERE = "https://corpus.example/a.ics"
UNLIMITED = 1_000_000  # the reference knows no caps
MARGIN = timedelta(hours=25)  # days of other zones lie on the edge of the window
DATE_OR_TIME = re.compile(r"\d{8}(?:T\d{6}Z?)?")


def has(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda text: compiled.search(text) is not None


def has_zone_of_its_own(text: str) -> bool:
    """Tell whether a time names a zone that not every parser knows: Windows, prefixed, quoted, or only defined here."""
    names = re.findall(r"\n(?:DTSTART|RECURRENCE-ID|EXDATE|RDATE)[^:\n]*;TZID=([^:\n]+)", text)
    return any(not re.fullmatch(r"[A-Z][A-Za-z_]+/[A-Za-z_/-]+", name) for name in names)


def has_old_rules(text: str) -> bool:
    """Tell whether the calendar brings rules for a zone that IANA knows, perhaps better."""
    zones = [zone for calendar in components(text) for zone in calendar.inside if zone.name == "VTIMEZONE"]
    names = [zone.lines(("TZID",)).get("TZID") for zone in zones]
    return any(found and resolve_zone(found[0].bare) for found in names)


def has_broken_date_in_a_list(text: str) -> bool:
    lists = re.findall(r"\n(?:EXDATE|RDATE)(?:;[^:\n]*)?:(.*)", text)
    return any(not DATE_OR_TIME.fullmatch(part.partition("/")[0]) for line in lists for part in line.split(","))


def has_refused_rule(text: str) -> bool:
    """Tell whether a rule is no rule, or one that would never end (hostile/INDEX.md asks for a single event then)."""
    for rule in re.findall(r"\nRRULE[^:\n]*:(.*)", text):
        try:
            parse_rule(rule)
        except RejectedRule:
            return True
    return False


def shares_a_uid(text: str) -> bool:
    counts: Counter[str] = Counter()
    for calendar in components(text):
        for event in calendar.inside:
            lines = event.lines(("UID", "RECURRENCE-ID"))
            if event.name == "VEVENT" and "RECURRENCE-ID" not in lines:
                counts[lines["UID"][0].value if "UID" in lines else ""] += 1
    return any(count > 1 for count in counts.values())


def mixes_days_and_times(text: str) -> bool:
    """Tell whether EXDATE, RDATE or RECURRENCE-ID is a day where DTSTART is a time, or the other way round."""
    for calendar in components(text):
        kinds: dict[str, set[bool]] = {}
        for event in calendar.inside:
            lines = event.lines(("UID", "DTSTART", "EXDATE", "RDATE", "RECURRENCE-ID"))
            uid = lines["UID"][0].value if "UID" in lines else ""
            for name in ("DTSTART", "EXDATE", "RDATE", "RECURRENCE-ID"):
                for prop in lines.get(name, []):
                    kinds.setdefault(uid, set()).add("T" in prop.bare.upper())
        if any(len(found) > 1 for found in kinds.values()):
            return True
    return False


# Why parsers disagree, numbered as where they were first measured, and where some of them lose what can be read.
CAUSES: dict[str, Callable[[str], bool]] = {
    "start that is none": has(r"\nDTSTART[^\n]*:(?!\d{8}(?:T\d{6}Z?)?\n)"),
    "2 X-WR-TIMEZONE": has(r"\nX-WR-TIMEZONE"),
    "3 VTIMEZONE with an IANA name": has_old_rules,
    "4 zone that is no IANA name": has_zone_of_its_own,
    "5 one UID for several events": shares_a_uid,
    "7 broken date in a list": has_broken_date_in_a_list,
    "VALUE=DATE beside a time": has(r"\nDTSTART;[^\n]*VALUE=DATE:\d{8}T"),
    "9 days beside times": mixes_days_and_times,
    "RDATE as PERIOD": has(r"\nRDATE[^\n]*/"),
    "THISANDFUTURE": has(r"RANGE=THISANDFUTURE"),
    "rule by the clock": has(r"\nRRULE[^\n]*FREQ=(?:SECONDLY|MINUTELY|HOURLY)"),
    "rule that is none": has_refused_rule,
    "rule beside a RECURRENCE-ID": lambda text: has(r"\nRRULE")(text) and has(r"\nRECURRENCE-ID")(text),
    "BEGIN without END": lambda text: text.upper().count("\nBEGIN:VEVENT") != text.upper().count("\nEND:VEVENT\n"),
    "space behind a name": has(r"\nBEGIN:[A-Z]+[ \t]+\n"),
}


def cause_of(text: str, found: list[int], expected: list[int], window: tuple[int, int]) -> str | None:
    """Return why the starts differ, or None; the starts of rules whose DTSTART they do not give are looked at first."""
    differing = set(found) ^ set(expected)
    once = re.sub(r"\n(?:RRULE|RDATE)[^\n]*", "", text)
    if once != text and differing and differing <= set(starts_of(once.encode(), window)):
        return "1 DTSTART outside its rule"
    return next((cause for cause, applies in CAUSES.items() if applies(text)), None)


def told(draft: EventDraft) -> int:
    """Return the start as the reference counts it: a day is midnight UTC."""
    start = draft.starts_at.replace(tzinfo=UTC) if draft.all_day else draft.starts_at
    return int(start.timestamp())


def starts_of(body: bytes, window: tuple[int, int]) -> list[int]:
    begin, end = (datetime.fromtimestamp(second, UTC) for second in window)
    wide = Window(begin - MARGIN, end + MARGIN)
    try:
        reading = read_calendar(
            body, url=HERE, window=wide, zone=UTC_ZONE, most_events=UNLIMITED, most_occurrences=UNLIMITED
        )
    except Unreadable:
        return []
    return sorted(start for start in map(told, reading.events) if window[0] <= start < window[1])


@dataclass(frozen=True, slots=True)
class Compared:
    """One calendar: its starts here and in the consensus, and why they differ where they do."""

    name: str
    found: int
    expected: int
    is_equal: bool
    cause: str | None = None


def compare_all(shared: Path, *, step: int = 1) -> Iterator[Compared]:
    """Compare every `step`-th calendar that has a consensus."""
    reference: dict[str, Any] = json.loads((shared / "corpus" / "reference" / "ics.json").read_text(encoding="utf-8"))
    for name, told_ in sorted(reference.items())[::step]:
        if "consensus" not in told_:
            continue
        body = (shared / "corpus" / "ics" / name).read_bytes()
        window = (told_["window"][0], told_["window"][1])
        expected = sorted(start for start in told_["consensus"] if start < window[1])
        found = starts_of(body, window)
        cause = None if found == expected else cause_of(decode(body), found, expected, window)
        yield Compared(name, len(found), len(expected), found == expected, cause)


def table(compared: list[Compared]) -> str:
    """Return the page of those that differ."""
    equal = sum(one.is_equal for one in compared)
    others = [one for one in compared if not one.is_equal]
    explained = sum(one.cause is not None for one in others)
    lines = [
        "# Where calendars are read otherwise",
        "",
        f"Of {len(compared)} real calendars on which at least two of four independent parsers agree, {equal}",
        f"({equal / len(compared):.1%}) give exactly their starts; {explained} more ({(equal + explained) / len(compared):.1%} in all) differ where the",
        "calendar has a property on which parsers disagree with each other or with RFC 5545. Made by",
        "`./run python tests/calendar_agreement.py --write docs/calendar-agreement.md`; the causes are predicates over a",
        "calendar's text in that file, never its name.",
        "",
        "| calendar | starts here | consensus | property |",
        "|---|---|---|---|",
    ]
    lines += [f"| {one.name} | {one.found} | {one.expected} | {one.cause or '**not explained**'} |" for one in others]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--write", type=Path)
    chosen = arguments.parse_args()
    page = table(list(compare_all(SHARED)))
    if chosen.write is None:
        print(page)
    else:
        chosen.write.write_text(page, encoding="utf-8")
