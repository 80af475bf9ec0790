"""The map of topics around a person: what they know, and which topics with events lie how far from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from app import people, picks
from recommender.adjacency import load_adjacency
from recommender.ranking import score_topics
from recommender.reach import REACHES, Reach
from recommender.reasons import source_of


@dataclass(frozen=True, slots=True)
class MapTopic:
    slug: str
    label: str
    domain: str
    events: int  # upcoming ones the person could go to
    source: str | None  # the known topic it is best reached from; None for a person who told nothing
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


async def topic_map(session: AsyncSession, wish: picks.Wish, *, now: datetime) -> TopicMap:
    """Return the map for a wish, from the events its person could go to."""
    listed = await picks.candidates(session, wish, now=now)
    return draw(wish, Counter(slug for item in listed for slug, _ in item.topics))


def draw(wish: picks.Wish, events: Counter[str]) -> TopicMap:
    """Place topics (slug → number of events) around what somebody knows; what counts as known already is left out."""
    adjacency = load_adjacency()
    scores = score_topics(wish.known, wish.reach)
    topics = []
    for slug, number in events.items():
        position = adjacency.catalogue.index.get(slug)
        if position is None or scores.inside[position]:
            continue
        topic = adjacency.catalogue.topics[position]
        topics.append(
            MapTopic(
                slug=slug,
                label=topic.label,
                domain=topic.domain,
                events=number,
                source=source_of(wish.known, slug) if wish.known else None,
                reach=REACHES[scores.band[position]],
                score=round(float(scores.score[position]), 4),
            )
        )
    topics.sort(key=lambda topic: (-topic.score, topic.slug))
    within = REACHES[: REACHES.index(wish.reach) + 1]
    return TopicMap(
        known=dict(wish.known),
        ring=tuple(topic for topic in topics if topic.reach in within),
        far=tuple(topic for topic in topics if topic.reach not in within),
    )
