"""The shapes of answers about the tokens a person holds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from app.api.shapes.frame import Links, Meta, Shape


class Token(Shape):
    id: str
    kind: Literal["api", "session"]
    label: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenList(Shape):
    data: list[Token]
    meta: Meta
    links: Links


class NewToken(Token):
    token: str


class NewTokenAnswer(Shape):
    data: NewToken
