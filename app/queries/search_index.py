"""SQLite's search index: what events say and what they are, in the order of lists (migration 0021).

An entry holds the words of an event, and marks for its mode, status, language, price and purpose. Its number begins with
whether the event is listed (the sign) and when it starts, to the second, and ends with the event's own number. FTS5 goes
through entries by number: a search begins where its list begins, comes in the list's order, and ends where a page is full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, column, false, literal_column, select, table

from app.queries.filters import EventFilter
from app.queries.word_search import fts5_words

ID_BITS = 30
LAST = 2**63 - 1
MARK = "\ue001"  # a private letter, which hardly a word begins with
EPOCH, SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)
ALL = EventFilter()

SEARCH = table("event_search", column("rowid", BigInteger))


def knows(wanted: EventFilter) -> bool:
    """Return whether a filter asks for something that the index tells."""
    return _beyond(wanted) != wanted


def knows_all(wanted: EventFilter) -> bool:
    """Return whether the index alone finds what is wanted."""
    rest = _beyond(replace(wanted, start=None, end=None))
    return knows(wanted) and (rest if rest.near is not None else replace(rest, radius_km=ALL.radius_km)) == ALL


def is_in_order(wanted: EventFilter) -> bool:
    """Return whether the index is the way to go through what is wanted, where it matches no fewer than other indexes."""
    is_there = not (wanted.include_deleted or wanted.include_merged)  # others stand apart from the order
    return is_there and (bool(wanted.words or wanted.purpose) or knows_all(wanted))


def _beyond(wanted: EventFilter) -> EventFilter:
    """Return a filter without what the index tells."""
    return replace(wanted, words=None, modes=(), statuses=(), language=None, free=None, purpose=None)


def event_id(number: ColumnElement[int]) -> ColumnElement[int]:
    """Return the number of the event whose entry has a number."""
    return number.bitwise_and((1 << ID_BITS) - 1)


def event_ids(wanted: EventFilter) -> Select[Any]:
    """Return the query for the numbers of the events that a filter finds, as far as the index tells."""
    return select(event_id(SEARCH.c.rowid)).where(*entries(wanted))


def entries(wanted: EventFilter) -> list[ColumnElement[bool]]:
    """Return the clauses for the entries of a filter, as far as the index tells."""
    groups = list(_groups(wanted))
    if "" in groups:  # words without a letter
        return [false()]
    question = " AND ".join(f"({group})" for group in groups)
    clauses: list[ColumnElement[bool]] = [literal_column(SEARCH.name).bool_op("MATCH")(question)]
    if not (wanted.include_deleted or wanted.include_merged):
        clauses.append(SEARCH.c.rowid >= (_bound(wanted.start) if wanted.start is not None else 0))
        if wanted.end is not None:
            clauses.append(SEARCH.c.rowid < _bound(wanted.end))
    return clauses


def place_of(start: datetime, event_id: int) -> int:
    """Return the number of a listed event's entry."""
    return _number((start - EPOCH) // SECOND, event_id)


def _bound(moment: datetime) -> int:
    """Return the lowest number that starts from a moment on have; what falls into a second begins with it."""
    return _number(-((EPOCH - moment) // SECOND), 0)


def _number(seconds: int, event_id: int) -> int:
    return min((max(seconds, 0) << ID_BITS) + event_id, LAST)  # from 1970 until 2242, in order


def _groups(wanted: EventFilter) -> Iterator[str]:
    """Yield the FTS5 queries that an entry must meet, all of them."""
    if wanted.words:
        words = fts5_words(wanted.words)
        yield f"{{title description}} : ({words})" if MARK in words else words
    if wanted.modes:
        yield _any("m", *wanted.modes)
    if wanted.statuses:
        yield _any("s", *wanted.statuses)
    if wanted.language:
        language = wanted.language.lower()
        yield f"{_mark('l', language)} OR {_mark('l', f'{language}-')} *"
    if wanted.free is not None:
        yield _mark("f", str(int(wanted.free)))
    if wanted.purpose:
        yield _mark("p", wanted.purpose)


def _any(kind: str, *values: str) -> str:
    return " OR ".join(_mark(kind, value) for value in values)


def _mark(kind: str, value: str) -> str:
    return f'marks : "{MARK}{kind}{value.encode().hex()}"'  # no sign or accent in it that the tokenizer minds
