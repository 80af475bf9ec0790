"""Step 7 for readers and tables: events as RSS, Atom, JSON Feed and CSV, the same bytes until something changed.

News readers know no event times, so they stand in title and text as well as in the `ev` (RSS 1.0 event module) and
`xcal` (RFC 6321) fields that calendar plug-ins read.
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import orjson

from app.calendars.calendar_feed import is_off
from app.calendars.whole_days import A_DAY, days_of
from app.links import link
from app.models import Event
from app.queries.event_forms import event_json, place_words
from app.queries.listing import Listed
from app.words.event_words import price_words
from app.words.when import day_words, when_words
from app.words.wording import SOURCE_LANGUAGE, wording_of
from recommender.catalogue import load_catalogue
from scrapers.text import clean_text, one_line

ENGLISH = wording_of(SOURCE_LANGUAGE)  # what readers are spoken to in
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # when an empty feed last changed: Atom wants a time, and the clock is none
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
XCAL = "urn:ietf:params:xml:ns:xcal"
EV = "http://purl.org/rss/1.0/modules/event/"
COLUMNS = (
    *("id", "title", "starts_at", "ends_at", "zone", "all_day", "status", "mode"),
    *("venue", "address", "city", "country", "lat", "lon", "organizer", "community", "topics"),
    *("language", "price", "is_free", "url", "online_url", "page", "description"),
    *("updated_at", "sequence", "deleted", "merged_into"),
)


@dataclass(frozen=True, slots=True)
class Channel:
    """What a feed says of itself."""

    title: str
    description: str
    base_url: str
    url: str  # its own address
    count: int  # how many events there are in all; a feed shows as many as it was given

    def page(self, listed: Listed) -> str:
        return f"{self.base_url}/e/{listed.event.key}"

    def told(self, shown: int) -> str:
        if shown >= self.count:
            return self.description
        return f"{self.description}. The first {shown:,} of {self.count:,}; narrow the filters to see the others."


def rss(channel: Channel, events: Sequence[Listed]) -> bytes:
    """Return RSS 2.0."""
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"',
        f' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:ev="{EV}" xmlns:xcal="{XCAL}"><channel>',
        _element("title", channel.title),
        _element("link", f"{channel.base_url}/"),
        _element("description", channel.told(len(events))),
        f'<atom:link href="{_escaped(channel.url)}" rel="self" type="application/rss+xml"/>',
        _element("lastBuildDate", format_datetime(_changed(events), usegmt=True)),
    ]
    for listed in events:
        event = listed.event
        parts += [
            "\n<item>",
            _element("title", headline(listed)),
            _element("link", channel.page(listed)),
            f'<guid isPermaLink="true">{_escaped(channel.page(listed))}</guid>',
            _element("pubDate", format_datetime(event.created_at.astimezone(UTC), usegmt=True)),
            _element("description", summary_html(listed)),  # readers take it for HTML
            *(_element("category", label) for label in _labels(listed)),
            _element("ev:startdate", _start(event)),
            _element("ev:enddate", _end(event)),
            _element("ev:location", place(listed)),
            _element("ev:organizer", one_line(event.organizer_name or "")),
            *_xcal(listed),
            "</item>",
        ]
    return "".join((*parts, "\n</channel></rss>\n")).encode()


def atom(channel: Channel, events: Sequence[Listed]) -> bytes:
    """Return Atom (RFC 4287)."""
    parts = [
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:xcal="{XCAL}">',
        _element("title", channel.title),
        _element("subtitle", channel.told(len(events))),
        _element("id", channel.url),
        f'<link rel="self" type="application/atom+xml" href="{_escaped(channel.url)}"/>',
        f'<link rel="alternate" type="text/html" href="{_escaped(channel.base_url)}/"/>',
        _element("updated", _changed(events).isoformat()),
        "<author><name>Adjacent</name></author>",
    ]
    for listed in events:
        event = listed.event
        url = link(event.url)
        parts += [
            "\n<entry>",
            _element("title", headline(listed)),
            _element("id", channel.page(listed)),
            f'<link rel="alternate" type="text/html" href="{_escaped(channel.page(listed))}"/>',
            f'<link rel="related" href="{_escaped(url)}"/>' if url else "",
            _element("published", event.created_at.astimezone(UTC).isoformat()),
            _element("updated", event.updated_at.astimezone(UTC).isoformat()),
            _element("summary", summary(listed)),
            *(f'<category term="{_escaped(label)}"/>' for label in _labels(listed)),
            *_xcal(listed),
            "</entry>",
        ]
    return "".join((*parts, "\n</feed>\n")).encode()


def json_feed(channel: Channel, events: Sequence[Listed]) -> bytes:
    """Return JSON Feed 1.1; `_event` holds the event as the API shows it."""
    items = []
    for listed in events:
        event = listed.event
        item = {
            "id": channel.page(listed),
            "url": channel.page(listed),
            "external_url": link(event.url),
            "title": headline(listed),
            "content_text": summary(listed),
            "date_published": event.created_at.astimezone(UTC).isoformat(),
            "date_modified": event.updated_at.astimezone(UTC).isoformat(),
            "tags": _labels(listed),
            "language": event.language,
            "_event": event_json(listed),
        }
        items.append({name: value for name, value in item.items() if value not in (None, [])})
    return orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": channel.title,
            "home_page_url": f"{channel.base_url}/",
            "feed_url": channel.url,
            "description": channel.told(len(events)),
            "items": items,
        }
    )


def table(events: Sequence[Listed], base_url: str) -> bytes:
    """Return CSV (RFC 4180) in UTF-8 with a header, safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for listed in events:
        event = listed.event
        facts = event_json(listed) | {
            "venue": event.venue_name,
            "address": event.address,
            "city": event.city,
            "country": event.country,
            "lat": event.lat,
            "lon": event.lon,
            "organizer": event.organizer_name,
            "community": listed.community.name if listed.community else None,
            "topics": "; ".join(_labels(listed)),
            "url": link(event.url),
            "online_url": link(event.online_url),
            "page": f"{base_url}/e/{event.key}",
        }
        writer.writerow([csv_safe(facts[column]) for column in COLUMNS])
    return out.getvalue().encode()


