"""/sources: where events come from and how that goes; adding and collecting is for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Data, Now, OperatorToken, Reading, Writing
from app.api.answers import (
    NO_PARAMETERS,
    Listing,
    Nothing,
    Text,
    answer,
    list_answer,
    private,
)
from app.api.json_bodies import JsonRoute
from app.api.mistakes import in_body
from app.api.naming import city_named, web_address
from app.api.paging import LARGEST_ID, Paging, page_beside, read_beside
from app.api.parameters import Zone, said_once
from app.api.problems import Problem, declared
from app.api.shapes import sources as shapes
from app.collecting import collect, frontier, source_health
from app.community import activity
from app.events import about, removal
from app.models import Source
from app.people import audit

router = APIRouter(prefix="/api/v1/sources", tags=["sources"], route_class=JsonRoute)

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]


class SourceQuery(Paging):
    state: list[shapes.State] = Field([], max_length=7, description="Any of them.")


@router.get(
    "",
    operation_id="list_sources",
    summary="List sources with their health",
    response_model=shapes.SourceList,
    responses=declared(422),
    dependencies=[said_once(SourceQuery)],
)
async def list_sources(
    request: Request, asked: Annotated[SourceQuery, Query()], session: Reading, now: Now
) -> Response:
    """Every address events are collected from: state, last good fetch, next fetch, upcoming events, last error."""
    beside = read_beside(asked.cursor)
    found = await source_health.source_healths(
        session, now=now, states=asked.state, beside=beside, limit=asked.limit + 1
    )
    part = page_beside(found, asked, beside)
    return list_answer(
        request,
        Listing(
            rows=part.shown,
            count=await source_health.count_sources(session, asked.state),
            updated_at=await source_health.last_change(session, asked.state),
            **part.cursors(lambda one: one["id"]),
        ),
    )


class NewSource(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2048, examples=["https://book-arts.example/events.ics"])]
    city: Text | None = Field(None, description="`Name[, region][, country]`: place of events that name none.")
    zone: Zone | None = Field(None, description="Zone of times that name none; the city's if not given.")


@router.post(
    "",
    operation_id="add_source",
    dependencies=[NO_PARAMETERS],
    summary="Add a source",
    status_code=201,
    response_model=shapes.SourceAnswer,
    responses={
        200: {"description": "It is known already.", "model": shapes.SourceAnswer},
        **declared(400, 401, 403, 413, 415, 422),
    },
)
async def add_source(operator: OperatorToken, sent: NewSource, session: Writing, now: Now) -> Response:
    """Records the address; the next round, or `collect`, reads it. Nothing is fetched yet."""
    url = web_address(sent.url)
    known = await source_health.source_by_url(session, url)
    source = known or await add(session, url, city=sent.city, zone=sent.zone)
    if known is None:
        audit.note(session, operator, "source.add", url)
    return private(
        {"data": await _health(session, source, now)},
        status=200 if known else 201,
        headers={"Location": f"/api/v1/sources/{source.id}"},
    )


async def add(session: AsyncSession, url: str, *, city: str | None, zone: str | None) -> Source:
    """Record an address, with a place for events that name none; raises the Problem for a place nobody knows."""
    place = city_named(city, in_body("city")) if city is not None else None
    home = frontier.home_in(place, zone or (place.zone if place else "UTC"))
    return await frontier.add_source(session, url, **home)


@router.get(
    "/{id}",
    operation_id="show_source",
    summary="Show a source's health",
    response_model=shapes.SourceAnswer,
    responses=declared(404, 422),
)
async def show_source(id: Id, _: Annotated[Nothing, Query()], session: Reading, now: Now) -> Response:  # noqa: A002
    return answer({"data": await _health(session, await _found(session, id), now)})


@router.post(
    "/{id}/collect",
    operation_id="collect_source",
    summary="Collect from a source now",
    response_model=shapes.CollectedAnswer,
    responses=declared(401, 403, 404, 422, 502),
)
async def collect_source(
    operator: OperatorToken,
    request: Request,
    id: Id,  # noqa: A002
    _: Annotated[Nothing, Query()],
    database: Data,
    now: Now,
) -> Response:
    """Fetches, reads, stores and tags; answers when that is done."""
    async with database.reading() as session:
        await _found(session, id)
    outcome = await collect.collect_source(database, request.app.state.fetcher, id, now=now, asked_by=operator)
    if outcome.state == "failed":
        raise Problem(502, outcome.message or "the source failed", kind="collecting-failed", code=outcome.code)
    await about.tag_new(database, now=now)
    await activity.renew(database, now=now)
    counts = outcome.counts
    return private(
        {
            "data": {
                "state": outcome.state,
                "added": counts.added,
                "changed": counts.changed,
                "cancelled": counts.cancelled,
                "merged": counts.merged,
            }
        }
    )


@router.delete(
    "/{id}",
    operation_id="remove_source",
    summary="Remove a source",
    status_code=204,
    responses=declared(401, 403, 404, 422),
)
async def remove_source(
    operator: OperatorToken,
    id: Id,  # noqa: A002
    _: Annotated[Nothing, Query()],
    session: Writing,
    now: Now,
) -> Response:
    """Takes the events along that only it told of; those in somebody's calendar stay there as cancelled."""
    source = await _found(session, id)
    audit.note(session, operator, "source.remove", source.url)
    await removal.forget_source(session, source, now=now)
    return Response(status_code=204)


async def _found(session: AsyncSession, source_id: int) -> Source:
    source = await session.get(Source, source_id)
    if source is None:
        raise Problem(404, f"no source has the id {source_id}")
    return source


async def _health(session: AsyncSession, source: Source, now: datetime) -> dict[str, Any]:
    return (await source_health.source_healths(session, now=now, only=source.id))[0]
