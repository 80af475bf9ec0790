"""The filters of the event list, as they stand in addresses, made into the filter of `queries`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from fastapi import Depends, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.api.answers import Text
from app.api.mistakes import in_address, told
from app.api.naming import spot_named, topic_meant, topics_named
from app.api.paging import LARGEST_ID, Count, Cursor
from app.api.problems import Problem
from app.places import Spot
from app.queries.areas import Box
from app.queries.filters import EventFilter
from app.queries.slices import Sort
from app.words.topic_words import topic_named
from recommender.catalogue import Topic
from scrapers.draft import Mode, Status

# RFC 3339, without seconds or offset where they are not wanted. Python also reads weeks and dates without hyphens, but as
# times, so that the day of such an `end` would not be included.
MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
EARLIEST, LATEST = 1970, 2199  # years; beyond them offsets overflow
DAYS_BACK = re.compile(r"-(\d{1,3})d", re.ASCII)  # of a `start` that moves with the clock

Purpose = Literal["learn", "exchange", "sell", "recruit", "social"]


def _moment(text: str) -> str:
    moment = read_moment(text)
    if moment is None:
        raise ValueError("write RFC 3339, e.g. 2026-12-01 or 2026-12-01T18:00:00Z")
    if not EARLIEST <= moment.year <= LATEST:
        raise ValueError(f"the year must lie between {EARLIEST} and {LATEST}")
    return text


def read_moment(text: str) -> datetime | date | None:
    """Return the date or time a text names, or None. A "+" that an address turned into a space is put back."""
    whole = re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", text.strip().upper())
    if not MOMENT.fullmatch(whole):
        return None
    try:
        return date.fromisoformat(whole) if len(whole) == 10 else datetime.fromisoformat(whole)
    except ValueError:
        return None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("is no IANA time zone, e.g. Europe/Berlin")
    return name


def _box(text: str) -> str:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError("write west,south,east,north in degrees, e.g. 11.3,48.0,11.8,48.3") from error
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError("longitudes lie in −180 … 180, latitudes in −90 … 90, and south is below north")
    return text


def _start(text: str) -> str:
    if DAYS_BACK.fullmatch(text):
        return text
    if read_moment(text) is None:
        raise ValueError("write RFC 3339, e.g. 2026-12-01 or 2026-12-01T18:00:00Z, or days before now, e.g. -30d")
    return _moment(text)


Language = Annotated[
    str,
    Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35),
    told("is no language tag (BCP 47), e.g. en or de-AT"),
]
Moment = Annotated[Text, AfterValidator(_moment)]
Zone = Annotated[Text, AfterValidator(_zone)]


class Around(BaseModel):
    """Where what is wanted lies."""

    model_config = ConfigDict(extra="forbid")

    near: Text | None = Field(None, description="A city or LAT,LON.", examples=["Munich", "48.14,11.58"])
    radius_km: float = Field(50.0, gt=0, le=20_000, description="Around `near`.")
    bbox: Annotated[Text, AfterValidator(_box)] | None = Field(
        None, description="west,south,east,north in degrees; west may exceed east across the antimeridian."
    )

    @property
    def spot(self) -> Spot | None:
        """The point that is meant; raises the Problem for a place nobody knows."""
        return spot_named(self.near, in_address("near")) if self.near is not None else None

    @property
    def box(self) -> Box | None:
        if self.bbox is None:
            return None
        west, south, east, north = (float(part) for part in self.bbox.split(","))
        return south, north, west, east


class Selection(Around):
    """Which events are wanted."""

    start: Annotated[Text, AfterValidator(_start)] | None = Field(
        None,
        description="First start, inclusive; now if not given. `-30d` is 30 days before now, for calendars to subscribe "
        "to: what has begun stays in them.",
        examples=["2026-12-01", "2026-12-01T18:00:00Z", "-30d"],
    )
    end: Moment | None = Field(
        None, description="Starts before this; a date includes its day.", examples=["2026-12-31"]
    )
    q: Text | None = Field(
        None,
        description="Words of title or description, all of them; `typo*` finds what begins so. Accents do not count.",
        examples=["typography"],
    )
    topic: list[Text] = Field([], max_length=50, description="Topics by label, alias or slug; any of them.")
    mode: list[Mode] = Field([], max_length=4, description="Any of them.")
    tz: Zone = Field("UTC", description="Zone in which `start` and `end` without an offset are read.")
    lang: Language | None = Field(None, description="BCP 47; `en` finds `en-GB`, too.")
    free: bool | None = Field(None, description="Free of charge, or not; events that do not tell are in neither.")
    status: Status | None = None
    source: list[Annotated[int, Field(ge=1, le=LARGEST_ID)]] = Field(
        [], max_length=100, description="Ids of sources; any of them."
    )
    community: Text | None = Field(None, description="Id of a community.")
    purpose: Purpose | None = Field(None, description="What people mainly go for.")
    updated_since: Moment | None = Field(None, description="Changed at or after this.")
    include_deleted: bool = Field(
        False,
        description="Also what all its sources withdrew or what was merged into another event (`deleted` is true).",
    )


def said_once(query: type[BaseModel]) -> Any:
    """Return a dependency that refuses two values of what takes one: the first of them would go unnoticed."""
    several = sorted(name for name, field in query.model_fields.items() if field.default == [])
    message = f"is given more than once; only {', '.join(several)} take several values"

    async def refuse(request: Request) -> None:
        times = Counter(name for name, _ in request.query_params.multi_items())
        if twice := sorted(name for name, number in times.items() if number > 1 and name not in several):
            errors = [in_address(name).mistake(message) for name in twice]
            raise Problem(422, f"{', '.join(twice)}: {message}", kind="invalid-request", errors=errors)

    return Depends(refuse)


SAID_ONCE = said_once(Selection)


class EventQuery(Selection):
    sort: Sort = Field(
        "start", description="`updated` and `-updated` go by the last change; relevance would reorder while one pages."
    )
    limit: Count = 50
    cursor: Cursor = None


def event_filter(asked: Selection, *, now: datetime) -> EventFilter:
    """Return the filter that was asked for; raises the Problem for topics and places that nobody knows."""
    zone, back = ZoneInfo(asked.tz), days_back(asked)
    return EventFilter(
        start=now - back if back is not None else instant_of(asked.start or "", zone),
        end=instant_of(asked.end, zone, is_end=True) if asked.end is not None else None,
        words=words_of(asked.q),
        topics=slugs_of(asked.topic),
        modes=tuple(asked.mode),
        statuses=(asked.status,) if asked.status else (),
        sources=tuple(asked.source),
        near=asked.spot,
        radius_km=asked.radius_km,
        box=asked.box,
        language=asked.lang,
        free=asked.free,
        community=asked.community,
        purpose=asked.purpose,
        updated_since=instant_of(asked.updated_since, zone) if asked.updated_since is not None else None,
        include_deleted=asked.include_deleted,
        include_merged=asked.include_deleted,
    )


def words_of(asked: str | None) -> str | None:
    """Return what is searched for; a search field nobody wrote in asks for nothing."""
    return (asked or "").strip() or None


def slugs_of(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the topics that `topic` in an address names; raises the Problem for what names none."""
    with topics_named(lambda _: in_address("topic")):
        return tuple((_with_plus(label) or topic_meant(label)).slug for label in labels)


def _with_plus(label: str) -> Topic | None:
    """Return the topic whose name ends in "+" (C++) that an address turned into spaces, which would name another (C)."""
    bare = label.rstrip(" ")
    return topic_named(bare + "+" * (len(label) - len(bare))) if bare != label else None


def days_back(asked: Selection) -> timedelta | None:
    """Return how far before now the events begin that are wanted; None where they begin at a moment that stands."""
    if asked.start is None:
        return timedelta()
    match = DAYS_BACK.fullmatch(asked.start)
    return timedelta(days=int(match[1])) if match else None


def leaves_at(asked: Selection, earliest: datetime | None) -> datetime | None:
    """Return when the first event of an answer leaves it by itself; None where none does."""
    back = days_back(asked)
    return earliest + back if earliest is not None and back is not None else None


def instant_of(text: str, zone: tzinfo, *, is_end: bool = False) -> datetime:
    """Return the moment a `Moment` names; what has no offset is read in a zone."""
    moment = read_moment(text)
    assert moment is not None  # checked when the parameters were read
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment + timedelta(days=is_end), time(), zone)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
