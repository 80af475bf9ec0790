"""The shapes of answers to those who sign in or come as guests."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.api.shapes.frame import Shape


class Guest(Shape):
    id: str = Field(examples=["9f86d081884c7d65"])
    token: str = Field(description="Shown once.", examples=["adj_k_…"])


class GuestAnswer(Shape):
    data: Guest


class Asked(Shape):
    expires_in: int = Field(description="Seconds.", examples=[900])


class AskedAnswer(Shape):
    data: Asked


class SignedIn(Shape):
    id: str | None = Field(description="`null`: an operator who is nobody else.", examples=["9f86d081884c7d65"])
    token: str = Field(description="A Bearer token, shown once.", examples=["adj_s_…"])
    expires_at: datetime
    merged: bool = Field(description="A guest was joined with somebody known already.", examples=[False])


class SignedInAnswer(Shape):
    data: SignedIn
