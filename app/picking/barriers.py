"""Step 6b, barriers: what keeps an event from being picked for somebody, whatever it is about, in plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.models import Event
from app.people.wishes import Refusals, Wish
from app.places import distance_km
from app.queries.filters import PURPOSES
from app.queries.listing import Listed
from app.topic_names import label_of
from recommender.candidate import UNWANTED, Because, is_wanted

STILL_ON = ("confirmed", "tentative", "rescheduled", "moved_online")  # statuses of what takes place
# What organisers write into a title instead of setting a status, in English, German, French and Spanish.
OFF_IN_TITLE = re.compile(
    r"""\b(?: cancell?ed | postponed | sold[ ]out | (?:is|are|event|now)[ ]full | wait[ ]?list | no[ ](?:meeting|meetup|class
    |session|event)s? | (?:will|do|does)[ ]not[ ](?:be|meet) | not[ ]meeting | abgesagt | ausgebucht | verschoben
    | f[äa]llt[ ]aus | annul[ée]e? | complet | cancelad[oa] | aplazad[oa] )\b""",
    re.IGNORECASE | re.VERBOSE,
)
# Who meets there shares what is nobody else's business: no evening for the curious, however near to what they know.
MUTUAL_HELP = frozenset(
    [
        "addiction-recovery",
        "families-of-addicts",
        "sober-social-life",
        "support-groups",
        "eating-disorders",
        "trauma-recovery",
        "grief-support",
        "depression-support",
        "anxiety-support",
        "divorce-support",
        "ocd-support",
        "social-anxiety",
        "domestic-violence-support",
        "cancer-support",
        "mens-and-fathers-support",
        "dementia-support",
        "parkinsons-and-stroke-support",
        "diabetes-support",
    ]
)
MAINLY = 0.7  # weight from which a topic is what an event is for
ELSEWHERE = frozenset({"off", "online", "place", "distance"})  # barriers of what somebody could not go to anyway
AIMS = {
    "learn": "to learn",
    "exchange": "to talk with one another",
    "social": "to meet people",
    "sell": "to sell",
    "recruit": "to hire or be hired",
}


Code = Literal[
    Because,
    "off",
    "online",
    "place",
    "distance",
    "hidden-community",
    "refused",
    "for-those-concerned",
    "mode",
    "language",
    "price",
    "seen",
]


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why an event was left out, as a word for programs and a sentence for people."""

    code: Code
    sentence: str


def barrier(item: Listed, wish: Wish) -> Barrier | None:
    """Return what keeps an event from being picked for a wish, the weightiest first, or None."""
    return (
        _off(item.event)
        or whereabouts(item.event, wish)
        or _hidden(item, wish.refusals)
        or _refused(item.event, wish.refusals)
        or _preference(item.event, wish)
        or _among_themselves(item, wish)
        or _purpose(item.event, wish.purposes)
        or _seen(item.event, wish.refusals)
        or (None if item.topics else Barrier("no-topic", "Its texts do not say clearly enough what it is about."))
    )


def _off(event: Event) -> Barrier | None:
    if event.status not in STILL_ON or event.deleted_at is not None:
        return Barrier("off", "It does not take place.")
    if says_it_is_off(event.title):
        return Barrier("off", "Its title says that it does not take place, or that no room is left.")
    return None


def says_it_is_off(title: str) -> bool:
    return OFF_IN_TITLE.search(title) is not None


def whereabouts(event: Event, wish: Wish) -> Barrier | None:
    """Return why an event is not where somebody would go, or None."""
    if event.mode in ("online", "hybrid") and wish.online:
        return None
    if event.mode == "online":
        return Barrier("online", "It is online; you look for events to go to.")
    if wish.near is None:
        return None
    if event.lat is None or event.lon is None:
        # An event that names a place nobody could locate is somewhere else until shown otherwise.
        if event.city is None and event.address is None and event.venue_name is None:
            return None
        return Barrier("place", "Nobody could tell where its place is.")
    away = distance_km(wish.near.lat, wish.near.lon, event.lat, event.lon)
    if away <= wish.within_km:
        return None
    return Barrier("distance", f"It is {away:.0f} km away; you look up to {wish.within_km:g} km.")


def is_hidden(item: Listed, refusals: Refusals) -> bool:
    return _hidden(item, refusals) is not None


def _hidden(item: Listed, refusals: Refusals) -> Barrier | None:
    for slug, _ in item.topics:
        if slug in refusals.topics:
            return Barrier("hidden-topic", f"It is about {label_of(slug)}, which you hid.")
    if item.community is not None and item.community.key in refusals.communities:
        return Barrier("hidden-community", f"It is by {item.community.name}, which you hid.")
    return None


def _refused(event: Event, refusals: Refusals) -> Barrier | None:
    if event.id in refusals.events:
        return Barrier("refused", "You said that it is not for you.")
    if event.series_key in refusals.series:
        return Barrier("refused", "You said of another of its dates that it is not for you.")
    return None


def _among_themselves(item: Listed, wish: Wish) -> Barrier | None:
    for slug, weight in item.topics:
        if weight >= MAINLY and slug in MUTUAL_HELP and slug not in wish.known:
            about = label_of(slug)
            return Barrier(
                "for-those-concerned", f"It is for those concerned by {about}; say that you know it if you are."
            )
    return None


def _preference(event: Event, wish: Wish) -> Barrier | None:
    if wish.modes and not is_of(event.mode, wish.modes):
        wanted = " or ".join(mode.replace("_", " ") for mode in sorted(wish.modes))
        return Barrier("mode", f"You look for what is {wanted}; this is {event.mode.replace('_', ' ')}.")
    if wish.languages and event.language and not speaks(event.language, wish.languages):
        return Barrier("language", f"It is in another language ({event.language}) than you asked for.")
    if wish.free_only and not event.is_free:
        paid = (
            f"it costs {event.price}" if event.price and event.is_free is False else "it does not say that it is free"
        )
        return Barrier("price", f"You look for free events; {paid}.")
    return None


def is_of(mode: str, wanted: frozenset[str]) -> bool:
    return mode in wanted or (mode == "hybrid" and not wanted.isdisjoint(("in_person", "online")))


def speaks(language: str, wanted: frozenset[str]) -> bool:
    told = language.lower()
    return any(told == one.lower() or told.startswith(f"{one.lower()}-") for one in wanted)


def _purpose(event: Event, wanted: frozenset[str]) -> Barrier | None:
    if not event.purpose:
        return None
    unwanted = [name for name in UNWANTED if name not in wanted]
    is_pitch = not is_wanted(event.purpose, wanted)
    told = unwanted if is_pitch else [name for name in PURPOSES if name not in unwanted]
    main = max(told, key=lambda name: event.purpose.get(name, 0.0))
    if main in wanted:
        return None
    phrases = ", ".join(f"“{phrase}”" for phrase in event.purpose_phrases[:2]) if is_pitch else ""
    shown_by = f" ({phrases})" if phrases else ""
    return Barrier("purpose", f"People seem to come there {AIMS[main]}{shown_by}, which you did not ask for.")


def _seen(event: Event, refusals: Refusals) -> Barrier | None:
    seen = refusals.seen.get(event.id or 0)
    if seen is not None:
        unchanged = event.sequence <= seen.sequence
        return Barrier("seen", f"It was among your picks of {seen.week}.") if unchanged else None
    week = refusals.seen_series.get(event.series_key or "")
    return Barrier("seen", f"Another of its dates was among your picks of {week}.") if week else None
