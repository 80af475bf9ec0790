"""/f/{token}.ics: a personal calendar, as calendar programs fetch it every few hours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlmodel.ext.asyncio.session import AsyncSession

from app import revisions
from app.api.access import Chosen, Data, Now
from app.api.answers import PRIVATE
from app.api.conditional import promise, standing
from app.api.exports import Cancelling, content
from app.api.problems import Problem, declared
from app.calendars import calendar_feed, feeds, replaced
from app.calendars.feed_contents import feed_events
from app.models import Person
from app.words.wording import wording_for

router = APIRouter(tags=["calendars"])

HEADERS = {"Cache-Control": PRIVATE, "X-Robots-Tag": "noindex"}


@router.get(
    "/f/{token}.ics",
    operation_id="read_feed",
    summary="A personal calendar",
    response_class=Response,
    responses={**content("text/calendar", "RFC 5545"), **declared(404, 410, 422)},
)
async def read_feed(
    *,
    request: Request,
    token: Annotated[str, Path(max_length=100)],
    asked: Annotated[Cancelling, Query()],
    database: Data,
    now: Now,
    chosen: Chosen,
) -> Response:
    """Events of the last 30 days and all that come. The same bytes until something changed; reading changes nothing."""
    async with database.reading() as session:
        feed = (await _opened(session, token)).feed
    counters = (revisions.EVENTS, revisions.of_person(feed.person_id), revisions.of_feed(feed.id or 0))
    stood = await standing(request, *counters)
    async with database.reading() as session:  # once more: it may have been replaced before the counters were read
        opened = await _opened(session, token)
        wording = wording_for((await session.get_one(Person, feed.person_id)).language)
        if opened.replaced_at is not None:
            body = replaced.replaced_calendar(feed, opened.replaced_at, base_url=chosen.base_url, wording=wording)
            return Response(body, headers=HEADERS, media_type="text/calendar")
        listed, reasons = await feed_events(session, opened.feed, wording, now=now)
    promise(request, stood, until=listed[0].event.starts_at + calendar_feed.BACK if listed else None)
    body = await asyncio.to_thread(
        calendar_feed.calendar,
        calendar_feed.header(opened.feed.name),
        listed,
        base_url=chosen.base_url,
        reasons=reasons,
        cancelled=asked.cancelled,
        wording=wording,
    )
    return Response(body, headers=HEADERS, media_type="text/calendar")


async def _opened(session: AsyncSession, token: str) -> feeds.Opened:
    opened = await feeds.open_feed(session, token)
    if opened is None:
        raise Problem(404, "no calendar has this address")
    if opened.replaced_at is not None and replaced.is_gone(opened.replaced_at, datetime.now(UTC)):
        raise Problem(410, "this address was replaced; subscribe to the new one", kind="replaced-link")
    return opened
