"""The shapes of answers to those who sign in or come as guests."""

from __future__ import annotations

from datetime import datetime

from app.api.shapes.frame import Shape


class Guest(Shape):
    id: str
    token: str


class GuestAnswer(Shape):
    data: Guest


class Asked(Shape):
    expires_in: int  # seconds


class AskedAnswer(Shape):
    data: Asked


class SignedIn(Shape):
    id: str | None  # an operator's link need not be anybody's
    token: str
    expires_at: datetime
    merged: bool  # a guest was joined with somebody known already


class SignedInAnswer(Shape):
    data: SignedIn
