"""What people write about themselves: what they know, where they start from, how far they look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema, WrapValidator

from app.api.answers import Text
from app.api.mistakes import in_body
from app.api.naming import Labels, known_topics, spot_named
from app.api.parameters import Language, Purpose, Zone
from app.people.wishes import USUAL_PURPOSES, Wish
from recommender.reach import Reach

MOST_KNOWN = 1000

Level = Annotated[int, Field(strict=True, ge=1, le=5)]
Label = Annotated[Text, Field(min_length=1)]


SENT_AS_LIST = TypeAdapter[list[str]](Annotated[list[Label], Field(max_length=MOST_KNOWN)])


def _levels(value: Any, levels: Callable[[Any], dict[str, int]]) -> dict[str, int]:
    if isinstance(value, list):
        return Labels(SENT_AS_LIST.validate_python(value))
    if isinstance(value, Mapping):
        return levels(value)
    raise ValueError('write labels of topics as a list, ["JavaScript"], or with levels, {"JavaScript": 4}')


Know = Annotated[
    dict[Label, Level],
    Field(max_length=MOST_KNOWN),
    WrapValidator(_levels),
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
WithinKm = Annotated[float, Field(strict=True, gt=0, le=20_000)]
Dial = Annotated[
    Reach,
    Field(description="How far to look: what lies there is preferred. It is no bound; each pick says how far it is."),
]
Days = Annotated[int, Field(strict=True, ge=1, le=365, description="How far ahead.")]


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Languages = Annotated[
    list[Language],
    BeforeValidator(_several, json_schema_input_type=Annotated[list[Language], Field(max_length=20)] | Language),
    Field(
        max_length=20, description="Of events; `en` means `en-GB`, too. None: any. Those that tell none always count."
    ),
]
Purposes = Annotated[
    list[Purpose],
    BeforeValidator(_several, json_schema_input_type=Annotated[list[Purpose], Field(max_length=5)] | Purpose),
    Field(
        max_length=5,
        description="What people may mainly come for. None: learn, exchange and social; what is for sale and job fairs "
        "stay out unless they are named.",
    ),
]
Way = Literal["in_person", "online", "hybrid"]
Modes = Annotated[
    list[Way],
    BeforeValidator(_several, json_schema_input_type=Annotated[list[Way], Field(max_length=3)] | Way),
    Field(max_length=3, description="None: any. What is hybrid counts as either."),
]
FreeOnly = Annotated[bool, Field(strict=True, description="Only events that say they are free of charge.")]


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        field.pop("default", None)


class Change(BaseModel):
    """A part of what is kept: what is not sent stays as it is, which a default would deny to those who read the schema."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_defaults)


class Profile(Change):
    """A part of a profile: what is not sent stays as it is."""

    near: Near = None
    within_km: WithinKm = 50.0
    online: bool = Field(True, strict=True, description="Whether events without a place to go to count.")
    reach: Dial = "one-step"
    days: Days = 21
    zone: Zone = "UTC"
    languages: Languages = []
    purposes: Purposes = []
    free_only: FreeOnly = False


class Knowledge(Profile):
    know: Know


class Question(BaseModel):
    """What picks are asked for without an account."""

    model_config = ConfigDict(extra="forbid")

    know: Know = {}
    near: Near = None
    within_km: WithinKm = 50.0
    online: bool = Field(True, strict=True)
    reach: Dial = "one-step"
    days: Days = 21
    limit: int = Field(10, strict=True, ge=1, le=100)
    mode: Modes = []
    lang: Languages = []
    purpose: Purposes = []
    free: FreeOnly = False

    def wish(self) -> Wish:
        """Return what is asked for; raises the Problem for topics and places that nobody knows."""
        return Wish(
            known=known_topics(self.know),
            near=spot_named(self.near, in_body("near")) if self.near is not None else None,
            within_km=self.within_km,
            online=self.online,
            reach=self.reach,
            days=self.days,
            limit=self.limit,
            modes=frozenset(self.mode),
            languages=frozenset(self.lang),
            free_only=self.free,
            purposes=frozenset(self.purpose) or USUAL_PURPOSES,
        )
