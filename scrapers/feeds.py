"""Step 2, reading: RSS and Atom whose items say when something takes place; a post's own date is no event's."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import feedparser
from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import EventDraft, Organizer, Problem, Reading, Unreadable, Venue, Window
from scrapers.graph import literal
from scrapers.listing import listing, stable_hash
from scrapers.microformats import has_microformats, microformat_items
from scrapers.schema_org import Found, read_events
from scrapers.text import clean_url, prose
from scrapers.times import When, localize, parse_when

_START_OF_FEED = re.compile(
    r"\s*(?:<\?[^>]{0,500}>\s*|<!--(?:[^-]|-(?!->)){0,2000}-->\s*|<!DOCTYPE\s[^>[]{0,500}>\s*)*"
    r"<(?:!DOCTYPE\s+)?(?:rss|feed|rdf:RDF|\w{1,20}:feed)[\s>]",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"<!ENTITY\b|<!DOCTYPE\s[^>]{0,200}\[", re.IGNORECASE)

# The local names that event modules use: RSS 1.0 event (ev:), xCal, Google (gd:when), Modern Events Calendar (mec:),
# and what calendars write without a namespace. feedparser joins prefix and name with "_" and lowers both.
_STARTS = (
    "startdate",
    "dtstart",
    "start_date",
    "startdatetime",
    "eventstart",
    "event_start",
    "eventdate",
    "event_date",
)
_ENDS = ("enddate", "dtend", "end_date", "enddatetime", "eventend", "event_end")
_PLACES = ("location", "venue", "where")
_GOOGLE_ATTRIBUTES = {"startdate": "starttime", "enddate": "endtime", "where": "valuestring"}  # gd:when, gd:where


def looks_like_feed(text: str) -> bool:
    return _START_OF_FEED.match(text[:8192]) is not None


def read_feed(text: str, *, url: str, window: Window, zone: ZoneInfo) -> Reading:
    """Return the events of a feed's items: those with fields of an event module, or with an h-event inside."""
    if _ENTITY.search(text[:65_536]):
        raise Unreadable("unsafe_xml", "the feed declares entities of its own, as attacks do and feeds do not")
    parsed = _parse(text)
    drafts: list[EventDraft] = []
    problems: list[Problem] = []
    for entry in map(dict, parsed.entries):  # a plain one: feedparser's own takes ten times as long to look into
        if _field(entry, _STARTS):
            draft = _draft(entry, url=url, zone=zone)
            if draft is None:
                subject = literal(entry.get("title")) or "item"
                problems.append(Problem("no_start", subject, f"{_field(entry, _STARTS)[:100]!r} is no date; left out"))
            else:
                drafts.append(draft)
        elif has_microformats(markup := _markup(entry)):
            found = _within(entry, markup, url=url, window=window, zone=zone)
            drafts += found.drafts
            problems += found.problems
    if parsed.entries and not drafts and not problems:
        raise Unreadable("no_events", f"a feed of {len(parsed.entries)} posts; none says when anything takes place")
    if not parsed.entries and "title" not in parsed.feed:
        raise Unreadable(
            "broken_feed", f"neither items nor a title in it ({parsed.get('bozo_exception', 'empty')})"[:300]
        )
    return listing(
        drafts,
        kind="atom" if parsed.version.startswith("atom") else "rss",
        window=window,
        problems=problems,
        name=literal(parsed.feed.get("title")),
        description=literal(parsed.feed.get("subtitle")),
    )


def _parse(text: str) -> Any:
    try:
        # Bytes, since feedparser fetches a text that looks like an address.
        return feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Its second, lenient parser trips over some of what the first one refused.
        raise Unreadable(
            "broken_feed", f"the feed is no XML, and cannot be read as tags either: {error!r}"[:300]
        ) from error


