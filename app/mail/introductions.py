"""Step 7 for mail, one community to look at: of those one step outside what somebody knows, and another one each week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.content_lines import link
from app.models import Community, Expertise, Hidden, Person
from app.people import people as profiles
from app.people.wishes import USUAL_PURPOSES, Refusals, Wish
from app.picking.community_picks import CommunityPick, communities_for_each
from app.picking.slates import SLATE, Shown
from recommender.catalogue import load_catalogue
from recommender.reach import Reach

TAKE_TURNS = 5  # communities that are worth introducing; one a week


async def introduce(
    session: AsyncSession,
    people: Mapping[int, Person],
    reaches: Mapping[int, Reach],
    chosen: Mapping[int, Sequence[Shown]],
    *,
    now: datetime,
) -> dict[int, CommunityPick]:
    """Return for each person a community they could join; `chosen` are the picks that the mail tells."""
    told_something = {id_: person for id_, person in people.items() if chosen[id_]}
    wishes = await _wishes(session, told_something, reaches)
    found = await communities_for_each(session, list(wishes.values()), now=now)
    turn = now.isocalendar().week
    introduced: dict[int, CommunityPick] = {}
    for id_, picks in zip(wishes, found, strict=True):
        told = {shown.listed.event.community_id for shown in chosen[id_]}
        joinable = [pick for pick in picks if where_to_join(pick.active.community)]
        # One that no pick tells of is news.
        best = sorted(joinable, key=lambda pick: pick.active.community.id in told)[:TAKE_TURNS]
        if best:
            introduced[id_] = best[turn % len(best)]
    return introduced


def where_to_join(community: Community) -> str | None:
    """Return the address that leads in; organisers tell it themselves, files tell the way in words."""
    return link(community.join) or link(community.url)


async def _wishes(session: AsyncSession, people: Mapping[int, Person], reaches: Mapping[int, Reach]) -> dict[int, Wish]:
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
