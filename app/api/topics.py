"""/topics: the catalogue, and what lies next to a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from app.api.answers import (
    Listing,
    Nothing,
    Text,
    answer,
    list_answer,
)
from app.api.conditional import promise
from app.api.paging import Count, Cursors, Paging, bad_cursor, read_cursor, write_cursor
from app.api.problems import Problem, declared
from app.api.shapes import topics as shapes
from app.queries.topic_forms import topic_json
from app.words.topic_words import topic_named
from recommender.catalogue import Topic, load_catalogue
from recommender.topic_worth import next_topics

router = APIRouter(prefix="/api/v1/topics", tags=["topics"])

Slug = Annotated[str, Path(max_length=100, pattern=r"^[^\x00]+$", description="A slug, label or alias.")]
KNOWN_LEVEL = 3


class TopicQuery(Paging):
    q: Text | None = Field(None, description="Part of a label, alias or gloss.", examples=["typog"])


@router.get(
    "", operation_id="list_topics", summary="Find topics", response_model=shapes.TopicList, responses=declared(422)
)
async def list_topics(request: Request, asked: Annotated[TopicQuery, Query()]) -> Response:
    """All topics in the catalogue's order, or those that match `q`, exact names first."""
    catalogue = load_catalogue()
    words = (asked.q or "").strip()
    found = tuple(catalogue.search(words, limit=len(catalogue))) if words else catalogue.topics
    shown, cursors = _page([topic.slug for topic in found], asked)
    promise(request, {}, until=None)  # the catalogue stays as it is while the process lives
    return list_answer(
        request, Listing(rows=[topic_json(topic) for topic in found[shown]], count=len(found), **cursors)
    )


def _page(slugs: Sequence[str], asked: Paging) -> tuple[slice, Cursors]:
    """Return which of these topics make the page, and what stands beside it; raises the cursor's Problem."""
    first = 0
    if asked.cursor:
        (slug,) = read_cursor(asked.cursor, str)
        if slug not in slugs:
            raise bad_cursor()
        first = slugs.index(slug)
    after, before = first + asked.limit, max(0, first - asked.limit)
    return slice(first, after), {
        "next": write_cursor(slugs[after]) if after < len(slugs) else None,
        "previous": write_cursor(slugs[before]) if first else None,
    }


@router.get(
    "/{slug}",
    operation_id="show_topic",
    summary="Show a topic",
    response_model=shapes.TopicAnswer,
    responses=declared(404, 422),
)
async def show_topic(slug: Slug, _: Annotated[Nothing, Query()]) -> Response:
    return answer({"data": topic_json(_found(slug))})


class AdjacentQuery(Paging):
    limit: Count = 20


@router.get(
    "/{slug}/adjacent",
    operation_id="list_adjacent_topics",
    summary="What lies next to a topic",
    response_model=shapes.AdjacentList,
    responses=declared(404, 422),
)
async def list_adjacent(request: Request, slug: Slug, asked: Annotated[AdjacentQuery, Query()]) -> Response:
    """Topics most worth showing to somebody who knows this one, best first; scores compare within one answer only."""
    found = next_topics({_found(slug).slug: KNOWN_LEVEL})
    shown, cursors = _page([topic.slug for topic, _ in found], asked)
    rows = [
        {"slug": topic.slug, "label": topic.label, "domain": topic.domain, "score": round(score, 4)}
        for topic, score in found[shown]
    ]
    return list_answer(request, Listing(rows=rows, count=len(found), **cursors))


def _found(slug: str) -> Topic:
    catalogue = load_catalogue()
    topic = topic_named(slug)
    if topic is None:
        raise Problem(404, f"no topic is called {slug!r}", suggestions=catalogue.suggest(slug))
    return topic
