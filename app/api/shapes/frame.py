"""The frame all answers share: no unknown fields, and what stands beside the items of a list."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Meta(Shape):
    count: int
    count_is_lower_bound: bool
    updated_at: datetime | None


class Links(Shape):
    self: str
    next: str | None
    prev: str | None
