"""What is wrong with a form in which somebody proposes something, said in their language, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.words.wording import Wording, mark

# By the type of the mistake, as pydantic names it; what it found has no place in the sentence.
SENTENCES: Mapping[str, str] = {
    "missing": mark("something has to stand here."),
    "string_too_short": mark("something has to stand here."),
    "too_short": mark("something has to stand here."),
    "string_too_long": mark("shorter, please: {max_length} characters at most."),
    "too_long": mark("fewer, please: {max_length} at most."),
    "literal_error": mark("choose one of the list."),
    "greater_than_equal": mark("{ge} at least."),
    "less_than_equal": mark("{le} at most."),
}
WHEN = mark("a day and an hour, such as 2026-12-03 20:00.")
# What the readers of community files say themselves.
REMEDIES = (
    mark("write an address that begins with https://"),
    mark("write an IANA name, such as Europe/Dublin"),
    mark("at most 2 links; the address has a field of its own"),
    mark("no link here; the address has a field of its own"),
)


def mistakes_in(error: ValidationError, labels: Mapping[str, str], wording: Wording) -> list[str]:
    """Return a sentence for each mistake, in the order of the form, behind the name of its field."""
    told = (_mistake(one, labels, wording) for one in error.errors(include_url=False))
    return list(dict.fromkeys(told))


def _mistake(error: Any, labels: Mapping[str, str], wording: Wording) -> str:
    name = next((part for part in reversed(error["loc"]) if isinstance(part, str) and part in labels), None)
    remedy = _remedy(error, name, wording)
    return f"{wording.text(labels[name])}: {remedy}" if name else remedy


def _remedy(error: Any, name: str | None, wording: Wording) -> str:
    if name == "first" and error["type"] != "missing":
        return wording.text(WHEN)  # a day or an hour: each reader would say what it misses
    sentence = SENTENCES.get(error["type"])
    if sentence is not None:
        return wording.text(sentence, **error.get("ctx", {}))
    return wording.text(str(error["msg"]).removeprefix("Value error, "))
