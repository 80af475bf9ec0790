"""What somebody asks the page, as it stands in the address: topics, place, reach; and addresses that ask a little else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from app.places import Spot, UnknownPlace, cities_called, cities_like, find_spot
from app.wishes import Wish
from recommender.catalogue import Topic, load_catalogue
from recommender.reach import REACHES, Reach

MOST_KNOWN = 60
LONGEST = 300  # characters of one value that are read
DISTANCES = (5, 10, 25, 50, 100, 250)
SPANS = (7, 14, 21, 60)
LIMIT = 10
MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class KnownTopic:
    topic: Topic
    level: int


@dataclass(frozen=True, slots=True)
class Question:
    """A visitor's wish; whatever the address held that makes no sense is left out, and said."""

    known: tuple[KnownTopic, ...] = ()
    unknown: tuple[str, ...] = ()  # labels that name no topic
    near: str = ""
    spot: Spot | None = None
    place_problem: str | None = None
    places: tuple[str, ...] = ()  # spellings that name one of the places that may be meant
    within: int = 50
    days: int = 21
    online: bool = True
    reach: Reach = "one-step"
    levels: Mapping[str, int] = field(default_factory=dict)  # slug → level

    def with_known(self, labels: Sequence[str]) -> Question:
        """Return the same question of somebody who knows these topics."""
        topics = [topic for topic in map(load_catalogue().resolve, labels) if topic is not None]
        levels = {topic.slug: 3 for topic in topics}
        return replace(self, known=tuple(KnownTopic(topic, 3) for topic in topics), levels=levels)

    def wish(self) -> Wish:
        return Wish(
            known=self.levels,
            near=self.spot,
            within_km=float(self.within),
            online=self.online,
            reach=self.reach,
            days=self.days,
            limit=LIMIT,
        )

    def address(self, *, known: Sequence[KnownTopic] | None = None, add: str | None = None, **changes: object) -> str:
        """Return the address of the same question with something changed."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        values: list[tuple[str, object]] = [
            ("know", one.topic.label if one.level == 3 else f"{one.topic.label}:{one.level}")
            for one in (changed.known if known is None else known)
        ]
        if add is not None:
            values.append(("know", add))
        values += [("near", changed.near)] if changed.near else []
        values += [("within", changed.within)] if changed.within != 50 else []
        values += [("days", changed.days)] if changed.days != 21 else []
        values += [("online", "no")] if not changed.online else []
        values += [("reach", changed.reach)] if changed.reach != "one-step" else []
        return "/?" + urlencode(values) if values else "/"


def read_question(values: Mapping[str, Sequence[str]]) -> Question:
    """Read a query string or form; one value may name several topics, separated by commas, each `LABEL[:1-5]`."""
    levels: dict[str, int] = {}
    unknown: list[str] = []
    catalogue = load_catalogue()
    for label, level in _told(values.get("know", ())):
        topic = catalogue.resolve(label)
        if topic is None:
            unknown.append(label)
        else:
            levels[topic.slug] = max(level, levels.get(topic.slug, 0))
    near = _last(values, "near").strip()
    spot, place_problem, places = _spot(near)
    reach = _last(values, "reach")
    return Question(
        known=tuple(KnownTopic(catalogue[slug], level) for slug, level in levels.items()),
        unknown=tuple(dict.fromkeys(unknown)),
        near=near,
        spot=spot,
        place_problem=place_problem,
        places=places,
        within=_one_of(_last(values, "within"), DISTANCES, 50),
        days=_one_of(_last(values, "days"), SPANS, 21),
        online=_last(values, "online") != "no",
        reach=reach if reach in REACHES else "one-step",
        levels=levels,
    )


def _spot(near: str) -> tuple[Spot | None, str | None, tuple[str, ...]]:
    """Return the point meant; or what is wrong with the name, and names that would do."""
    if not near:
        return None, None, ()
    try:
        return find_spot(near), None, ()
    except UnknownPlace as error:
        several = cities_called(near)[:MOST_PLACES]
        if several:
            return (
                None,
                f"Several places are called {near}. Which one do you mean?",
                tuple(city.label for city in several),
            )
        like = tuple(city.label for city in cities_like(near, MOST_PLACES))
        return None, f"{str(error)[:1].upper()}{str(error)[1:]}.", like


def _told(values: Sequence[str]) -> list[tuple[str, int]]:
    told = []
    catalogue = load_catalogue()
    for value in values:
        short = value[:LONGEST]
        # "Eating, drinking, talking" is one name of a topic; most commas separate several.
        parts = [short] if catalogue.resolve(short.rpartition(":")[0] or short) else short.replace(";", ",").split(",")
        for part in parts:
            label, colon, level = part.strip().rpartition(":")
            if colon and level in ("1", "2", "3", "4", "5"):
                told.append((label.strip(), int(level)))
            elif part.strip():
                told.append((part.strip(), 3))
    return told[:MOST_KNOWN]


def _last(values: Mapping[str, Sequence[str]], name: str) -> str:
    found = values.get(name, ())
    return found[-1][:LONGEST] if found else ""


def _one_of(text: str, allowed: Sequence[int], default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and int(text) in allowed else default
