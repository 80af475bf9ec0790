"""What a visitor looks for among all events, as it stands in the address; and addresses that look for a little else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Literal, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from app.places import Spot, UnknownPlace, find_spot
from app.queries.filters import EventFilter
from app.queries.slices import Position
from app.web.question import LONGEST
from app.words.topic_words import topic_named
from recommender.catalogue import Topic

View = Literal["list", "week", "month"]
VIEWS: tuple[View, ...] = get_args(View)
MODES = ("in_person", "online", "hybrid")
RADII = (5, 10, 25, 50, 100, 250)
SAID = ("q", "topic", "community", "mode", "language", "purpose", "near", "within", "free", "view", "day")


@dataclass(frozen=True, slots=True)
class Search:
    q: str = ""
    topic: str = ""  # slug
    community: str = ""  # key
    mode: str = ""
    language: str = ""
    purpose: str = ""
    near: str = ""
    within: int = 50
    free: str = ""  # "yes"
    view: View = "list"
    day: str = ""  # ISO: a day of the week or month that is shown
    spot: Spot | None = field(default=None, compare=False)
    is_place_unknown: bool = field(default=False, compare=False)

    @property
    def found_topic(self) -> Topic | None:
        return topic_named(self.topic) if self.topic else None

    def address(self, **changes: object) -> str:
        asked = replace(self, **changes)  # type: ignore[arg-type]
        usual = Search()
        values = [(name, getattr(asked, name)) for name in SAID if getattr(asked, name) != getattr(usual, name)]
        return f"/events?{urlencode(values)}" if values else "/events"

    @property
    def feed_query(self) -> str | None:
        """Return the query with which the API finds the same events; None where nobody knows the topic or the place."""
        topic = self.found_topic
        if self.is_place_unknown or (self.topic and topic is None):
            return None
        asked = {
            "q": self.q,
            "topic": topic.slug if topic is not None else "",
            "community": self.community,
            "mode": self.mode,
            "lang": self.language,
            "purpose": self.purpose,
            "free": "true" if self.free else "",
            "near": self.near,
            "radius_km": str(self.within) if self.near else "",
        }
        return urlencode({name: value for name, value in asked.items() if value})

    def wanted(self, start: datetime, end: datetime | None = None) -> EventFilter:
        topic = self.found_topic
        return EventFilter(
            start=start,
            end=end,
            words=self.q or None,
            topics=(topic.slug,) if topic is not None else (self.topic,) if self.topic else (),
            community=self.community or None,
            modes=(self.mode,) if self.mode else (),
            language=self.language or None,
            purpose=self.purpose or None,
            free=True if self.free else None,
            near=self.spot,
            radius_km=float(self.within),
        )

    def day_within(self, now: datetime, zone: ZoneInfo) -> date:
        return date.fromisoformat(self.day) if self.day else now.astimezone(zone).date()


def read_search(values: Mapping[str, Sequence[str]]) -> Search:
    """Read a query string; whatever makes no sense in it is left out."""

    def last(name: str) -> str:
        found = values.get(name, ())
        return found[-1][:LONGEST].replace("\x00", "").strip() if found else ""

    near = last("near")
    try:
        spot, unknown = (find_spot(near) if near else None), False
    except UnknownPlace:
        spot, unknown = None, True
    view, within = last("view"), last("within")
    return Search(
        q=last("q"),
        topic=last("topic"),
        community=last("community"),
        mode=last("mode") if last("mode") in MODES else "",
        language=last("language")[:8],
        purpose=last("purpose") if last("purpose") in ("learn", "exchange", "social", "sell", "recruit") else "",
        near=near,
        within=int(within) if within.isascii() and within.isdigit() and int(within) in RADII else 50,
        free="yes" if last("free") == "yes" else "",
        view=view if view in VIEWS else "list",
        day=_day(last("day")),
        spot=spot,
        is_place_unknown=unknown,
    )


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ""
    return day.isoformat() if 1970 < day.year < 2200 else ""


def read_position(text: str) -> Position | None:
    """Read where a page begins, "START~NUMBER"; None for the first one."""
    start, _, number = text.partition("~")
    try:
        moment = datetime.fromisoformat(start)
    except ValueError:
        return None
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    return Position(moment, int(number)) if is_number and moment.tzinfo is not None else None


def write_position(position: Position) -> str:
    return f"{position.value.isoformat()}~{position.id}"


def week_of(day: date) -> list[date]:
    """Return the seven days of a week, Monday first (ISO 8601)."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=place) for place in range(7)]


def month_of(day: date) -> list[list[date]]:
    """Return the weeks that a month touches."""
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    monday = first - timedelta(days=first.weekday())
    return [week_of(monday + timedelta(weeks=place)) for place in range(((following - monday).days + 6) // 7)]


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)
