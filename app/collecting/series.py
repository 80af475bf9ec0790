"""Step 3, recurring events: kept as their sources define them, and expanded again as the window moves on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting.page_reading import HORIZON
from app.collecting.source_health import RESTING
from app.db import Database
from app.events import ingest, turns
from app.events.changes import Changes
from app.models import Series, Source
from scrapers import EventDraft, Window, read_here
from scrapers.draft import Series as SeriesDraft

STEP = timedelta(days=1)  # how far the window moves on before series are expanded again

log = structlog.get_logger()


async def keep(
    session: AsyncSession, source: Source, series: Sequence[SeriesDraft], *, until: datetime, forgets: bool
) -> None:
    """Keep the definitions of recurring events, so that they can be expanded without asking again.

    With `forgets`, those that are listed no more are deleted.
    """
    assert source.id is not None
    stored = {row.uid: row for row in (await session.exec(select(Series).where(Series.source_id == source.id))).all()}
    for definition in series:
        row = stored.pop(definition.uid, None)
        if row is None:
            row = Series(
                source_id=source.id,
                uid=definition.uid,
                digest=definition.digest,
                definition=definition.definition,
                expanded_until=until,
            )
        elif row.digest != definition.digest:
            row.digest, row.definition = definition.digest, definition.definition
        row.expanded_until = until
        session.add(row)
    for gone in stored.values() if forgets else ():
        await session.delete(gone)


async def _note_expanded(session: AsyncSession, source_id: int, until: datetime) -> None:
    await session.exec(update(Series).where(col(Series.source_id) == source_id).values(expanded_until=until))


async def expand_all(database: Database, *, now: datetime) -> int:
    """Move the window of recurring events on, without asking their sources; return how many occurrences were added.

    A feed that answers 304 for a year still shows next week's meeting.
    """
    until = now + HORIZON
    async with database.reading() as session:
        behind = await session.exec(
            select(Series.source_id)
            .join(Source, col(Source.id) == Series.source_id)
            .where(Series.expanded_until < until - STEP, col(Source.state).not_in(RESTING))
            .distinct()
        )
        source_ids = sorted(behind)
    added = 0
    for source_id in source_ids:
        try:
            added += await _expand_source(database, source_id, until, now=now)
        except Exception:
            log.exception("expanding series failed", source=source_id)  # the others' weeks go on
    return added


async def _expand_source(database: Database, source_id: int, until: datetime, *, now: datetime) -> int:
    async with database.reading() as session:
        source = await session.get_one(Source, source_id)
        series = list(await session.exec(select(Series).where(Series.source_id == source_id)))
    drafts = await asyncio.to_thread(_expand, series, source, until)
    async with database.writing() as session:
        await turns.take_turn(session)
        stored = await ingest.stored_versions(session, source_id)
        fresh = tuple(draft for draft in drafts if draft.key not in stored)
        source = await session.get_one(Source, source_id)
        counts = ingest.Counts()
        for part in Changes(added=fresh).in_batches():
            counts += await ingest.store(session, source, part, now=now)
        await _note_expanded(session, source_id, until)
    return counts.added


def _expand(series: Sequence[Series], source: Source, until: datetime) -> list[EventDraft]:
    drafts: list[EventDraft] = []
    for one in series:
        if one.expanded_until < until:
            # The definition was read well before it was stored, by the guarded door.
            window = Window(one.expanded_until, until)
            drafts += read_here(one.definition, url=source.url, window=window, zone=ZoneInfo(source.zone)).events
    return drafts
