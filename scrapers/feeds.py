"""Step 2, reading: RSS and Atom whose items say when something takes place; a post's own date is no event's."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import EventDraft, Organizer, Problem, Reading, Unreadable, Window
from scrapers.feed_items import FeedItem, parse_feed
from scrapers.graph import literal
from scrapers.listing import listing, stable_hash
from scrapers.locations import is_online_in_words, meeting_url, mode_of, read_position, read_venue
from scrapers.microformats import has_microformats, microformat_items
from scrapers.schema_org import Found, read_events
from scrapers.text import clean_url, prose
from scrapers.times import When, clock_zone, localize, parse_when
from scrapers.titles import status_in
from scrapers.venue_zones import zone_of

_MARKED_START = re.compile(r"""\bdt-start\b[^<>"]{0,100}"\s+datetime="([^"<>]{10,40})\"""")
_CANCELLED = frozenset({"cancelled", "canceled"})
_START_OF_FEED = re.compile(
    r"\s*(?:<\?[^>]{0,500}>\s*|<!--(?:[^-]|-(?!->)){0,2000}-->\s*|<!DOCTYPE\s[^>[]{0,500}>\s*)*"
    r"<(?:!DOCTYPE\s+)?(?:rss|feed|rdf:RDF|\w{1,20}:feed)[\s>]",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"<!ENTITY\b|<!DOCTYPE\s[^>]{0,200}\[", re.IGNORECASE)

# The local names that event modules use: RSS 1.0 event (ev:), xCal, Google (gd:when), Modern Events Calendar (mec:),
# Campus Labs, and what calendars write without a namespace.
_STARTS = (
    "startdate",
    "dtstart",
    "start_date",
    "startdatetime",
    "eventstart",
    "event_start",
    "eventdate",
    "event_date",
    "when@starttime",
)
_ENDS = ("enddate", "dtend", "end_date", "enddatetime", "eventend", "event_end", "when@endtime")
_START_HOURS = ("starthour", "starttime", "start_time")
_END_HOURS = ("endhour", "endtime", "end_time")
_PLACES = ("location", "venue", "where", "where@valuestring", "eventlocation")
_ORGANIZERS = ("organizer", "eventhost")


def looks_like_feed(text: str) -> bool:
    return _START_OF_FEED.match(text[:8192]) is not None


def read_feed(text: str, *, url: str, window: Window, zone: ZoneInfo) -> Reading:
    """Return the events of a feed's items: those with fields of an event module, or with an h-event inside."""
    if _ENTITY.search(text[:65_536]):
        raise Unreadable("unsafe_xml", "the feed declares entities of its own, as attacks do and feeds do not")
    feed = parse_feed(text)
    if feed is None or not (feed.items or feed.title):
        raise Unreadable("broken_feed", "neither items nor a title in it")
    drafts: list[EventDraft] = []
    problems: list[Problem] = []
    for item in feed.items:
        if told := _field(item, _STARTS):
            draft = _draft(item, url=url, zone=zone)
            if draft is None:
                problems.append(Problem("no_start", item.title or "item", f"{told[:100]!r} is no date; left out"))
            else:
                drafts.append(draft)
        elif has_microformats(item.markup):
            found = _within(item, url=url, window=window, zone=zone)
            drafts += found.drafts
            problems += found.problems
    if feed.items and not drafts and not problems:
        raise Unreadable("no_events", f"no post of the {len(feed.items)} in this feed says when anything takes place")
    return listing(
        drafts,
        kind="atom" if feed.is_atom else "rss",
        window=window,
        problems=problems,
        name=feed.title,
        description=feed.description,
    )


def _draft(item: FeedItem, *, url: str, zone: ZoneInfo) -> EventDraft | None:
    place = _field(item, _PLACES)
    venue = read_venue(place, _position(item))
    zone = zone_of(venue, zone)
    start = _local_start(item, zone) or _moment(item, _STARTS, _START_HOURS, zone)
    if start is None:
        return None
    zone = clock_zone(start.at, zone)
    link, online_url = clean_url(item.link, url), meeting_url(place)
    organizer = _field(item, _ORGANIZERS)
    identity = literal(item.identity) or link or stable_hash(item.title, venue.name or "" if venue else "")
    return EventDraft(
        uid=f"{identity}@{start.at.astimezone(ZoneInfo('UTC')):%Y%m%dT%H%M%SZ}",
        title=item.title or "Untitled event",
        starts_at=start.at.astimezone(zone),
        ends_at=_end(start, _moment(item, _ENDS, _END_HOURS, zone), zone),
        zone=zone.key,
        all_day=start.all_day,
        status="cancelled"
        if _field(item, ("status", "eventstatus")).casefold() in _CANCELLED
        else status_in(item.title),
        mode=mode_of(venue, is_online=online_url is not None or is_online_in_words(place)),
        url=link,
        online_url=online_url,
        venue=venue,
        organizer=Organizer(organizer) if organizer else None,
        categories=_categories(item),
        price=_field(item, ("cost", "price")) or None,
        description=_description(item),
        source=url,
        warnings=() if item.title else ("no_title",),
    )


def _within(item: FeedItem, *, url: str, window: Window, zone: ZoneInfo) -> Found:
    """Read an item whose text is a marked-up event."""
    link = clean_url(item.link, url)
    found = read_events(microformat_items(LexborHTMLParser(item.markup)), url=link or url, window=window, zone=zone)
    completed = (
        replace(draft, url=draft.url or link, categories=draft.categories or _categories(item), source=url)
        for draft in found.drafts
    )
    return replace(found, drafts=tuple(completed))


def _description(item: FeedItem) -> str:
    """Return the text; of a marked-up event its description, since date and place are told already."""
    if not has_microformats(item.markup):
        return prose(item.markup)
    described = LexborHTMLParser(item.markup).css_first(".p-description, .e-description, .description")
    return prose(described.html or "") if described else prose(item.markup)


def _local_start(item: FeedItem, zone: ZoneInfo) -> When | None:
    """Return the start as an event marked up in the text tells it: with the offset there, where fields tell UTC."""
    told = _MARKED_START.search(item.markup)
    return parse_when(told[1], zone=zone) if told else None


def _moment(item: FeedItem, dates: tuple[str, ...], hours: tuple[str, ...], zone: ZoneInfo) -> When | None:
    when = parse_when(_field(item, dates), zone=zone)
    clock = _field(item, hours)
    if when is None or not when.all_day or not clock:
        return when
    return parse_when(f"{when.at:%Y-%m-%d} {clock}", zone=zone) or when  # mec: tells "6:00 pm" apart from the day


def _end(start: When, end: When | None, zone: ZoneInfo) -> datetime | None:
    if end is None:
        return None
    at = end.at.astimezone(zone)
    if end.all_day:  # the last day is part of it
        at = localize(datetime.combine(at.date() + timedelta(days=1), time()), zone)
    return at if at > start.at and end.all_day == start.all_day else None


def _position(item: FeedItem) -> tuple[float, float] | None:
    point = _field(item, ("point",)).replace(" ", ";")  # georss:point
    return read_position(point) or read_position(f"{_field(item, ('lat',))};{_field(item, ('long',))}")


def _categories(item: FeedItem) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, item.categories)))[:20]


def _field(item: FeedItem, names: tuple[str, ...]) -> str:
    return next((item.fields[name] for name in names if item.fields.get(name)), "")
