"""Step 7 for readers: events as RSS, Atom and JSON Feed, the same bytes until something changed.

News readers know no event times, so they stand in title and text as well as in the `ev` (RSS 1.0 event module) and
`xcal` (RFC 6321) fields that calendar plug-ins read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

import orjson

from app.calendars.calendar_feed import is_off
from app.calendars.item_words import escaped, headline, labels, local_time, place, summary, summary_html
from app.calendars.whole_days import A_DAY, days_of
from app.links import link
from app.models import Event
from app.queries.event_forms import event_json
from app.queries.listing import Listed
from scrapers.text import one_line

NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # when an empty feed last changed: Atom wants a time, and the clock is none
XCAL = "urn:ietf:params:xml:ns:xcal"
EV = "http://purl.org/rss/1.0/modules/event/"


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
        f'<atom:link href="{escaped(channel.url)}" rel="self" type="application/rss+xml"/>',
        _element("lastBuildDate", format_datetime(_changed(events), usegmt=True)),
    ]
    for listed in events:
        event = listed.event
        parts += [
            "\n<item>",
            _element("title", headline(listed)),
            _element("link", channel.page(listed)),
            f'<guid isPermaLink="true">{escaped(channel.page(listed))}</guid>',
            _element("pubDate", format_datetime(event.created_at.astimezone(UTC), usegmt=True)),
            _element("description", summary_html(listed)),  # readers take it for HTML
            *(_element("category", label) for label in labels(listed)),
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
        f'<link rel="self" type="application/atom+xml" href="{escaped(channel.url)}"/>',
        f'<link rel="alternate" type="text/html" href="{escaped(channel.base_url)}/"/>',
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
            f'<link rel="alternate" type="text/html" href="{escaped(channel.page(listed))}"/>',
            f'<link rel="related" href="{escaped(url)}"/>' if url else "",
            _element("published", event.created_at.astimezone(UTC).isoformat()),
            _element("updated", event.updated_at.astimezone(UTC).isoformat()),
            _element("summary", summary(listed)),
            *(f'<category term="{escaped(label)}"/>' for label in labels(listed)),
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
            "tags": labels(listed),
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


def _changed(events: Sequence[Listed]) -> datetime:
    return max((one.event.updated_at.astimezone(UTC) for one in events), default=NEVER)


def _xcal(listed: Listed) -> Iterator[str]:
    event = listed.event
    yield _element("xcal:dtstart", _start(event))
    yield _element("xcal:dtend", _end_of_days(event) if event.all_day else _end(event))
    yield _element("xcal:location", place(listed))
    yield _element("xcal:status", "CANCELLED" if is_off(event) else "CONFIRMED")


def _end_of_days(event: Event) -> str:
    """Return the day before which an event ends (RFC 5545 §3.6.1); "" for a single day, which all programs take for one."""
    first, end = days_of(event)
    return end.isoformat() if end - first > A_DAY else ""


def _start(event: Event) -> str:
    return (days_of(event)[0] if event.all_day else local_time(event.starts_at, event.zone)).isoformat()


def _end(event: Event) -> str:
    """Return when an event ends: the last of its days, or "" where it tells no end."""
    if event.all_day:
        return (days_of(event)[1] - A_DAY).isoformat()
    return local_time(event.ends_at, event.zone).isoformat() if event.ends_at else ""


def _element(name: str, value: str) -> str:
    return f"<{name}>{escaped(value)}</{name}>" if value else ""
