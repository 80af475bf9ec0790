"""Step 4, in the database: the events of other sources that new versions belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import merge
from app.changes import Key
from app.models import Event, EventVersion, Source
from app.places import distance_km
from scrapers import EventDraft, Venue, from_json

NEAR_STARTS = timedelta(days=1)  # all-day versions of one event may start at different midnights
CHUNK = 200  # bound parameters a statement


@dataclass(frozen=True, slots=True)
class _Other:
    event: Event
    draft: EventDraft
    place: Venue | None


@dataclass(frozen=True, slots=True)
class Twin:
    """The event another source's version made, and why one of ours is the same."""

    event: Event
    why: str


async def twins(
    session: AsyncSession, source: Source, drafts: Sequence[EventDraft], *, apart: Mapping[Key, Collection[int]]
) -> dict[Key, Twin]:
    """Return, for those drafts that another source already tells of, the event they belong to.

    One event stands for one of ours, so that parallel sessions stay apart; `apart` holds, by draft, the ids of events
    that somebody said it is not.
    """
    # Only what starts at the same moment or on the same day is compared: the cost grows with events, not their square.
    blocks: dict[object, list[_Other]] = defaultdict(list)
    for other in await _others(session, source, drafts):
        start = other.draft.starts_at
        for block in (start, ("day", start.date()), *([("whole day", start.date())] if other.draft.all_day else [])):
            blocks[block].append(other)
    found: dict[Key, Twin] = {}
    taken: set[int | None] = set()
    for draft in drafts:
        place = merge.placed(draft, source)
        day = draft.starts_at.date()
        near = blocks["day", day] if draft.all_day else [*blocks[draft.starts_at], *blocks["whole day", day]]
        key = (draft.uid, draft.recurrence_id)
        for other in near:
            if other.event.id in taken or other.event.id in apart.get(key, ()):
                continue
            match = merge.same_event(draft, other.draft, apart_km=km_between(place, other.place))
            if match is not None:
                found[key] = Twin(other.event, match.reason)
                taken.add(other.event.id)
                break
    return found


def km_between(here: Venue | None, there: Venue | None) -> float | None:
    """Return how far two places lie apart; None where that is not known."""
    if here is None or there is None or None in (here.lat, here.lon, there.lat, there.lon):
        return None
    return distance_km(here.lat or 0.0, here.lon or 0.0, there.lat or 0.0, there.lon or 0.0)


async def _others(session: AsyncSession, source: Source, drafts: Sequence[EventDraft]) -> Iterable[_Other]:
    """Return what other sources say of events around these starts that this source does not tell of yet."""
    moments = {draft.starts_at for draft in drafts if not draft.all_day}
    moments |= {_midnight(draft.starts_at) for draft in drafts}  # who tells of an hour meets who tells of the day
    days = sorted({draft.starts_at for draft in drafts if draft.all_day})
    conditions = [col(EventVersion.starts_at).in_(chunk) for chunk in _chunks(sorted(moments))]
    conditions += [col(EventVersion.starts_at).between(day - NEAR_STARTS, day + NEAR_STARTS) for day in days]
    ours = select(EventVersion.event_id).where(
        EventVersion.source_id == source.id, col(EventVersion.withdrawn_at).is_(None)
    )
    others: dict[int | None, _Other] = {}
    for condition in conditions:
        rows = await session.exec(
            select(EventVersion, Event, Source)
            .join(Event, col(Event.id) == EventVersion.event_id)
            .join(Source, col(Source.id) == EventVersion.source_id)
            .where(
                condition,
                EventVersion.source_id != source.id,
                col(EventVersion.withdrawn_at).is_(None),
                col(EventVersion.event_id).not_in(ours),
            )
            .order_by(col(EventVersion.id))
        )
        for version, event, home in rows:
            if version.id not in others:
                draft = from_json(version.draft)
                others[version.id] = _Other(event, draft, merge.placed(draft, home))
    return others.values()


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def _chunks(moments: Sequence[datetime]) -> Iterator[Sequence[datetime]]:
    return (moments[start : start + CHUNK] for start in range(0, len(moments), CHUNK))
