"""What strangers ask alike is worked out once: the front page most of all. It holds until an event changes."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import database_of
from app.revisions import EVENTS, Revisions
from app.web.looking import Sight, look
from app.web.question import Question
from app.web.visit import Visit

MOST = 128  # sights a process keeps, of some 50 KB each
HOLDS = 300  # seconds; then what has begun meanwhile is no longer upcoming

Key = tuple[Question, str, int, float]


async def sight_of(visit: Visit, session: AsyncSession, question: Question, *, now: datetime) -> Sight:
    """Return what somebody sees who asks; of strangers who asked the same in the same language, what they saw."""
    if visit.person is not None:
        return await look(session, question, visit.person, now=now, wording=visit.wording)
    state = visit.request.app.state
    revisions: Revisions = state.revisions
    stood = (await revisions.numbers((EVENTS,)))[EVENTS]
    key: Key = (question, visit.wording.language, stood, now.timestamp() // HOLDS)
    if not hasattr(state, "sights"):
        state.sights = OrderedDict()
    kept: OrderedDict[Key, Sight] = state.sights
    if key not in kept:
        # The request's own session may have begun to read before the counter was: what it sees could be older.
        async with database_of(visit.request).reading() as fresh:
            sight = await look(fresh, question, None, now=now, wording=visit.wording)
        if sight.revision < stood:  # found among events that are being read anew
            return sight
        kept[key] = sight
        while len(kept) > MOST:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]
