"""What happened since somebody's last mail: what their feedback changed, and what changed about events they keep."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Community, Event, EventChange, Feedback, Hidden, Person
from app.people.feedback import KEEPING, REFUSING, shift
from recommender.catalogue import load_catalogue
from recommender.reach import Reach

TOLD_CHANGES = ("starts_at", "ends_at", "zone", "status", "venue_name", "address", "city", "mode")


@dataclass(frozen=True, slots=True)
class Said:
    """Feedback since the last mail, in what it changed."""

    refused: tuple[Event, ...] = ()
    hidden: tuple[str, ...] = ()  # topics and communities, as they are called
    reach_before: Reach = "one-step"
    reach_after: Reach = "one-step"


@dataclass(frozen=True, slots=True)
class Changed:
    """What happened to an event somebody is going to or saved, since the last mail."""

    event: Event
    before: Mapping[str, object]  # field → what it was
    is_going: bool = True


async def said_since(
    session: AsyncSession, people: Mapping[int, Person], since: Mapping[int, datetime]
) -> dict[int, Said]:
    rows = await session.exec(
        select(Feedback, Event)
        .join(Event, col(Event.id) == Feedback.event_id)
        .where(col(Feedback.person_id).in_(people), col(Feedback.kind).in_(REFUSING))
        .order_by(col(Feedback.given_at), col(Feedback.id))
    )
    refused: dict[int, dict[int | None, Event]] = defaultdict(dict)
    counts: dict[int, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for feedback, event in rows:
        person, last = people[feedback.person_id], since.get(feedback.person_id)
        is_new = last is not None and feedback.given_at > last
        if is_new:
            refused[feedback.person_id][event.id] = event
        if feedback.given_at >= person.reach_chosen_at:
            earlier, all_of_them = counts[feedback.person_id]
            all_of_them[feedback.kind] += 1
            if not is_new:
                earlier[feedback.kind] += 1
    hidden = await _hidden(session, since)
    said = {}
    for id_, person in people.items():
        earlier, all_of_them = counts[id_]
        before, after = (
            shift(cast("Reach", person.reach), too_close=one["too_close"], too_far=one["too_far"])
            for one in (earlier, all_of_them)
        )
        said[id_] = Said(tuple(refused[id_].values()), tuple(hidden[id_]), before, after)
    return said


async def _hidden(session: AsyncSession, since: Mapping[int, datetime]) -> dict[int, list[str]]:
    rows = await session.exec(
        select(Hidden, Community.name)
        .join(Community, col(Community.key) == Hidden.subject, isouter=True)
        .where(col(Hidden.person_id).in_(since))
        .order_by(col(Hidden.hidden_at))
    )
    catalogue, named = load_catalogue(), defaultdict(list)
    for row, community in rows:
        if row.hidden_at > since[row.person_id]:
            is_topic = row.kind == "topic" and row.subject in catalogue.index
            named[row.person_id].append(catalogue[row.subject].label if is_topic else community or row.subject)
    return named


async def changed_since(
    session: AsyncSession, since: Mapping[int, datetime], *, now: datetime
) -> dict[int, list[Changed]]:
    """Return what changed about events that are still to come and that people are going to, or saved."""
    rows = await session.exec(
        select(Feedback, Event)
        .join(Event, col(Event.id) == Feedback.event_id)
        .where(
            col(Feedback.person_id).in_(since),
            col(Feedback.kind).in_(KEEPING),
            col(Event.starts_at) > now,
            col(Event.merged_into).is_(None),
        )
        .order_by(col(Event.starts_at), col(Event.id), col(Feedback.kind))  # going before saved
    )
    kept = list(rows)
    history: dict[int, list[EventChange]] = defaultdict(list)
    changes = await session.exec(
        select(EventChange)
        .where(col(EventChange.event_id).in_({event.id for _, event in kept}))
        .order_by(col(EventChange.id))
    )
    for change in changes:
        history[change.event_id].append(change)
    changed: dict[int, dict[int | None, Changed]] = defaultdict(dict)
    for said, event in kept:
        after = max(said.given_at, since[said.person_id])
        before: dict[str, object] = {}
        for change in history[event.id or 0]:
            if change.at > after:
                for name in TOLD_CHANGES:
                    if name in change.fields:
                        before.setdefault(name, change.fields[name][0])
        is_withdrawn = event.deleted_at is not None and event.deleted_at > after
        if before or is_withdrawn:
            one = Changed(event, before, is_going=said.kind == "going")
            changed[said.person_id].setdefault(event.id, one)
    return defaultdict(list, {id_: list(events.values()) for id_, events in changed.items()})
