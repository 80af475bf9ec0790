"""Which communities are wanted, and the clauses that find them in either database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, func
from sqlmodel import col, select

from app.folding import folded
from app.models import Community, CommunityTopic
from app.places import Spot
from app.queries.areas import Box, in_box, in_circle
from app.queries.language_ranges import in_language

RESTING = ("dormant", "ended")  # labels of communities that are no longer offered


@dataclass(frozen=True, slots=True)
class CommunityFilter:
    """Which communities are wanted; what is left open does not filter."""

    words: str | None = None  # all of them, or parts of words, in name or description
    is_online: bool | None = None
    kinds: tuple[str, ...] = ()  # any of them, as topics
    topics: tuple[str, ...] = ()  # slugs
    is_resting: bool | None = None
    near: Spot | None = None
    radius_km: float = 50.0
    box: Box | None = None
    language: str | None = None
    updated_since: datetime | None = None


def clauses(wanted: CommunityFilter) -> list[ColumnElement[bool]]:
    return [*_about(wanted), *_where(wanted)]


def _about(wanted: CommunityFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.words is not None:
        text, words = func.search_words(col(Community.name) + " " + col(Community.description)), folded(wanted.words)
        yield from (text.contains(word, autoescape=True) for word in words.split()) if words else (false(),)
    if wanted.is_online is not None:
        yield col(Community.is_online).is_(wanted.is_online)
    if wanted.kinds:
        yield col(Community.kind).in_(wanted.kinds)
    if wanted.topics:
        about = select(CommunityTopic.community_id).where(col(CommunityTopic.topic).in_(wanted.topics))
        yield col(Community.id).in_(about)
    if wanted.is_resting is not None:
        rests = func.coalesce(Community.activity["label"].as_string(), "").in_(RESTING)
        yield rests if wanted.is_resting else ~rests
    if wanted.language is not None:
        yield in_language(col(Community.language), wanted.language)
    if wanted.updated_since is not None:
        yield col(Community.updated_at) >= wanted.updated_since


def _where(wanted: CommunityFilter) -> Iterator[ColumnElement[bool]]:
    lat, lon = col(Community.lat), col(Community.lon)
    if wanted.box is not None:
        yield in_box(lat, lon, wanted.box)
    if wanted.near is not None:
        yield in_circle(lat, lon, wanted.near, wanted.radius_km)
