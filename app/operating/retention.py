"""What is long past is let go of, a little at a time: events nobody said a word about, what was shown, what was done.

An event somebody gave feedback on, or brought something back from, stays: their picks are made from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import Database
from app.events import turns
from app.models import (
    Audit,
    Digest,
    Event,
    EventVersion,
    Feedback,
    FeedEntry,
    Proposal,
    ShownCommunity,
    ShownPick,
    Takeaway,
    Token,
)
from app.people import tokens

BATCH = 200  # events a transaction: requests get through between two
AUDITED = timedelta(days=730)


async def forget_past(database: Database, *, now: datetime, keep: timedelta) -> int:
    """Delete events that ended more than `keep` ago and nobody said anything about; return how many."""
    forgotten, last_id = 0, 0
    while True:
        async with database.writing() as session:
            await turns.take_turn(session)
            batch = await _past(session, now - keep, after=last_id)
            if not batch:
                return forgotten
            last_id = batch[-1]
            forgotten += await _forget(session, batch)


async def _past(session: AsyncSession, before: datetime, *, after: int) -> list[int]:
    said = (select(table.event_id).where(table.event_id == Event.id).exists() for table in (Feedback, Takeaway))
    rows = await session.exec(
        select(Event.id)
        .where(
            col(Event.id) > after,
            col(Event.starts_at) < before,
            or_(col(Event.ends_at).is_(None), col(Event.ends_at) < before),
            *(~one for one in said),
        )
        .order_by(col(Event.id))
        .limit(BATCH)
    )
    return [event_id for event_id in rows if event_id is not None]


async def _forget(session: AsyncSession, event_ids: Sequence[int]) -> int:
    """Delete these events but those that others, which stay, were merged into."""
    merged = select(Event.merged_into).where(col(Event.merged_into).in_(event_ids), col(Event.id).not_in(event_ids))
    needed = set(await session.exec(merged))
    gone = [event_id for event_id in event_ids if event_id not in needed]
    for table in (EventVersion, FeedEntry, ShownPick):
        await session.exec(delete(table).where(col(table.event_id).in_(gone)))
    await session.exec(delete(Event).where(col(Event.id).in_(gone)))
    return len(gone)


async def forget_records(session: AsyncSession, *, clock: datetime, keep: timedelta) -> int:
    """Delete what was noted about people and operators long ago; return how many rows, expired tokens apart."""
    before = clock - keep
    await tokens.forget_expired(session, clock=clock)
    conditions: tuple[tuple[type, ColumnElement[bool]], ...] = (
        (ShownPick, col(ShownPick.shown_at) < before),
        (ShownCommunity, col(ShownCommunity.shown_at) < before),
        (Digest, col(Digest.changed_at) < before),
        (Proposal, col(Proposal.decided_at) < before),
        (Token, col(Token.revoked_at) < before),
        (Audit, col(Audit.at) < clock - AUDITED),
    )
    return sum([(await session.exec(delete(table).where(condition))).rowcount for table, condition in conditions])
