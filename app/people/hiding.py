"""What a person hides: topics and communities they never want picks of again, until they show them again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Community, Hidden, Person
from app.topic_names import label_of
from recommender.catalogue import load_catalogue

Kind = Literal["topic", "community"]


async def hide(session: AsyncSession, person: Person, kind: Kind, subject: str, *, now: datetime) -> bool:
    """Hide a topic (its slug) or a community (its key); return whether it was not hidden yet. The caller remakes the slate."""
    assert person.id is not None
    if await session.get(Hidden, (person.id, kind, subject)) is not None:
        return False
    session.add(Hidden(person_id=person.id, kind=kind, subject=subject, hidden_at=now))
    person.profile_version += 1
    await session.flush()
    return True


async def show_again(session: AsyncSession, person: Person, kind: Kind, subject: str) -> bool:
    """Take a hiding back; return whether there was one. The caller remakes the slate."""
    row = await session.get(Hidden, (person.id, kind, subject))
    if row is None:
        return False
    await session.delete(row)
    person.profile_version += 1
    await session.flush()
    return True


async def hidden_by(session: AsyncSession, person: Person, kind: Kind) -> frozenset[str]:
    """Return the subjects of one kind that a person hides."""
    rows = await session.exec(select(Hidden.subject).where(Hidden.person_id == person.id, Hidden.kind == kind))
    return frozenset(rows)


async def all_hidden(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    """Return what a person hides, with the names they know it by, in the order they hid it."""
    rows = await session.exec(
        select(Hidden, Community.name)
        .outerjoin(Community, (col(Hidden.kind) == "community") & (col(Community.key) == Hidden.subject))
        .where(Hidden.person_id == person.id)
        .order_by(col(Hidden.hidden_at), col(Hidden.kind), col(Hidden.subject))
    )
    return [
        {
            "kind": row.kind,
            "subject": row.subject,
            "name": community or label_of(row.subject),
            "hidden_at": row.hidden_at.isoformat(),
        }
        for row, community in rows
    ]


async def name_of(session: AsyncSession, kind: Kind, subject: str) -> str | None:
    """Return the name people know a topic or a community by, or None where there is none with this slug or key."""
    if kind == "topic":
        return label_of(subject) if subject in load_catalogue().index else None
    return (await session.exec(select(Community.name).where(Community.key == subject))).one_or_none()


def hidden_sentences(kind: Kind, name: str) -> list[str]:
    """Say to a person what hiding changed."""
    about = f"about {name}" if kind == "topic" else f"by {name}"
    return [f"No event {about} will be picked for you until you show it again; calendars that hold one keep it."]


def shown_sentences(kind: Kind, name: str) -> list[str]:
    about = f"about {name}" if kind == "topic" else f"by {name}"
    return [f"Events {about} may be picked for you again."]
