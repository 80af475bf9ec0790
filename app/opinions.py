"""Step 6 answered: what somebody says of an event or hides, done whole; each returns in words all that it changed."""

from __future__ import annotations

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from app.calendars import feeds
from app.models import Event, Person
from app.people import feedback, hiding
from app.picking import slates
from app.topic_names import label_of


async def say(
    session: AsyncSession, person: Person, event: Event, kind: feedback.Kind, *, note: str | None = None, now: datetime
) -> list[str]:
    reach = await feedback.shifted_reach(session, person)
    before = await slates.current(session, person, now=now)
    row = await feedback.give(session, person, event, kind, note)
    reached = await feedback.shifted_reach(session, person)
    changed = feedback.given_sentences(event, kind, note, reach, reached, topic=_label(row.topic))
    return changed + await _renewed(session, person, before, said_of=event, now=now)


async def take_back(
    session: AsyncSession, person: Person, event: Event, kind: feedback.Kind, *, now: datetime
) -> list[str] | None:
    """Undo what was said; None if it was not said."""
    reach = await feedback.shifted_reach(session, person)
    before = await slates.current(session, person, now=now)
    row = await feedback.take_back(session, person, event, kind)
    if row is None:
        return None
    reached = await feedback.shifted_reach(session, person)
    refused = await feedback.is_refused(session, person, event)
    changed = feedback.taken_back_sentences(event, kind, reach, reached, topic=_label(row.topic), still_refused=refused)
    return changed + await _renewed(session, person, before, now=now)


async def hide(
    session: AsyncSession, person: Person, kind: hiding.Kind, subject: str, name: str, *, now: datetime
) -> list[str]:
    before = await slates.current(session, person, now=now)
    await hiding.hide(session, person, kind, subject, now=now)
    return hiding.hidden_sentences(kind, name) + await _renewed(session, person, before, now=now)


async def show_again(
    session: AsyncSession, person: Person, kind: hiding.Kind, subject: str, name: str, *, now: datetime
) -> list[str] | None:
    """Undo a hiding; None if it was not hidden."""
    before = await slates.current(session, person, now=now)
    if not await hiding.show_again(session, person, kind, subject):
        return None
    return hiding.shown_sentences(kind, name) + await _renewed(session, person, before, now=now)


async def _renewed(
    session: AsyncSession, person: Person, before: list[slates.Shown], *, said_of: Event | None = None, now: datetime
) -> list[str]:
    """Bring slate and calendars up to date; return in words what that changed, besides the event they speak of."""
    shown = await feeds.renew(session, person, now=now)
    known = said_of.id if said_of is not None else None
    held, holds = ({one.listed.event.id for one in some} | {known} for some in (before, shown))
    fresh = [f"“{one.listed.event.title}”" for one in shown if one.listed.event.id not in held]
    gone = [f"“{one.listed.event.title}”" for one in before if one.listed.event.id not in holds]
    return [
        *([f"New among this week's picks: {', '.join(fresh)}."] if fresh else []),
        *([f"No longer among them: {', '.join(gone)}."] if gone else []),
    ]


def _label(topic: str | None) -> str | None:
    return label_of(topic) if topic is not None else None
