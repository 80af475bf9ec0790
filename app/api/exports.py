"""The event list in the forms other software reads: calendar, news feeds, JSON Feed, table. Never paged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Chosen, Data, Now
from app.api.answers import PUBLIC, alternates
from app.api.conditional import promise, standing
from app.api.list_names import list_name
from app.api.parameters import SAID_ONCE, Selection, event_filter, leaves_at
from app.api.problems import declared
from app.api.shapes import events as shapes
from app.calendars import calendar_feed, event_table, renderings, syndication
from app.calendars.syndication import Channel
from app.db import Database
from app.models import Community
from app.queries import listing, totals
from app.queries.filters import EventFilter
from app.queries.listing import Listed
from app.revisions import EVENTS
from app.settings import Settings

router = APIRouter(prefix="/api/v1", tags=["events"], dependencies=[SAID_ONCE])

MOST = 10_000  # events of one answer
ABOUT = "Events that the filters of this address find"
BOUND = f"The whole result, never paged; of more than {MOST:,} events the first, and `X-Total-Count` says how many."
TOTAL = {"X-Total-Count": {"description": "How many events the filters find.", "schema": {"type": "integer"}}}


class FeedResponse(JSONResponse):
    media_type = "application/feed+json"


def content(media_type: str, standard: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI declaration of an answer that is no JSON."""
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}, "description": standard}}


def whole_list(media_type: str, standard: str) -> dict[int | str, dict[str, Any]]:
    return {200: {**content(media_type, standard)[200], "headers": TOTAL}}


One = TypeVar("One")
# Returns the first events of a filter, and when the earliest of them starts.
Load = Callable[[AsyncSession, EventFilter], Awaitable[tuple[list[One], datetime | None]]]


@dataclass(frozen=True, slots=True)
class Found(Generic[One]):
    """What the filters find: the first events, how many there are, and what the list is called."""

    events: list[One]
    count: int
    name: str


async def find(request: Request, asked: Selection, database: Database, *, now: datetime, limit: int) -> Found[Listed]:
    """Return the events that were asked for, up to a number, and promise the answer until one of them changes."""

    async def load(session: AsyncSession, wanted: EventFilter) -> tuple[list[Listed], datetime | None]:
        events = await listing.events(session, wanted, limit=limit)
        return events, events[0].starts_at if events else None

    return await _find(request, asked, database, load, now=now, limit=limit)


async def _find(
    request: Request, asked: Selection, database: Database, load: Load[One], *, now: datetime, limit: int
) -> Found[One]:
    stood = await standing(request, EVENTS)
    wanted = event_filter(asked, now=now)
    async with database.reading() as session:
        events, earliest = await load(session, wanted)
        count = len(events) if len(events) < limit else (await totals.total(session, wanted)).count
        name = list_name(wanted, await _community(session, wanted.community) if wanted.community else None)
    promise(request, stood, until=leaves_at(asked, earliest))
    return Found(events, count, name)


async def _community(session: AsyncSession, key: str) -> str | None:
    return (await session.exec(select(Community.name).where(Community.key == key))).one_or_none()


async def _answer(
    request: Request, found: Found[Any], media_type: str, make: Callable[[Channel], bytes], settings: Settings
) -> Response:
    own = f"{settings.base_url}{request.url.path}"
    query = urlencode(sorted(request.query_params.multi_items()))
    channel = Channel(found.name, ABOUT, settings.base_url, f"{own}?{query}" if query else own, found.count)
    body = await asyncio.to_thread(make, channel)
    return exported(request, body, media_type, {"X-Total-Count": str(found.count)})


