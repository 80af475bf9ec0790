"""/topics: the catalogue, and what lies next to a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

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
from app.api.parameters import words_of
from app.api.problems import Problem, declared
from app.api.shapes import topics as shapes
from app.api.spoken import told_in, wording_asked
from app.queries.topic_forms import topic_json
from app.words.topic_words import labels_begun, topic_named, topic_words
from app.words.wording import Wording
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
    """All topics in the catalogue's order, or those that match `q`, exact names first.

    `name` is what a topic is called in the language of `Accept-Language`, and is searched, too.
    """
    words, wording = words_of(asked.q), wording_asked(request)
    found = _search(words, wording) if words else load_catalogue().topics
    shown, cursors = _page([topic.slug for topic in found], asked)
    promise(request, {}, until=None)  # the catalogue stays as it is while the process lives
    rows = [_told(topic, wording) for topic in found[shown]]
    return list_answer(request, Listing(rows=rows, count=len(found), **cursors), headers=told_in(wording))


def _search(words: str, wording: Wording) -> Sequence[Topic]:
    """Return topics that a language calls so, then those that the catalogue finds."""
    catalogue = load_catalogue()
    own = filter(None, map(catalogue.resolve, labels_begun(words, wording.language)))
    found = {topic.slug: topic for topic in (*own, *catalogue.search(words, limit=len(catalogue)))}
    return tuple(found.values())


def _told(topic: Topic, wording: Wording) -> dict[str, Any]:
    return {**topic_json(topic), "name": topic_words(topic.label, wording)}


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
async def show_topic(request: Request, slug: Slug, _: Annotated[Nothing, Query()]) -> Response:
    wording = wording_asked(request)
    return answer({"data": _told(_found(slug), wording)}, headers=told_in(wording))


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
    wording = wording_asked(request)
    rows = [
        {
            "slug": topic.slug,
            "label": topic.label,
            "name": topic_words(topic.label, wording),
            "domain": topic.domain,
            "score": round(score, 4),
        }
        for topic, score in found[shown]
    ]
    return list_answer(request, Listing(rows=rows, count=len(found), **cursors), headers=told_in(wording))


def _found(slug: str) -> Topic:
    catalogue = load_catalogue()
    topic = topic_named(slug)
    if topic is None:
        raise Problem(404, f"no topic is called {slug!r}", suggestions=catalogue.suggest(slug))
    return topic
