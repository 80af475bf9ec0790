"""How an event reads on a page: day and hour in its own zone, place, distance, price, in plain words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app.models import Event
from app.picks import Pick
from app.queries import Listed, place_words
from recommender.reach import Reach

REACH_WORDS: dict[Reach, str] = {
    "next-door": "Next door",
    "one-step": "One step",
    "two-steps": "Two steps",
    "far": "Far out",
}
PURPOSE_WORDS = {
    "learn": "to learn",
    "exchange": "to talk",
    "social": "to meet",
    "sell": "to sell",
    "recruit": "to hire",
}
STATUS_WORDS = {
    "cancelled": "Cancelled",
    "postponed": "Postponed",
    "tentative": "Not certain yet",
    "rescheduled": "New date",
    "moved_online": "Moved online",
}
MODE_WORDS = {"in_person": "in person", "online": "online", "hybrid": "in person and online"}


def when_words(event: Event, *, with_year: bool = False) -> str:
    """Return day and hours on the clock there: "Tue 1 Dec, 18:30–20:30"; online also which clock that is."""
    zone = ZoneInfo(event.zone)
    start = event.starts_at.astimezone(zone)
    day = _day(start, with_year=with_year)
    if event.all_day:
        last = event.ends_at.astimezone(zone) - timedelta(days=1) if event.ends_at else start
        span = f"{day} – {_day(last, with_year=with_year)}" if last.date() > start.date() else day
        return f"{span}, all day"
    clock = f" {start:%Z}" if event.mode in ("online", "hybrid") else ""
    if event.ends_at is None:
        return f"{day}, {start:%H:%M}{clock}"
    end = event.ends_at.astimezone(zone)
    until = f"{end:%H:%M}" if end - start < timedelta(hours=20) else f"{_day(end, with_year=with_year)}, {end:%H:%M}"
    dash = "–" if end - start < timedelta(hours=20) else " – "
    return f"{day}, {start:%H:%M}{dash}{until}{clock}"


def _day(moment: datetime, *, with_year: bool) -> str:
    return f"{moment:%a} {moment.day} {moment:%b}" + (f" {moment.year}" if with_year else "")


def where_words(event: Event) -> str | None:
    if event.mode == "online":
        return "online"
    place = ", ".join(part for part in (event.venue_name, event.city) if part)
    return f"{place} and online" if place and event.mode == "hybrid" else place or None


def status_words(event: Event) -> str | None:
    return "Withdrawn by its source" if event.deleted_at is not None else STATUS_WORDS.get(event.status)


def price_words(event: Event) -> str | None:
    return "free" if event.is_free else event.price or None


def host_of(url: str | None) -> str | None:
    return (urlsplit(url).hostname or "").removeprefix("www.") if url else None


def card_of(pick: Pick) -> dict[str, Any]:
    """Return what a pick's card shows."""
    event = pick.listed.event
    start = event.starts_at.astimezone(ZoneInfo(event.zone))
    # The middle of the town stands in for events that tell no venue; how far that is means nothing.
    is_placed = event.venue_name is not None or event.address is not None
    is_away = is_placed and pick.distance_km is not None and pick.distance_km >= 0.5
    distance = f"{pick.distance_km:.0f} km" if is_away else None
    community = pick.listed.community.name if pick.listed.community else event.organizer_name
    strongest = max(event.purpose, key=lambda name: event.purpose[name]) if event.purpose else None
    return {
        "id": event.key,
        "title": event.title,
        "weekday": f"{start:%a}",
        "day": start.day,
        "month": f"{start:%b}",
        "starts_at": start.isoformat(),
        "when": when_words(event),
        "facts": [fact for fact in (community, where_words(event), distance, price_words(event)) if fact],
        "path": pick.path,
        "distance_words": REACH_WORDS[pick.reach].lower(),
        "purpose": PURPOSE_WORDS[strongest] if strongest else None,
        "status_words": status_words(event),
        "reason": pick.reason,
        "evidence": pick.evidence,
        "url": event.url,
        "host": host_of(event.url),
        "language": None if (event.language or "en").lower().startswith("en") else event.language,
    }


def facts_of(listed: Listed) -> list[tuple[str, str]]:
    """Return the table of an event's page: names and values, only what is known."""
    event = listed.event
    facts = {
        "When": f"{when_words(event, with_year=True)} ({event.zone})",
        "Where": place_words(event),
        "How": MODE_WORDS.get(event.mode),
        "By": listed.community.name if listed.community else event.organizer_name,
        "Price": price_words(event),
        "Language": event.language,
        "People come": ", ".join(PURPOSE_WORDS[name] for name, share in event.purpose.items() if share >= 0.3),
    }
    return [(name, value) for name, value in facts.items() if value]
