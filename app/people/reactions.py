"""What people's feedback says of topics, as the recommender takes it: one answer a person and event.

Going, saved and attended welcome an event, dismissed does not; "too close" and "too far" speak of the distance, not of
the topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Feedback, Person
from app.people.feedback import WELCOMING, Kind
from recommender.catalogue import load_catalogue
from recommender.reach import Reach, geography
from recommender.reactions import Offsets, Reaction, offsets_of
from recommender.topic_worth import score_topics

ANSWERS: tuple[Kind, ...] = (*WELCOMING, "dismissed")


async def offsets(session: AsyncSession, person: Person, known: Mapping[str, int]) -> Offsets:
    """Return what a person's own feedback says of all topics."""
    rows = await session.exec(
        select(Feedback.event_id, Feedback.topic, Feedback.kind)
        .where(Feedback.person_id == person.id, col(Feedback.kind).in_(ANSWERS))
        .order_by(col(Feedback.id))
    )
    last_word = {(event_id, topic): kind in WELCOMING for event_id, topic, kind in rows if topic is not None}
    index, want = load_catalogue().index, score_topics(known, cast("Reach", person.reach)).want
    told = [(index[topic], is_welcome) for (_, topic), is_welcome in last_word.items() if topic in index]
    return offsets_of(
        geography(load_catalogue()).domain,
        # What somebody has come to know since tells no longer what they want to learn.
        [Reaction(place, float(want[place]), is_welcome) for place, is_welcome in told if want[place] > 0],
    )
