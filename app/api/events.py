"""/events: what is on, filtered, in order, one by one or as a calendar."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from app import calendar_feed, queries
from app.api import shapes
from app.api.access import Chosen, Now, Reading
from app.api.answers import PUBLIC, Listing, Nothing, answer, bad_cursor, list_answer, read_cursor, write_cursor
from app.api.parameters import EventQuery, Selection, event_filter, row_id
from app.api.problems import Problem, declared
from app.models import Event

router = APIRouter(prefix="/api/v1", tags=["events"])

Id = Annotated[str, Path(pattern=r"^[a-z0-9]{1,32}$", examples=["k5xw2v3nqt7mzb4c"])]
CALENDAR: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/calendar": {"schema": {"type": "string"}}}, "description": "RFC 5545"}
}


@router.get(
    "/events",
    operation_id="list_events",
    summary="List events",
    response_model=shapes.EventList,
    responses=declared(422),
)
async def list_events(request: Request, asked: Annotated[EventQuery, Query()], session: Reading, now: Now) -> Response:
    """Upcoming events unless `start` says otherwise. Paging neither skips nor repeats while events arrive."""
    wanted = event_filter(asked, now=now)
    position = _position(asked.cursor, asked.sort) if asked.cursor else None
    part = await queries.event_slice(session, wanted, sort=asked.sort, limit=asked.limit, position=position)
    return list_answer(
        request,
        Listing(
            rows=[queries.event_json(listed) for listed in part.listed],
            count=part.total.count,
            is_lower_bound=part.total.is_lower_bound,
            updated_at=part.total.updated_at,
            next=_cursor(part.next, asked.sort),
            previous=_cursor(part.previous, asked.sort),
        ),
    )


def _cursor(position: queries.Position | None, sort: str) -> str | None:
    if position is None:
        return None
    return write_cursor(sort, position.value.astimezone(UTC).isoformat(), position.id, int(position.backwards))


def _position(cursor: str, sort: str) -> queries.Position:
    made_for, value, id_, backwards = read_cursor(cursor, str, str, int, int)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise bad_cursor() from error
    if made_for != sort or moment.tzinfo is None:
        raise bad_cursor()
    return queries.Position(moment, row_id(id_), backwards=bool(backwards))


class CalendarQuery(Selection):
    cancelled: calendar_feed.Cancelled = Field("keep", description="What becomes of cancelled events.")


@router.get(
    "/events.ics",
    operation_id="export_events",
    summary="Events as a calendar to subscribe to",
    response_class=Response,
    responses={**CALENDAR, **declared(422)},
)
async def export_events(
    asked: Annotated[CalendarQuery, Query()], session: Reading, now: Now, chosen: Chosen
) -> Response:
    """The whole result of the same filters, never paged. Cancelled events stay, with their status."""
    listed = await queries.events(session, event_filter(asked, now=now))
    body = await asyncio.to_thread(
        calendar_feed.calendar,
        calendar_feed.header("Adjacent", "Events one step outside what you know"),
        listed,
        base_url=chosen.base_url,
        cancelled=asked.cancelled,
    )
    return calendar_response(body)


def calendar_response(body: bytes, *, cache: str = PUBLIC) -> Response:
    return Response(body, headers={"Cache-Control": cache}, media_type="text/calendar")


@router.get(
    "/events/{id}.ics",
    operation_id="export_event",
    summary="One event as a calendar",
    response_class=Response,
    responses={**CALENDAR, 301: {"description": "It was merged into another event."}, **declared(404, 422)},
)
async def export_event(id: Id, _: Annotated[Nothing, Query()], session: Reading, chosen: Chosen) -> Response:  # noqa: A002
    event = await _found(session, id)
    if event.merged_into is not None:
        return await _moved(session, event, ".ics")
    listed = await queries.with_topics(session, [event])
    return calendar_response(
        calendar_feed.calendar(calendar_feed.header(event.title), listed, base_url=chosen.base_url)
    )


@router.get(
    "/events/{id}",
    operation_id="show_event",
    summary="Show an event",
    response_model=shapes.EventAnswer,
    responses={301: {"description": "It was merged into another event."}, **declared(404, 422)},
)
async def show_event(id: Id, _: Annotated[Nothing, Query()], session: Reading) -> Response:  # noqa: A002
    """One event, with what each source says of it and which source each field comes from."""
    event = await _found(session, id)
    if event.merged_into is not None:
        return await _moved(session, event, "")
    (listed,) = await queries.with_topics(session, [event])
    return answer(
        {
            "data": {
                **queries.event_json(listed),
                "provenance": event.provenance,
                "purpose_phrases": event.purpose_phrases,
                "sources": await queries.versions_of(session, event),
            }
        }
    )


async def _found(session: AsyncSession, key: str) -> Event:
    event = await queries.event_by_key(session, key)
    if event is None:
        raise Problem(404, f"no event has the id {key!r}")
    return event


async def _moved(session: AsyncSession, event: Event, ending: str) -> Response:
    """Redirect to the event that others were merged into, however many steps that takes."""
    while event.merged_into is not None:
        event = await session.get_one(Event, event.merged_into)
    return RedirectResponse(f"/api/v1/events/{event.key}{ending}", 301)
