"""Taking a source out, with the events that only it told of; what somebody saved stays as a tombstone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.events import adoption, composing
from app.events.ingest import take_turn
from app.models import Event, EventVersion, Feedback, FeedEntry, Host, ShownPick, Source


async def forget_source(session: AsyncSession, source: Source, *, now: datetime) -> int:
    """Take a source out with all it said; return how many events went with it.

    Events other sources tell of stay. An event somebody saved, or that stands in a calendar, stays as a tombstone.
    """
    await take_turn(session)
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
    await _forget_merged(session, orphans, now)
    held: set[int] = set()
    for table in (Feedback, ShownPick, FeedEntry):
        for chunk in chunks(sorted(orphans)):
            held |= set(await session.exec(select(table.event_id).where(col(table.event_id).in_(chunk))))
    for chunk in chunks(sorted(orphans - held)):
        await session.exec(delete(Event).where(col(Event.id).in_(chunk)))
    for chunk in chunks(sorted(held)):
        await session.exec(
            update(Event)
            .where(col(Event.id).in_(chunk), col(Event.deleted_at).is_(None))
            .values(deleted_at=now, updated_at=now, sequence=Event.sequence + 1)
        )
    await adoption.forget_behind(session, source_id, community_id)
    await session.exec(
        delete(Host).where(
            col(Host.name) == host, ~select(Source.id).where(Source.host == host).correlate(None).exists()
        )
    )
    await composing.recompose(session, still_told, now=now, by=url)
    return len(orphans)


async def _forget_merged(session: AsyncSession, orphans: set[int], now: datetime) -> None:
    """Let go of the events that were merged into ones that go: each is held or not by itself."""
    for chunk in chunks(sorted(orphans)):
        into = col(Event.merged_into).in_(chunk)
        orphans |= {id_ for id_ in await session.exec(select(Event.id).where(into)) if id_ is not None}
        await session.exec(
            update(Event)
            .where(into)
            .values(merged_into=None, deleted_at=now, updated_at=now, sequence=Event.sequence + 1)
        )
