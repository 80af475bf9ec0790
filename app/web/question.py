"""What somebody asks the page, as it stands in the address: topics, place, reach, filters; and addresses that ask a
little else. Where the address is silent, a person's profile speaks, and for strangers the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, get_args
from urllib.parse import parse_qs, urlencode, urlsplit

from app.people.wishes import Hours, Wish
from app.places import Spot, UnknownPlace, cities_called, cities_like, find_spot
from app.topic_names import PLAIN_LEVEL
from app.words.topic_words import topic_named
from recommender.catalogue import Topic, load_catalogue
from recommender.reach import REACHES, Reach

Mode = Literal["any", "in_person", "online"]

MOST_KNOWN = 60
LONGEST = 300  # characters of one value that are read
DISTANCES = (5, 10, 25, 50, 100, 250)
SPANS = (7, 14, 21, 60)
MODES: tuple[Mode, ...] = get_args(Mode)
HOURS: tuple[Hours, ...] = get_args(Hours)
LIMIT = 10
MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class KnownTopic:
    topic: Topic
    level: int

    def __str__(self) -> str:
        return self.topic.label if self.level == PLAIN_LEVEL else f"{self.topic.label}:{self.level}"


@dataclass(frozen=True, slots=True)
class Question:
    """A visitor's wish; whatever the address held that makes no sense is left out, and said."""

    known: tuple[KnownTopic, ...] = ()
    near: str = ""
    within: int = 50
    days: int = 21
    mode: Mode = "any"
    hours: Hours = "any"
    language: str = ""  # of events; "" for any
    free: bool = False  # only what costs nothing
    reach: Reach = "one-step"
    spot: Spot | None = field(default=None, compare=False)
    unknown: tuple[str, ...] = field(default=(), compare=False)  # labels that name no topic
    is_place_unknown: bool = field(default=False, compare=False)
    is_place_ambiguous: bool = field(default=False, compare=False)
    places: tuple[str, ...] = field(
        default=(), compare=False
    )  # spellings that name one of the places that may be meant
    home: Question | None = field(default=None, compare=False)  # the profile of whoever asks

    @property
    def levels(self) -> Mapping[str, int]:
        """Return slug → level."""
        return {one.topic.slug: one.level for one in self.known}

    @property
    def is_profile(self) -> bool:
        """Whether just what the profile says is asked."""
        return self.home is not None and self == self.home

    @property
    def is_narrowed(self) -> bool:
        """Whether one of the filters that are folded away is set."""
        return (self.mode, self.hours, self.language, self.free) != ("any", "any", "", False)

    @property
    def is_home_known(self) -> bool:
        """Whether the address need not say what is known."""
        return self.known == (self.home or STRANGER).known

    def differs(self, name: str) -> bool:
        """Whether the address must say a field."""
        return bool(getattr(self, name) != getattr(self.home or STRANGER, name))

    def with_known(self, labels: Sequence[str]) -> Question:
        """Return the same question of somebody who knows these topics."""
        topics = [topic for topic in map(load_catalogue().resolve, labels) if topic is not None]
        return replace(self, known=tuple(KnownTopic(topic, PLAIN_LEVEL) for topic in topics))

    def wish(self, profile: Wish | None = None) -> Wish:
        """Return what picks are made from; a profile adds what the page does not ask."""
        asked = profile or Wish(known={}, limit=LIMIT)
        if self.home is None or self.language != self.home.language:
            asked = replace(asked, languages=frozenset([self.language] if self.language else ()))
        return replace(
            asked,
            known=self.levels,
            near=self.spot,
            within_km=float(self.within),
            online=self.mode != "in_person",
            modes=frozenset() if self.mode == "any" else frozenset([self.mode]),
            free_only=self.free,
            hours=self.hours,
            reach=self.reach,
            days=self.days,
        )

    def address(
        self, path: str = "/", *, known: Sequence[KnownTopic] | None = None, add: str | None = None, **changes: object
    ) -> str:
        """Return the address of the same question with something changed."""
        asked = replace(self, **changes)  # type: ignore[arg-type]
        if known is not None:
            asked = replace(asked, known=tuple(known))
        values: list[tuple[str, object]] = []
        if not asked.is_home_known or add is not None:
            values += [("know", one) for one in asked.known]
        if add is not None:
            values.append(("know", add))
        elif not asked.known and not asked.is_home_known:
            values.append(("know", ""))
        values += [
            (name, getattr(asked, name))
            for name in ("near", "within", "days", "mode", "hours", "language", "reach")
            if asked.differs(name)
        ]
        if asked.differs("free"):
            values.append(("free", "yes" if asked.free else "no"))
        return f"{path}?{urlencode(values)}" if values else path

    def whole_address(self, path: str) -> str:
        """Return the address of just this question, with the labels nobody knows."""
        address = self.address(path)
        if not self.unknown:
            return address
        known = [("know", one) for one in self.known] if self.is_home_known else []
        return (
            f"{address}{'&' if '?' in address else '?'}{urlencode([*known, *(('know', one) for one in self.unknown)])}"
        )


