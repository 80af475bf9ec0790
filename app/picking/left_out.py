"""Step 6, the other half: how an event stands with somebody, and why it is not among their picks."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Event, Person, ShownPick
from app.people.experience import Experience, experience_of
from app.people.wishes import Wish
from app.picking import picks
from app.picking.barriers import ELSEWHERE, Barrier, barrier
from app.picking.slates import Shown, wish_of
from app.queries import listing
from app.queries.event_forms import event_name
from app.queries.listing import Listed
from app.queries.plain_rows import EVENTS
from app.topic_names import label_of
from recommender.candidate import LeftOut
from recommender.ranking import left_out as outside
from recommender.tabulating import tabulate

MOST = 100  # told at once


@dataclass(frozen=True, slots=True)
class Standing:
    """How an event stands with somebody: they were shown it, or it is worth a look beside their picks, or it was left out."""

    shown: Shown | None = None
    week: str | None = None  # in which they were shown it
    pick: picks.Pick | None = None  # what would be said of it
    barrier: Barrier | None = None

    def as_json(self) -> dict[str, Any]:
        told = self.shown or self.pick
        return {
            "week": self.week,
            "pick": told.as_json() if told else None,
            "left_out": {"code": self.barrier.code, "sentence": self.barrier.sentence} if self.barrier else None,
        }


@dataclass(frozen=True, slots=True)
class Unpicked:
    """An event somebody could go to that is not among their picks, and why."""

    event: Event
    why: Barrier

    def as_json(self) -> dict[str, Any]:
        return {
            "event": event_name(self.event),
            "code": self.why.code,
            "sentence": self.why.sentence,
        }


async def standing(session: AsyncSession, person: Person, listed: Listed, *, now: datetime) -> Standing:
    """Return how an event stands with a person; the pick they were shown last counts before what would be said today."""
    rows = await session.exec(
        select(ShownPick)
        .where(ShownPick.person_id == person.id, ShownPick.event_id == listed.event.id)
        .order_by(col(ShownPick.withdrawn_at).is_not(None), col(ShownPick.week).desc())
    )
    row = rows.first()
    if row is not None and row.withdrawn_at is None:
        return Standing(shown=Shown(listed, row.pick), week=row.week)
    return await standing_with(session, await wish_of(session, person, now=now), listed, now=now)


async def standing_with(session: AsyncSession, wish: Wish, listed: Listed, *, now: datetime) -> Standing:
    """Return how an event stands with a wish, taken by itself."""
    kept_out = barrier(listed, wish)
    if kept_out is not None:
        return Standing(barrier=kept_out)
    alone = await picks.picks_among(session, [listed], wish, now=now)
    if alone:
        return Standing(pick=alone[0])
    learned = await experience_of(session)
    return Standing(barrier=_whys([listed], wish, learned)[listed.event.id or 0])


async def left_out(
    session: AsyncSession, wish: Wish, shown: Collection[int | None], *, now: datetime
) -> list[Unpicked]:
    """Return events somebody could go to that are not among those shown, by start, and why: MOST of them."""
    offered = await picks.offer(session, wish, now=now)
    reachable = offered.ahead.ids[offered.feasible.reachable].tolist()
    first = [number for number in reachable if number not in shown][:MOST]
    found = await listing.listed(session, EVENTS.c.id.in_(first))
    others = sorted(found, key=lambda item: (item.event.starts_at, item.event.id))
    barriers = {item.event.id: barrier(item, wish) for item in others}
    ranked = [item for item in others if barriers[item.event.id] is None]
    whys = await asyncio.to_thread(_whys, ranked, wish, await experience_of(session))
    return [
        Unpicked(item.event, why)
        for item in others
        if (why := barriers[item.event.id] or whys[item.event.id or 0]).code not in ELSEWHERE
    ]


def _whys(listed: Sequence[Listed], wish: Wish, learned: Experience) -> dict[int, Barrier]:
    """Return why ranking leaves out events that nothing else does, by number."""
    table = tabulate(picks.as_candidate(item, wish.near, {}) for item in listed)
    person = picks.as_person(wish, table, np.ones(len(listed), np.bool_), learned)
    return {one.candidate.id: told(one, wish) for one in outside(person, table, ())}


def told(left: LeftOut, wish: Wish) -> Barrier:
    """Say why ranking left an event out."""
    about = label_of(left.detail)
    match left.because:
        case "inside" if left.detail in wish.known:
            sentence = f"It is about {about}, which you know."
        case "inside":
            sentence = f"It is about {about}, which lies inside what you know."
        case "no-path":
            sentence = f"It is about {about}, and nothing that you know leads there at the reach you chose."
        case "outranked":
            sentence = f"It is about {about}; others are worth more to you, or your picks hold enough of its kind."
        case _:
            return Barrier("no-topic", "Its texts do not say clearly enough what it is about.")
    return Barrier(left.because, sentence)
