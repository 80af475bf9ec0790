"""/suggest: topics as somebody types, by what they are called in the reader's language and in English."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from app.web.visit import Visiting
from app.words.topic_words import begins, labels_begun, topic_words
from app.words.wording import SOURCE_LANGUAGE, Wording
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
    found = load_catalogue().search(words, SHOWN)
    if wording.language == SOURCE_LANGUAGE:
        return [{"label": topic.label, "gloss": topic.gloss} for topic in found]
    own = labels_begun(words, wording.language)
    others = [topic.label for topic in found if any(begins(name, wanted) for name in topic.names)]
    labels = list(dict.fromkeys([*own, *others]))[:SHOWN]
    return [{"label": topic_words(label, wording), "gloss": ""} for label in labels]
