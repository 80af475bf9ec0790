"""Step 4, in the database: the events of other sources that new versions belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.events import merge
from app.events.changes import Key
from app.events.telling import placed
from app.models import Event, EventVersion, Source
from app.places import distance_km
from scrapers import EventDraft, Venue, from_json

NEAR_STARTS = timedelta(days=1)  # all-day versions of one event may start at different midnights

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Other:
    id: int  # of the version
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
    # Only what starts at the same moment or on the same day and has a word or an address in common is compared: the
    # cost grows with events, not their square.
    blocks: dict[tuple[object, str], list[_Other]] = defaultdict(list)
    for other in await _others(session, source, drafts):
        for moment in _moments(other.draft):
            for mark in merge.marks(other.draft.title, other.draft.url):
                blocks[moment, mark].append(other)
    found: dict[Key, Twin] = {}
    taken: set[int | None] = set()
    for draft in drafts if blocks else ():
        place = placed(draft, source)
        day = draft.starts_at.date()
        moments = [("day", day)] if draft.all_day else [draft.starts_at, ("whole day", day)]
        said = merge.marks(draft.title, draft.url)
        near = {other.id: other for moment in moments for mark in said for other in blocks.get((moment, mark), ())}
        key = draft.key
        for _, other in sorted(near.items()):
            if other.event.id in taken or other.event.id in apart.get(key, ()):
                continue
            match = merge.same_event(draft, other.draft, apart_km=km_between(place, other.place))
            if match is not None:
                found[key] = Twin(other.event, match.reason)
                taken.add(other.event.id)
                break
    return found


def _moments(draft: EventDraft) -> list[object]:
    day = draft.starts_at.date()
    return [draft.starts_at, ("day", day), *([("whole day", day)] if draft.all_day else [])]


def km_between(here: Venue | None, there: Venue | None) -> float | None:
    """Return how far two places lie apart; None where that is not known."""
    if here is None or there is None or None in (here.lat, here.lon, there.lat, there.lon):
        return None
    return distance_km(here.lat or 0.0, here.lon or 0.0, there.lat or 0.0, there.lon or 0.0)


async def _others(session: AsyncSession, source: Source, drafts: Sequence[EventDraft]) -> list[_Other]:
    """Return what other sources say, in words like ours, of events around these starts that we do not tell of yet."""
    said: dict[datetime, set[str]] = defaultdict(set)
    for draft in drafts:
        for moment in {draft.starts_at, _midnight(draft.starts_at)}:  # who tells of an hour meets who tells of the day
            said[moment] |= merge.marks(draft.title, draft.url)
    days = sorted({draft.starts_at for draft in drafts if draft.all_day})
    looked_for: list[tuple[ColumnElement[bool], datetime | None]] = [
        (col(EventVersion.starts_at).in_(chunk), None) for chunk in chunks(sorted(said))
    ]
    looked_for += [(col(EventVersion.starts_at).between(day - NEAR_STARTS, day + NEAR_STARTS), day) for day in days]
    # Thousands may begin at one hour: of most, title and address are all that is looked at.
    told = (col(EventVersion.draft)["title"].as_string(), col(EventVersion.draft)["url"].as_string())
    ids: set[int] = set()
    for condition, day in looked_for:
        rows = await session.exec(
            select(EventVersion.id, EventVersion.starts_at, *told).where(
                condition, EventVersion.source_id != source.id, col(EventVersion.withdrawn_at).is_(None)
            )
        )
        ids |= {
            id_
            for id_, start, title, url in rows
            if id_ is not None and not said[day or start].isdisjoint(merge.marks(title, url))
        }
    ours = select(EventVersion.event_id).where(
        EventVersion.source_id == source.id, col(EventVersion.withdrawn_at).is_(None)
    )
    others: list[_Other] = []
    for chunk in chunks(sorted(ids)):
        whole = await session.exec(
            select(EventVersion, Event, Source)
            .join(Event, col(Event.id) == EventVersion.event_id)
            .join(Source, col(Source.id) == EventVersion.source_id)
            .where(col(EventVersion.id).in_(chunk), col(EventVersion.event_id).not_in(ours))
        )
        for version, event, home in whole:
            assert version.id is not None
            draft = from_json(version.draft)
            others.append(_Other(version.id, event, draft, placed(draft, home)))
    return others


def _midnight(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)
