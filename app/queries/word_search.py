"""Which events hold some words, as either database is asked.

Words are read by the same rules in both: whole words, or beginnings where an asterisk ends them; accents of Latin letters
and case do not count; what is joined by signs stands side by side.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, false, func, literal_column
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

DOCUMENT = literal_column("event.search_document", TSVECTOR)  # stored by PostgreSQL itself (migration 0023)


def fts5_words(text: str) -> str:
    """Return the FTS5 query for all of these words; "" where there is none."""
    # Each word quoted: FTS5's own query language is not offered, so that no input is a syntax error.
    return " ".join(f'"{word.replace(chr(34), " ")}"{"*" * word.endswith("*")}' for word in _words(text))


def holds_words(text: str) -> ColumnElement[bool]:
    """Return the clause for all of these words on PostgreSQL."""
    wanted = _words(text)
    if not wanted:
        return false()
    query: ColumnElement[Any] = reduce(lambda all_, one: all_.op("&&")(one), map(_tsquery, wanted))
    return DOCUMENT.bool_op("@@")(query)


def _words(text: str) -> list[str]:
    return [word for word in text.split() if any(map(str.isalnum, word))]


def _tsquery(word: str) -> ColumnElement[Any]:
    phrase = func.phraseto_tsquery("simple", func.search_words(word))
    if not word.endswith("*"):
        return phrase
    # NULL, which matches nothing, where a word has no letter left: `:*` alone is no query.
    return cast(func.nullif(cast(phrase, Text), "") + ":*", TSQUERY)
