"""Step 7 for calendars: events as iCalendar, written by icalendar, the same bytes until something changed.

RFC 5545 and 7986. No calendar-level UID (vdirsyncer keeps one event of a calendar that has one), no METHOD, no VALARM.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import icalendar
from icalendar.prop import vDuration

from app.models import Event, Feed
from app.queries import Listed
from recommender.catalogue import load_catalogue
from scrapers.text import clean_text

PRODID = "-//Adjacent//Events next door//EN"
REFRESH = timedelta(hours=6)
COLOUR = "teal"  # RFC 7986 §5.9: a CSS3 name
BACK = timedelta(days=30)  # how long past events stay
LONGEST_TEXT = 4000  # characters of a description; calendars are read on phones
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Cancelled = Literal["keep", "drop", "prefix"]
STATUSES = {"cancelled": "CANCELLED", "tentative": "TENTATIVE", "postponed": "TENTATIVE"}


def header(name: str, description: str = "") -> icalendar.Calendar:
    """Return a calendar without events."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", clean_text(name))
    calendar.add("x-wr-calname", clean_text(name))
    if description:
        calendar.add("description", clean_text(description))
        calendar.add("x-wr-caldesc", clean_text(description))
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    calendar.add("color", COLOUR)
    return calendar


def component(
    listed: Listed, *, base_url: str, reason: str = "", cancelled: Cancelled = "keep"
) -> icalendar.Event | None:
    """Return one event as a VEVENT, or None where a cancelled one is to be dropped."""
    event = listed.event
    is_off = event.status == "cancelled" or event.deleted_at is not None
    if is_off and cancelled == "drop":
        return None
    title = clean_text(event.title)
    if event.status == "postponed":
        title = f"Postponed: {title}"
    elif is_off and cancelled == "prefix":
        title = f"Cancelled: {title}"
    result = icalendar.Event()
    result.add("uid", f"{event.key}@{_host(base_url)}")
    # From the row, never the clock: the same bytes and ETag until something changed.
    result.add("dtstamp", event.updated_at.astimezone(UTC))
    result.add("created", event.created_at.astimezone(UTC))
    result.add("last-modified", event.updated_at.astimezone(UTC))
    result.add("sequence", event.sequence)
    zone = ZoneInfo(event.zone)
    if event.all_day:
        result.add("dtstart", event.starts_at.astimezone(zone).date())
        if event.ends_at is not None and event.ends_at > event.starts_at:
            result.add("dtend", event.ends_at.astimezone(zone).date())
    else:
        result.add("dtstart", event.starts_at.astimezone(UTC))
        if event.ends_at is not None and event.ends_at > event.starts_at:
            result.add("dtend", event.ends_at.astimezone(UTC))
    result.add("summary", title)
    page = f"{base_url}/e/{event.key}"
    result.add("description", _description(event, reason, page))
    result.add("url", event.url or page)
    place = ", ".join(clean_text(part) for part in (event.venue_name, event.address, event.city) if part)
    if place:
        result.add("location", place)
    elif event.online_url:
        result.add("location", event.online_url)
    if event.lat is not None and event.lon is not None and event.mode != "online":
        result.add("geo", (event.lat, event.lon))
    catalogue = load_catalogue()
    labels = [catalogue[slug].label for slug, _ in listed.topics if slug in catalogue.index]
    if labels:
        result.add("categories", labels)
    result.add("status", "CANCELLED" if is_off else STATUSES.get(event.status, "CONFIRMED"))
    result.add("transp", "TRANSPARENT")
    result.add("x-microsoft-cdo-busystatus", "FREE")
    return result


def _host(base_url: str) -> str:
    return urlsplit(base_url).hostname or "adjacent"


def _description(event: Event, reason: str, page: str) -> str:
    told = clean_text(event.description)
    if len(told) > LONGEST_TEXT:
        told = told[:LONGEST_TEXT].rsplit(" ", 1)[0] + " …"
    parts = [clean_text(reason), told, event.url or "", f"Adjacent: {page}"]
    return "\n\n".join(part for part in parts if part)


def calendar(
    head: icalendar.Calendar,
    events: Iterable[Listed],
    *,
    base_url: str,
    reasons: Mapping[int, str] | None = None,
    cancelled: Cancelled = "keep",
) -> bytes:
    """Return a whole calendar: UTF-8, CRLF, folded.

    Each event is rendered once and remembered: joining 5,000 of them takes 0.3 ms, rendering them 1.4 s.
    """
    begin, end = head.to_ical().split(END)
    parts = [begin]
    for listed in events:
        reason = (reasons or {}).get(listed.event.id or 0, "")
        parts.append(_rendered(listed, base_url, reason, cancelled))
    return b"".join((*parts, END, end))


END = b"END:VCALENDAR"
REMEMBERED = 20_000  # events, about 1 KB each
_memory: OrderedDict[Hashable, bytes] = OrderedDict()


def _rendered(listed: Listed, base_url: str, reason: str, cancelled: Cancelled) -> bytes:
    event = listed.event
    key = (event.key, event.updated_at, event.deleted_at, listed.topics, base_url, reason, cancelled)
    body = _memory.get(key)
    if body is None:
        part = component(listed, base_url=base_url, reason=reason, cancelled=cancelled)
        body = _memory[key] = part.to_ical() if part is not None else b""
        while len(_memory) > REMEMBERED:
            _memory.popitem(last=False)
    return body


def replaced_calendar(feed: Feed, replaced_at: datetime, *, base_url: str) -> bytes:
    """Return what the old address of a calendar serves: one event, on the day it was replaced, that says so.

    Programs keep what they had when an address only fails; this is how people hear of it.
    """
    head = header(feed.name)
    notice = icalendar.Event()
    notice.add("uid", f"{feed.key}-replaced@{_host(base_url)}")
    notice.add("dtstamp", replaced_at.astimezone(UTC))
    notice.add("dtstart", replaced_at.astimezone(UTC).date())
    notice.add("summary", "This link was replaced")
    notice.add("description", f"The address of “{clean_text(feed.name)}” was replaced. Subscribe again: {base_url}/me")
    notice.add("url", f"{base_url}/me")
    notice.add("transp", "TRANSPARENT")
    notice.add("x-microsoft-cdo-busystatus", "FREE")
    head.add_component(notice)
    body: bytes = head.to_ical()
    return body


@dataclass(frozen=True, slots=True)
class SubscribeLinks:
    """The addresses that add a calendar to the programs people use (undocumented ones are locked by a test)."""

    url: str
    webcal_url: str
    google_url: str
    outlook_url: str


def subscribe_links(url: str, name: str) -> SubscribeLinks:
    webcal = "webcal://" + url.split("://", 1)[1]
    return SubscribeLinks(
        url=url,
        webcal_url=webcal,
        # Google takes webcal:// here and refuses https://.
        google_url=f"https://calendar.google.com/calendar/r?cid={quote(webcal, safe='')}",
        outlook_url=f"https://outlook.live.com/calendar/0/addfromweb?url={quote(url, safe='')}&name={quote(name, safe='')}",
    )


def csv_safe(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def oldest(now: datetime) -> datetime:
    """Return the start before which events leave a calendar."""
    return now - BACK
