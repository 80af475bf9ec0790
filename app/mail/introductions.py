"""Step 7 for mail, one community to look at: of those one step outside what somebody knows, and another one each week.

It is chosen once for a person and week, ahead of the mail, and stored as picks are: ranking takes longer than writing, and
all mails are wanted at the same hour.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import cast

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.community.communities import with_activity
from app.db import Database
from app.links import link
from app.mail import digest
from app.models import (
    Community,
    Event,
    Expertise,
    Feedback,
    Hidden,
    Person,
    ShownCommunity,
    ShownPick,
    Subscription,
)
from app.people import feedback
from app.people import people as profiles
from app.people.wishes import USUAL_PURPOSES, Refusals, Wish
from app.picking.community_picks import CommunityPick, away_km, choices_for_each
from app.picking.grounds import Grounds
from app.picking.slates import REMEMBERED, SLATE, iso_week
from app.queries.listing import communities_by_id
from recommender.candidate import Choice
from recommender.catalogue import load_catalogue
from recommender.reach import Reach

AHEAD = timedelta(days=1)
MOST = 500  # people a call


async def look_ahead(database: Database, *, now: datetime, clock: datetime) -> int:
    """Choose for those whose mail is due within AHEAD and this week, at most MOST; return how many."""
    next_week = datetime.combine(clock.date() + timedelta(days=8 - clock.isoweekday()), time(), UTC)
    due = select(Subscription.person_id).where(
        col(Subscription.next_at) <= min(clock + AHEAD, next_week), *digest.WANTED
    )
    return await choose_missing(database, due, now=now)


async def choose_missing(database: Database, person_ids: Sequence[int] | SelectOfScalar[int], *, now: datetime) -> int:
    """Choose for those who have picks this week, and no community that was chosen for what they know now."""
    async with database.reading() as session:
        unserved = await _unserved(session, person_ids, now=now)
        rows = await choose(session, unserved, now=now) if unserved else []
    if rows:
        async with database.writing() as session:
            await keep(session, rows)
    return len(rows)


async def choose(session: AsyncSession, people: Sequence[Person], *, now: datetime) -> list[ShownCommunity]:
    """Return for each person the community of this week, or that there is none."""
    by_id = {person.id: person for person in people if person.id is not None}
    wishes = await _wishes(session, by_id)
    ranked = await choices_for_each(session, list(wishes.values()), now=now)
    communities = await communities_by_id(session, {choice.candidate.id for choices in ranked for choice in choices})
    told = await _told_by_picks(session, by_id, now=now)
    before = await _introduced_before(session, by_id, now=now)

    def place(choice: Choice, person_id: int) -> tuple[str, bool]:
        """Return what goes first: one that was never introduced, or longest ago; one that no pick tells of."""
        id_ = choice.candidate.id
        return before[person_id].get(id_, ""), id_ in told[person_id]

    rows = []
    for (id_, wish), choices in zip(wishes.items(), ranked, strict=True):
        joinable = [choice for choice in choices if where_to_join(communities[choice.candidate.id])]
        row = ShownCommunity(
            person_id=id_, week=iso_week(now), profile_version=by_id[id_].profile_version, shown_at=now
        )
        if joinable:
            best = min(joinable, key=lambda choice: place(choice, id_))
            row.community_id = best.candidate.id
            away = away_km(communities[best.candidate.id], wish)
            row.pick = Grounds.of(best, wish.known, distance_km=away).grounds_json()
        rows.append(row)
    return rows


async def keep(session: AsyncSession, rows: Sequence[ShownCommunity]) -> None:
    """Store what was chosen for people who are still there, in place of what was chosen for that week before."""
    ids = [row.person_id for row in rows]
    there = set(
        await session.exec(
            select(Person.id).where(col(Person.id).in_(ids)).order_by(col(Person.id)).with_for_update(key_share=True)
        )
    )
    for week in {row.week for row in rows}:
        before = delete(ShownCommunity).where(col(ShownCommunity.person_id).in_(ids), col(ShownCommunity.week) == week)
        await session.exec(before.execution_options(synchronize_session=False))
    session.add_all([row for row in rows if row.person_id in there])
    await session.flush()


async def introduced(session: AsyncSession, person_ids: Sequence[int], *, now: datetime) -> dict[int, CommunityPick]:
    """Return the community of this week of each person who has one, as it is now."""
    rows = await session.exec(
        select(ShownCommunity)
        .join(Person, col(Person.id) == ShownCommunity.person_id)
        .where(
            col(ShownCommunity.person_id).in_(person_ids),
            ShownCommunity.week == iso_week(now),
            ShownCommunity.profile_version == Person.profile_version,
            col(ShownCommunity.community_id).is_not(None),
        )
    )
    shown = list(rows)
    communities = await communities_by_id(session, {row.community_id for row in shown if row.community_id is not None})
    active = {one.community.id: one for one in await with_activity(session, list(communities.values()), now=now)}
    return {
        row.person_id: CommunityPick.of_json(row.pick, active=active[row.community_id])
        for row in shown
        if row.community_id in active and not active[row.community_id].is_resting
    }


def where_to_join(community: Community) -> str | None:
    """Return the address that leads in; organisers tell it themselves, files tell the way in words."""
    return link(community.join) or link(community.url)


async def _unserved(
    session: AsyncSession, person_ids: Sequence[int] | SelectOfScalar[int], *, now: datetime
) -> list[Person]:
    week = iso_week(now)
    slate, community = (
        select(table.person_id)
        .where(
            table.person_id == Person.id, table.week == week, table.profile_version == Person.profile_version, *further
        )
        .correlate(Person)
        .exists()
        for table, further in ((ShownPick, (col(ShownPick.withdrawn_at).is_(None),)), (ShownCommunity, ()))
    )
    rows = await session.exec(
        select(Person).where(col(Person.id).in_(person_ids), slate, ~community).order_by(col(Person.id)).limit(MOST)
    )
    return list(rows)


async def _told_by_picks(
    session: AsyncSession, person_ids: Mapping[int, Person], *, now: datetime
) -> dict[int, set[int]]:
    """Return the communities whose events are among each person's picks of this week."""
    rows = await session.exec(
        select(ShownPick.person_id, Event.community_id)
        .join(Event, col(Event.id) == ShownPick.event_id)
        .where(col(ShownPick.person_id).in_(person_ids), ShownPick.week == iso_week(now))
    )
    told: dict[int, set[int]] = defaultdict(set)
    for person_id, community_id in rows:
        if community_id is not None:
            told[person_id].add(community_id)
    return told


