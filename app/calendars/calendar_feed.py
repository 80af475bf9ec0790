"""Step 7 for calendars: events as iCalendar, the same bytes until something changed.

RFC 5545 and 7986. No calendar-level UID (vdirsyncer keeps one event of a calendar that has one), no METHOD, no VALARM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote

from app.calendars.content_lines import instant, line, text
from app.calendars.whole_days import days_of
from app.links import link
from app.models import Event
from app.queries.event_forms import place_words
from app.queries.listing import Listed
from app.words.event_words import price_words
from app.words.topic_words import topic_words
from app.words.wording import ENGLISH, Wording
from recommender.catalogue import load_catalogue
from scrapers.text import clean_text, one_line

UID_HOST = "adjacent"  # fixed: a service that moves to another address must not double everybody's events
PRODID = "-//Adjacent//Events next door//EN"
REFRESH = "PT6H"
COLOUR, APPLE_COLOUR = "teal", "#008080"  # RFC 7986 §5.9: a CSS3 name
BACK = timedelta(days=30)  # how long past events stay
LONGEST_TEXT = 4000  # characters of a description; calendars are read on phones
LONGEST_HEAD = 300  # characters in which a description that names who holds it does so

Cancelled = Literal["keep", "drop", "prefix"]
STATUSES = {"cancelled": "CANCELLED", "tentative": "TENTATIVE", "postponed": "TENTATIVE"}
ALWAYS = "TRANSP:TRANSPARENT\r\nX-MICROSOFT-CDO-BUSYSTATUS:FREE\r\nEND:VEVENT\r\n"
BEGIN = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{line('PRODID', PRODID)}CALSCALE:GREGORIAN\r\n"
HINTS = (
    f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}\r\nX-PUBLISHED-TTL:{REFRESH}\r\n"
    f"COLOR:{COLOUR}\r\nX-APPLE-CALENDAR-COLOR:{APPLE_COLOUR}\r\n"
)
END = b"END:VCALENDAR\r\n"
SAID, LONGEST_CATEGORY = 10, 60  # categories of a source, and characters of each


def header(name: str, description: str = "") -> str:
    """Return the lines of a calendar before its first event."""
    called, told = text(name), text(description)
    names = line("NAME", called) + line("X-WR-CALNAME", called)
    return f"{BEGIN}{names}{line('DESCRIPTION', told) + line('X-WR-CALDESC', told) if told else ''}{HINTS}"


def header_of_entry(name: str) -> str:
    """Return the lines before an event that is to be put into a calendar somebody has.

    Outlook opens a calendar of its own for a file with X-WR-CALNAME (MS-OXCICAL §2.1.3.1.1.17).
    """
    return f"{BEGIN}{line('NAME', text(name))}{HINTS}"


def calendar(
    head: str,
    events: Iterable[Listed],
    *,
    base_url: str,
    reasons: Mapping[int, str] | None = None,
    cancelled: Cancelled = "keep",
    wording: Wording = ENGLISH,
) -> bytes:
    """Return a whole calendar: UTF-8, CRLF, folded. `reasons` say, by an event's number, why it is there."""
    told = reasons or {}
    return whole(
        head,
        (
            component(
                listed,
                base_url=base_url,
                reason=told.get(listed.event.id or 0, ""),
                cancelled=cancelled,
                wording=wording,
            )
            for listed in events
            if cancelled != "drop" or not is_off(listed.event)
        ),
    )


def whole(head: str, components: Iterable[bytes]) -> bytes:
    """Return a calendar of components that are rendered already."""
    return b"".join((head.encode(), *components, END))


def is_off(event: Event) -> bool:
    """Whether a calendar shows an event as cancelled: it is, no source tells of it, or another event stands for it."""
    return event.status == "cancelled" or event.deleted_at is not None or event.merged_into is not None


