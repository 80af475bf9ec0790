"""Steps 3 to 5, one after another: who writes events takes turns, and what a turn changes is stamped later than all before.

Whoever follows changes asks for those stamped at or after the last stamp they know of. Were a stamp the moment at which
a round or a transaction began, one that began earlier and ended later would write behind their back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Event

WRITING = 0x494E4745  # any constant: the advisory lock behind take_turn
TICK = timedelta(microseconds=1)  # the finest that both databases and the API tell apart


async def take_turn(session: AsyncSession) -> None:
    """Wait until no other transaction writes events; a no-op on SQLite, which has one writer.

    Two sources that tell of one event at the same moment would not see each other, and both make it.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.exec(select(func.pg_advisory_xact_lock(WRITING)))


async def next_stamp(session: AsyncSession, *, now: datetime) -> datetime:
    """Take the turn, and return what `updated_at` is of all that the transaction changes: `now`, or later.

    Turns end with their transactions, so stamps rise in the order in which changes come to be seen, even where clocks
    differ between machines, are set back, or stand still.
    """
    await take_turn(session)
    newest = (await session.exec(select(func.max(Event.updated_at)))).one()
    return now if newest is None else max(now, newest + TICK)
