"""Step 3, ingest: what a source now says is written, in one transaction, and its events are composed anew."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.events import composing, history, turns, verdicts
from app.events.changes import BATCH, Changes, Key, Known, digest_of
from app.events.twins import Twin, twins
from app.events.verdicts import Name, Ruling, ruling
from app.models import Event, EventChange, EventVersion, Source
from scrapers import EventDraft, as_json, from_json

__all__ = ["Changes", "Counts", "store", "stored_versions"]


async def stored_versions(session: AsyncSession, source_id: int) -> dict[Key, Known]:
    rows = await session.exec(
        select(
            EventVersion.uid,
            EventVersion.recurrence_id,
            EventVersion.id,
            EventVersion.event_id,
            EventVersion.starts_at,
            EventVersion.digest,
            EventVersion.withdrawn_at,
        ).where(EventVersion.source_id == source_id)  # type: ignore[call-overload]
    )
    return {
        (uid, recurrence_id): Known(id_, event_id, starts_at, digest, withdrawn_at is not None)
        for uid, recurrence_id, id_, event_id, starts_at, digest, withdrawn_at in rows
    }


@dataclass(frozen=True, slots=True)
class Counts:
    """What one fetch did, for the round's table."""

    added: int = 0
    changed: int = 0
    cancelled: int = 0
    merged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.added + other.added,
            self.changed + other.changed,
            self.cancelled + other.cancelled,
            self.merged + other.merged,
        )


async def store(session: AsyncSession, source: Source, changes: Changes, *, now: datetime) -> Counts:
    """Write the changes of one source; the caller holds the transaction."""
    assert source.id is not None
    stamp = await turns.next_stamp(session, now=now)
    decided = await ruling(session, source, {draft.key for draft in changes.added})
    merged = await _merged(session, source, changes.added, decided)
    homes = await _homes(session, source, changes.added, merged, decided=decided, now=now)
    touched = set(homes.values())
    if changes.added:
        # As plain rows: making models of them costs as much again as all the rest of storing.
        rows = [_row(draft, source.id, homes[draft.key], merged.get(draft.key), now=now) for draft in changes.added]
        await session.exec(insert(EventVersion), params=rows)
    versions = await _versions(session, [*(id_ for id_, _ in changes.changed), *changes.withdrawn])
    rematched = await _rematched(session, source, changes.changed, versions)
    for version_id, draft in changes.changed:
        version = versions[version_id]
        if (version.uid, version.recurrence_id) != draft.key:
            before, after = (Name(source.url, one.uid, one.recurrence_id) for one in (version, draft))
            await verdicts.rename_version(session, before, after)
        version.uid, version.recurrence_id = draft.uid, draft.recurrence_id
        version.starts_at, version.draft, version.digest = draft.starts_at, as_json(draft), digest_of(draft)
        version.last_seen_at, version.withdrawn_at = now, None
        if version_id in rematched:
            await _lead_to(session, version, rematched[version_id], now=now, stamp=stamp)
        touched.add(version.event_id)
    for version_id in changes.withdrawn:
        version = versions[version_id]
        version.withdrawn_at = now
        touched.add(version.event_id)
    await session.flush()
    cancelled = await composing.recompose(session, touched, now=now, stamp=stamp, by=source.url)
    return Counts(len(changes.added), len(changes.changed), cancelled, len(merged) + len(rematched))


def _row(draft: EventDraft, source_id: int, event_id: int, twin: Twin | None, *, now: datetime) -> dict[str, Any]:
    """Return a version as a row of its table."""
    return {
        "source_id": source_id,
        "uid": draft.uid,
        "recurrence_id": draft.recurrence_id,
        "event_id": event_id,
        "starts_at": draft.starts_at,
        "draft": as_json(draft),
        "digest": digest_of(draft),
        "first_seen_at": now,
        "last_seen_at": now,
        "why": twin.why if twin is not None else None,
    }


async def _rematched(
    session: AsyncSession,
    source: Source,
    changed: Sequence[tuple[int, EventDraft]],
    versions: Mapping[int | None, EventVersion],
) -> dict[int, Twin]:
    """Return, by version, the events that changed versions turn out to be, now that they say other words or times.

    Only versions that stand alone are asked about: two that were one stay one, since mostly one source is late.
    """
    moved = {
        version_id: draft
        for version_id, draft in changed
        if _marks(from_json(versions[version_id].draft)) != _marks(draft)
    }
    homes = {versions[version_id].event_id for version_id in moved}
    shared: set[int] = set()
    for chunk in chunks(sorted(homes)):
        rows = await session.exec(
            select(EventVersion.event_id)
            .where(col(EventVersion.event_id).in_(chunk))
            .group_by(col(EventVersion.event_id))
            .having(func.count() > 1)
        )
        shared |= set(rows)
    alone = {version_id: draft for version_id, draft in moved.items() if versions[version_id].event_id not in shared}
    decided = await ruling(session, source, {draft.key for draft in alone.values()})
    found = await twins(session, source, list(alone.values()), apart=decided.apart)
    return {version_id: found[draft.key] for version_id, draft in alone.items() if draft.key in found}