STRANGER = Question()


def tidied(question: Question, path: str, values: Mapping[str, Sequence[str]]) -> str | None:
    """Return the address that says the same as these values in the plainest way; None where they do already.

    Forms send all their fields; an address that is passed on holds only what matters.
    """
    address = question.whole_address(path)
    return address if parse_qs(urlsplit(address).query, keep_blank_values=True) != dict(values) else None


def read_question(values: Mapping[str, Sequence[str]], home: Question | None = None) -> Question:
    """Read a query string or form; one value of `know` may name several topics, separated by commas, each `LABEL[:1-5]`.

    A field `level.SLUG` beside them says how well one is known.
    """
    base = home or STRANGER
    known, unknown = _known(values) if "know" in values else (base.known, ())
    near = _last(values, "near").strip() if "near" in values else base.near
    found = _spot(near) if near != base.near or home is None else _Found(base.spot)
    reach, mode, hours = (_last(values, name) for name in ("reach", "mode", "hours"))
    free = _last(values, "free")
    return Question(
        known=known,
        unknown=unknown,
        near=near,
        spot=found.spot,
        is_place_unknown=found.is_unknown,
        is_place_ambiguous=found.is_ambiguous,
        places=found.places,
        within=_one_of(_last(values, "within"), DISTANCES, base.within),
        days=_one_of(_last(values, "days"), SPANS, base.days),
        mode=mode if mode in MODES else base.mode,
        hours=hours if hours in HOURS else base.hours,
        language=_last(values, "language")[:8] if "language" in values else base.language,
        free=free == "yes" if free in ("yes", "no") else base.free,
        reach=reach if reach in REACHES else base.reach,
        home=home,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """The point meant; or that there is none or there are several, and names that would do."""

    spot: Spot | None = None
    is_unknown: bool = False
    is_ambiguous: bool = False
    places: tuple[str, ...] = ()


@lru_cache(maxsize=1024)  # names like one that nobody bears are sought among all cities
def _spot(near: str) -> _Found:
    if not near:
        return _Found()
    try:
        return _Found(find_spot(near))
    except UnknownPlace:
        several = tuple(city.label for city in cities_called(near)[:MOST_PLACES])
        like = several or tuple(city.label for city in cities_like(near, MOST_PLACES))
        return _Found(is_unknown=not several, is_ambiguous=bool(several), places=like)


def _known(values: Mapping[str, Sequence[str]]) -> tuple[tuple[KnownTopic, ...], tuple[str, ...]]:
    levels: dict[str, int] = {}
    unknown: list[str] = []
    catalogue = load_catalogue()
    told = _told(values["know"])
    read = catalogue.resolve_together(label for label, _ in told)  # "Java" among islands is one
    for label, level in told:
        topic = read.get(label) or topic_named(label)
        if topic is None:
            unknown.append(label)
        else:
            levels[topic.slug] = max(level, levels.get(topic.slug, 0))
    known = (
        KnownTopic(catalogue[slug], _one_of(_last(values, f"level.{slug}"), range(1, 6), level))
        for slug, level in levels.items()
    )
    return tuple(known), tuple(dict.fromkeys(unknown))


def _told(values: Sequence[str]) -> list[tuple[str, int]]:
    told = []
    for value in values:
        short = value[:LONGEST]
        # "Eating, drinking, talking" is one name of a topic; most commas separate several.
        parts = [short] if topic_named(short.rpartition(":")[0] or short) else short.replace(";", ",").split(",")
        for part in parts:
            label, colon, level = part.strip().rpartition(":")
            if colon and level in ("1", "2", "3", "4", "5"):
                told.append((label.strip(), int(level)))
            elif part.strip():
                told.append((part.strip(), PLAIN_LEVEL))
    return told[:MOST_KNOWN]


def _last(values: Mapping[str, Sequence[str]], name: str) -> str:
    found = values.get(name, ())
    return found[-1][:LONGEST] if found else ""


def _one_of(text: str, allowed: Sequence[int], default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and int(text) in allowed else default
