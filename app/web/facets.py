"""What narrows a search down: the commonest topics, languages and so on among what it finds, as links that choose or leave them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Event, EventTopic
from app.queries.filters import conditions
from app.topic_names import label_of
from app.web.cards import MODE_WORDS, PURPOSE_WORDS
from app.web.search import Search
from app.words.event_words import language_words
from app.words.topic_words import topic_words
from app.words.wording import Wording

MOST = 8  # values of a facet

Counted = Sequence[tuple[str, int]]  # value, number of events


@dataclass(frozen=True, slots=True)
class FacetValue:
    words: str
    count: int | None  # None where it was not counted
    is_on: bool
    href: str  # chooses the value, or leaves it


@dataclass(frozen=True, slots=True)
class Facet:
    label: str
    values: tuple[FacetValue, ...]


async def facets(session: AsyncSession, search: Search, wording: Wording, *, now: datetime) -> list[Facet]:
    """Return, for each facet, its commonest values among what is found, with addresses that choose or leave each."""
    clauses = conditions(search.wanted(now), session.get_bind().dialect.name)
    topics = [(slug, topic_words(label_of(slug), wording), count) for slug, count in await _topics(session, clauses)]
    modes = [
        (mode, wording.text(MODE_WORDS[mode]), count)
        for mode, count in await _counted(session, col(Event.mode), clauses)
        if mode in MODE_WORDS
    ]
    languages = [
        (code, language_words(code, wording), count)
        for code, count in await _counted(session, col(Event.language), clauses)
    ]
    purposes = [(name, wording.text(words), None) for name, words in PURPOSE_WORDS.items()]
    told = (
        _facet("topic", wording.text("Topic"), topics, search),
        _facet("mode", wording.text("How"), modes, search),
        _facet("language", wording.text("Language"), languages, search),
        _facet("purpose", wording.text("People come"), purposes, search),
        _facet("free", wording.text("Price"), [("yes", wording.text("free"), None)], search),
    )
    return [facet for facet in told if facet.values]


async def _topics(session: AsyncSession, clauses: Sequence[ColumnElement[bool]]) -> Counted:
    number = func.count()
    rows = await session.exec(
        select(EventTopic.topic, number)
        .where(col(EventTopic.event_id).in_(select(Event.id).where(*clauses)))
        .group_by(col(EventTopic.topic))
        .order_by(number.desc(), col(EventTopic.topic))
        .limit(MOST)
    )
    return list(rows)


async def _counted(session: AsyncSession, column: Any, clauses: Sequence[ColumnElement[bool]]) -> Counted:
    number = func.count()
    rows = await session.exec(
        select(column, number)
        .where(*clauses, column.is_not(None))
        .group_by(column)
        .order_by(number.desc(), column)
        .limit(MOST)
    )
    return [(value, count) for value, count in rows if value]


def _facet(name: str, label: str, values: Iterable[tuple[str, str, int | None]], search: Search) -> Facet:
    chosen = getattr(search, name)
    return Facet(
        label,
        tuple(
            FacetValue(words, count, value == chosen, search.address(**{name: "" if value == chosen else value}))
            for value, words, count in values
        ),
    )
