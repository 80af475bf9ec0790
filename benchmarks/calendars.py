"""How fast a calendar is read, beside icalendar's parser alone, and how much memory that takes.

icalendar gives components with untyped properties there; ours are typed events with their series expanded.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from icalendar import Calendar

from benchmarks.measure import YEAR, Row, megabytes, seconds, table
from scrapers import Reading, stable_digest
from scrapers.content_lines import components, decode
from scrapers.ical import read_calendar

EVENTS = 10_000
SOME = 2_000  # where every allocation is watched
WORDS = "Some words about the evening\\, told at length\\; who speaks and what comes after. "
BERLIN = ZoneInfo("Europe/Berlin")


def calendar(events: int, *, years: int = 4, stamp: str = "20260101T000000Z") -> bytes:
    """Return a calendar of about a kilobyte an event, spread over some years from 2024 on, every tenth of them weekly.

    One year of it is 2026.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "X-WR-TIMEZONE:Europe/Berlin"]
    for number in range(events):
        year = 2024 + number % years if years > 1 else 2026
        day = f"{year}{number % 12 + 1:02}{number % 28 + 1:02}"
        description = f"DESCRIPTION:{WORDS * 9}"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{number}@bench.example",
            f"DTSTAMP:{stamp}",
            f"DTSTART;TZID=Europe/Berlin:{day}T190000",
            f"DTEND;TZID=Europe/Berlin:{day}T213000",
            f"SUMMARY:Evening number {number}",
            "\r\n ".join(description[start : start + 73] for start in range(0, len(description), 73)),
            f"LOCATION:Hall {number}\\, Street 1\\, 10115 Berlin\\, Germany",
            f"URL:https://bench.example/{number}",
            "STATUS:CONFIRMED",
            "CATEGORIES:Talks,Evenings",
            *(["RRULE:FREQ=WEEKLY;COUNT=20"] if number % 10 == 0 else []),
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def read(body: bytes) -> Reading:
    return read_calendar(body, url="https://bench.example/", window=YEAR, zone=BERLIN)


def rows() -> Iterator[Row]:
    gc.set_threshold(100_000)  # as reading processes have it, for both
    body, dense = calendar(EVENTS), calendar(EVENTS, years=1)
    size = f"{EVENTS:,} events, {len(body) / 1e6:.0f} MB"
    library, own, digest, split, whole_year = seconds(
        lambda: Calendar.from_ical(body),
        lambda: read(body),
        lambda: stable_digest(body),
        lambda: components(decode(body)),
        lambda: read(dense),
    )
    assert stable_digest(body) == stable_digest(calendar(EVENTS, stamp="20260102T030405Z"))
    beside = f"icalendar.from_ical {EVENTS / library:,.0f} events/s"
    yield Row(
        f"first read: {size}, four years, {len(read(body).events):,} occurrences in the window",
        f"{EVENTS / own:,.0f} events/s",
        beside,
        f"{library / own:.1f}×",
    )
    yield Row(
        f"first read: the same in one year, {len(read(dense).events):,} occurrences",
        f"{EVENTS / whole_year:,.0f} events/s",
        beside,
        f"{library / whole_year:.1f}×",
    )
    yield Row(
        f"again, only the stamps renewed: {size}",
        f"{digest * 1000:.0f} ms",
        f"first read {own * 1000:.0f} ms",
        f"{own / digest:.0f}×",
    )
    yield Row(
        "the part of a first read that a change in one event repeats in any case (unfolding, splitting)",
        f"{split * 1000:.0f} ms",
        f"first read {own * 1000:.0f} ms",
        f"{split / own:.0%}",
    )
    small = calendar(SOME)
    read(small)  # zones and patterns are loaded once
    ours, theirs = megabytes(lambda: read(small)), megabytes(lambda: Calendar.from_ical(small))
    yield Row(
        f"memory of a first read: {SOME:,} events, {len(small) / 1e6:.0f} MB",
        f"{ours:.1f} MB",
        f"icalendar.from_ical {theirs:.1f} MB",
        f"{ours / theirs:.2f}",
    )


if __name__ == "__main__":
    print(table(rows()))