def _marks(draft: EventDraft) -> tuple[object, ...]:
    """Return what tells one event from another."""
    return (draft.title, draft.starts_at, draft.url, draft.venue)


async def _lead_to(session: AsyncSession, version: EventVersion, twin: Twin, *, now: datetime, stamp: datetime) -> None:
    """Make a version's own event lead to its twin."""
    assert twin.event.id is not None
    own = await session.get_one(Event, version.event_id)
    assert own.id is not None
    led_here = update(Event).where(col(Event.merged_into) == own.id)
    await session.exec(led_here.values(merged_into=twin.event.id, updated_at=stamp))
    own.merged_into, own.updated_at = twin.event.id, stamp
    own.sequence += 1  # calendars that hold it must learn that it went
    version.event_id, version.why = twin.event.id, twin.why
    note = EventChange(event_id=own.id, at=now, fields={"merged_into": [None, twin.event.key]})
    await history.note(session, [note])


async def _versions(session: AsyncSession, ids: Iterable[int]) -> dict[int | None, EventVersion]:
    found: dict[int | None, EventVersion] = {}
    for chunk in chunks(sorted(ids), BATCH):
        rows = await session.exec(select(EventVersion).where(col(EventVersion.id).in_(chunk)))
        found |= {version.id: version for version in rows}
    return found


async def _merged(
    session: AsyncSession, source: Source, drafts: Sequence[EventDraft], decided: Ruling
) -> dict[Key, Twin]:
    """Return the events of other sources that new versions belong to: by somebody's word, or by likeness."""
    if not drafts:
        return {}
    joined = {
        key: Twin(await session.get_one(Event, event_id), joined_by_hand(decided.why[key]))
        for key, event_id in decided.one.items()
    }
    free = [draft for draft in drafts if draft.key not in joined]
    return joined | await twins(session, source, free, apart=decided.apart)


def joined_by_hand(why: str) -> str:
    return f"joined by hand: {why}" if why else "joined by hand"


async def _homes(
    session: AsyncSession,
    source: Source,
    drafts: Sequence[EventDraft],
    merged: Mapping[Key, Twin],
    *,
    decided: Ruling,
    now: datetime,
) -> dict[Key, int]:
    """Return the id of the event each new version belongs to: its twin's, its own of an earlier life, or a new one."""
    keys = {draft.key: event_key(source.url, draft.uid, draft.recurrence_id) for draft in drafts}
    # A source that was removed and comes back finds the tombstones that saved events left behind.
    earlier = list(await session.exec(select(Event).where(col(Event.key).in_(keys.values())))) if keys else []
    by_key = {event.key: await _standing(session, event) for event in earlier}
    ours = select(EventVersion.event_id).where(
        EventVersion.source_id == source.id, col(EventVersion.event_id).in_([event.id for event in by_key.values()])
    )
    occupied = set(await session.exec(ours)) if earlier else set()
    homes: dict[Key, Event] = {}
    for draft in drafts:
        key = draft.key
        home = merged[key].event if key in merged else by_key.get(keys[key])
        if home is not None and key not in merged and (home.id in occupied or home.id in decided.apart.get(key, ())):
            # The uid once belonged to another event of this source, which has a new one now; or it was parted by hand.
            home = None
        if home is None:
            if keys[key] in by_key:
                keys[key] = event_key(f"{source.url}\x1f{now.isoformat()}", draft.uid, draft.recurrence_id)
            home = new_event(keys[key], draft.title, draft.starts_at, now)
        homes[key] = home
    session.add_all(homes.values())
    await session.flush()
    return {key: event.id for key, event in homes.items() if event.id is not None}


async def _standing(session: AsyncSession, event: Event) -> Event:
    """Return the event that stands for this one."""
    while event.merged_into is not None:
        event = await session.get_one(Event, event.merged_into)
    return event


def new_event(key: str, title: str, starts_at: datetime, now: datetime) -> Event:
    # With its lists and mappings, since looking for their defaults takes SQLModel half a millisecond.
    return Event(
        key=key,
        title=title,
        starts_at=starts_at,
        categories=[],
        provenance={},
        purpose={},
        purpose_phrases=[],
        created_at=now,
        updated_at=now,
    )


def event_key(source_url: str, uid: str, recurrence_id: str) -> str:
    """Return the event's permanent name, from where it was first seen: a second collection gives the same."""
    first_seen = f"{source_url}\x1f{uid}\x1f{recurrence_id}"
    return b32encode(hashlib.sha256(first_seen.encode()).digest()[:10]).decode().lower()


async def touch(session: AsyncSession, version_ids: Sequence[int], now: datetime) -> None:
    """Note that versions were listed again."""
    for chunk in chunks(sorted(version_ids), BATCH):
        await session.exec(update(EventVersion).where(col(EventVersion.id).in_(chunk)).values(last_seen_at=now))
