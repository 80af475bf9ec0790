"""Step 2, calendars: what an entry says besides its time, read once for all of its occurrences."""

from __future__ import annotations

import html
import re
from datetime import UTC, time, timedelta
from zoneinfo import ZoneInfo

from scrapers.content_lines import Property
from scrapers.draft import EventDraft, Organizer, Status
from scrapers.locations import (
    first_url,
    is_online_in_words,
    meeting_url,
    mode_of,
    read_position,
    read_venue,
    tells_of_both_ways,
    without_online_part,
)
from scrapers.series import Entry, Occurrence, Report
from scrapers.stamps import BadStamp, read_duration, read_stamp
from scrapers.text import clean_url, one_line, prose
from scrapers.times import localize
from scrapers.titles import status_in
from scrapers.vtimezone import FileZone

LONGEST_EVENT = timedelta(days=366)
LONGEST_TITLE = 500
LONGEST_TEXT = 64 * 1024
MOST_CATEGORIES = 30

DETAIL_LINES = frozenset(
    [
        "CATEGORIES",
        "CONFERENCE",
        "DESCRIPTION",
        "DTEND",
        "DURATION",
        "GEO",
        "LOCATION",
        "ORGANIZER",
        "STATUS",
        "SUMMARY",
        "URL",
        "X-ALT-DESC",
        "X-APPLE-STRUCTURED-LOCATION",
        "X-COST",
        "X-GOOGLE-CONFERENCE",
        "X-MICROSOFT-CDO-ALLDAYEVENT",
        "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
        "X-MICROSOFT-SKYPETEAMSMEETINGURL",
        "X-PRICE",
        "X-TICKET-PRICE",
    ]
)
_MEETING_LINES = (
    "CONFERENCE",
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
)
_PRICE_LINES = ("X-COST", "X-PRICE", "X-TICKET-PRICE")
_STATUSES: dict[str, Status] = {
    "CANCELLED": "cancelled",
    "CANCELED": "cancelled",
    "POSTPONED": "postponed",
    "TENTATIVE": "tentative",
}
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d?);", re.IGNORECASE)


