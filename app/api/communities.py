"""/communities: groups, user groups, associations and chats, how they meet, whether they are alive, how to join."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from app.api.access import Now, Reading, ReadingPerson
from app.api.answers import (
    NO_PARAMETERS,
    PRIVATE,
    Listing,
    Nothing,
    Paging,
    Text,
    answer,
    list_answer,
    page_of,
    read_cursor,
    write_cursor,
)
from app.api.limits import at_most
from app.api.parameters import row_id
from app.api.problems import Problem, declared
from app.api.profile import Question
from app.api.shapes.communities import CommunityAnswer, CommunityList, CommunityPickList, CommunityPicks
from app.community import communities
from app.models import Community
from app.picking import slates
from app.picking.community_picks import communities_for
from app.topic_names import topic_called

router = APIRouter(prefix="/api/v1", tags=["communities"])

AN_HOUR = 10_000  # from one address: a front end's server may ask for many people

Id = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,100}$", examples=["book-arts-guild-3fa9c1"])]


class CommunityQuery(Paging):
    q: Text | None = Field(None, description="Part of the name.")
    online: bool | None = Field(None, description="Whether all they do is online.")
    kind: Text | None = Field(None, description="`group`, `slack`, `hashtag chat` …")
    topic: Text | None = Field(None, description="Label or slug of what they are about.")
    resting: bool | None = Field(None, description="`false` leaves out what is dormant or has ended.")


@router.get(
    "/communities",
    operation_id="list_communities",
    summary="List communities",
    response_model=CommunityList,
    responses=declared(422),
)
async def list_communities(
    request: Request, asked: Annotated[CommunityQuery, Query()], session: Reading, now: Now
) -> Response:
    """Groups, user groups, associations and chats by name, with their rhythm and next event."""
    beside, backwards = None, False
    if asked.cursor:
        name, id_, direction = read_cursor(asked.cursor, str, int, int)
        beside, backwards = (name, row_id(id_)), bool(direction)
    found, count = await communities.communities(
        session,
        now=now,
        limit=asked.limit + 1,
        words=asked.q,
        is_online=asked.online,
        kind=asked.kind,
        topic=topic_called(asked.topic).slug if asked.topic else None,
        is_resting=asked.resting,
        beside=beside,
        backwards=backwards,
    )
    part = page_of(found, asked.limit, is_first=beside is None, backwards=backwards)
    return list_answer(
        request,
        Listing(
            rows=[one.as_json() for one in part.shown],
            count=count,
            next=_cursor(part.shown[-1].community, 0) if part.has_next else None,
            previous=_cursor(part.shown[0].community, 1) if part.has_previous else None,
        ),
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
async def show_community(id: Id, _: Annotated[Nothing, Query()], session: Reading, now: Now) -> Response:  # noqa: A002
    found = await communities.community_by_key(session, id, now=now)
    if found is None:
        raise Problem(404, f"no community has the id {id!r}")
    return answer({"data": found.as_json()})


@router.post(
    "/recommendations/communities",
    operation_id="recommend_communities",
    summary="Pick communities one step outside what somebody knows",
    response_model=CommunityPicks,
    responses=declared(400, 413, 415, 422, 429),
    dependencies=[NO_PARAMETERS, Depends(at_most(AN_HOUR, "recommendations"))],
)
async def recommend_communities(asked: Question, session: Reading, now: Now) -> Response:
    """The best first, ranked and explained as events are; nothing is kept, and none is dormant."""
    picks = await communities_for(session, asked.wish(), now=now)
    return answer({"data": [pick.as_json() for pick in picks]}, cache="no-store")


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
    rows = [pick.as_json() for pick in picks]
    return list_answer(request, Listing(rows=rows, count=len(rows)), cache=PRIVATE)
