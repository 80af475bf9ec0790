"""Step 4, merging: which events of different sources are one. Every source's version is kept."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit

from app import places
from app.events.venue_cities import is_one_city
from scrapers import EventDraft

SAME_PLACE_KM = 1.0  # two spellings of one venue rarely geocode farther apart
SAME_TOWN_KM = 50.0  # between places known by their town only: suburbs count as the town
TELLING_WORDS = 2  # "Monthly meetup" at 18:30 is every group's; two telling words make a title one event's
TELLING_PART = 3  # … or three, where a title is only a part of the other
SPELT_ALIKE = 0.85  # of two words' letters (difflib's ratio): "center" and "centre", a plural
REWORDED = 0.5  # share of common words that will do for titles of one page

# Words that say nothing …
_EMPTY = """
a an and at by de der die das el en for from in la le les of on or the to und with your you our monthly weekly
meeting meetup meet event events session talk night evening group club gathering social january february march
april may june july august september october november december monday tuesday wednesday thursday friday
saturday sunday cancelled canceled postponed rescheduled annual last online virtual live
"""
# … those that only say what kind of evening it is, which many groups have at one hour …
_KINDS = """
abend apero after art bar beer biking bingo board book books bowling breakfast brunch buch calendar camp cards
casual celebration chat chess christmas class cocktail cocktails code coding coffee committee community conference
conversation cooking cycling daily dance dancing day demo dinner discussion drinks drop easter film first fitness food
free friends friendly fun game games general get golf greet guests hack hacking halloween happy help hike hiking hike
holiday hour hours house intro introduction jam kaffee karaoke kick kickoff language learn learning lecture library
lunch meditation member members mic mixer month morning movie movies music networking new office open orientation
outing paddle park party picnic planning play poker potluck practice pub quiz reading regular ride run running sale
saturday schedule show sing singles skate soccer spring stammtisch study summer sunday support swap swim tea tennis
thanksgiving together topics tour training treffen trip trivia volleyball volunteer walk walking week weekend welcome
wine winter work working workshop writing year yoga
"""
EMPTY_WORDS, KINDS = frozenset(_EMPTY.split()), frozenset(_KINDS.split())
# … and those that tell one of several from the next, however much else they share.
ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4", "ii": "2", "iii": "3", "iv": "4"}
LONGEST_NUMBER = 4  # digits; longer ones are telling words


@dataclass(frozen=True, slots=True)
class Match:
    """Why two versions are the same event, in a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Title:
    """What a title says: the words that are not empty, and the numbers and letters that count parts and rooms."""

    words: frozenset[str]
    marks: tuple[str, ...]


