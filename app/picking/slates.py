"""Step 6a, and remembered: a person's picks of an ISO week, made once, stored, and the same on every channel.

Profile, feedback and cancellations change a slate; reading never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Event, Expertise, Person, ShownPick
from app.people import feedback, hiding, people, reactions
from app.people.wishes import USUAL_PURPOSES, Refusals, Seen, Wish
from app.picking import picks
from app.picking.barriers import STILL_ON
from app.picking.picks import Pick
from app.queries.event_forms import event_json
from app.queries.listing import Listed, with_topics
from app.queries.merges import merged_into
from recommender.catalogue import load_catalogue

SLATE = 7  # picks a person and week: more are not read (and a weekly mail holds no more)
REMEMBERED = timedelta(weeks=13)  # for as long nothing is picked anew


@dataclass(frozen=True, slots=True)
class Shown:
    """A pick as it was shown, with the event as it is now."""

    listed: Listed
    pick: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        # Picks that were stored before there was exploring do not tell of it.
        return {"event": event_json(self.listed), "explorative": False, **self.pick}


def iso_week(now: datetime) -> str:
    year, week, _ = now.isocalendar()
    return f"{year}-W{week:02d}"


async def wish_of(session: AsyncSession, person: Person, *, now: datetime) -> Wish:
    told = await people.expertise_of(session, person)
    known = {slug: level for slug, level in told.items() if slug in load_catalogue().index}
    return Wish(
        known=known,
        near=people.home_of(person),
        within_km=person.within_km,
        online=person.online,
        reach=await feedback.shifted_reach(session, person),
        days=person.days,
        limit=SLATE,
        languages=frozenset(person.languages),
        free_only=person.free_only,
        purposes=frozenset(person.purposes) or USUAL_PURPOSES,
        visited=await feedback.visited(session, person),
        offsets=await reactions.offsets(session, person, known),
        seed=f"{person.key}:{iso_week(now)}",
        refusals=await refusals_of(session, person, now=now),
    )


async def refusals_of(session: AsyncSession, person: Person, *, now: datetime) -> Refusals:
    """Return what a person hides or refused, and what they were shown in the weeks before this one."""
    refused = await feedback.said_of(session, person, feedback.REFUSING)
    saved = {event_id for event_id, _ in await feedback.said_of(session, person, ("saved",))}
    rows = await session.exec(
        select(ShownPick.event_id, ShownPick.week, ShownPick.sequence, Event.series_key)
        .join(Event, col(Event.id) == ShownPick.event_id)
        .where(
            ShownPick.person_id == person.id,
            col(ShownPick.week).between(iso_week(now - REMEMBERED), iso_week(now - timedelta(weeks=1))),
            col(ShownPick.withdrawn_at).is_(None),
        )
        .order_by(col(ShownPick.week))
    )
    shown = [row for row in rows if row[0] not in saved]
    # An event that was merged into another meanwhile is the other.
    stands_for = await merged_into(session, {event_id for event_id, *_ in (*refused, *shown)})
    return Refusals(
        topics=await hiding.hidden_by(session, person, "topic"),
        communities=await hiding.hidden_by(session, person, "community"),
        events=frozenset(stands_for[event_id][0] for event_id, _ in refused),
        series=frozenset(series for _, series in refused if series),
        seen={stands_for[event_id][0]: Seen(week, sequence) for event_id, week, sequence, _ in shown},
        seen_series={series: week for _, week, _, series in shown if series},
    )


async def current(session: AsyncSession, person: Person, *, now: datetime) -> list[Shown]:
    """Return the slate of this week as events stand now; where none is stored yet, the one that would be made now."""
    rows = await _rows(session, person, iso_week(now))
    if any(row.profile_version == person.profile_version for row in rows):
        return await _as_shown(session, [row for row in rows if row.withdrawn_at is None])
    return [Shown(pick.listed, told(pick)) for pick in await fresh_picks(session, person, now=now)]


async def refresh(session: AsyncSession, person: Person, *, now: datetime) -> list[Shown]:
    """Make and keep the slate of this week, or bring it up to date; the caller writes.

    While the profile stays as it was, picks that are still on stay, and others fill the places of those that are not.
    After a change of profile or a refusal everything is picked anew. What was shown before stays stored.
    """
    assert person.id is not None
    week = iso_week(now)
    before = {row.event_id: row for row in await _rows(session, person, week)}
    valid = [row for row in before.values() if row.profile_version == person.profile_version and not row.withdrawn_at]
    kept = [shown for shown in await _as_shown(session, valid) if _is_on(shown.listed.event)]
    if len(kept) == len(valid) and kept:
        return kept
    wanted = [(shown.listed.event, shown.pick) for shown in kept]
    held = {event.id for event, _ in wanted}
    for pick in await fresh_picks(session, person, now=now):
        if pick.listed.event.id not in held and len(wanted) < SLATE:
            wanted.append((pick.listed.event, told(pick)))
    for rank, (event, pick_json) in enumerate(wanted):
        assert event.id is not None
        row = before.pop(event.id, None) or ShownPick(
            person_id=person.id, week=week, event_id=event.id, rank=rank, pick={}, profile_version=0, shown_at=now
        )
        row.rank, row.pick, row.profile_version, row.withdrawn_at = rank, dict(pick_json), person.profile_version, None
        row.sequence = event.sequence
        session.add(row)
    for row in before.values():
        row.withdrawn_at = row.withdrawn_at or now
    await session.flush()
    return await _as_shown(session, [row for row in await _rows(session, person, week) if row.withdrawn_at is None])


async def due(session: AsyncSession, *, now: datetime) -> list[int]:
    """Return those who know something and whose slate of this week is missing or holds an event that is off."""
    valid = (
        select(ShownPick.person_id)
        .join(Event, col(Event.id) == ShownPick.event_id)
        .where(
            ShownPick.person_id == Person.id,
            ShownPick.week == iso_week(now),
            ShownPick.profile_version == Person.profile_version,
            col(ShownPick.withdrawn_at).is_(None),
        )
        .correlate(Person)
    )
    is_off = or_(
        col(Event.status).not_in(STILL_ON), col(Event.deleted_at).is_not(None), col(Event.merged_into).is_not(None)
    )
    rows = await session.exec(
        select(Person.id)
        .where(
            col(Person.id).in_(select(Expertise.person_id)),
            or_(~valid.exists(), valid.where(is_off).exists()),
        )
        .order_by(col(Person.id))
    )
    return [person_id for person_id in rows if person_id is not None]


async def fresh_picks(session: AsyncSession, person: Person, *, now: datetime) -> list[Pick]:
    """Return the best picks for a person now."""
    return await picks.picks_for(session, await wish_of(session, person, now=now), now=now)


def told(pick: Pick) -> dict[str, Any]:
    """Return a pick without its event, as it is stored: the event may change, the reason was given."""
    return {name: value for name, value in pick.as_json().items() if name != "event"}


def _is_on(event: Event) -> bool:
    return event.status in STILL_ON and event.deleted_at is None and event.merged_into is None


async def _rows(session: AsyncSession, person: Person, week: str) -> list[ShownPick]:
    rows = await session.exec(
        select(ShownPick).where(ShownPick.person_id == person.id, ShownPick.week == week).order_by(col(ShownPick.rank))
    )
    return list(rows)


async def _as_shown(session: AsyncSession, rows: Sequence[ShownPick]) -> list[Shown]:
    if not rows:
        return []
    found = await session.exec(select(Event).where(col(Event.id).in_([row.event_id for row in rows])))
    listed = {item.event.id: item for item in await with_topics(session, list(found))}
    return [Shown(listed[row.event_id], row.pick) for row in rows if row.event_id in listed]
