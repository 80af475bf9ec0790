"""The shapes of answers about the tokens a person holds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.api.shapes.frame import Links, Meta, Shape


class Token(Shape):
    id: str = Field(examples=["3fa9c1d27b04"])
    kind: Literal["api", "session"]
    label: str = Field(examples=["My calendar page"])
    scopes: list[Literal["read", "write", "feeds", "operator"]] = Field(examples=[["read"]])
    created_at: datetime
    expires_at: datetime | None = Field(description="`null`: never.", examples=[None])
    last_used_at: datetime | None = Field(description="To the day.")
    revoked_at: datetime | None = Field(examples=[None])


class TokenList(Shape):
    data: list[Token]
    meta: Meta
    links: Links


class TokenWithSecret(Token):
    token: str = Field(description="Shown once.", examples=["adj_k_…"])


class NewTokenAnswer(Shape):
    data: TokenWithSecret
