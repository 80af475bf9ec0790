"""Join events that are one, and part versions that are not: what people decide, and later crawls keep to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import composing, history, ingest, turns, verdicts
from app.events.verdicts import Name
from app.models import Event, EventChange, EventVersion, Source


class NotJoined(Exception):  # noqa: N818 (what happened, in the message's words)
    """Two events cannot be made one."""


class NotParted(Exception):  # noqa: N818
    """A version cannot be taken out of its event."""


async def join(session: AsyncSession, kept: Event, other: Event, *, why: str, now: datetime) -> Event:
    """Make two events one and return it: `kept` stays, and whoever asks for `other` is led there."""
    stamp = await turns.next_stamp(session, now=now)
    kept, other = await _standing(session, kept), await _standing(session, other)
    if kept.id == other.id:
        raise NotJoined(f"both are the event {kept.key} already")
    assert kept.id is not None
    moving = await _versions(session, other)
    names = [_name(version, source) for version, source in moving]
    staying = [_name(version, source) for version, source in await _versions(session, kept)]
    await verdicts.decide(session, names, staying, is_one=True, why=why, now=now)
    for version, _ in moving:
        version.event_id, version.why = kept.id, ingest.joined_by_hand(why)
    led_here = update(Event).where(col(Event.merged_into) == other.id)
    await session.exec(led_here.values(merged_into=kept.id, updated_at=stamp))
    other.merged_into, other.updated_at = kept.id, stamp
    other.sequence += 1  # calendars that hold it must learn that it went
    await session.flush()
    await composing.recompose(session, {kept.id}, now=now, stamp=stamp, by=None)
    await _note(session, other, {"merged_into": [None, kept.key]}, now)
    return kept


async def part(session: AsyncSession, event: Event, version_id: int, *, why: str, now: datetime) -> Event:
    """Take one source's version out of an event; return the event that it is from now on."""
    stamp = await turns.next_stamp(session, now=now)
    event = await _standing(session, event)
    assert event.id is not None
    versions = await _versions(session, event)
    leaving = next(((version, source) for version, source in versions if version.id == version_id), None)
    if leaving is None:
        numbers = ", ".join(str(version.id) for version, _ in versions)
        raise NotParted(f"the event {event.key} has no version {version_id}; it has {numbers}")
    if len(versions) == 1:
        raise NotParted(f"version {version_id} is all there is of the event {event.key}")
    version, source = leaving
    name = _name(version, source)
    staying = [_name(*one) for one in versions if one != leaving]
    await verdicts.decide(session, [name], staying, is_one=False, why=why, now=now)
    own = await _own_event(session, event, version, name, now=now, stamp=stamp)
    assert own.id is not None
    version.event_id, version.why = own.id, None
    await session.flush()
    await composing.recompose(session, {event.id, own.id}, now=now, stamp=stamp, by=None)
    return own


async def _own_event(
    session: AsyncSession, event: Event, version: EventVersion, name: Name, *, now: datetime, stamp: datetime
) -> Event:
    """Return the event a version was before it was merged, or a new one."""
    key = ingest.event_key(*name)
    earlier = (await session.exec(select(Event).where(Event.key == key))).one_or_none()
    if earlier is not None and earlier.merged_into == event.id:
        earlier.merged_into, earlier.updated_at = None, stamp
        earlier.sequence += 1
        await _note(session, earlier, {"merged_into": [event.key, None]}, now)
        return earlier
    if earlier is not None:
        key = ingest.event_key(f"{name.source}\x1f{now.isoformat()}", name.uid, name.recurrence_id)
    own = ingest.new_event(key, version.draft["title"], version.starts_at, now)
    session.add(own)
    await session.flush()
    return own


async def _standing(session: AsyncSession, event: Event) -> Event:
    """Return the event that stands for this one, read anew: it may have been merged while we waited for our turn."""
    event = await session.get_one(Event, event.id, populate_existing=True)
    while event.merged_into is not None:
        event = await session.get_one(Event, event.merged_into, populate_existing=True)
    return event


async def _versions(session: AsyncSession, event: Event) -> Sequence[tuple[EventVersion, Source]]:
    rows = await session.exec(
        select(EventVersion, Source)
        .join(Source, col(Source.id) == EventVersion.source_id)
        .where(EventVersion.event_id == event.id)
        .order_by(col(EventVersion.id))
    )
    return rows.all()


def _name(version: EventVersion, source: Source) -> Name:
    return Name(source.url, version.uid, version.recurrence_id)


async def _note(session: AsyncSession, event: Event, fields: dict[str, list[str | None]], now: datetime) -> None:
    assert event.id is not None
    await history.note(session, [EventChange(event_id=event.id, at=now, fields=fields)])