@lru_cache(maxsize=8192)
def title_of(text: str) -> Title:
    words: set[str] = set()
    marks: list[str] = []
    for word in re.findall(r"[^\W_]+", text.replace("'", "").replace("’", "")):
        plain = word.casefold()
        if (word.isdigit() and len(word) <= LONGEST_NUMBER) or re.fullmatch(r"\d{1,3}[a-z]{1,2}|[A-Z]", word):
            marks.append(plain)
        elif plain in ORDINALS:
            marks.append(ORDINALS[plain])
        elif plain not in EMPTY_WORDS:
            words.add(plain)
    return Title(frozenset(words), tuple(sorted(marks)))


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

    Both must start at the same instant (the same day when either is all-day), and neither title may say something that
    the other replaces by something else. Beyond that: one address; or titles that tell enough by themselves; or ones
    that tell little, at one place or by one organizer. Only one of start and end counts, since assumed ends agree by
    accident. `apart_km` lies between the towns of the two sources, where a draft names no place of its own.
    """
    is_by_day = a.all_day or b.all_day
    if a.starts_at.date() != b.starts_at.date() if is_by_day else a.starts_at != b.starts_at:
        return None
    when = "on the same day" if is_by_day else "at the same time"
    here, there = title_of(a.title), title_of(b.title)
    shared = here.words & there.words
    only_here, only_there = _unpaired(here.words - shared, there.words - shared)
    telling = len(here.words - only_here - KINDS)
    # What counts parts and rooms: part 1 and part 2, the morning group and the second group.
    marked_here, marked_there = Counter(here.marks) - Counter(there.marks), Counter(there.marks) - Counter(here.marks)
    is_equal = a.title.casefold() == b.title.casefold()
    address = canonical_url(a.url)
    if address is not None and address == canonical_url(b.url):
        is_reworded = len(shared) >= REWORDED * len(here.words | there.words)
        if marked_here and marked_there:
            return None
        if is_equal or (shared and (is_reworded or not (only_here and only_there))):
            return Match(f"both link to {address} and start {when}")
        return None
    # Aggregators put the group's or the venue's name into the title.
    around = _names(a) | _names(b)
    only_here, only_there = only_here - around, only_there - around
    if ((only_here or marked_here) and (only_there or marked_there)) or _elsewhere(a, b):
        return None
    if apart_km is not None and apart_km > SAME_TOWN_KM:  # chapters of one organisation share titles and hours
        return None
    is_part = bool(only_here or only_there)
    if telling >= (TELLING_PART if is_part else TELLING_WORDS):
        return Match(f"both start {when} and are called {_called(a, b)}")
    backing = _backing(a, b)
    if backing is not None and (is_equal or telling or (shared and not is_part)):
        return Match(f"both start {when}, are called {_called(a, b)} and {backing}")
    return None


def _called(a: EventDraft, b: EventDraft) -> str:
    return f"“{a.title}”" if a.title == b.title else f"“{a.title}” or “{b.title}”"


def marks(title: str, url: str | None) -> set[str]:
    """Return what two versions must have in common, one of it at least, to be one event."""
    address = canonical_url(url)
    return {*title_of(title).words, f"title {title.casefold()}", *([f"address {address}"] if address else [])}


def _unpaired(here: frozenset[str], there: frozenset[str]) -> tuple[set[str], set[str]]:
    """Return the words of each title that the other has not, in no spelling."""
    left = set(there)
    alone = set()
    for word in sorted(here):
        other = next((one for one in sorted(left) if _spelt_alike(word, one)), None)
        if other is None:
            alone.add(word)
        else:
            left.discard(other)
    return alone, left


def _spelt_alike(a: str, b: str) -> bool:
    compared = SequenceMatcher(None, a, b, autojunk=False)
    bounds = (compared.real_quick_ratio, compared.quick_ratio, compared.ratio)  # from above, the cheap ones first
    return all(bound() >= SPELT_ALIKE for bound in bounds)


def _names(draft: EventDraft) -> frozenset[str]:
    venue, organizer = draft.venue, draft.organizer
    names = (venue and venue.name, venue and venue.city, organizer and organizer.name)
    return frozenset[str]().union(*(title_of(name).words for name in names if name))


def _backing(a: EventDraft, b: EventDraft) -> str | None:
    """Return what else makes one event of two titles that many groups use; None where nothing does."""
    club, other_club = a.organizer and a.organizer.name, b.organizer and b.organizer.name
    if club and other_club and club.casefold() == other_club.casefold():
        return f"are organised by {club}"
    if a.url and b.url and _front_door(a.url) == _front_door(b.url) and not canonical_url(a.url):
        return f"link to {_front_door(a.url)}"
    here, there = a.venue, b.venue
    if here is None or there is None:
        return None
    if here.name and there.name:
        one, other = title_of(here.name), title_of(there.name)
        if one.marks == other.marks and (one.words <= other.words or other.words <= one.words):
            return f"take place at {here.name}"
        return None
    if (a.all_day or b.all_day) and here.city and there.city and is_one_city(here, there):
        return f"take place in {here.city}"  # a conference of a name in a town
    return None


def _front_door(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


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
        return not is_one_city(here, there)
    return False
