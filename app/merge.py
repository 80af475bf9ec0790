"""Step 4, merging: which events of different sources are one, and what people see of them.

Every source's version is kept. `same_event` decides for two, `compose` makes the one that is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from app import places
from app.models import Source
from scrapers import EventDraft, Venue

SAME_PLACE_KM = 1.0  # two spellings of one venue rarely geocode farther apart
SAME_TOWN_KM = 50.0  # between places known by their town only: suburbs count as the town
ALIKE = 0.8  # Jaccard similarity of the titles' telling words
TELLING_WORDS = 2  # "Monthly meetup" at 18:30 is every group's; two telling words make a title one event's

_EMPTY = """
a an and at by de der die das el en for from in la le les of on or the to und with your you our monthly weekly
meeting meetup meet event events session talk night evening group club gathering social january february march
april may june july august september october november december monday tuesday wednesday thursday friday
saturday sunday cancelled canceled postponed rescheduled annual first second third fourth last online virtual
live
"""
EMPTY_WORDS = frozenset(_EMPTY.split())


@dataclass(frozen=True, slots=True)
class Match:
    """Why two versions are the same event, in a sentence."""

    reason: str


@lru_cache(maxsize=8192)
def telling_words(title: str) -> frozenset[str]:
    """Return the words of a title that tell one event from another."""
    words = re.findall(r"[^\W_]+", title.casefold())
    return frozenset(word for word in words if word not in EMPTY_WORDS and not (word.isdigit() and len(word) < 5))


def canonical_url(url: str | None) -> str | None:
    """Return an address without what differs between links to one page; None for a site's front door."""
    if not url:
        return None
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    # The rest of the query stays: on many a site it alone tells one event's page from another's.
    query = urlencode(sorted(pair for pair in parse_qsl(parts.query) if not TRACKING.match(pair[0])))
    if not path and not query:
        return None
    return f"{(parts.hostname or '').removeprefix('www.')}{path}{'?' if query else ''}{query}"


TRACKING = re.compile(r"utm_|mc_|(?:fbclid|gclid|ref|source|aff|_gl|igshid|eventorigin)$", re.IGNORECASE)


def same_event(a: EventDraft, b: EventDraft, *, apart_km: float | None = None) -> Match | None:
    """Decide whether two sources' versions are one event, and say why.

    Both must start at the same instant (the same day when either is all-day). Beyond that: one address; or like titles
    with nothing that speaks against it. Only one of start and end counts, since assumed ends agree by accident.
    `apart_km` lies between the towns of the two sources, where a draft names no place of its own.
    """
    if a.all_day or b.all_day:
        if a.starts_at.date() != b.starts_at.date():
            return None
    elif a.starts_at != b.starts_at:
        return None
    a_words, b_words = telling_words(a.title), telling_words(b.title)
    shared = len(a_words & b_words)
    alike = shared / len(a_words | b_words) if a_words | b_words else 0.0
    address = canonical_url(a.url)
    if address is not None and address == canonical_url(b.url) and (shared or a.title.casefold() == b.title.casefold()):
        return Match(f"both link to {address} and start at the same time")
    if alike < ALIKE or shared < TELLING_WORDS or _elsewhere(a, b):
        return None
    if apart_km is not None and apart_km > SAME_TOWN_KM:  # chapters of one organisation share titles and hours
        return None
    return Match(f"both start at the same time and are called {a.title!r}")


def _elsewhere(a: EventDraft, b: EventDraft) -> bool:
    """Whether the two places speak against one event; silence does not."""
    if {a.mode, b.mode} == {"online", "in_person"}:
        return True
    here, there = a.venue, b.venue
    if here is None or there is None:
        return False
    if here.lat is not None and here.lon is not None and there.lat is not None and there.lon is not None:
        return places.distance_km(here.lat, here.lon, there.lat, there.lon) > SAME_PLACE_KM
    if here.city and there.city:
        return bool(here.city.casefold() != there.city.casefold())
    return False


