"""/suggest: topics as somebody types, by what they are called in the reader's language and in English."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from app.topic_words import names_in, topic_words
from app.web.visit import Visiting
from app.wording import SOURCE_LANGUAGE, Wording
from recommender.catalogue import key, load_catalogue

router = APIRouter(include_in_schema=False)

SHOWN = 7


@router.get("/suggest")
async def suggest(visit: Visiting, q: Annotated[str, Query(max_length=300)] = "") -> Response:
    headers = {"Cache-Control": "private, max-age=300", "Vary": "Cookie, Accept-Language"}
    return JSONResponse(suggested(q, visit.wording), headers=headers)


def suggested(words: str, wording: Wording) -> list[dict[str, str]]:
    """Return name and gloss of topics; glosses are English, so other languages do without."""
    wanted = key(words)
    if not wanted:
        return []
    named = {
        label: name
        for label, name in names_in(wording.language).topics.items()
        if f" {key(name)}".find(f" {wanted}") >= 0
    }
    first = sorted(named, key=lambda label: (not key(named[label]).startswith(wanted), len(named[label])))
    catalogue = load_catalogue()
    found = {topic.label: topic.gloss for topic in catalogue.search(words, SHOWN)}
    is_english = wording.language == SOURCE_LANGUAGE
    return [
        {"label": topic_words(label, wording), "gloss": found.get(label, "") if is_english else ""}
        for label in list(dict.fromkeys([*first, *found]))[:SHOWN]
    ]
