"""Step 3, ingest: what a source now says is written, in one transaction, and its events are composed anew."""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import adoption, history, merge, verdicts
from app.changes import BATCH, Changes, Key, Known, digest_of
from app.language import language_of
from app.models import (
    Event,
    EventChange,
    EventVersion,
    Feedback,
    FeedEntry,
    Host,
    Json,
    Series,
    ShownPick,
    Source,
)
from app.twins import Twin, twins
from app.verdicts import Name, Ruling, ruling
from scrapers import EventDraft, as_json, from_json
from scrapers.draft import Series as SeriesDraft

__all__ = ["Changes", "Counts", "forget_source", "recompose", "store", "stored_versions", "take_turn"]

STORING = 0x494E4745  # any constant: the advisory lock behind take_turn


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


async def take_turn(session: AsyncSession) -> None:
    """Wait until no other transaction stores; a no-op on SQLite, which has one writer.

    Two sources that tell of one event at the same moment would not see each other, and both make it.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.exec(select(func.pg_advisory_xact_lock(STORING)))


async def store(session: AsyncSession, source: Source, changes: Changes, *, now: datetime) -> Counts:
    """Write the changes of one source; the caller holds the transaction."""
    assert source.id is not None
    await take_turn(session)
    decided = await ruling(session, source, {(draft.uid, draft.recurrence_id) for draft in changes.added})
    merged = await _merged(session, source, changes.added, decided)
    homes = await _homes(session, source, changes.added, merged, decided=decided, now=now)
    touched = set(homes.values())
    if changes.added:
        # As plain rows: making models of them costs as much again as all the rest of storing.
        await session.exec(
            insert(EventVersion),
            params=[
                {
                    "source_id": source.id,
                    "uid": draft.uid,
                    "recurrence_id": draft.recurrence_id,
                    "event_id": homes[draft.uid, draft.recurrence_id],
                    "starts_at": draft.starts_at,
                    "draft": as_json(draft),
                    "digest": digest_of(draft),
                    "first_seen_at": now,
                    "last_seen_at": now,
                    "why": twin.why if (twin := merged.get((draft.uid, draft.recurrence_id))) else None,
                }
                for draft in changes.added
            ],
        )
    versions = await _versions(session, [*(id_ for id_, _ in changes.changed), *changes.withdrawn])
    for version_id, draft in changes.changed:
        version = versions[version_id]
        if (version.uid, version.recurrence_id) != (draft.uid, draft.recurrence_id):
            before, after = (Name(source.url, one.uid, one.recurrence_id) for one in (version, draft))
            await verdicts.rename_version(session, before, after)
        version.uid, version.recurrence_id = draft.uid, draft.recurrence_id
        version.starts_at, version.draft, version.digest = draft.starts_at, as_json(draft), digest_of(draft)
        version.last_seen_at, version.withdrawn_at = now, None
        touched.add(version.event_id)
    for version_id in changes.withdrawn:
        version = versions[version_id]
        version.withdrawn_at = now
        touched.add(version.event_id)
    await session.flush()
    cancelled = await recompose(session, touched, now=now, by=source.url)
    return Counts(len(changes.added), len(changes.changed), cancelled, len(merged))


async def _versions(session: AsyncSession, ids: Iterable[int]) -> dict[int | None, EventVersion]:
    found: dict[int | None, EventVersion] = {}
    for chunk in _chunks(ids):
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
    free = [draft for draft in drafts if (draft.uid, draft.recurrence_id) not in joined]
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
    keys = {(draft.uid, draft.recurrence_id): event_key(source.url, draft.uid, draft.recurrence_id) for draft in drafts}
    # A source that was removed and comes back finds the tombstones that saved events left behind.
    earlier = list(await session.exec(select(Event).where(col(Event.key).in_(keys.values())))) if keys else []
    by_key = {event.key: await _standing(session, event) for event in earlier}
    ours = select(EventVersion.event_id).where(
        EventVersion.source_id == source.id, col(EventVersion.event_id).in_([event.id for event in by_key.values()])
    )
    occupied = set(await session.exec(ours)) if earlier else set()
    homes: dict[Key, Event] = {}
    for draft in drafts:
        key = (draft.uid, draft.recurrence_id)
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


async def recompose(session: AsyncSession, event_ids: Iterable[int], *, now: datetime, by: str | None) -> int:
    """Compose events anew from their versions; return how many became cancelled or were withdrawn by all sources.

    `by` is the address of the source that gave reason to; None for what was done by hand.
    """
    cancelled = 0
    changes: list[EventChange] = []
    for chunk in _chunks(event_ids):
        events = (await session.exec(select(Event).where(col(Event.id).in_(chunk)).order_by(col(Event.id)))).all()
        rows = await session.exec(
            select(EventVersion, Source.url, Source)
            .join(Source, col(Source.id) == EventVersion.source_id)
            .where(col(EventVersion.event_id).in_(chunk))
            .order_by(col(EventVersion.id))
        )
        versions: dict[int, list[tuple[EventVersion, str, Source]]] = {}
        telling: set[int] = set()
        for version, url, source in rows:
            versions.setdefault(version.event_id, []).append((version, url, source))
            telling.add(version.source_id)
        behind = await adoption.communities_of(session, telling)
        for event in events:
            assert event.id is not None
            was_shown, was_off = event.text_digest != "", _is_off(event)
            changed = _show(event, versions.get(event.id, []), behind, now)
            cancelled += _is_off(event) and not was_off
            if changed and was_shown:
                changes.append(EventChange(event_id=event.id, at=now, source=by, fields=changed))
    await session.flush()
    if changes:
        await history.note(session, changes)
    return cancelled


def _is_off(event: Event) -> bool:
    return event.deleted_at is not None or event.status == "cancelled"


def _show(
    event: Event,
    versions: Sequence[tuple[EventVersion, str, Source]],
    behind: Mapping[tuple[int, str], int],
    now: datetime,
) -> Json:
    """Bring one event up to date with its versions; return what that changed for people.

    `behind` names the communities of sources that hold several, by source and file.
    """
    active = [row for row in versions if row[0].withdrawn_at is None]
    # A withdrawn event keeps its last words, as a tombstone: calendars that hold it must learn that it is off.
    telling = active or list(versions)
    drafts = [(url, from_json(row.draft), source) for row, url, source in telling]
    fields, provenance = merge.compose(
        [merge.Told(url, draft, merge.placed(draft, source)) for url, draft, source in drafts]
    )
    fields["deleted_at"] = None if active else (event.deleted_at or now)
    fields["community_id"] = next(
        (
            community
            for row, _, source in telling
            if (community := source.community_id or behind.get((row.source_id, adoption.file_of(row.uid))))
        ),
        None,
    )
    series = next((row for row, _, _ in telling if row.recurrence_id), None)
    fields["series_key"] = f"{series.source_id}:{series.uid}" if series else None
    fields["provenance"] = provenance
    fields["language"] = fields["language"] or _language(event, fields)
    before = {name: getattr(event, name) for name in fields}
    if before == fields:
        return {}
    if event.text_digest and any(before[name] != fields[name] for name in REARRANGING):
        event.sequence += 1
    for name, value in fields.items():
        if before[name] != value:
            setattr(event, name, value)
    event.updated_at = now
    event.text_digest = _text_digest(event)
    return history.difference(before, fields)


def _language(event: Event, fields: Mapping[str, Any]) -> str | None:
    """Return the language of a text whose source does not say."""
    title, description = fields["title"], fields["description"]
    if event.language is not None and (event.title, event.description) == (title, description):
        return event.language
    return language_of(title, description)


REARRANGING = ("starts_at", "ends_at", "status", "venue_name", "address", "deleted_at")  # what raises SEQUENCE


def _text_digest(event: Event) -> str:
    read = json.dumps((event.title, event.description, event.categories, event.community_id))
    return hashlib.sha256(read.encode()).hexdigest()[:32]


def event_key(source_url: str, uid: str, recurrence_id: str) -> str:
    """Return the event's permanent name, from where it was first seen: a second collection gives the same."""
    first_seen = f"{source_url}\x1f{uid}\x1f{recurrence_id}"
    return b32encode(hashlib.sha256(first_seen.encode()).digest()[:10]).decode().lower()