def csv_safe(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    told = clean_text(value)
    return f"'{told}" if told.startswith(FORMULA_STARTS) else told


def when(listed: Listed) -> str:
    """Return an event's start, and end where there is one, in its own zone, for people."""
    told = when_words(listed.event, ENGLISH, with_year=True)
    return told if listed.event.all_day else f"{told} ({listed.event.zone})"


def headline(listed: Listed) -> str:
    event = listed.event
    start = _local(event.starts_at, event.zone)
    hour = "" if event.all_day else f", {start:%H:%M}"
    off = "Cancelled: " if is_off(event) else "Postponed: " if event.status == "postponed" else ""
    return f"{off}{one_line(event.title)} · {day_words(start, ENGLISH)}{hour}"


def place(listed: Listed) -> str:
    event = listed.event
    return one_line(place_words(event)) or ("online" if event.mode == "online" else "")


def summary(listed: Listed) -> str:
    """Return when, where and what, as text."""
    addresses = [f"{name}{address}" for name, address in _addresses(listed.event)]
    return _summary([*_facts(listed), *addresses], clean_text(listed.event.description), "\n")


def summary_html(listed: Listed) -> str:
    """Return the same as HTML."""
    facts = [_as_html(fact) for fact in _facts(listed)]
    links = [
        f'{name}<a href="{_escaped(address)}">{_as_html(address)}</a>' for name, address in _addresses(listed.event)
    ]
    return _summary([*facts, *links], _as_html(clean_text(listed.event.description)), "<br>")


def _summary(facts: Sequence[str], description: str, end: str) -> str:
    head = end.join(facts)
    return f"{head}{end}{end}{description}" if description else head


def _facts(listed: Listed) -> list[str]:
    facts = {
        "When": when(listed),
        "Where": place(listed),
        "By": one_line(listed.held_by or ""),
        "Price": one_line(price_words(listed.event, ENGLISH) or ""),
    }
    return [f"{name}: {fact}" for name, fact in facts.items() if fact]


def _addresses(event: Event) -> Iterator[tuple[str, str]]:
    """Yield an event's own page and where one joins it, each with what stands before it."""
    page, room = link(event.url), link(event.online_url)
    if page:
        yield "", page
    if room and room != page:
        yield "Join online: ", room


def _changed(events: Sequence[Listed]) -> datetime:
    return max((one.event.updated_at.astimezone(UTC) for one in events), default=NEVER)


def _local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def _labels(listed: Listed) -> list[str]:
    catalogue = load_catalogue()
    return [catalogue[slug].label for slug, _ in listed.topics if slug in catalogue.index]


def _xcal(listed: Listed) -> Iterator[str]:
    event = listed.event
    yield _element("xcal:dtstart", _start(event))
    # An iCalendar DATE ends before its day (RFC 5545 §3.6.1), an RSS one with it.
    yield _element("xcal:dtend", days_of(event)[1].isoformat() if event.all_day else _end(event))
    yield _element("xcal:location", place(listed))
    yield _element("xcal:status", "CANCELLED" if is_off(event) else "CONFIRMED")


def _start(event: Event) -> str:
    return (days_of(event)[0] if event.all_day else _local(event.starts_at, event.zone)).isoformat()


def _end(event: Event) -> str:
    """Return when an event ends: the last of its days, or "" where it tells no end."""
    if event.all_day:
        return (days_of(event)[1] - A_DAY).isoformat()
    return _local(event.ends_at, event.zone).isoformat() if event.ends_at else ""


def _element(name: str, value: str) -> str:
    return f"<{name}>{_escaped(value)}</{name}>" if value else ""


def _escaped(value: str) -> str:
    return html.escape(clean_text(value))  # five entities, all of them XML's own or numeric


def _as_html(value: str) -> str:
    return html.escape(value, quote=False).replace("\n", "<br>")
