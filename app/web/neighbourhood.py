"""What lies around somebody: the map of topics with events, twice as a picture and once as a table."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.people.wishes import Wish
from app.picking import topic_map
from app.web import map as drawing
from app.web.question import Question
from app.words.reach_words import REACH_WORDS
from app.words.topic_words import topic_words
from app.words.wording import Wording
from recommender.catalogue import load_catalogue

# More dots than these cannot all be labelled.
MOST_LIT = {"wide": 15, "narrow": 9}
MOST_OTHERS = {"wide": 14, "narrow": 5}
QUIET = 24  # topics without events that fill an empty map
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    maps: tuple[Markup, ...]  # the wide and the narrow one; a style shows one of them
    rows: tuple[Mapping[str, Any], ...]

    @property
    def is_lit(self) -> bool:
        """Whether any topic around has events."""
        return any(row["events"] for row in self.rows)


async def neighbourhood(
    question: Question, wish: Wish, counted: Counter[str], cards: Mapping[str, str], wording: Wording
) -> Neighbourhood:
    """Draw topics (slug → number of events) around a question; `cards` are the addresses of what picks are about."""
    return await asyncio.to_thread(_drawn, question, wish, counted, cards, wording)


def _drawn(
    question: Question, wish: Wish, counted: Counter[str], cards: Mapping[str, str], wording: Wording
) -> Neighbourhood:
    shown = topic_map.draw(wish, counted, quiet=QUIET)
    known = tuple(drawing.Known(one.topic.slug, topic_words(one.topic.label, wording)) for one in question.known)
    dots = [
        drawing.Dot(
            slug=topic.slug,
            label=topic_words(topic.label, wording),
            reached_from=topic.source or known[0].slug,
            reach=topic.reach,
            events=topic.events,
            href=cards.get(topic.slug, f"#topic-{topic.slug}"),
            is_picked=topic.slug in cards,
            told=_told(topic, wording),
        )
        for topic in (*shown.ring, *shown.far)
    ]
    dots.sort(key=lambda dot: (not dot.is_picked, dot.events == 0))  # what the cards below are about comes first
    more = wording.text("and {number} more")
    maps = []
    for size in (drawing.WIDE, drawing.NARROW):
        lit = [dot for dot in dots if drawing.is_lit(dot, question.reach)][: MOST_LIT[size.name]]
        others = [dot for dot in dots if not drawing.is_lit(dot, question.reach)][: MOST_OTHERS[size.name]]
        maps.append(drawing.draw(known, (*lit, *others), question.reach, size, more))
    return Neighbourhood(tuple(maps), tuple(_rows(question, shown, wording)))


def _told(topic: topic_map.MapTopic, wording: Wording) -> str:
    name = topic_words(topic.label, wording)
    return (
        wording.plural("{topic}: {number} event", "{topic}: {number} events", topic.events, topic=name)
        if topic.events
        else name
    )


def _rows(question: Question, shown: topic_map.TopicMap, wording: Wording) -> list[Mapping[str, Any]]:
    catalogue = load_catalogue()
    return [
        {
            "slug": topic.slug,
            "label": topic_words(topic.label, wording),
            "href": question.address("/start", add=topic.label),
            "reached_from": topic_words(catalogue[topic.source].label, wording) if topic.source else "–",
            "distance": wording.text(REACH_WORDS[topic.reach]),
            "events": topic.events,
        }
        for topic in sorted((*shown.ring, *shown.far), key=lambda topic: topic.events == 0)[:MOST_ROWS]
    ]
