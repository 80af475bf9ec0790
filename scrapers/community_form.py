"""Step 2, reading: what a community file may say, whether it stands in a file or comes out of a form (docs/communities.md)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from scrapers.recurrence import RejectedRule, parse_rule
from scrapers.text import clean_text, clean_url, one_line
from scrapers.zone_names import resolve_zone


def _address(text: str) -> str:
    clean = clean_url(text)
    if clean is None:
        raise ValueError("write an address that begins with https://")
    return clean


def _zone(text: str) -> str:
    zone = resolve_zone(text)
    if zone is None:
        raise ValueError("write an IANA name, such as Europe/Dublin")
    return zone.key


def _rule(text: str) -> str:
    try:
        parse_rule(text)
    except RejectedRule as error:
        raise ValueError(f"{error}; write an RFC 5545 rule, such as FREQ=MONTHLY;BYDAY=2TU") from error
    return text


Line = Annotated[str, AfterValidator(one_line), Field(min_length=1, max_length=200)]
Prose = Annotated[str, AfterValidator(clean_text), Field(max_length=5_000)]
Address = Annotated[str, AfterValidator(_address)]
Purpose = Literal["learn", "exchange", "social", "recruit", "sell"]
Openness = Literal["everyone", "on request", "members"]
Kind = Literal[
    "group",
    "user group",
    "association",
    "slack",
    "discord",
    "matrix",
    "forum",
    "hashtag chat",
    "mailing list",
    "facebook group",
    "linkedin group",
    "thinking circle",
]


class _Table(BaseModel):
    # Built when the first is read: most processes start without reading any.
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class _Link(_Table):
    label: Line
    url: Address


class Meeting(_Table):
    """One date, or with a rhythm the first of many."""

    first: datetime | date
    zone: Annotated[str, AfterValidator(_zone)]
    rhythm: Annotated[str, AfterValidator(_rule)] | None = None
    except_: list[date] = Field(default_factory=list, alias="except", max_length=200)
    title: Line | None = None
    minutes: int | None = Field(default=None, ge=5, le=24 * 60)
    online: Address | None = None
    venue: Line | None = None
    address: Line | None = None
    price: Line | None = None
    about: Prose = ""


class CommunityFile(_Table):
    name: Line
    kind: Kind
    url: Address
    about: Prose
    topics: list[Line] = Field(min_length=1, max_length=20)
    seen_in: Address | None = None
    city: Line | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    online: bool = False
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    channel: Line | None = None
    join: list[Line] = Field(min_length=1, max_length=10)
    links: list[_Link] = Field(default_factory=list, max_length=20)
    code_of_conduct: Address | None = None
    cost: Line | None = None
    openness: Openness = "everyone"
    purpose: Purpose = "exchange"
    meets: list[Meeting] = Field(default_factory=list, max_length=20)
