"""The language of sentences in answers: reasons, evidence, what something changed. Names and errors stay as they are.

What a request asks for counts (`Accept-Language`), else what the person it is about chose, else it is English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from app.api.answers import private
from app.models import Person
from app.words.retelling import all_retold, retold
from app.words.wording import Wording, preferred, wording_for


def wording_asked(request: Request, person: Person | None = None) -> Wording:
    asked = preferred(request.headers.get("accept-language", ""))
    return wording_for(asked or (person.language if person is not None else None))


def told_in(wording: Wording) -> dict[str, str]:
    """Return the headers of an answer that holds sentences in this language."""
    return {"Content-Language": wording.language, "Vary": "Accept-Language"}


def grounds_told(pick: Mapping[str, Any], wording: Wording) -> dict[str, Any]:
    """Return the JSON of a pick with its reason and evidence in a language."""
    return {**pick, "reason": retold(pick["reason"], wording), "evidence": all_retold(pick["evidence"], wording)}


def community_told(community: Mapping[str, Any], wording: Wording) -> dict[str, Any]:
    """Return the JSON of a community with the words for its rhythm in a language."""
    told = {**community, "cadence": _rhythm(community["cadence"], wording)}
    if (activity := community["activity"]) is not None:
        told["activity"] = {**activity, "words": _rhythm(activity["words"], wording)}
    return told


def changed_answer(request: Request, person: Person, what: Mapping[str, Any], changed: Sequence[str]) -> Response:
    """Return the answer that says in words what something a person did changed."""
    wording = wording_asked(request, person)
    return private({"data": {**what, "changed": all_retold(changed, wording)}}, headers=told_in(wording))


def _rhythm(words: str | None, wording: Wording) -> str | None:
    return retold(words, wording) if words else words
