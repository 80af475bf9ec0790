"""Step 2, reading: schema.org Events, whichever syntax told them, become EventDrafts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import EventDraft, Mode, Organizer, Problem, Status, Venue, Window
from scrapers.graph import Graph, Node, literal, local_name, symbol, types
from scrapers.listing import stable_hash
from scrapers.places import is_virtual, online_url_of, venue_of
from scrapers.prices import price_of
from scrapers.schedule import Occurrence, duration, moment, occurrences
from scrapers.text import clean_text, clean_url, prose
from scrapers.times import When, clock_zone, localize
from scrapers.titles import status_in
from scrapers.venue_zones import zone_of
from scrapers.zone_names import resolve_zone

# schema.org 29.3, all subtypes of Event that someone could go to or watch (not UserInteraction), and CourseInstance.
EVENT_TYPES = frozenset(
    [
        "Event",
        "BroadcastEvent",
        "BusinessEvent",
        "ChildrensEvent",
        "ComedyEvent",
        "ConferenceEvent",
        "CourseInstance",
        "DanceEvent",
        "DeliveryEvent",
        "EducationEvent",
        "EventSeries",
        "ExhibitionEvent",
        "Festival",
        "FoodEvent",
        "Hackathon",
        "LiteraryEvent",
        "MusicEvent",
        "OnDemandEvent",
        "PerformingArtsEvent",
        "PublicationEvent",
        "SaleEvent",
        "ScreeningEvent",
        "SocialEvent",
        "SportsEvent",
        "TheaterEvent",
        "VisualArtsEvent",
    ]
)
_PARTS = (
    "subEvent",
    "subEvents",
    "event",
    "events",
    "hasCourseInstance",
)  # under these an event belongs to what holds it
_STATUSES: dict[str, Status] = {
    # by severity: an event can be rescheduled and then cancelled
    "eventcancelled": "cancelled",
    "eventcanceled": "cancelled",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "eventpostponed": "postponed",
    "postponed": "postponed",
    "eventmovedonline": "moved_online",
    "movedonline": "moved_online",
    "eventrescheduled": "rescheduled",
    "rescheduled": "rescheduled",
    "tentative": "tentative",
}
_MODES: dict[str, Mode] = {
    "offlineeventattendancemode": "in_person",
    "onlineeventattendancemode": "online",
    "mixedeventattendancemode": "hybrid",
    "offline": "in_person",
    "online": "online",
    "mixed": "hybrid",
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
MOST_CATEGORIES = 20


@dataclass(frozen=True, slots=True)
class Context:
    """What an event does not say about itself."""

    graph: Graph
    url: str  # of the page, for relative links
    window: Window
    zone: ZoneInfo  # of times without an offset, where the place does not tell


@dataclass(frozen=True, slots=True)
class Found:
    """What the markup of a page told."""

    drafts: tuple[EventDraft, ...] = ()
    problems: tuple[Problem, ...] = ()
    nodes: int = 0  # events marked up, dated or not


def read_events(documents: list[Any], *, url: str, window: Window, zone: ZoneInfo) -> Found:
    """Return a draft of every dated event in these documents, wherever in them it stands."""
    context = Context(Graph(documents), url, window, zone)
    drafts: list[EventDraft] = []
    problems: list[Problem] = []
    nodes = list(event_nodes(documents))
    for number, (node, holder) in enumerate(nodes, start=1):
        told = list(_drafts(context, node, holder))
        drafts += told
        if not told and not any(is_event(part) for part in context.graph.nodes(node, *_PARTS)):
            subject = context.graph.text(node, "name") or f"event {number}"
            problems.append(_undated(context.graph, node, subject))
    return Found(tuple(drafts), tuple(problems), len(nodes))


def is_event(node: Node) -> bool:
    return not EVENT_TYPES.isdisjoint(types(node))


def event_nodes(documents: Any) -> Iterator[tuple[Node, Node | None]]:
    """Yield each event with the event or place that it is told to be part of, in the order of the page.

    What an event names as its superEvent is context, not one more event, unless it also stands for itself.
    """
    waiting: list[tuple[Any, Node | None]] = [(documents, None)]
    seen: set[int] = set()
    while waiting:
        value, holder = waiting.pop()
        if id(value) in seen:
            continue
        if isinstance(value, list):
            seen.add(id(value))
            waiting += [(inner, holder) for inner in reversed(value)]
        elif isinstance(value, dict):
            seen.add(id(value))
            if is_event(value):
                yield value, holder
            inner = [(name, part) for name, part in value.items() if local_name(name) != "superEvent"]
            waiting += [(part, value if local_name(name) in _PARTS else None) for name, part in reversed(inner)]


def _undated(graph: Graph, node: Node, subject: str) -> Problem:
    if told := graph.text(node, "startDate"):
        return Problem("no_start", subject, f"{told[:100]!r} is no date; left out")
    if graph.nodes(node, "eventSchedule"):
        return Problem("no_occurrence", subject, "its schedule gives no date in the time looked at; left out")
    return Problem("no_start", subject, "it has no start date; left out")


def _drafts(context: Context, node: Node, holder: Node | None) -> Iterator[EventDraft]:
    graph = context.graph
    places = _places(graph, node, holder)
    venue, online_url = venue_of(graph, places), online_url_of(graph, places, context.url)
    zone = _zone_of(context, node, venue)
    start = _moment(graph, node, "startDate", zone)
    recurring = _recurring(context, node, zone, start)
    if start is None and not recurring:
        return
    title = _title(graph, node, holder, venue)
    draft = EventDraft(
        uid="",
        title=title or "Untitled event",
        starts_at=start.at if start else recurring[0].starts_at,
        zone=zone.key,
        status=told if (told := _status(graph, node)) != "confirmed" else status_in(title),
        mode=_mode(graph, node, venue, is_online=any(is_virtual(graph, place) for place in places)),
        url=_link(graph, node, "url", context.url) or clean_url(graph.text(node, "mainEntityOfPage"), context.url),
        online_url=online_url,
        venue=venue,
        organizer=_organizer(context, node, holder),
        categories=_categories(graph, node),
        language=_language(graph, node),
        price=price_of(graph, node),
        description=_description(graph, node, title),
        source=context.url,
        warnings=() if title else ("no_title",),
    )
    identity = _identity(context, node, draft)
    if recurring:
        for occurrence in recurring:
            yield replace(
                draft,
                uid=identity,
                recurrence_id=occurrence.recurrence_id,
                starts_at=occurrence.starts_at,
                ends_at=occurrence.ends_at,
                zone=occurrence.zone,
                all_day=occurrence.all_day,
            )
    elif start is not None:
        yield _single(graph, node, draft, identity=identity, start=start, zone=zone)


def _single(graph: Graph, node: Node, draft: EventDraft, *, identity: str, start: When, zone: ZoneInfo) -> EventDraft:
    # An event that was moved keeps the name it got from its first date.
    before = [
        when for text in map(graph.words, graph.values(node, "previousStartDate")) if (when := moment(text, zone))
    ]
    first = min((when.at for when in before), default=start.at)
    here = clock_zone(start.at, zone)
    end, warnings = _end(graph, node, start, here)
    return replace(
        draft,
        uid=f"{identity}@{first.astimezone(ZoneInfo('UTC')):%Y%m%dT%H%M%SZ}",
        starts_at=start.at.astimezone(here),
        ends_at=end,
        zone=here.key,
        all_day=start.all_day,
        warnings=draft.warnings + warnings,
    )


def _zone_of(context: Context, node: Node, venue: Venue | None) -> ZoneInfo:
    named = resolve_zone(context.graph.text(node, "timezone", "timeZone"))
    return named or zone_of(venue, context.zone)


def _moment(graph: Graph, node: Node, name: str, zone: ZoneInfo) -> When | None:
    return next(filter(None, (moment(graph.words(value), zone) for value in graph.values(node, name))), None)


def _end(graph: Graph, node: Node, start: When, zone: ZoneInfo) -> tuple[datetime | None, tuple[str, ...]]:
    when = _moment(graph, node, "endDate", zone)
    if when is None:
        length = duration(graph.text(node, "duration"))
        return (start.at.astimezone(zone) + length if length and not start.all_day else None), ()
    end = when.at.astimezone(zone)
    if when.all_day or start.all_day:
        # A last day belongs to the event (schema.org/endDate), an end does not (RFC 5545 §3.6.1).
        first_day = start.at.astimezone(zone).date()
        if not start.all_day and end.date() == first_day:
            return None, ()
        last_midnight = datetime.combine(end.date() + timedelta(days=1), time())
        end = localize(last_midnight, zone)
    if end <= start.at:
        return None, (("end_before_start",) if end < start.at else ())
    return end, ()


def _recurring(context: Context, node: Node, zone: ZoneInfo, start: When | None) -> list[Occurrence]:
    found = [
        occurrence
        for schedule in context.graph.nodes(node, "eventSchedule")
        for occurrence in occurrences(context.graph, schedule, window=context.window, zone=zone, first=start)
    ]
    return sorted({each.recurrence_id: each for each in found}.values(), key=lambda each: each.starts_at)


def _title(graph: Graph, node: Node, holder: Node | None, venue: Venue | None) -> str:
    named = graph.text(node, "name", "headline", "alternateName", "summary")
    performed = graph.text(node, "workPerformed", "workFeatured", "workPresented", "about", "superEvent")
    performers = ", ".join(filter(None, map(graph.words, graph.values(node, "performer", "performers")[:3])))
    held = graph.text(holder, "name") if holder else ""
    return named or performed or performers or held or (venue.name if venue and venue.name else "")


def _identity(context: Context, node: Node, draft: EventDraft) -> str:
    """Return what names the event apart from its date: its own identifier, its address, or a hash of what it is."""
    name = node.get("@id")
    if isinstance(name, str) and name and not name.startswith("_:"):
        address = clean_url(name, context.url)
        if address and address != context.url:
            return address
    place = draft.venue.name or draft.venue.address or "" if draft.venue else ""
    return draft.url or stable_hash(draft.title.casefold(), place.casefold())


def _status(graph: Graph, node: Node) -> Status:
    told = {symbol(value) for value in graph.values(node, "eventStatus", "status")}
    return next((status for word, status in _STATUSES.items() if word in told), "confirmed")


def _mode(graph: Graph, node: Node, venue: Venue | None, *, is_online: bool) -> Mode:
    if _status(graph, node) == "moved_online":
        return "online"
    told = {mode for value in graph.values(node, "eventAttendanceMode") if (mode := _MODES.get(symbol(value)))}
    if told:
        return told.pop() if len(told) == 1 else "hybrid"
    if is_online:
        return "hybrid" if venue else "online"
    return "in_person" if venue else "unknown"


def _places(graph: Graph, node: Node, holder: Node | None) -> list[Any]:
    """Return where it is, or where what it belongs to is: the conference of a talk, the hall of a concert."""
    if (places := graph.values(node, "location")) or holder is None:
        return places
    return graph.values(holder, "location") if is_event(holder) or "Course" in types(holder) else [holder]


def _organizer(context: Context, node: Node, holder: Node | None) -> Organizer | None:
    graph = context.graph
    told = graph.values(node, "organizer", "organiser", "provider")
    if not told and holder is not None and is_event(holder):
        told = graph.values(holder, "organizer", "organiser")
    for value in told:
        if isinstance(value, dict):
            organizer = Organizer(
                next(filter(None, (literal(name) for name in graph.values(value, "name"))), None),
                _link(graph, value, "url", context.url),
            )
        else:
            text = literal(value)
            link = clean_url(text) if text.startswith("http") else None
            organizer = Organizer(None if link else text or None, link)
        if organizer != Organizer():
            return organizer
    return None


def _link(graph: Graph, node: Node, name: str, base: str) -> str | None:
    links = (clean_url(graph.words(value), base) for value in graph.values(node, name))
    return next(filter(None, links), None)


def _categories(graph: Graph, node: Node) -> tuple[str, ...]:
    told = chain.from_iterable(graph.values(node, name) for name in ("keywords", "category", "eventType", "genre"))
    words = (word.strip(" #") for value in told for word in graph.words(value).split(","))
    return tuple(dict.fromkeys(word for word in words if word and "://" not in word and len(word) <= 80))[
        :MOST_CATEGORIES
    ]


def _language(graph: Graph, node: Node) -> str | None:
    for value in graph.values(node, "inLanguage"):
        texts = graph.values(value, "alternateName", "name", "@id") if isinstance(value, dict) else [value]
        for text in map(literal, texts):
            if _LANGUAGE.fullmatch(text) and len(text.partition("-")[0]) <= 3:
                return text
    return None


def _description(graph: Graph, node: Node, title: str) -> str:
    texts = (value for value in graph.values(node, "description", "summary") if isinstance(value, str))
    told = (prose(html.unescape(text)) for text in texts)
    text = next((text for text in told if text not in ("", title)), "")
    performers = [graph.words(value) for value in graph.values(node, "performer", "performers")]
    unsaid = ", ".join(name for name in dict.fromkeys(performers) if name and "://" not in name and name not in text)
    return clean_text("\n\n".join(filter(None, (text, unsaid))))
