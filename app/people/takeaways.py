"""What people bring back from an evening: one gentle question after it, private notes, and a map that grows by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Event, EventTopic, Expertise, Feedback, Person, Takeaway
from app.queries.event_forms import event_name
from app.queries.listing import Listed, with_topics
from app.topic_names import label_of, topic_called

WENT = ("going", "attended")
ASKED_FOR = timedelta(days=30)  # after that an evening is no longer asked about
A_LITTLE = 1  # the level at which one evening puts a topic


async def question(session: AsyncSession, person: Person, *, now: datetime) -> Listed | None:
    """Return the last event a person went to that they were neither asked about nor told of; at most one."""
    assert person.id is not None
    over = (await questions(session, [person.id], now=now)).get(person.id)
    return (await with_topics(session, over[:1]))[0] if over else None


async def questions(session: AsyncSession, person_ids: Sequence[int], *, now: datetime) -> dict[int, list[Event]]:
    """Return, by person, the events they went to that they were neither asked about nor told of, the last one first."""
    rows = await session.exec(
        select(Feedback.person_id, Event)
        .join(Feedback, col(Feedback.event_id) == col(Event.id))
        .join(
            Takeaway,
            (col(Takeaway.event_id) == col(Event.id)) & (col(Takeaway.person_id) == Feedback.person_id),
            isouter=True,
        )
        .where(
            col(Feedback.person_id).in_(person_ids),
            col(Feedback.kind).in_(WENT),
            col(Takeaway.event_id).is_(None),
            col(Event.starts_at).between(now - ASKED_FOR, now),
            col(Event.status) != "cancelled",
            col(Event.deleted_at).is_(None),
        )
        .order_by(col(Event.starts_at).desc(), col(Event.id))
    )
    over: dict[int, dict[int | None, Event]] = defaultdict(dict)  # who said of one that they go, and that they went
    for person_id, event in rows:
        if (event.ends_at or event.starts_at + timedelta(hours=1)) <= now:
            over[person_id][event.id] = event
    return {person_id: list(events.values()) for person_id, events in over.items()}


async def ask(session: AsyncSession, person: Person, event: Event) -> None:
    """Note that a person was asked about an event: nobody is asked twice."""
    row = await _of(session, person, event)
    row.asked_at = row.asked_at or datetime.now(UTC)
    session.add(row)


async def tell(
    session: AsyncSession,
    person: Person,
    event: Event,
    *,
    learned: str,
    to_tell: str,
    would_go_again: bool | None,
    topic: str | None,
) -> list[str]:
    """Keep what a person brought back, in place of what they told before; return in words what that changed.

    `topic` is the label of what they now know a little of. Raises UnknownTopic.
    """
    slug = topic_called(topic).slug if topic else None
    row = await _of(session, person, event)
    changed = ["Your note is kept for you alone."] if learned or to_tell else []
    if slug != row.topic:
        changed += await _forget_topic(session, person, row)
        changed += await _add_topic(session, person, row, slug)
    row.learned, row.to_tell, row.would_go_again = learned, to_tell, would_go_again
    row.told_at = datetime.now(UTC)
    session.add(row)
    await session.flush()
    return changed


async def is_told(session: AsyncSession, person: Person, event: Event) -> bool:
    row = await session.get(Takeaway, (person.id, event.id))
    return row is not None and row.told_at is not None


async def take_back(session: AsyncSession, person: Person, event: Event) -> list[str] | None:
    """Forget what a person told of an event, and what it added to their map; None if they told nothing."""
    row = await session.get(Takeaway, (person.id, event.id))
    if row is None or row.told_at is None:
        return None
    changed = ["Your note is deleted.", *await _forget_topic(session, person, row)]
    row.learned, row.to_tell, row.would_go_again, row.told_at = "", "", None, None
    await session.flush()
    return changed


async def told(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    """Return what a person brought back, the latest evening first."""
    rows = await session.exec(
        select(Takeaway, Event)
        .join(Event, col(Event.id) == Takeaway.event_id)
        .where(Takeaway.person_id == person.id, col(Takeaway.told_at).is_not(None))
        .order_by(col(Event.starts_at).desc(), col(Event.id))
    )
    return [takeaway_json(takeaway, event) for takeaway, event in rows]


async def offered(session: AsyncSession, event: Event) -> Sequence[str]:
    """Return labels of what an event was about, the strongest first: what somebody may now know a little of."""
    rows = await session.exec(
        select(EventTopic).where(EventTopic.event_id == event.id).order_by(col(EventTopic.weight).desc())
    )
    return [label_of(row.topic) for row in rows]


def takeaway_json(takeaway: Takeaway, event: Event) -> dict[str, Any]:
    return {
        "event": event_name(event),
        "learned": takeaway.learned,
        "to_tell": takeaway.to_tell,
        "would_go_again": takeaway.would_go_again,
        "topic": takeaway.topic,
        "told_at": takeaway.told_at.isoformat() if takeaway.told_at else None,
    }


async def _of(session: AsyncSession, person: Person, event: Event) -> Takeaway:
    assert person.id is not None
    assert event.id is not None
    row = await session.get(Takeaway, (person.id, event.id))
    return row or Takeaway(person_id=person.id, event_id=event.id)


async def _add_topic(session: AsyncSession, person: Person, row: Takeaway, slug: str | None) -> list[str]:
    if slug is None:
        return []
    assert person.id is not None
    if await session.get(Expertise, (person.id, slug)) is not None:
        return [f"You knew {label_of(slug)} already; your map stays as it is."]
    row.topic = slug
    session.add(Expertise(person_id=person.id, topic=slug, level=A_LITTLE))
    person.profile_version += 1
    return [f"Your map grows: you now know a little of {label_of(slug)}."]


async def _forget_topic(session: AsyncSession, person: Person, row: Takeaway) -> list[str]:
    """Take the topic out again that an evening added, unless the person has made more of it since."""
    slug, row.topic = row.topic, None
    if slug is None:
        return []
    known = await session.get(Expertise, (person.id, slug))
    if known is None or known.level > A_LITTLE:
        return []
    await session.delete(known)
    person.profile_version += 1
    return [f"{label_of(slug)} is no longer on your map."]
