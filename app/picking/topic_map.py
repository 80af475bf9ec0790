"""The map of topics around a person: what they know, and which topics with events lie how far from it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np
from sqlmodel.ext.asyncio.session import AsyncSession

from app.people import people
from app.people.wishes import Wish
from app.picking import picks
from recommender.adjacency import Adjacency, load_adjacency
from recommender.log_odds import logit
from recommender.reach import REACHES, Reach
from recommender.topic_worth import score_topics


@dataclass(frozen=True, slots=True)
class MapTopic:
    slug: str
    label: str
    domain: str
    events: int  # upcoming ones the person could go to
    source: str | None  # the known topic that raises it most; None where none does
    reach: Reach
    score: float  # comparable within one map


@dataclass(frozen=True, slots=True)
class TopicMap:
    """Topics most worth showing first; `ring` lies within the person's reach, `far` beyond it."""

    known: dict[str, int]
    ring: tuple[MapTopic, ...]
    far: tuple[MapTopic, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "known": people.known_json(self.known),
            "ring": [asdict(topic) for topic in self.ring],
            "far": [asdict(topic) for topic in self.far],
        }


async def topic_map(session: AsyncSession, wish: Wish, *, now: datetime) -> TopicMap:
    """Return the map for a wish, from the events its person could go to."""
    offered = await picks.offer(session, wish, now=now)
    return await asyncio.to_thread(draw, wish, Counter(offered.counted()))


def mainly_from(known: Mapping[str, int], adjacency: Adjacency) -> list[str | None]:
    """Return, for each topic, the known one without which it would be wanted least, in odds; None where none raises it.

    All topics at once: a map asks for a hundred, and each question costs as much as all of them.
    """
    slugs = list(known)
    if not slugs:
        return [None] * len(adjacency.catalogue)
    without = [{other: known[other] for other in slugs if other != slug} for slug in slugs]
    wanted = logit(np.clip(adjacency.want_many([known, *without]), 1e-9, 1 - 1e-9))  # (1 + n_known, n_topics)
    raised = wanted[0] - wanted[1:]  # (n_known, n_topics)
    return [slugs[best] if raised[best, topic] > 0 else None for topic, best in enumerate(raised.argmax(axis=0))]


def draw(wish: Wish, events: Counter[str], *, quiet: int = 0) -> TopicMap:
    """Place topics (slug → number of events) around what somebody knows; what counts as known already is left out.

    Up to `quiet` topics without events join them, those most worth showing: a map of an empty town is not empty.
    """
    adjacency = load_adjacency()
    catalogue = adjacency.catalogue
    scores = score_topics(wish.known, wish.reach)
    sources = mainly_from(wish.known, adjacency)
    silent = (catalogue.topics[place].slug for place in (-scores.score).argsort(kind="stable"))
    shown = [
        *(slug for slug in events if slug in catalogue.index),
        *islice((slug for slug in silent if slug not in events), quiet),
    ]
    topics = []
    for slug in shown:
        position = catalogue.index[slug]
        if scores.inside[position]:
            continue
        topic = catalogue.topics[position]
        topics.append(
            MapTopic(
                slug=slug,
                label=topic.label,
                domain=topic.domain,
                events=events[slug],
                source=sources[position],
                reach=REACHES[scores.band[position]],
                score=round(float(scores.score[position]), 4),
            )
        )
    topics.sort(key=lambda topic: (topic.events == 0, -topic.score, topic.slug))
    within = REACHES[: REACHES.index(wish.reach) + 1]
    return TopicMap(
        known=dict(wish.known),
        ring=tuple(topic for topic in topics if topic.reach in within),
        far=tuple(topic for topic in topics if topic.reach not in within),
    )
