"""Step 4, composing: what people see of an event is made from what its sources say; what that changed is written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.events import adoption, history
from app.events.changes import BATCH
from app.events.inventories import file_of
from app.events.language import language_of
from app.events.telling import Telling, compose, placed
from app.models import Event, EventChange, EventVersion, Json, Source
from scrapers import from_json

REARRANGING = ("starts_at", "ends_at", "status", "venue_name", "address", "deleted_at")  # what raises SEQUENCE


async def recompose(
    session: AsyncSession, event_ids: Iterable[int], *, now: datetime, stamp: datetime, by: str | None
) -> int:
    """Compose events anew from their versions; return how many became cancelled or were withdrawn by all sources.

    `stamp` is that of the turn (`turns.next_stamp`). `by` is the address of the source that gave reason to; None for
    what was done by hand.
    """
    cancelled = 0
    changes: list[EventChange] = []
    for chunk in chunks(sorted(event_ids), BATCH):
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
            changed = _show(event, versions.get(event.id, []), behind, now=now, stamp=stamp)
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
    *,
    now: datetime,
    stamp: datetime,
) -> Json:
    """Bring one event up to date with its versions; return what that changed for people.

    `behind` names the communities of sources that hold several, by source and file.
    """
    active = [row for row in versions if row[0].withdrawn_at is None]
    # A withdrawn event keeps its last words, as a tombstone: calendars that hold it must learn that it is off.
    telling = active or list(versions)
    drafts = [(url, from_json(row.draft), source) for row, url, source in telling]
    fields, provenance = compose([Telling(url, draft, placed(draft, source)) for url, draft, source in drafts])
    fields["deleted_at"] = None if active else (event.deleted_at or now)
    fields["community_id"] = next(
        (
            community
            for row, _, source in telling
            if (community := source.community_id or behind.get((row.source_id, file_of(row.uid))))
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
    event.updated_at = stamp
    event.text_digest = _text_digest(event)
    return history.difference(before, fields)


def _language(event: Event, fields: Mapping[str, Any]) -> str | None:
    """Return the language of a text whose source does not say."""
    title, description = fields["title"], fields["description"]
    if event.language is not None and (event.title, event.description) == (title, description):
        return event.language
    return language_of(title, description)


def _text_digest(event: Event) -> str:
    read = json.dumps((event.title, event.description, event.categories, event.community_id))
    return hashlib.sha256(read.encode()).hexdigest()[:32]
