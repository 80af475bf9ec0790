"""What is told of an event wherever one is listed: place, distance, price, language, state; in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from app.models import Event
from app.words.wording import Wording, mark

NEAR_KM = 0.5  # nearer is here
STATUS_WORDS: Mapping[str, str] = {
    "cancelled": mark("Cancelled"),
    "postponed": mark("Postponed"),
    "tentative": mark("Not certain yet"),
    "rescheduled": mark("New date"),
    "moved_online": mark("Moved online"),
}
PURPOSE_WORDS: Mapping[str, str] = {
    "learn": mark("to learn"),
    "exchange": mark("to talk"),
    "social": mark("to meet"),
    "sell": mark("to sell"),
    "recruit": mark("to hire"),
}
MODE_WORDS: Mapping[str, str] = {
    "in_person": mark("in person"),
    "online": mark("online"),
    "hybrid": mark("in person and online"),
}


def where_words(event: Event, wording: Wording) -> str | None:
    if event.mode == "online":
        return wording.text("online")
    place = ", ".join(dict.fromkeys(part for part in (event.venue_name, event.city) if part))
    return wording.text("{place} and online", place=place) if place and event.mode == "hybrid" else place or None


def distance_words(event: Event, away_km: float | None, wording: Wording) -> str | None:
    # The middle of the town stands in for events that tell no venue; how far that is means nothing.
    is_placed = event.venue_name is not None or event.address is not None
    if not is_placed or away_km is None or away_km < NEAR_KM:
        return None
    return wording.text("{number} km", number=wording.number(round(away_km)))


def price_words(event: Event, wording: Wording) -> str | None:
    return wording.text("free") if event.is_free else event.price or None


def is_foreign(event: Event, wording: Wording) -> bool:
    """Whether an event is told in another language than its reader's."""
    return event.language is not None and not event.language.lower().startswith(wording.language)


def language_words(code: str, wording: Wording) -> str:
    """Return the name of a language in the reader's ("German", "Deutsch"), or its code where nobody named it."""
    return wording.locale.languages.get(code.lower().split("-")[0]) or code


def status_words(event: Event, wording: Wording) -> str | None:
    if event.deleted_at is not None:
        return wording.text("Withdrawn by its source")
    return wording.text(STATUS_WORDS.get(event.status, "")) or None
