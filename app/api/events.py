"""/events: what is on, filtered, in order, and one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Chosen, Data, Now, Reading
from app.api.answers import (
    PUBLIC,
    Listing,
    Nothing,
    alternates,
    answer,
    list_answer,
)
from app.api.conditional import promise, standing
from app.api.exports import EntryQuery, content
from app.api.paging import bad_cursor, read_cursor, row_id, write_cursor
from app.api.parameters import SAID_ONCE, EventQuery, event_filter, leaves_at
from app.api.problems import Problem, declared
from app.api.shapes import events as shapes
from app.calendars import calendar_feed, renderings
from app.events import history
from app.models import Event
from app.queries.event_forms import event_json, versions_of
from app.queries.listing import event_by_key, with_topics
from app.queries.slices import Position, event_slice
from app.revisions import EVENTS

router = APIRouter(prefix="/api/v1", tags=["events"])

Id = Annotated[str, Path(pattern=r"^[a-z0-9]{1,32}$", examples=["k5xw2v3nqt7mzb4c"])]


@router.get(
    "/events",
    operation_id="list_events",
    summary="List events",
    response_model=shapes.EventList,
    responses=declared(422),
    dependencies=[SAID_ONCE],
)
async def list_events(
    request: Request, asked: Annotated[EventQuery, Query()], database: Data, now: Now, chosen: Chosen
) -> Response:
    """Upcoming events unless `start` says otherwise. Paging neither skips nor repeats while events arrive."""
    stood = await standing(request, EVENTS)
    wanted = event_filter(asked, now=now)
    position = _position(asked.cursor, asked.sort) if asked.cursor else None
    async with database.reading() as session:
        part = await event_slice(session, wanted, sort=asked.sort, limit=asked.limit, position=position)
        items = await renderings.bodies(session, part.ids, "item", base_url=chosen.base_url)
    promise(request, stood, until=leaves_at(asked, part.total.earliest))
    return list_answer(
        request,
        Listing(
            rows=[orjson.Fragment(item) for item in items],
            count=part.total.count,
            is_lower_bound=part.total.is_lower_bound,
            updated_at=part.total.updated_at,
            next=_cursor(part.next, asked.sort),
            previous=_cursor(part.previous, asked.sort),
        ),
        more_links=alternates(request),
    )


def _cursor(position: Position | None, sort: str) -> str | None:
    if position is None:
        return None
    return write_cursor(sort, position.value.astimezone(UTC).isoformat(), position.id, int(position.backwards))


def _position(cursor: str, sort: str) -> Position:
    made_for, value, id_, backwards = read_cursor(cursor, str, str, int, int)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise bad_cursor() from error
    if made_for != sort or moment.tzinfo is None:
        raise bad_cursor()
    return Position(moment, row_id(id_), backwards=bool(backwards))


@router.get(
    "/events/{id}.ics",
    operation_id="export_event",
    summary="One event as a calendar",
    response_class=Response,
    responses={
        **content("text/calendar", "RFC 5545"),
        301: {"description": "It was merged into another event."},
        **declared(404, 422),
    },
)
async def export_event(
    request: Request,
    id: Id,  # noqa: A002
    asked: Annotated[EntryQuery, Query()],
    session: Reading,
    chosen: Chosen,
) -> Response:
    event = await found_event(session, id)
    (listed,) = await with_topics(session, [event])
    if listed.merged_into is not None:
        query = f"?{request.url.query}" if request.url.query else ""
        return moved(f"/api/v1/events/{listed.merged_into}.ics{query}", PUBLIC)
    head = (calendar_feed.header_of_entry if asked.entry else calendar_feed.header)(event.title)
    body = calendar_feed.calendar(head, [listed], base_url=chosen.base_url, cancelled=asked.cancelled)
    return Response(body, headers={"Cache-Control": PUBLIC}, media_type="text/calendar")


@router.get(
    "/events/{id}",
    operation_id="show_event",
    summary="Show an event",
    response_model=shapes.EventAnswer,
    responses={301: {"description": "It was merged into another event."}, **declared(404, 422)},
)
async def show_event(id: Id, _: Annotated[Nothing, Query()], session: Reading) -> Response:  # noqa: A002
    """One event, with what each source says of it, which source each field comes from, and what changed since."""
    event = await found_event(session, id)
    (listed,) = await with_topics(session, [event])
    if listed.merged_into is not None:
        return moved(f"/api/v1/events/{listed.merged_into}", PUBLIC)
    return answer(
        {
            "data": {
                **event_json(listed),
                "provenance": event.provenance,
                "purpose_phrases": event.purpose_phrases,
                "sources": await versions_of(session, event),
                "history": await history.history(session, event),
            }
        }
    )


def moved(address: str, cache: str) -> Response:
    """Send on to the event that stands for another, for as long as an answer holds: people may part them again."""
    return RedirectResponse(address, 301, {"Cache-Control": cache})


async def found_event(session: AsyncSession, key: str) -> Event:
    """Return the event with this id, merged or not; raises the Problem where there is none."""
    event = await event_by_key(session, key)
    if event is None:
        raise Problem(404, f"no event has the id {key!r}")
    return event
