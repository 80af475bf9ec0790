"""Clauses for what is in a language, or in one of its varieties, by a column of language tags (BCP 47)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, func, or_


def in_language(tags: SQLColumnExpression[Any], wanted: str) -> ColumnElement[bool]:
    """Return the clause by which `en` finds `en` and `en-GB`: RFC 4647 §3.3.1, without regard to case."""
    tag, language = func.lower(tags), wanted.lower()
    return or_(tag == language, tag.startswith(f"{language}-", autoescape=True))