def placed(draft: EventDraft, source: Source) -> Venue | None:
    """Return where a draft takes place, with coordinates where they can be had.

    They are its own, those of the city it names, or those of its source's city when it names no place at all.
    """
    venue = draft.venue
    if venue is not None and venue.lat is not None:
        return venue
    if venue is not None and venue.city:
        city = places.locate(venue.city, venue.country)
        if city is not None:
            return replace(venue, lat=city.lat, lon=city.lon)
        if source.city is None or venue.city.casefold() != source.city.casefold():
            return venue
    if draft.mode == "online" or source.city is None or (venue is not None and venue.country):
        return venue
    return replace(venue or Venue(), city=source.city, country=source.country, lat=source.lat, lon=source.lon)


@dataclass(frozen=True, slots=True)
class Told:
    """One source's version on its way into the event people see."""

    source: str  # its address
    draft: EventDraft
    place: Venue | None = None  # the draft's venue, or what stands in for it (`placed`)


def compose(versions: Sequence[Told]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the shown fields of an event and, for each, the address of the source it comes from.

    The richest version leads; others fill what it leaves open. A version that says "cancelled" or "postponed" wins over
    those that say nothing of it: an outdated copy elsewhere must not send people to a closed door.
    """
    leading = sorted(versions, key=lambda told: (-_richness(told.draft), told.source))
    alarmed = [told for told in leading if told.draft.status in ("cancelled", "postponed")]
    fields: dict[str, Any] = {}
    provenance: dict[str, str] = {}

    def take(field: str, told: Told, value: Any) -> None:
        fields[field] = value
        provenance[field] = told.source

    first = leading[0]
    take("title", first, first.draft.title)
    timed = next((told for told in leading if not told.draft.all_day), first)  # an hour says more than a day
    for field in ("starts_at", "zone", "all_day"):
        take(field, timed, getattr(timed.draft, field))
    ending = next((told for told in leading if told.draft.ends_at and _starts_alike(told, timed)), timed)
    take("ends_at", ending, ending.draft.ends_at)
    take("status", (alarmed or leading)[0], (alarmed or leading)[0].draft.status)
    for field in ("url", "online_url", "language", "price", "description"):
        told = next((told for told in leading if getattr(told.draft, field)), first)
        take(field, told, getattr(told.draft, field))
    told = next((told for told in leading if told.draft.mode != "unknown"), first)
    take("mode", told, told.draft.mode)
    # A place that was named comes before a town that stands in for it.
    told = max(leading, key=lambda told: (_detail(told.draft.venue), _detail(told.place)))
    venue = told.place or told.draft.venue
    for field, part in (
        ("venue_name", "name"),
        ("address", "address"),
        ("city", "city"),
        ("country", "country"),
        ("lat", "lat"),
        ("lon", "lon"),
    ):
        take(field, told, getattr(venue, part) if venue else None)
    told = next((told for told in leading if told.draft.organizer), first)
    organizer = told.draft.organizer
    take("organizer_name", told, organizer.name if organizer else None)
    take("organizer_url", told, organizer.url if organizer else None)
    fields["categories"] = list(dict.fromkeys(name for told in leading for name in told.draft.categories))
    fields["is_free"] = _is_free(fields["price"])
    return fields, provenance


def _starts_alike(a: Told, b: Told) -> bool:
    return (a.draft.starts_at, a.draft.all_day) == (b.draft.starts_at, b.draft.all_day)


def _detail(venue: Venue | None) -> int:
    return 0 if venue is None else sum(part is not None for part in astuple(venue))


def _richness(draft: EventDraft) -> float:
    venue = draft.venue
    return (
        min(len(draft.description), 2000) / 1000
        + (1.0 if venue and venue.lat is not None else 0.5 if venue else 0.0)
        + (0.5 if draft.url else 0.0)
        + (0.5 if draft.ends_at else 0.0)
        + (0.3 if draft.organizer else 0.0)
        - 0.5 * len(draft.warnings)
    )


def _is_free(price: str | None) -> bool | None:
    if price is None:
        return None
    text = price.casefold()
    if re.search(r"(?<![\w-])(free|gratis|kostenlos|frei|gratuit|libre)\b", text):
        return True
    amounts = [float(amount.replace(",", ".")) for amount in re.findall(r"\d+(?:[.,]\d+)?", text)]
    return not any(amounts) if amounts else None