def exported(request: Request, body: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    link = ", ".join(alternates(request))
    return Response(body, headers={"Cache-Control": PUBLIC, "Link": link, **headers}, media_type=media_type)


class Cancelling(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cancelled: calendar_feed.Cancelled = Field(
        "keep",
        description="Cancelled events: `keep` shows their status, `prefix` their titles, too; `drop` omits them.",
    )


class EntryQuery(Cancelling):
    """What the calendar of one event is for, and what becomes of it where it is cancelled."""

    entry: bool = Field(
        False,
        description="Whether it is to be put into a calendar somebody has. It then bears no name of its own "
        "(`X-WR-CALNAME`), for which Outlook would open another calendar.",
    )


class CalendarQuery(Selection, Cancelling):
    """Which events, and what becomes of cancelled ones."""


@router.get(
    "/events.ics",
    operation_id="export_events",
    summary="Events as a calendar to subscribe to",
    description=f"{BOUND} Cancelled events stay, with their status, unless `cancelled` says otherwise.",
    response_class=Response,
    responses={**whole_list("text/calendar", "RFC 5545"), **declared(422)},
)
async def export_events(
    request: Request, asked: Annotated[CalendarQuery, Query()], database: Data, now: Now, chosen: Chosen
) -> Response:
    def headed(channel: Channel, shown: int) -> str:
        return calendar_feed.header(channel.title, channel.told(shown))

    if asked.cancelled == "keep":

        async def load(session: AsyncSession, wanted: EventFilter) -> tuple[list[bytes], datetime | None]:
            stored = await renderings.found(session, wanted, "component", base_url=chosen.base_url, limit=MOST)
            return stored.bodies, stored.earliest

        stored = await _find(request, asked, database, load, now=now, limit=MOST)

        def put_together(channel: Channel) -> bytes:
            return calendar_feed.whole(headed(channel, len(stored.events)), stored.events)

        return await _answer(request, stored, "text/calendar", put_together, chosen)
    found = await find(request, asked, database, now=now, limit=MOST)

    def make(channel: Channel) -> bytes:
        head = headed(channel, len(found.events))
        return calendar_feed.calendar(head, found.events, base_url=chosen.base_url, cancelled=asked.cancelled)

    return await _answer(request, found, "text/calendar", make, chosen)


@router.get(
    "/events.rss",
    operation_id="export_events_as_rss",
    summary="Events as RSS",
    description=f"{BOUND} Times stand in titles and texts, and in `ev` and `xcal` fields.",
    response_class=Response,
    responses={**whole_list("application/rss+xml", "RSS 2.0"), **declared(422)},
)
async def export_as_rss(
    request: Request, asked: Annotated[Selection, Query()], database: Data, now: Now, chosen: Chosen
) -> Response:
    found = await find(request, asked, database, now=now, limit=MOST)
    return await _answer(
        request, found, "application/rss+xml", lambda channel: syndication.rss(channel, found.events), chosen
    )


@router.get(
    "/events.atom",
    operation_id="export_events_as_atom",
    summary="Events as Atom",
    description=f"{BOUND} Times stand in titles and texts, and in `xcal` fields.",
    response_class=Response,
    responses={**whole_list("application/atom+xml", "RFC 4287"), **declared(422)},
)
async def export_as_atom(
    request: Request, asked: Annotated[Selection, Query()], database: Data, now: Now, chosen: Chosen
) -> Response:
    found = await find(request, asked, database, now=now, limit=MOST)
    return await _answer(
        request, found, "application/atom+xml", lambda channel: syndication.atom(channel, found.events), chosen
    )


@router.get(
    "/feed.json",
    operation_id="export_events_as_json_feed",
    summary="Events as JSON Feed",
    description=f"{BOUND} `_event` of an item is the event as the list shows it.",
    response_class=FeedResponse,
    response_model=shapes.JsonFeed,
    responses={200: {"headers": TOTAL}, **declared(422)},
)
async def export_as_json_feed(
    request: Request, asked: Annotated[Selection, Query()], database: Data, now: Now, chosen: Chosen
) -> Response:
    found = await find(request, asked, database, now=now, limit=MOST)
    return await _answer(
        request, found, "application/feed+json", lambda channel: syndication.json_feed(channel, found.events), chosen
    )


@router.get(
    "/events.csv",
    operation_id="export_events_as_table",
    summary="Events as a table",
    description=f"{BOUND} Cells that a spreadsheet would take for a formula start with an apostrophe.",
    response_class=Response,
    responses={**whole_list("text/csv", "RFC 4180, with a header"), **declared(422)},
)
async def export_as_table(
    request: Request, asked: Annotated[Selection, Query()], database: Data, now: Now, chosen: Chosen
) -> Response:
    found = await find(request, asked, database, now=now, limit=MOST)
    return await _answer(
        request, found, "text/csv", lambda channel: event_table.table(found.events, channel.base_url), chosen
    )
