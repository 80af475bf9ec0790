"""What changed about an event over time: one row a step, written in the transaction that changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.models import Event, EventChange, Json

MOST = 50  # changes kept an event: a feed that flips a word at every fetch must not fill the disk
LONGEST = 300  # characters kept of a text, before and after
UNTOLD = frozenset({"provenance", "series_key", "community_id", "is_free", "language"})  # follow from the rest


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Json:
    """Return field → [before, after] as JSON, for what people see; empty where they see no change."""
    return {
        name: [_told(before[name]), _told(value)]
        for name, value in after.items()
        if name not in UNTOLD and before[name] != value
    }


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and len(value) > LONGEST:
        return value[: LONGEST - 1] + "…"
    return value


async def note(session: AsyncSession, changes: Sequence[EventChange]) -> None:
    """Write changes down, and forget the oldest of events that change all the time."""
    session.add_all(changes)
    await session.flush()
    for chunk in chunks(sorted({change.event_id for change in changes})):
        rows = await session.exec(
            select(EventChange.event_id)
            .where(col(EventChange.event_id).in_(chunk))
            .group_by(col(EventChange.event_id))
            .having(func.count() > MOST)
        )
        for event_id in rows.all():
            latest = (
                select(EventChange.id)
                .where(EventChange.event_id == event_id)
                .order_by(col(EventChange.id).desc())
                .limit(MOST)
            )
            await session.exec(
                delete(EventChange).where(
                    col(EventChange.event_id) == event_id, col(EventChange.id).not_in(latest.scalar_subquery())
                )
            )


async def history(session: AsyncSession, event: Event) -> list[dict[str, Any]]:
    """Return what changed about an event since it was first seen, oldest first."""
    rows = await session.exec(select(EventChange).where(EventChange.event_id == event.id).order_by(col(EventChange.id)))
    return [{"at": row.at.isoformat(), "source": row.source, "changed": row.fields} for row in rows]
