"""Step 2, platforms: what one tells of an event becomes a draft here: zones, ends, days, modes, prices and recurrence.

A reader finds the events of a document and says of each what it tells, as a `Told`; `reading_of` does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from scrapers.draft import EventDraft, Mode, Organizer, Problem, Reading, Status, Venue, Window
from scrapers.graph import literal
from scrapers.listing import listing, stable_hash
from scrapers.locations import is_online_in_words, meeting_url, mode_of
from scrapers.sites.recurring import Recurring, expand
from scrapers.text import clean_url, prose
from scrapers.times import When, clock_zone, localize, parse_when
from scrapers.titles import status_in
from scrapers.venue_zones import zone_of
from scrapers.zone_names import resolve_zone

MOST_CATEGORIES = 20
MOST_PROBLEMS = 20  # told one by one
LONGEST_UID = 255
_MILLISECONDS = 100_000_000_000  # as seconds this is the year 5138, as milliseconds 1973
_LAST_MINUTE = time(23, 59)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a payload says of one event, in its own words.

    Texts of time may be written any way `parse_when` knows; numbers are seconds or milliseconds since 1970.
    """

    uid: str  # stays the same when the event is moved; "" where the platform has none
    title: str
    start: str | float | None
    end: str | float | None = None
    length: timedelta | None = None  # where no end is told
    zone: str = ""  # as the platform names it
    is_all_day: bool = False
    is_end_exclusive: bool = False  # of all-day events: the last day told is the day after
    status: Status = "confirmed"
    mode: Mode | None = None  # None: as venue and is_online tell
    is_online: bool = False
    url: str = ""
    online_url: str = ""
    venue: Venue | None = None
    organizer: Organizer | None = None
    categories: Iterable[str] = ()
    language: str = ""
    price: str = ""
    description: str = ""  # HTML or plain
    recurrence: tuple[str, ...] = ()  # RFC 5545 lines: "RRULE:FREQ=WEEKLY"


@dataclass(frozen=True, slots=True)
class Here:
    """Where and when a document is read."""

    url: str
    window: Window
    zone: ZoneInfo

    @property
    def host(self) -> str:
        return (urlsplit(self.url).hostname or "").removeprefix("www.")


def reading_of(
    told: Iterable[Told], here: Here, *, kind: str, problems: Iterable[Problem] = (), name: str = ""
) -> Reading:
    """Return the Reading of these events; of those without a date, problems."""
    drafts: list[EventDraft] = []
    recurring: list[Recurring] = []
    noted = list(problems)
    undated = 0
    for number, each in enumerate(told, start=1):
        draft = _draft(each, here)
        if draft is None:
            undated += 1
            if undated <= MOST_PROBLEMS:
                noted.append(Problem("no_start", each.title or f"event {number}", _undated(each)))
        elif each.recurrence:
            recurring.append(Recurring(draft, each.recurrence))
        else:
            drafts.append(draft)
    if undated > MOST_PROBLEMS:
        noted.append(Problem("no_start", kind, f"the same of {undated - MOST_PROBLEMS} more"))
    series = expand(recurring, here.url, here.window, here.zone)
    reading = listing((*drafts, *series.events), kind=kind, window=here.window, problems=noted, name=name)
    starts = filter(None, (reading.last_start, series.last_start))
    return replace(
        reading,
        series=series.series,
        problems=(*reading.problems, *series.problems),
        listed=len(drafts) + len(recurring),
        last_start=max(starts, default=None),
    )


def venue_of(
    name: str = "",
    address: str = "",
    *,
    city: str = "",
    country: str = "",
    lat: float | None = None,
    lon: float | None = None,
) -> Venue | None:
    """Return the venue, if there is more of it than a position; 0, 0 is where forms left empty lie."""
    is_placed = lat is not None and lon is not None and abs(lat) <= 90 and abs(lon) <= 180 and (lat or lon)
    venue = Venue(
        name=name or None,
        address=address or None,
        city=city or None,
        country=country or None,
        lat=lat if is_placed else None,
        lon=lon if is_placed else None,
    )
    return venue if venue != Venue() else None


def address_of(*parts: str) -> str:
    """Return the parts that say something, each once, as one line."""
    told = (part.strip(" ,") for part in parts)
    return ", ".join(dict.fromkeys(part for part in told if part))


