"""Pairs of versions that are one event, or only look like it: real titles and hours, edited as other sites copy them.

Everything that is not in the data (venues, organisers' pages, the edits) is made up here, the same each time.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from scrapers import EventDraft, Organizer, Venue

Half = Literal["dev", "test"]  # of the groups and conferences: rules are made on one, and measured on the other
EVENTS = 3000  # of the city, each a copy or a rival
CONFERENCES = 1500
NATURAL = 3000  # real events of two groups at one moment

CITY, COUNTRY, ZONE, LAT, LON = "Nashville", "US", ZoneInfo("America/Chicago"), 36.1627, -86.7816
AWAY = Venue(city="Memphis", country="US", lat=35.1495, lon=-90.0490)
HOUSES = (
    "Union Hall", "Public Library", "Riverside Community Center", "The Annex", "Old Mill Theater", "Makers Garage",
    "Corner Coffee House", "St. Mary's Church", "Station Brewery", "North Park Pavilion", "City Gallery", "Hub 21",
)  # fmt: skip
# Two lists of each, so that no rule is made for what it is measured on.
GENERIC: dict[Half, tuple[str, ...]] = {
    "dev": (
        "Monthly meeting", "Happy hour", "Book club discussion", "Movie night", "Weekly hike", "Morning walk",
        "Trivia night", "Social hour", "Yoga in the park", "Lunch & learn", "Weekly group run", "Study group",
    ),
    "test": (
        "Board meeting", "Coffee and conversation", "Game night", "Potluck dinner", "Open house", "Networking lunch",
        "New members meet and greet", "Planning session", "Brunch", "Open mic night", "Holiday party", "Book discussion",
    ),
}  # fmt: skip
LEVELS: dict[Half, tuple[tuple[str, str], ...]] = {
    "dev": (("for beginners", "for the advanced"), ("Part 1", "Part 2"), ("Room A", "Room B"), ("5K", "10K")),
    "test": (("Level 1", "Level 3"), ("morning group", "second group"), ("Track 1", "Track 2"), ("women", "men")),
}


@dataclass(frozen=True, slots=True)
class Pair:
    a: EventDraft
    b: EventDraft
    is_one: bool
    kind: str  # what was edited, or what makes it a rival


def pairs(folder: Path, half: Half) -> list[Pair]:
    """Return the labelled pairs of one half."""
    rng = random.Random(f"merging {half}")  # noqa: S311 (a sample, no secret)
    city = _city(folder, half, rng)
    sample = rng.sample(city, min(EVENTS, len(city)))
    conferences = _conferences(folder, half, rng)
    made = [
        # Every second one has a copy elsewhere, the others a rival.
        _copy(event, rng) if rng.random() < 0.5 else _rival(event, Others(events, GENERIC[half], LEVELS[half]), rng)
        for events in (sample, rng.sample(conferences, min(CONFERENCES, len(conferences))))
        for event in events
    ]
    return made + list(_natural(city, rng))


@dataclass(frozen=True, slots=True)
class Others:
    """What rivals are made of."""

    events: Sequence[EventDraft]
    generic: Sequence[str]  # titles that many groups use
    levels: Sequence[tuple[str, str]]  # what tells parallel sessions apart


def _is_in(half: Half, name: str) -> bool:
    return (hashlib.sha256(name.encode()).digest()[0] % 2 == 0) == (half == "dev")


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _city(folder: Path, half: Half, rng: random.Random) -> list[EventDraft]:
    groups = {row["group_id"]: row for row in _rows(folder / "nashville_groups.csv.gz")}
    homes = {group: _house(rng) for group in groups}  # most groups meet at one place
    return [
        EventDraft(
            uid=row["event_id"],
            title=row["name"],
            starts_at=datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).astimezone(ZONE),
            zone=ZONE.key,
            mode="in_person",
            url=f"https://groups.example/{groups[row['group_id']]['group_urlname']}/events/{row['event_id']}/",
            venue=homes[row["group_id"]] if rng.random() < 0.8 else _house(rng),
            organizer=Organizer(groups[row["group_id"]]["group_name"]),
            description="Come as you are, we begin on time. " * rng.randint(1, 9),
        )
        for row in _rows(folder / "nashville_events.csv.gz")
        if row["name"].strip() and row["group_id"] in groups and _is_in(half, row["group_id"])
    ]


def _house(rng: random.Random) -> Venue:
    number = rng.randrange(400)
    name = HOUSES[number % len(HOUSES)] + (f" {number // len(HOUSES)}" if number >= len(HOUSES) else "")
    place = random.Random(number)  # noqa: S311 (one house stands in one place)
    lat, lon = LAT + place.uniform(-0.15, 0.15), LON + place.uniform(-0.15, 0.15)
    return Venue(name, f"{number + 10} Main Street", CITY, COUNTRY, round(lat, 5), round(lon, 5))


def _conferences(folder: Path, half: Half, rng: random.Random) -> list[EventDraft]:
    return [
        EventDraft(
            uid=f"{row['name']} {row['startDate']}",
            title=row["name"],
            starts_at=datetime.fromisoformat(row["startDate"]).replace(tzinfo=UTC),
            all_day=True,
            mode="online" if row["online"] == "True" else "unknown",
            url=row["url"] or None,
            venue=Venue(city=row["city"], country=row["country"]) if row["city"] else None,
            description="Talks and workshops. " * rng.randint(0, 5),
        )
        for row in _rows(folder / "tech_conferences.csv.gz")
        if re.fullmatch(r"\d{4}-\d\d-\d\d", row["startDate"]) and row["name"] and _is_in(half, row["name"])
    ]


# Copies


def _copy(event: EventDraft, rng: random.Random) -> Pair:
    """Return an event and its copy on another site, with one to four edits, beside a uid and an address of its own."""
    edits = [edit for edit in EDITS if not (edit is _as_whole_day and event.all_day)]
    edits = [edit for edit in edits if not (edit is _with_an_hour and not event.all_day)]
    chosen = rng.sample(edits, rng.randint(1, 4))
    copy = event
    for edit in chosen:
        copy = edit(copy, rng)
    kind = "+".join(sorted(edit.__name__.strip("_") for edit in chosen))
    return Pair(event, replace(copy, uid=f"copy of {event.uid}"), is_one=True, kind=kind)


def _other_zone(event: EventDraft, rng: random.Random) -> EventDraft:
    if event.all_day:
        return event
    zone = rng.choice(("UTC", "America/New_York", "Europe/London"))
    return replace(event, starts_at=event.starts_at.astimezone(ZoneInfo(zone)), zone=zone)


def _shortened_title(event: EventDraft, rng: random.Random) -> EventDraft:
    head = re.split(r"\s+[-–|(]\s*|:\s", event.title)[0].strip()
    if head != event.title and len(head.split()) > 1:
        return replace(event, title=head)
    words = event.title.split()
    if len(words) < 5:
        return event
    return replace(event, title=" ".join(words[: -rng.randint(1, 2)]) + "…")


def _other_letters(event: EventDraft, rng: random.Random) -> EventDraft:
    change: Callable[[str], str] = rng.choice(
        (str.upper, str.title, lambda title: f"{title}!", lambda title: title.replace(" and ", " & "), _decorated)
    )
    return replace(event, title=change(event.title))


def _decorated(title: str) -> str:
    return f"★ {title} ★"


def _title_with_its_group(event: EventDraft, rng: random.Random) -> EventDraft:
    name = event.organizer.name if event.organizer else None
    if not name:
        return event
    return replace(event, title=f"{name}: {event.title}" if rng.random() < 0.5 else f"{event.title} - {name}")


def _other_venue_spelling(event: EventDraft, rng: random.Random) -> EventDraft:
    venue = event.venue
    if venue is None or venue.name is None:
        return event
    name = rng.choice((venue.name.upper(), f"The {venue.name}", f"{venue.name}, Nashville", venue.name))
    name = name.replace("Center", "Centre").replace("Theater", "Theatre")
    shift = rng.uniform(-0.002, 0.002)  # about 200 m: geocoders differ
    is_found = rng.random() < 0.6 and venue.lat is not None and venue.lon is not None
    lat, lon = ((venue.lat or 0) + shift, (venue.lon or 0) + shift) if is_found else (None, None)
    return replace(event, venue=Venue(name, None, venue.city, venue.country, lat, lon))


def _without_venue(event: EventDraft, _: random.Random) -> EventDraft:
    return replace(event, venue=Venue(city=event.venue.city, country=event.venue.country) if event.venue else None)


def _without_description(event: EventDraft, _: random.Random) -> EventDraft:
    return replace(event, description="")


def _without_url(event: EventDraft, _: random.Random) -> EventDraft:
    return replace(event, url=None)


def _own_url(event: EventDraft, rng: random.Random) -> EventDraft:
    return replace(event, url=f"https://whatson.example/{rng.randrange(10**6)}")


def _tracked_url(event: EventDraft, _: random.Random) -> EventDraft:
    return replace(event, url=f"{event.url}?utm_source=whatson&utm_medium=feed" if event.url else None)


def _without_organizer(event: EventDraft, _: random.Random) -> EventDraft:
    return replace(event, organizer=None)


def _as_whole_day(event: EventDraft, _: random.Random) -> EventDraft:
    midnight = datetime.combine(event.starts_at.date(), time(), event.starts_at.tzinfo)
    return replace(event, starts_at=midnight, all_day=True)


def _with_an_hour(event: EventDraft, rng: random.Random) -> EventDraft:
    return replace(event, starts_at=event.starts_at.replace(hour=rng.choice((8, 9, 10))), all_day=False)


EDITS = (
    _other_zone, _shortened_title, _other_letters, _title_with_its_group, _other_venue_spelling, _without_venue,
    _without_description, _without_url, _own_url, _tracked_url, _without_organizer, _as_whole_day, _with_an_hour,
)  # fmt: skip


# Rivals


def _rival(event: EventDraft, others: Others, rng: random.Random) -> Pair:
    """Return two events that only look like one."""
    rival: Callable[[EventDraft, Others, random.Random], tuple[EventDraft, EventDraft]] = rng.choice(
        (_other_day, _other_hour, _parallel_session, _generic_title, _other_town, _other_talk)
    )
    a, b = rival(event, others, rng)
    if rng.random() < 0.5:
        b = rng.choice((_other_zone, _without_description, _other_letters, _other_venue_spelling))(b, rng)
    if rng.random() < 0.5:
        b = rng.choice((_own_url, _without_url))(b, rng)
    return Pair(a, replace(b, uid=f"rival of {event.uid}"), is_one=False, kind=rival.__name__.strip("_"))


def _other_day(event: EventDraft, _: Others, rng: random.Random) -> tuple[EventDraft, EventDraft]:
    later = event.starts_at + timedelta(days=rng.choice((1, 2, 7, 14, 28)))
    return event, replace(event, starts_at=later)


def _other_hour(event: EventDraft, _: Others, rng: random.Random) -> tuple[EventDraft, EventDraft]:
    evening = replace(event, all_day=False)
    return evening, replace(evening, starts_at=evening.starts_at + timedelta(hours=rng.choice((1, 2, 4))))


def _parallel_session(event: EventDraft, others: Others, rng: random.Random) -> tuple[EventDraft, EventDraft]:
    one, other = rng.choice(others.levels)
    a, b = (replace(event, title=f"{event.title} - {level}") for level in (one, other))
    return a, replace(b, url=f"{event.url}-2" if event.url else None)


def _generic_title(event: EventDraft, others: Others, rng: random.Random) -> tuple[EventDraft, EventDraft]:
    title, other = rng.choice(others.generic), rng.choice(others.events)
    same = replace(other, starts_at=event.starts_at, zone=event.zone, all_day=event.all_day, title=title)
    if rng.random() < 0.5:
        same = _without_venue(same, rng)
    if other.organizer == event.organizer:
        same = replace(same, organizer=Organizer("Another group"), venue=_house(rng), url=None)
    return replace(event, title=title), same


def _other_town(event: EventDraft, _: Others, __: random.Random) -> tuple[EventDraft, EventDraft]:
    name = event.organizer.name if event.organizer else event.title
    there = replace(event, venue=AWAY, url="https://groups.example/memphis/1", organizer=Organizer(f"{name} Memphis"))
    return event, replace(there, mode="in_person")


def _other_talk(event: EventDraft, others: Others, rng: random.Random) -> tuple[EventDraft, EventDraft]:
    other = next(one for one in iter(lambda: rng.choice(others.events), None) if one.title != event.title)
    return event, replace(event, title=other.title, url=other.url, description=other.description)


def _natural(events: Sequence[EventDraft], rng: random.Random) -> Iterator[Pair]:
    """Yield real events of two groups at one moment. Those of one title are left out: groups do share events."""
    by_start: dict[datetime, list[EventDraft]] = defaultdict(list)
    for event in events:
        by_start[event.starts_at].append(event)
    crowded = [group for group in by_start.values() if len(group) > 1]
    for _ in range(NATURAL if crowded else 0):
        a, b = rng.sample(rng.choice(crowded), 2)
        if a.organizer != b.organizer and a.title.casefold() != b.title.casefold():
            yield Pair(a, b, is_one=False, kind="natural")
