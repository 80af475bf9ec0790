"""How fast a calendar is read for the first time, beside icalendar's parser alone: `python benchmarks/read_calendar.py`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar

from scrapers.draft import Window
from scrapers.ical import read_calendar

EVENTS = 10_000
WORDS = "Some words about the evening\\, told at length\\; who speaks and what comes after. "


def calendar(events: int) -> bytes:
    """Return a calendar of about a kilobyte an event, spread over four years, every tenth of them weekly."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "X-WR-TIMEZONE:Europe/Berlin"]
    for number in range(events):
        day = f"{2024 + number % 4}{number % 12 + 1:02}{number % 28 + 1:02}"
        description = f"DESCRIPTION:{WORDS * 9}"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{number}@bench.example",
            "DTSTAMP:20260101T000000Z",
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


def main() -> None:
    body = calendar(EVENTS)
    window = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC))
    own, theirs = [], []
    for _ in range(3):  # alternating, so that a busy machine slows both
        begun = time.process_time()
        reading = read_calendar(body, url="https://bench.example/", window=window, zone=ZoneInfo("UTC"))
        own.append(time.process_time() - begun)
        begun = time.process_time()
        Calendar.from_ical(body)
        theirs.append(time.process_time() - begun)
    print(f"{EVENTS:,} events, {len(body) / 1e6:.1f} MB; {len(reading.events):,} occurrences in the window")
    print(f"read_calendar       {EVENTS / min(own):>9,.0f} events/s (bytes to drafts, series expanded)")
    print(f"icalendar.from_ical {EVENTS / min(theirs):>9,.0f} events/s (bytes to components only)")
    print(f"ratio               {min(theirs) / min(own):>9.1f}")


if __name__ == "__main__":
    main()