def component(
    listed: Listed,
    *,
    base_url: str,
    reason: str = "",
    cancelled: Cancelled = "keep",
    wording: Wording = ENGLISH,
) -> bytes:
    """Return one event as a VEVENT; `reason` says why it is there."""
    event = listed.event
    page, url, online_url = f"{base_url}/e/{event.key}", link(event.url), link(event.online_url)
    # From the row, never the clock: the same bytes and ETag until something changed.
    changed = instant(event.updated_at)
    place = _place(event, online_url, wording)
    # Programs that know no CONFERENCE, which are most, offer what they find in LOCATION, URL and DESCRIPTION.
    is_told = online_url is None or online_url in (url, place)
    way_in = None if is_told else f"{wording.text('Join online')}: {online_url}"
    labels = list(map(text, _categories(listed, wording)))
    is_placed = event.lat is not None and event.lon is not None and event.mode != "online"
    return "".join(
        (
            f"BEGIN:VEVENT\r\nUID:{event.key}@{UID_HOST}\r\nDTSTAMP:{changed}\r\nCREATED:{instant(event.created_at)}\r\n",
            f"LAST-MODIFIED:{changed}\r\nSEQUENCE:{event.sequence}\r\n{_times(event)}",
            line("SUMMARY", text(title_of(event, cancelled, wording))),
            line("DESCRIPTION", text(_description(listed, reason, wording, [way_in, url, f"Adjacent: {page}"]))),
            line("URL", url or page),
            line("LOCATION", text(place)) if place else "",
            line("CONFERENCE;VALUE=URI", online_url) if online_url else "",
            f"GEO:{event.lat:.6f};{event.lon:.6f}\r\n" if is_placed else "",
            line("CATEGORIES", ",".join(labels)) if labels else "",
            f"STATUS:{'CANCELLED' if is_off(event) else STATUSES.get(event.status, 'CONFIRMED')}\r\n",
            ALWAYS,
        )
    ).encode()


def title_of(event: Event, cancelled: Cancelled, wording: Wording) -> str:
    """Return an event's title, which says once whether it is postponed or, where that is wanted, off."""
    title, mark = event.title.replace("\n", " "), ""
    if event.status == "postponed":
        mark = wording.text("Postponed:")
    elif cancelled == "prefix" and is_off(event):
        mark = wording.text("Cancelled:")
    # As in "CANCELED - …" and "[Cancelled] …": with one l or with two.
    told, word = (words.casefold().replace("ll", "l") for words in (title.lstrip("*[( "), mark.rstrip(": ")))
    return title if told.startswith(word) else f"{mark} {title}"


def _place(event: Event, online_url: str | None, wording: Wording) -> str:
    """Return where one has to go: a place on earth, or the address to open."""
    if event.mode == "online":
        return online_url or place_words(event) or wording.text("online")
    return place_words(event) or online_url or ""


def _times(event: Event) -> str:
    if event.all_day:
        first, end = days_of(event)
        return f"DTSTART;VALUE=DATE:{first:%Y%m%d}\r\nDTEND;VALUE=DATE:{end:%Y%m%d}\r\n"
    start = f"DTSTART:{instant(event.starts_at)}\r\n"
    if event.ends_at is None or event.ends_at <= event.starts_at:
        return start
    return f"{start}DTEND:{instant(event.ends_at)}\r\n"


def _categories(listed: Listed, wording: Wording) -> list[str]:
    """Return what an event is about: its topics, or where none was found, what its source says."""
    catalogue = load_catalogue()
    topics = [topic_words(catalogue[slug].label, wording) for slug, _ in listed.topics if slug in catalogue.index]
    return topics or [told for one in listed.event.categories[:SAID] if (told := one_line(one)[:LONGEST_CATEGORY])]


def _description(listed: Listed, reason: str, wording: Wording, addresses: Sequence[str | None]) -> str:
    event = listed.event
    told = event.description
    if len(told) > LONGEST_TEXT:
        told = clean_text(told)[:LONGEST_TEXT].rsplit(" ", 1)[0] + " …"
    holder = None if listed.held_by and listed.held_by in told[:LONGEST_HEAD] else listed.held_by
    facts = " · ".join(one_line(fact) for fact in (holder, price_words(event, wording)) if fact)
    return "\n\n".join(filter(None, (reason, facts, told, *addresses)))


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


def oldest(now: datetime) -> datetime:
    """Return the start before which events leave a calendar."""
    return now - BACK