class Details:
    """What an entry says for all of its occurrences, read once."""

    def __init__(self, entry: Entry, url: str, report: Report) -> None:
        self.entry = entry
        self._lines = entry.component.lines(DETAIL_LINES)
        self._report = report
        self._warnings = list(dict.fromkeys(entry.warnings))
        self._zone = self._find_zone()
        self._days, self._length = self._find_length()
        self._may_be_outlook_day = self._bare("X-MICROSOFT-CDO-ALLDAYEVENT").upper() == "TRUE"
        location, is_online_too = without_online_part(self._text("LOCATION"))
        self._venue = read_venue(location, self._position())
        meeting = meeting_url(location) or self._meeting()
        self.title = self._text("SUMMARY", LONGEST_TITLE) or "Untitled"
        description = first_prose(self._lines, "DESCRIPTION") or first_prose(self._lines, "X-ALT-DESC")
        is_hybrid = self._venue is not None and (is_online_too or tells_of_both_ways(self.title, description))
        if meeting is None and (self._venue is None or is_hybrid):
            meeting = meeting_url(description)
        is_online = meeting is not None or is_hybrid or is_online_in_words(location)
        summary = self._first("SUMMARY")
        language = summary.parameter("LANGUAGE") if summary else None
        organizer = self._first("ORGANIZER")
        named = one_line(organizer.parameter("CN") or "") if organizer else ""
        self._common = {
            "title": self.title,
            "zone": self._zone.key,
            "status": self._status(),
            "mode": mode_of(self._venue, is_online=is_online),
            "url": self._url() or (None if meeting else first_url(location)),
            "online_url": meeting,
            "venue": self._venue,
            # A CN that is an address is somebody's mail, not a name.
            "organizer": Organizer(named, clean_url(organizer.bare))
            if organizer and named and "@" not in named
            else None,
            "categories": self._categories(),
            "language": language if language and len(language) <= 35 else None,
            "price": next(filter(None, (self._text(name, 60) for name in _PRICE_LINES if name in self._lines)), None),
            "description": description,
            "source": url,
            "warnings": tuple(self._warnings),
        }

    def draft(self, occurrence: Occurrence, *, twin: int) -> EventDraft:
        entry, wall = self.entry, occurrence.wall
        starts_at = occurrence.at.astimezone(self._zone)
        all_day = entry.start.is_date or (self._may_be_outlook_day and starts_at.time() == time())
        if entry.start.is_date:
            ends_at = localize(wall + timedelta(days=self._days), self._zone) if self._days else None
        else:
            ends_at = (occurrence.at + self._length).astimezone(self._zone) if self._length else None
        return EventDraft(
            uid=entry.uid if twin == 1 else f"{entry.uid}#{twin}",
            recurrence_id=occurrence.recurrence_id,
            starts_at=starts_at,
            ends_at=ends_at,
            all_day=all_day,
            **self._common,  # type: ignore[arg-type]
        )

    def _warn(self, code: str, message: str) -> None:
        self._warnings.append(code)
        self._report(code, self.entry.uid, message)

    def _first(self, name: str) -> Property | None:
        found = self._lines.get(name)
        return found[0] if found else None

    def _bare(self, name: str) -> str:
        prop = self._first(name)
        return prop.bare if prop else ""

    def _text(self, name: str, longest: int = LONGEST_TEXT) -> str:
        prop = self._first(name)
        if prop is None:
            return ""
        text = prop.up_to(4 * longest).text
        if "&" in text:
            text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
        return one_line(text)[:longest] if name != "LOCATION" else text[:longest]

    def _find_zone(self) -> ZoneInfo:
        zone, floating = self.entry.start.zone, self.entry.setting.floating
        if zone is UTC:  # a notation; some write it beside the zone that they mean
            named = self.entry.lines["DTSTART"][0].parameter("TZID")
            zone = self.entry.setting.zone_named(named) if named else None
        if zone is None or zone is UTC:
            return floating
        if isinstance(zone, FileZone):
            return zone.likely_zone((floating,), self.entry.start.wall.year) or floating
        return zone if isinstance(zone, ZoneInfo) else floating

    def _find_length(self) -> tuple[int, timedelta | None]:
        """Return whole days for an event of days, an exact length for one with a time."""
        length = self._told_length()
        if length is not None and length > LONGEST_EVENT:
            self._warn("end_dropped", f"an event of {length.days} days has lost its end")
            return 0, None
        if self.entry.start.is_date:
            return max(1, length.days if length else 1), None
        return 0, length or None

    def _told_length(self) -> timedelta | None:
        end, start = self._first("DTEND"), self.entry.start
        if end is not None and end.value:
            try:
                stamp = read_stamp(end, self.entry.setting.zone_named)
                if stamp.is_date and start.is_date:
                    length = stamp.wall - start.wall
                else:
                    length = stamp.instant(self.entry.zone) - self.entry.at
            except BadStamp as bad:
                self._warn("bad_end", f"DTEND: {bad}; the end was dropped")
                return None
            if length < timedelta():
                self._warn("end_before_start", f"DTEND {end.bare[:40]} lies before the start; the end was dropped")
                return None
            return length
        text = self._bare("DURATION")
        if not text:
            return None
        duration = read_duration(text)
        if duration is None:
            self._warn("bad_duration", f"DURATION:{text[:40]} is no length of an event; the end was dropped")
        return duration

    def _status(self) -> Status:
        told = _STATUSES.get(self._bare("STATUS").upper(), "confirmed")
        if self.entry.setting.is_cancelled or told == "cancelled":
            return "cancelled"
        shown = status_in(self.title)
        return told if shown == "confirmed" else shown

    def _url(self) -> str | None:
        written = self._bare("URL")
        return clean_url(html.unescape(written) if "&" in written else written) if written else None

    def _meeting(self) -> str | None:
        found = (prop for name in _MEETING_LINES if name in self._lines for prop in self._lines[name])
        return next(filter(None, (clean_url(prop.bare) for prop in found)), None)

    def _position(self) -> tuple[float, float] | None:
        told = self._bare("GEO")
        apple = self._bare("X-APPLE-STRUCTURED-LOCATION")
        return (read_position(told) if told else None) or (read_position(apple) if apple.startswith("geo:") else None)

    def _categories(self) -> tuple[str, ...]:
        found = (
            one_line(text) for prop in self._lines.get("CATEGORIES", []) for text in prop.up_to(LONGEST_TEXT).texts
        )
        return tuple(dict.fromkeys(filter(None, found)))[:MOST_CATEGORIES]


def first_prose(lines: dict[str, list[Property]], *names: str) -> str:
    """Return the first of these texts that says something, as plain text."""
    texts = (prose(prop.up_to(LONGEST_TEXT).text) for name in names for prop in lines.get(name, []))
    return next(filter(None, texts), "")
