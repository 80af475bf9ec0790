"""The vocabulary of collecting: what was fetched, what was read out of it, and what was wrong with it.

An event's journey starts here: a `Page` comes in from the world, a `Reading` of `EventDraft`s goes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

Status = Literal["confirmed", "tentative", "cancelled", "postponed", "rescheduled", "moved_online"]
"""iCalendar's STATUS (RFC 5545 §3.8.1.11) joined with schema.org's eventStatus; a cancelled occurrence stays."""

Mode = Literal["in_person", "online", "hybrid", "unknown"]
"""schema.org eventAttendanceMode; `unknown` where the source gives no evidence either way."""


class Unreadable(Exception):  # noqa: N818 (the public contract names it)
    """Nothing can be made of these bytes. `code` is a stable word for machines, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[Unreadable], tuple[str, str]]:
        return Unreadable, (self.code, self.message)  # it crosses a process boundary


@dataclass(frozen=True, slots=True)
class Page:
    """One complete answer of a web server, decoded and within its limits, as `scrapers.fetch` hands it on."""

    url: str  # where the answer came from, after redirects
    body: bytes
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None  # set when every hop was permanent (301, 308): the source's new address


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open span [start, end) of aware instants in which occurrences are wanted."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs aware datetimes, e.g. datetime(2026, 12, 1, tzinfo=UTC)")
        if self.end < self.start:
            raise ValueError(f"the window ends ({self.end.isoformat()}) before it starts ({self.start.isoformat()})")

    @classmethod
    def ahead(cls, now: datetime, *, days: int = 365, back: int = 1) -> Window:
        """Return the window collecting uses: from `back` days before `now` to `days` after it."""
        return cls(now - timedelta(days=back), now + timedelta(days=days))

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True)
class Venue:
    name: str | None = None
    address: str | None = None
    city: str | None = None
    country: str | None = None
    lat: float | None = None  # degrees, WGS 84
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class Organizer:
    name: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class CommunityDraft:
    """A group, association or chat as its own file tells it (docs/communities.md)."""

    key: str  # its file's name; the uids of its events are KEY/0, KEY/1 …
    name: str
    kind: str
    url: str
    description: str = ""
    topics: tuple[str, ...] = ()  # labels, as told
    city: str | None = None
    country: str | None = None
    lat: float | None = None
    lon: float | None = None
    is_online: bool = False
    language: str | None = None  # BCP 47
    channel: str | None = None  # "#hashtag", a channel's name
    join_steps: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    code_of_conduct: str | None = None  # its address
    cost: str | None = None
    openness: str = "everyone"  # everyone, on request, members
    purpose: str = "exchange"  # learn, exchange, social, recruit, sell
    rhythm: str | None = None  # RFC 5545 RRULE
    seen_in: str | None = None  # public source that names it


@dataclass(frozen=True, slots=True)
class EventDraft:
    """One occurrence as one source tells it; nothing is known yet of other sources or of people.

    Text holds no control characters but newline and tab; links are absolute http(s). Naive times are refused.
    """

    uid: str
    title: str
    starts_at: datetime
    recurrence_id: str = ""  # RFC 5545 RECURRENCE-ID as UTC basic format (or a bare date); "" for a single event
    ends_at: datetime | None = None
    zone: str = "UTC"  # IANA name: the zone in which people read the clock there
    all_day: bool = False
    status: Status = "confirmed"
    mode: Mode = "unknown"
    url: str | None = None
    online_url: str | None = None
    venue: Venue | None = None
    organizer: Organizer | None = None
    categories: tuple[str, ...] = ()
    language: str | None = None  # BCP 47
    price: str | None = None  # as told: "0", "12 EUR", "free"
    description: str = ""  # plain text
    source: str = ""  # address it was read from
    warnings: tuple[str, ...] = ()  # codes of what was repaired in this event

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or (self.ends_at is not None and self.ends_at.tzinfo is None):
            raise ValueError(f"event {self.uid!r}: starts_at and ends_at must be aware datetimes")

    @property
    def key(self) -> tuple[str, str]:
        """What names an occurrence within its source, whenever it is read."""
        return self.uid, self.recurrence_id


@dataclass(frozen=True, slots=True)
class Problem:
    """What was repaired or left out: a stable code, the event or line it is about, a sentence for people."""

    code: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring event as its source wrote it, to be expanded again when the window has moved on.

    `definition` is a complete calendar of its own (time zones, master and overrides of one UID), so that
    `read_here(definition, window=…)` gives its occurrences without asking the source again.
    """

    uid: str
    digest: str  # SHA-256 hex of the definition without DTSTAMP
    definition: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was made of one page."""

    events: tuple[EventDraft, ...] = ()  # occurrences that start inside the window, by start
    problems: tuple[Problem, ...] = ()
    series: tuple[Series, ...] = ()  # recurring events only
    kind: str = ""  # the reader that knew it: "icalendar", "jsonld", "conferences", …
    name: str | None = None  # what the calendar or page calls itself
    description: str | None = None
    organizer: Organizer | None = None  # who is behind the whole page, where it says so
    zone: str | None = None  # the calendar's own zone, where it names one
    last_start: datetime | None = None  # last start listed, inside the window or not
    listed: int = 0  # events on the page before the window was applied; 0 is a valid empty calendar
    communities: tuple[CommunityDraft, ...] = ()  # of community files only


def as_json(draft: EventDraft) -> dict[str, Any]:
    """Return the draft as JSON knows it: RFC 3339 times with offset, lists, nested venue and organizer."""
    return {
        "uid": draft.uid,
        "recurrence_id": draft.recurrence_id or None,
        "title": draft.title,
        "starts_at": draft.starts_at.isoformat(),
        "ends_at": draft.ends_at.isoformat() if draft.ends_at else None,
        "zone": draft.zone,
        "all_day": draft.all_day,
        "status": draft.status,
        "mode": draft.mode,
        "url": draft.url,
        "online_url": draft.online_url,
        "venue": asdict(draft.venue) if draft.venue else None,
        "organizer": asdict(draft.organizer) if draft.organizer else None,
        "categories": list(draft.categories),
        "language": draft.language,
        "price": draft.price,
        "description": draft.description,
        "source": draft.source,
        "warnings": list(draft.warnings),
    }


def from_json(data: Mapping[str, Any]) -> EventDraft:
    """Return the draft that `as_json` made this of."""
    zone = ZoneInfo(data["zone"])
    return EventDraft(
        **{
            **data,
            "recurrence_id": data["recurrence_id"] or "",
            "starts_at": datetime.fromisoformat(data["starts_at"]).astimezone(zone),
            "ends_at": datetime.fromisoformat(data["ends_at"]).astimezone(zone) if data["ends_at"] else None,
            "venue": Venue(**data["venue"]) if data["venue"] else None,
            "organizer": Organizer(**data["organizer"]) if data["organizer"] else None,
            "categories": tuple(data["categories"]),
            "warnings": tuple(data["warnings"]),
        }
    )
