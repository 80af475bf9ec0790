"""Taking a source out, with the events that only it told of. They stay as tombstones, as those do that a source withdraws:
calendars that hold them, people who saved them and copies of the list must learn that they are off.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.events import adoption, composing, history, turns
from app.models import Event, EventChange, EventVersion, Host, Source


async def forget_source(session: AsyncSession, source: Source, *, now: datetime) -> int:
    """Take a source out with all it said; return how many events went with it. Events other sources tell of stay."""
    stamp = await turns.next_stamp(session, now=now)
    told = select(EventVersion.event_id).where(EventVersion.source_id == source.id)
    event_ids = set(await session.exec(told))
    assert source.id is not None
    source_id, community_id, host, url = source.id, source.community_id, source.host, source.url
    await session.delete(source)
    await session.flush()
    still_told: set[int] = set()
    for chunk in chunks(sorted(event_ids)):
        still_told |= set(
            await session.exec(select(EventVersion.event_id).where(col(EventVersion.event_id).in_(chunk)))
        )
    orphans = event_ids - still_told
    await _bury(session, orphans, now=now, stamp=stamp, by=url)
    await adoption.forget_behind(session, source_id, community_id, now=now)
    await session.exec(
        delete(Host).where(
            col(Host.name) == host, ~select(Source.id).where(Source.host == host).correlate(None).exists()
        )
    )
    await composing.recompose(session, still_told, now=now, stamp=stamp, by=url)
    return len(orphans)


async def _bury(session: AsyncSession, event_ids: Collection[int], *, now: datetime, stamp: datetime, by: str) -> None:
    """Make tombstones of the events that are none yet."""
    for chunk in chunks(sorted(event_ids)):
        standing = select(Event.id).where(col(Event.id).in_(chunk), col(Event.deleted_at).is_(None))
        buried = [event_id for event_id in await session.exec(standing) if event_id is not None]
        await session.exec(
            update(Event)
            .where(col(Event.id).in_(buried))
            .values(deleted_at=now, updated_at=stamp, sequence=Event.sequence + 1)
        )
        gone = {"deleted_at": [None, now.isoformat()]}
        await history.note(session, [EventChange(event_id=one, at=now, source=by, fields=gone) for one in buried])
