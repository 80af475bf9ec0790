"""What is wrong with a request, part by part: the `errors` that every 422 carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args

from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

NO_OBJECT = "model_attributes_type"  # of pydantic's types of errors


class Mistake(BaseModel):
    """What is wrong with one part of a request; either `parameter` or `pointer` says with which."""

    parameter: str | None = Field(None, description="A parameter of the address.", examples=["near"])
    pointer: str | None = Field(
        None, description="A field of the body, as a JSON pointer (RFC 6901); empty: the body as a whole."
    )
    message: str = Field(examples=["is unknown here"])


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a request: a parameter of its address, or what a JSON pointer leads to in its body."""

    kind: Literal["parameter", "pointer"]
    name: str

    def mistake(self, message: str) -> dict[str, str]:
        return {self.kind: self.name, "message": message}


def in_address(name: str) -> Part:
    return Part("parameter", name)


def in_body(*path: str | int) -> Part:
    return Part("pointer", "".join(f"/{_escaped(str(step))}" for step in path))


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")  # RFC 6901 §3


def mistake_of(fault: Mapping[str, Any], known: Sequence[str] = ()) -> dict[str, str]:
    """Return one of the errors that FastAPI found; `known` are the names that may have been meant by an unknown one."""
    place: Sequence[Any] = fault["loc"]
    message = "is no JSON object" if fault["type"] == NO_OBJECT else str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        meant = get_close_matches(str(place[-1]).lower(), known, n=1)
        message = f"is unknown here; did you mean `{meant[0]}`?" if meant else "is unknown here"
    # What pydantic puts behind the name of a field that is itself what is wrong.
    path = [step for step in place[1:] if step != "[key]"]
    part = in_body(*path) if place[0] == "body" else in_address(str(path[0] if path else place[0]))
    return part.mistake(message)


def told(words: str) -> WrapValidator:
    """Return what says in words that a value is not as it has to be, for forms that are only written as a pattern."""

    def check(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            raise ValueError(words) from error

    return WrapValidator(check)


def names_known(route: object, place: Sequence[Any]) -> list[str]:
    """Return the names that a route takes where one stands that it does not: in its address, or on top of its body."""
    if not isinstance(route, APIRoute) or len(place) != 2:
        return []
    fields = route.dependant.query_params if place[0] == "query" else filter(None, [route.body_field])
    kinds = [kind for field in fields for kind in (field.field_info.annotation, *get_args(field.field_info.annotation))]
    return [name for kind in kinds for name in getattr(kind, "model_fields", ())]


def in_words(mistakes: Sequence[Mapping[str, str]]) -> str:
    """Return mistakes in one line, each behind the name of its part."""
    named = ((one.get("parameter") or one.get("pointer"), one["message"]) for one in mistakes)
    return "; ".join(f"{name}: {message}" if name else message for name, message in named)
