"""Step 7 for readers: what items say of an event in English, as text or as HTML, and how either is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.calendars.calendar_feed import title_of
from app.links import link
from app.models import Event
from app.queries.event_forms import place_words
from app.queries.listing import Listed
from app.words.event_words import price_words
from app.words.when import day_words, when_words
from app.words.wording import ENGLISH
from recommender.catalogue import load_catalogue
from scrapers.text import clean_text, one_line


def _when(listed: Listed) -> str:
    """Return an event's start, and end where there is one, in its own zone, for people."""
    told = when_words(listed.event, ENGLISH, with_year=True)
    return told if listed.event.all_day else f"{told} ({listed.event.zone})"


def headline(listed: Listed) -> str:
    event = listed.event
    start = local_time(event.starts_at, event.zone)
    hour = "" if event.all_day else f", {start:%H:%M}"
    return f"{one_line(title_of(event, 'prefix', ENGLISH))} · {day_words(start, ENGLISH)}{hour}"


def place(listed: Listed) -> str:
    event = listed.event
    return one_line(place_words(event)) or ("online" if event.mode == "online" else "")


def summary(listed: Listed) -> str:
    """Return when, where and what, as text."""
    addresses = [f"{name}{address}" for name, address in _addresses(listed.event)]
    return _summary([*_facts(listed), *addresses], clean_text(listed.event.description), "\n")


def summary_html(listed: Listed) -> str:
    """Return the same as HTML."""
    facts = [as_html(fact) for fact in _facts(listed)]
    links = [f'{name}<a href="{escaped(address)}">{as_html(address)}</a>' for name, address in _addresses(listed.event)]
    return _summary([*facts, *links], as_html(clean_text(listed.event.description)), "<br>")


def _summary(facts: Sequence[str], description: str, end: str) -> str:
    head = end.join(facts)
    return f"{head}{end}{end}{description}" if description else head


def _facts(listed: Listed) -> list[str]:
    facts = {
        "When": _when(listed),
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


def labels(listed: Listed) -> list[str]:
    catalogue = load_catalogue()
    return [catalogue[slug].label for slug, _ in listed.topics if slug in catalogue.index]


def local_time(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def escaped(value: str) -> str:
    return html.escape(clean_text(value))  # five entities, all of them XML's own or numeric


def as_html(value: str) -> str:
    return html.escape(value, quote=False).replace("\n", "<br>")