def organizer_of(name: str, url: str = "", base: str = "") -> Organizer | None:
    link = clean_url(url, base) if url else None
    if "@" in name and " " not in name:
        name = ""  # somebody's mail
    return Organizer(name or None, link) if name or link else None


def price_of(*amounts: str, currency: str = "", is_free: bool = False) -> str:
    """Return "free", "12 EUR" or "10–25 EUR"."""
    told = [amount.removesuffix(".00").removesuffix(".0") for amount in amounts if amount]
    if is_free or (told and all(amount in ("0", "0.0") for amount in told)):
        return "free"
    return f"{'–'.join(dict.fromkeys(told))} {currency}".strip() if told else ""


def _draft(told: Told, here: Here) -> EventDraft | None:
    zone = _zone(told, here)
    start = _when(told.start, zone)
    if start is None:
        return None
    here_zone = clock_zone(start.at, zone)
    all_day = told.is_all_day or start.all_day
    starts_at = start.at.astimezone(here_zone)
    if all_day:
        starts_at = localize(datetime.combine(starts_at.date(), time()), here_zone)
    ends_at, warnings = _end(told, starts_at, here_zone, all_day=all_day)
    link = clean_url(told.url, here.url) if told.url else None
    title, description = literal(told.title), prose(told.description)
    online_url = clean_url(told.online_url, here.url) if told.online_url else None
    venue = told.venue
    is_online = told.is_online or online_url is not None
    if venue is not None and is_online_in_words(venue.name or ""):
        venue, is_online = None, True  # a field for the place that has to be filled
    if is_online and online_url is None:
        online_url = meeting_url(description)
    return EventDraft(
        uid=_uid(told, link, starts_at),
        title=title or "Untitled event",
        starts_at=starts_at,
        ends_at=ends_at,
        zone=here_zone.key,
        all_day=all_day,
        status=told.status if told.status != "confirmed" else status_in(title),
        mode=told.mode or mode_of(venue, is_online=is_online),
        url=link,
        online_url=online_url,
        venue=venue,
        organizer=told.organizer,
        categories=tuple(dict.fromkeys(filter(None, told.categories)))[:MOST_CATEGORIES],
        language=told.language or None,
        price=told.price or None,
        description=description,
        source=here.url,
        warnings=(*warnings, *(() if title else ("no_title",))),
    )


def _zone(told: Told, here: Here) -> ZoneInfo:
    return resolve_zone(told.zone) or zone_of(told.venue, here.zone)


def _when(value: str | float | None, zone: ZoneInfo) -> When | None:
    if isinstance(value, str):
        return parse_when(value, zone=zone)
    if value is None:
        return None
    seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
    if not 0 < seconds < 32_503_680_000:  # the year 3000
        return None
    return When(datetime.fromtimestamp(seconds, UTC).replace(microsecond=0))


def _end(told: Told, starts_at: datetime, zone: ZoneInfo, *, all_day: bool) -> tuple[datetime | None, tuple[str, ...]]:
    when = _when(told.end, zone)
    if when is None:
        return (starts_at + told.length).astimezone(zone) if told.length and not all_day else None, ()
    end = when.at.astimezone(zone)
    if all_day or when.all_day:
        if when.all_day and not all_day and end.date() == starts_at.date():
            return None, ()
        # "Until the 3rd" and "until the 3rd, 23:59" mean the end of that day.
        is_last_day = not told.is_end_exclusive and (when.all_day or end.time() >= _LAST_MINUTE or told.is_all_day)
        last = end.date() + timedelta(days=1) if is_last_day or end.date() == starts_at.date() else end.date()
        end = localize(datetime.combine(last, time()), zone)
    if end <= starts_at:
        return None, (("end_before_start",) if end < starts_at else ())
    return end, ()


def _uid(told: Told, link: str | None, starts_at: datetime) -> str:
    if 0 < len(told.uid) <= LONGEST_UID:
        return told.uid
    if link and not told.uid:
        return f"{link}@{starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return stable_hash(told.uid or told.title.casefold(), starts_at.astimezone(UTC).isoformat())


def _undated(told: Told) -> str:
    if told.start is None or told.start == "":
        return "it has no start; left out"
    return f"{str(told.start)[:100]!r} is no date; left out"
