"""The frame all answers share: no unknown fields, and what stands beside the items of a list."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    # Answers are not made of shapes: their schemas are for /openapi.json, and building them took a sixth of every start.
    model_config = ConfigDict(extra="forbid", defer_build=True)


class Meta(Shape):
    count: int = Field(description="How many there are in all, up to 10,000.", examples=[1])
    count_is_lower_bound: bool = Field(description="There are more than `count`.", examples=[False])
    updated_at: datetime | None = Field(
        description="When one of them last changed; `null` of none, of more events than are counted, and of topics, "
        "which come with a release.",
        examples=["2026-11-20T07:12:00+00:00"],
    )


class Links(Shape):
    self: str = Field(examples=["https://adjacent.example/api/v1/…"])
    next: str | None = Field(description="The next page; `null` at the end.", examples=[None])
    prev: str | None = Field(description="The page before; `null` at the beginning.", examples=[None])
