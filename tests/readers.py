"""People who want the weekly mail, with the slates it is written from laid down rather than ranked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from service import NOW
from sqlmodel.ext.asyncio.session import AsyncSession

from app.community.communities import Active
from app.models import Community, Event, Person, ShownPick, Subscription
from app.picking.community_picks import CommunityPick
from app.picking.slates import iso_week

TUESDAY = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)  # when mails are due in UTC, four hours before NOW


def event(number: int = 1, **fields: Any) -> Event:
    """Return an evening in Munich, `number` days after NOW."""
    start = NOW + timedelta(days=number, hours=6)
    facts: dict[str, Any] = {
        "key": f"event{number}",
        "title": f"Evening {number}",
        "starts_at": start,
        "ends_at": start + timedelta(hours=2),
        "zone": "Europe/Berlin",
        "mode": "in_person",
        "venue_name": "Studio",
        "city": "Munich",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Event(**(facts | fields))


def pick(topic: str = "Typography", score: float = 0.3, **fields: Any) -> dict[str, Any]:
    facts = {
        "topic": topic.lower().replace(" ", "-"),
        "topics": [topic.lower().replace(" ", "-")],
        "path": ["JavaScript", topic],
        "reach": "one-step",
        "score": score,
        "reason": f"You know JavaScript. One step from it lies {topic}.",
        "evidence": [
            f"Of 100 meetup groups about JavaScript, 7 % are also about {topic}, 2 times as many as among all groups."
        ],
        "distance_km": 3.2,
    }
    return facts | fields


async def add_reader(
    session: AsyncSession,
    name: str = "ada",
    *,
    slate: Iterable[tuple[Event, Mapping[str, Any]]] = (),
    next_at: datetime | None = TUESDAY,
    now: datetime = NOW,
    person: Mapping[str, Any] | None = None,
    **wish: Any,
) -> Person:
    """Add a person whose mail is due, with a slate for the week of `now`."""
    facts = {"zone": "UTC", "key": f"{name:x<16}"[:16], "email": f"{name}@example.org"} | dict(person or {})
    made = Person(created_at=now, reach_chosen_at=now, **facts)
    session.add(made)
    await session.flush()
    assert made.id is not None
    session.add(Subscription(person_id=made.id, next_at=next_at, confirmed_at=now - timedelta(days=30), **wish))
    await show(session, made, slate, now=now)
    return made


async def show(
    session: AsyncSession, person: Person, slate: Iterable[tuple[Event, Mapping[str, Any]]], *, now: datetime = NOW
) -> None:
    """Lay down a person's slate of a week."""
    assert person.id is not None
    for rank, (shown, told) in enumerate(slate):
        if shown.id is None:
            session.add(shown)
            await session.flush()
        assert shown.id is not None
        session.add(
            ShownPick(
                person_id=person.id,
                week=iso_week(now),
                event_id=shown.id,
                rank=rank,
                pick=dict(told),
                profile_version=person.profile_version,
                shown_at=now,
            )
        )
    await session.flush()


def community_pick(active: Active, topic: str = "Typography") -> CommunityPick:
    """Return a community as it is picked for somebody who knows JavaScript."""
    reason = f"You know JavaScript. One step from it lies {topic}: the craft of setting text so that people read it."
    return CommunityPick(
        topic=topic.lower(),
        path=("JavaScript", topic),
        reach="one-step",
        score=0.3,
        reason=reason,
        evidence=(),
        distance_km=None,
        active=active,
    )


def community(name: str = "Type Circle", **fields: Any) -> Community:
    facts = {"key": name.lower().replace(" ", "-"), "url": "https://type.example/", "updated_at": NOW}
    return Community(name=name, **(facts | fields))