def _draft(entry: Mapping[str, Any], *, url: str, zone: ZoneInfo) -> EventDraft | None:
    start = _moment(entry, _STARTS, ("starthour", "starttime"), zone)
    if start is None:
        return None
    link = clean_url(literal(entry.get("link")), url)
    title = literal(entry.get("title"))
    venue = _venue(entry)
    cost = _field(entry, ("cost", "price"))
    organizer = _field(entry, ("organizer",))
    identity = entry.get("id") or link or stable_hash(title, venue.name or "" if venue else "")
    return EventDraft(
        uid=f"{literal(identity)}@{start.at.astimezone(ZoneInfo('UTC')):%Y%m%dT%H%M%SZ}",
        title=title or "Untitled event",
        starts_at=start.at.astimezone(zone),
        ends_at=_end(start, _moment(entry, _ENDS, ("endhour", "endtime"), zone), zone),
        zone=zone.key,
        all_day=start.all_day,
        mode="in_person" if venue else "unknown",
        url=link,
        venue=venue,
        organizer=Organizer(organizer) if organizer else None,
        categories=_categories(entry),
        price=cost or None,
        description=prose(_markup(entry)),
        source=url,
        warnings=() if title else ("no_title",),
    )


def _within(entry: Mapping[str, Any], markup: str, *, url: str, window: Window, zone: ZoneInfo) -> Found:
    """Read an item whose text is a marked-up event, as Campus Labs and Localist write them."""
    link = clean_url(literal(entry.get("link")), url)
    found = read_events(microformat_items(LexborHTMLParser(markup)), url=link or url, window=window, zone=zone)
    completed = (
        replace(draft, url=draft.url or link, categories=draft.categories or _categories(entry), source=url)
        for draft in found.drafts
    )
    return replace(found, drafts=tuple(completed))


def _moment(entry: Mapping[str, Any], dates: tuple[str, ...], hours: tuple[str, ...], zone: ZoneInfo) -> When | None:
    text = _field(entry, dates)
    when = parse_when(text, zone=zone)
    clock = _field(entry, hours)
    if when is None or not when.all_day or not clock:
        return when
    return parse_when(f"{when.at:%d %B %Y} {clock}", zone=zone) or when  # mec: tells "6:00 pm" apart from the day


def _end(start: When, end: When | None, zone: ZoneInfo) -> datetime | None:
    if end is None:
        return None
    at = end.at.astimezone(zone)
    if end.all_day:  # the last day is part of it
        at = localize(datetime.combine(at.date() + timedelta(days=1), time()), zone)
    return at if at > start.at and end.all_day == start.all_day else None


def _venue(entry: Mapping[str, Any]) -> Venue | None:
    name = _field(entry, _PLACES)
    lat, lon = _degrees(entry.get("geo_lat")), _degrees(entry.get("geo_long"))
    has_both = lat is not None and lon is not None
    venue = Venue(name=name or None, lat=lat if has_both else None, lon=lon if has_both else None)
    return venue if venue != Venue() else None


def _degrees(text: Any) -> float | None:
    return float(text) if isinstance(text, str) and re.fullmatch(r"[+-]?\d{1,3}(?:\.\d{1,15})?", text) else None


def _categories(entry: Mapping[str, Any]) -> tuple[str, ...]:
    terms = (literal(tag.get("label") or tag.get("term")) for tag in entry.get("tags", []))
    return tuple(dict.fromkeys(term for term in terms if term))[:20]


def _markup(entry: Mapping[str, Any]) -> str:
    told = [entry.get("summary"), *(content.get("value") for content in entry.get("content", []))]
    return max((text for text in told if isinstance(text, str)), key=len, default="")


def _field(entry: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return what a field of any namespace says under one of these names, as text or as an attribute."""
    for name in names:
        for key, value in entry.items():
            if isinstance(value, Mapping) and key.endswith(("_when", "_where")):
                text = literal(value.get(_GOOGLE_ATTRIBUTES.get(name, "")))
            else:
                text = literal(value) if key == name or key.endswith(f"_{name}") else ""
            if text:
                return text
    return ""
