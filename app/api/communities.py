"""/communities: who is behind the events, how often they meet, and how to join."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from app import communities
from app.api import shapes
from app.api.access import Now, Reading
from app.api.answers import (
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
from app.api.parameters import row_id
from app.api.problems import Problem, declared
from app.models import Community

router = APIRouter(prefix="/api/v1/communities", tags=["communities"])

Id = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,100}$", examples=["book-arts-guild-3fa9c1"])]


class CommunityQuery(Paging):
    q: Text | None = Field(None, description="Part of the name.")
    online: bool | None = Field(None, description="Whether all they do is online.")


@router.get(
    "",
    operation_id="list_communities",
    summary="List communities",
    response_model=shapes.CommunityList,
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
    "/{id}",
    operation_id="show_community",
    summary="Show a community",
    response_model=shapes.CommunityAnswer,
    responses=declared(404, 422),
)
async def show_community(id: Id, _: Annotated[Nothing, Query()], session: Reading, now: Now) -> Response:  # noqa: A002
    found = await communities.community_by_key(session, id, now=now)
    if found is None:
        raise Problem(404, f"no community has the id {id!r}")
    return answer({"data": found.as_json()})
