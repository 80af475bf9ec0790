"""What people write about themselves: what they know, where they start from, how far they look."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from app.api.answers import Text
from app.api.parameters import Zone
from recommender.reach import Reach

MOST_KNOWN = 300
MIDDLE = 3  # the level of a topic that was named without one

Level = Annotated[int, Field(strict=True, ge=1, le=5)]
Label = Annotated[Text, Field(min_length=1)]


def _levels(value: Any) -> Any:
    return dict.fromkeys(value, MIDDLE) if isinstance(value, list) and all(isinstance(v, str) for v in value) else value


Know = Annotated[
    dict[Label, Level],
    BeforeValidator(_levels),
    Field(max_length=MOST_KNOWN),
    WithJsonSchema(
        {
            "title": "Know",
            "description": "Labels of topics; with levels 1 (a little) to 5 (a master), or as a plain list.",
            "anyOf": [
                {
                    "type": "object",
                    "maxProperties": MOST_KNOWN,
                    "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 5},
                },
                {
                    "type": "array",
                    "maxItems": MOST_KNOWN,
                    "items": {"type": "string", "minLength": 1, "maxLength": 200},
                },
            ],
            "examples": [{"JavaScript": 4, "Typography": 2}, ["JavaScript", "Typography"]],
        }
    ),
]
Near = Annotated[Text | None, Field(description="A city or LAT,LON; null forgets it.", examples=["Munich"])]
WithinKm = Annotated[float, Field(gt=0, le=20_000)]
Days = Annotated[int, Field(ge=1, le=365, description="How far ahead.")]


class Profile(BaseModel):
    """A part of a profile: what is not sent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    near: Near = None
    within_km: WithinKm = 50.0
    online: bool = Field(True, strict=True, description="Whether events without a place to go to count.")
    reach: Reach = "one-step"
    days: Days = 21
    zone: Zone = "UTC"


class Knowledge(Profile):
    know: Know


class Question(BaseModel):
    """What picks are asked for without an account."""

    model_config = ConfigDict(extra="forbid")

    know: Annotated[Know, Field(min_length=1)]
    near: Near = None
    within_km: WithinKm = 50.0
    online: bool = Field(True, strict=True)
    reach: Reach = "one-step"
    days: Days = 21
    limit: int = Field(10, ge=1, le=100)