async def _introduced_before(
    session: AsyncSession, person_ids: Mapping[int, Person], *, now: datetime
) -> dict[int, dict[int, str]]:
    """Return in which week each person was last introduced to which community."""
    rows = await session.exec(
        select(ShownCommunity.person_id, ShownCommunity.community_id, func.max(ShownCommunity.week))
        .where(
            col(ShownCommunity.person_id).in_(person_ids),
            col(ShownCommunity.week).between(iso_week(now - REMEMBERED), iso_week(now - timedelta(weeks=1))),
            col(ShownCommunity.community_id).is_not(None),
        )
        .group_by(col(ShownCommunity.person_id), col(ShownCommunity.community_id))
    )
    before: dict[int, dict[int, str]] = defaultdict(dict)
    for person_id, community_id, week in rows:
        before[person_id][cast("int", community_id)] = week
    return before


async def _wishes(session: AsyncSession, people: Mapping[int, Person]) -> dict[int, Wish]:
    """Return what `slates.wish_of` says of each person, as far as communities are picked by it."""
    index = load_catalogue().index
    known: dict[int, dict[str, int]] = defaultdict(dict)
    rows = await session.exec(
        select(Expertise).where(col(Expertise.person_id).in_(people)).order_by(col(Expertise.topic))
    )
    for row in rows:
        if row.topic in index:
            known[row.person_id][row.topic] = row.level
    hidden: dict[tuple[int, str], set[str]] = defaultdict(set)
    for one in await session.exec(select(Hidden).where(col(Hidden.person_id).in_(people))):
        hidden[one.person_id, one.kind].add(one.subject)
    reaches = await _reaches(session, people)
    return {
        id_: Wish(
            known=known[id_],
            near=profiles.home_of(person),
            within_km=person.within_km,
            online=person.online,
            reach=reaches[id_],
            limit=SLATE,
            languages=frozenset(person.languages),
            purposes=frozenset(person.purposes) or USUAL_PURPOSES,
            refusals=Refusals(topics=frozenset(hidden[id_, "topic"]), communities=frozenset(hidden[id_, "community"])),
        )
        for id_, person in people.items()
    }


async def _reaches(session: AsyncSession, people: Mapping[int, Person]) -> dict[int, Reach]:
    """Return what `feedback.shifted_reach` says of each person."""
    rows = await session.exec(
        select(Feedback.person_id, Feedback.kind)
        .join(Person, col(Person.id) == Feedback.person_id)
        .where(
            col(Feedback.person_id).in_(people),
            col(Feedback.kind).in_(("too_close", "too_far")),
            col(Feedback.given_at) >= Person.reach_chosen_at,
        )
    )
    said = Counter(rows)
    return {
        id_: feedback.shift(cast("Reach", person.reach), too_close=said[id_, "too_close"], too_far=said[id_, "too_far"])
        for id_, person in people.items()
    }
