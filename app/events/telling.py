"""Step 4, telling: what people see of an event: each fact from the version that tells it best, and where it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from app import places
from app.events.venue_cities import city_of
from app.models import Source
from scrapers import EventDraft, Venue


def placed(draft: EventDraft, source: Source) -> Venue | None:
    """Return where a draft takes place, with coordinates where they can be had.

    They are its own, those of the city it names, or those of its source's city when it names no place at all.
    """
    venue = located(draft.venue)
    if venue is not None and venue.lat is not None:
        return venue
    if venue is not None and venue.city and (not source.city or places.key(venue.city) != places.key(source.city)):
        return venue
    if draft.mode == "online" or source.city is None or (venue is not None and venue.country):
        return venue
    return replace(venue or Venue(), city=source.city, country=source.country, lat=source.lat, lon=source.lon)


def located(venue: Venue | None) -> Venue | None:
    """Return a venue with the coordinates of the city it names, where it has none of its own."""
    if venue is None or venue.lat is not None or not venue.city:
        return venue
    city = city_of(venue)
    return replace(venue, lat=city.lat, lon=city.lon) if city is not None else venue


@dataclass(frozen=True, slots=True)
class Telling:
    """One source's version on its way into the event people see."""

    source: str  # its address
    draft: EventDraft
    place: Venue | None = None  # the draft's venue, or what stands in for it (`placed`)


def compose(versions: Sequence[Telling]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the shown fields of an event and, for each, the address of the source it comes from.

    The richest version leads; others fill what it leaves open. A version that says "cancelled" or "postponed" wins over
    those that say nothing of it: an outdated copy elsewhere must not send people to a closed door.
    """
    leading = sorted(versions, key=lambda told: (-_richness(told.draft), told.source))
    alarmed = [told for told in leading if told.draft.status in ("cancelled", "postponed")]
    taken = [
        _taken("title", leading[0]),
        *_times(leading),
        _taken("status", (alarmed or leading)[0]),
        *(
            _taken(field, next((told for told in leading if getattr(told.draft, field)), leading[0]))
            for field in ("url", "online_url", "language", "price", "description")
        ),
        _taken("mode", next((told for told in leading if told.draft.mode != "unknown"), leading[0])),
        *_place(leading),
        *_organizer(leading),
    ]
    fields = {field: value for field, _, value in taken}
    fields["categories"] = list(dict.fromkeys(name for told in leading for name in told.draft.categories))
    fields["is_free"] = _is_free(fields["price"])
    return fields, {field: told.source for field, told, _ in taken}


Taken = tuple[str, Telling, Any]  # a shown field, who tells it, its value


def _taken(field: str, told: Telling) -> Taken:
    return field, told, getattr(told.draft, field)


def _times(leading: Sequence[Telling]) -> list[Taken]:
    timed = next((told for told in leading if not told.draft.all_day), leading[0])  # an hour says more than a day
    ending = next((told for told in leading if told.draft.ends_at and _starts_alike(told, timed)), timed)
    return [*(_taken(field, timed) for field in ("starts_at", "zone", "all_day")), _taken("ends_at", ending)]


def _place(leading: Sequence[Telling]) -> list[Taken]:
    # A place that was named comes before a town that stands in for it.
    told = max(leading, key=lambda told: (_detail(told.draft.venue), _detail(told.place)))
    venue = told.place or told.draft.venue or Venue()
    return [
        ("venue_name", told, venue.name),
        *((part, told, getattr(venue, part)) for part in ("address", "city", "country", "lat", "lon")),
    ]


def _organizer(leading: Sequence[Telling]) -> list[Taken]:
    told = next((told for told in leading if told.draft.organizer), leading[0])
    organizer = told.draft.organizer
    return [
        ("organizer_name", told, organizer.name if organizer else None),
        ("organizer_url", told, organizer.url if organizer else None),
    ]


def _starts_alike(a: Telling, b: Telling) -> bool:
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
