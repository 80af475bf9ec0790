"""How an event reads on a page: place, distance, price, purpose, in plain words of the reader's language."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app.queries.event_forms import place_words
from app.queries.listing import Listed
from app.words.event_words import (
    MODE_WORDS,
    PURPOSE_WORDS,
    distance_words,
    is_foreign,
    language_words,
    price_words,
    status_words,
    where_words,
)
from app.words.reach_words import REACH_WORDS
from app.words.retelling import all_retold, retold
from app.words.topic_words import topic_words
from app.words.when import month_words, weekday_words, when_words
from app.words.wording import Wording


def host_of(url: str | None) -> str | None:
    return (urlsplit(url).hostname or "").removeprefix("www.") if url else None


def card_of(listed: Listed, wording: Wording, *, away_km: float | None = None) -> dict[str, Any]:
    """Return what any list shows of an event, and how far away it is where that is known."""
    event = listed.event
    start = event.starts_at.astimezone(ZoneInfo(event.zone))
    community = listed.community.name if listed.community else event.organizer_name
    strongest = max(event.purpose, key=lambda name: event.purpose[name]) if event.purpose else ""
    is_other = is_foreign(event, wording)
    return {
        "id": event.key,
        "title": event.title,
        "weekday": weekday_words(start, wording),
        "day": start.day,
        "month": month_words(start, wording),
        "starts_at": start.isoformat(),
        "when": when_words(event, wording),
        "facts": [
            fact
            for fact in (
                community,
                where_words(event, wording),
                distance_words(event, away_km, wording),
                price_words(event, wording),
                language_words(event.language or "", wording) if is_other else None,
            )
            if fact
        ],
        "purpose": wording.text(PURPOSE_WORDS.get(strongest, "")),
        "status_words": status_words(event, wording),
        "url": event.url,
        "host": host_of(event.url),
        "lang": event.language if is_other else None,
        "asked": "",  # the query that goes with links to its page
    }


def pick_card(
    listed: Listed, pick: Mapping[str, Any], wording: Wording, *, said: Collection[str] = ()
) -> dict[str, Any]:
    """Return what a pick's card shows; `said` are the kinds of feedback its reader gave."""
    return card_of(listed, wording, away_km=pick["distance_km"]) | {
        "path": [topic_words(label, wording) for label in pick["path"]],
        "reach": pick["reach"],
        "distance_words": wording.text(REACH_WORDS[pick["reach"]]),
        "reason": retold(pick["reason"], wording),
        "evidence": all_retold(pick["evidence"], wording),
        "said": said,
    }


def facts_of(listed: Listed, wording: Wording) -> list[tuple[str, str]]:
    """Return the table of an event's page: names and values, only what is known."""
    event = listed.event
    purposes = [wording.text(PURPOSE_WORDS[name]) for name, share in event.purpose.items() if share >= 0.3]
    facts = {
        wording.text("When"): f"{when_words(event, wording, with_year=True)} ({event.zone})",
        wording.text("Where"): place_words(event),
        wording.text("How"): wording.text(MODE_WORDS.get(event.mode, "")),
        wording.text("By"): listed.community.name if listed.community else event.organizer_name,
        wording.text("Price"): price_words(event, wording),
        wording.text("Language"): language_words(event.language, wording) if event.language else None,
        wording.text("People come"): ", ".join(purposes),
    }
    return [(name, value) for name, value in facts.items() if value]