async def store_series(
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


async def note_expanded(session: AsyncSession, source_id: int, until: datetime) -> None:
    await session.exec(update(Series).where(col(Series.source_id) == source_id).values(expanded_until=until))


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
    for chunk in _chunks(event_ids):
        still_told |= set(
            await session.exec(select(EventVersion.event_id).where(col(EventVersion.event_id).in_(chunk)))
        )
    orphans = event_ids - still_told
    await _forget_merged(session, orphans, now)
    held: set[int] = set()
    for table in (Feedback, ShownPick, FeedEntry):
        for chunk in _chunks(orphans):
            held |= set(await session.exec(select(table.event_id).where(col(table.event_id).in_(chunk))))
    for chunk in _chunks(orphans - held):
        await session.exec(delete(Event).where(col(Event.id).in_(chunk)))
    for chunk in _chunks(held):
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
    await recompose(session, still_told, now=now, by=url)
    return len(orphans)


async def _forget_merged(session: AsyncSession, orphans: set[int], now: datetime) -> None:
    """Let go of the events that were merged into ones that go: each is held or not by itself."""
    for chunk in _chunks(orphans):
        into = col(Event.merged_into).in_(chunk)
        orphans |= {id_ for id_ in await session.exec(select(Event.id).where(into)) if id_ is not None}
        await session.exec(
            update(Event)
            .where(into)
            .values(merged_into=None, deleted_at=now, updated_at=now, sequence=Event.sequence + 1)
        )


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]


async def touch(session: AsyncSession, version_ids: Sequence[int], now: datetime) -> None:
    """Note that versions were listed again."""
    for chunk in _chunks(version_ids):
        await session.exec(update(EventVersion).where(col(EventVersion.id).in_(chunk)).values(last_seen_at=now))
