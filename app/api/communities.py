"""/communities: groups, user groups, associations and chats, how they meet, whether they are alive, how to join."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from app.api.access import Now, Reading, ReadingPerson
from app.api.answers import (
    NO_PARAMETERS,
    PRIVATE,
    Listing,
    Nothing,
    Text,
    answer,
    list_answer,
)
from app.api.json_bodies import JsonRoute
from app.api.limits import at_most
from app.api.paging import Paging, page_of, read_cursor, row_id, write_cursor
from app.api.parameters import Around, Language, Moment, instant_of, said_once, slugs_of, words_of
from app.api.problems import Problem, declared
from app.api.profile import Question
from app.api.shapes.communities import CommunityAnswer, CommunityList, CommunityPickList, CommunityPicks
from app.api.spoken import community_told, grounds_told, told_in, wording_asked
from app.community import communities
from app.community.community_filter import CommunityFilter
from app.models import Community
from app.picking import slates
from app.picking.community_picks import CommunityPick, communities_for
from app.words.wording import Wording

router = APIRouter(prefix="/api/v1", tags=["communities"], route_class=JsonRoute)

AN_HOUR = 10_000  # from one address: a front end's server may ask for many people

Id = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,100}$", examples=["book-arts-guild-3fa9c1"])]


class CommunityQuery(Around, Paging):
    q: Text | None = Field(
        None, description="Parts of words of name or description, all of them. Accents do not count.", examples=["book"]
    )
    topic: list[Text] = Field(
        [], max_length=50, description="What they are about, by label, alias or slug; any of them."
    )
    kind: list[Text] = Field([], max_length=20, description="`group`, `slack`, `hashtag chat` …; any of them.")
    online: bool | None = Field(None, description="Whether all they do is online.")
    lang: Language | None = Field(None, description="BCP 47; `en` finds `en-GB`, too.")
    resting: bool | None = Field(None, description="`false` leaves out what is dormant or has ended.")
    updated_since: Moment | None = Field(
        None,
        description="Changed at or after this; a time without an offset is one of UTC. Those that left are not told.",
    )


def community_filter(asked: CommunityQuery) -> CommunityFilter:
    """Return the filter that was asked for; raises the Problem for topics and places that nobody knows."""
    return CommunityFilter(
        words=words_of(asked.q),
        is_online=asked.online,
        kinds=tuple(asked.kind),
        topics=slugs_of(asked.topic),
        is_resting=asked.resting,
        near=asked.spot,
        radius_km=asked.radius_km,
        box=asked.box,
        language=asked.lang,
        updated_since=instant_of(asked.updated_since, UTC) if asked.updated_since is not None else None,
    )


@router.get(
    "/communities",
    operation_id="list_communities",
    summary="List communities",
    response_model=CommunityList,
    responses=declared(422),
    dependencies=[said_once(CommunityQuery)],
)
async def list_communities(
    request: Request, asked: Annotated[CommunityQuery, Query()], session: Reading, now: Now
) -> Response:
    """Groups, user groups, associations and chats by name, with their rhythm and next event.

    `Accept-Language` chooses the language of the words for a rhythm.
    """
    beside, backwards = None, False
    if asked.cursor:
        name, id_, direction = read_cursor(asked.cursor, str, int, int)
        beside, backwards = (name, row_id(id_)), bool(direction)
    wanted, wording = community_filter(asked), wording_asked(request)
    found = await communities.find(session, wanted, now=now, limit=asked.limit + 1, beside=beside, backwards=backwards)
    part = page_of(found.communities, asked.limit, is_first=beside is None, backwards=backwards)
    return list_answer(
        request,
        Listing(
            rows=[community_told(one.as_json(), wording) for one in part.shown],
            count=found.count,
            updated_at=found.updated_at,
            next=_cursor(part.shown[-1].community, 0) if part.has_next else None,
            previous=_cursor(part.shown[0].community, 1) if part.has_previous else None,
        ),
        headers=told_in(wording),
    )


def _cursor(community: Community, backwards: int) -> str:
    return write_cursor(community.name, community.id or 0, backwards)


@router.get(
    "/communities/{id}",
    operation_id="show_community",
    summary="Show a community",
    response_model=CommunityAnswer,
    responses=declared(404, 422),
)
async def show_community(
    request: Request,
    id: Id,  # noqa: A002
    _: Annotated[Nothing, Query()],
    session: Reading,
    now: Now,
) -> Response:
    found = await communities.community_by_key(session, id, now=now)
    if found is None:
        raise Problem(404, f"no community has the id {id!r}")
    wording = wording_asked(request)
    return answer({"data": community_told(found.as_json(), wording)}, headers=told_in(wording))


@router.post(
    "/recommendations/communities",
    operation_id="recommend_communities",
    summary="Pick communities one step outside what somebody knows",
    response_model=CommunityPicks,
    responses=declared(400, 413, 415, 422, 429),
    dependencies=[NO_PARAMETERS, Depends(at_most(AN_HOUR, "recommendations"))],
)
async def recommend_communities(request: Request, asked: Question, session: Reading, now: Now) -> Response:
    """The best first, ranked and explained as events are; nothing is kept, and none is dormant."""
    picks, wording = await communities_for(session, asked.wish(), now=now), wording_asked(request)
    return answer({"data": [_pick_told(pick, wording) for pick in picks]}, cache="no-store", headers=told_in(wording))


@router.get(
    "/me/communities",
    operation_id="show_my_communities",
    summary="Communities one step outside what I know",
    response_model=CommunityPickList,
    responses=declared(401, 403, 422),
)
async def show_my_communities(
    request: Request, _: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson, now: Now
) -> Response:
    """Without what I hid. They change with what I know, and with the communities."""
    picks = await communities_for(session, await slates.wish_of(session, me, now=now), now=now)
    wording = wording_asked(request, me)
    rows = [_pick_told(pick, wording) for pick in picks]
    updated_at = max((pick.active.community.updated_at for pick in picks), default=None)
    page = Listing(rows=rows, count=len(rows), updated_at=updated_at)
    return list_answer(request, page, cache=PRIVATE, headers=told_in(wording))


def _pick_told(pick: CommunityPick, wording: Wording) -> dict[str, Any]:
    told = grounds_told(pick.as_json(), wording)
    return {**told, "community": community_told(told["community"], wording)}
