"""/f/{token}.ics: a personal calendar, as calendar programs fetch it every few hours."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app import calendar_feed, feeds
from app.api.access import Chosen, Now, Reading
from app.api.events import CALENDAR, calendar_response
from app.api.problems import Problem, declared

router = APIRouter(tags=["calendars"])

CACHE = "private, max-age=3600"


class FeedQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cancelled: calendar_feed.Cancelled = Field("keep", description="What becomes of cancelled events.")


@router.get(
    "/f/{token}.ics",
    operation_id="read_feed",
    summary="A personal calendar",
    response_class=Response,
    responses={**CALENDAR, **declared(404, 410, 422)},
)
async def read_feed(
    token: Annotated[str, Path(max_length=100)],
    asked: Annotated[FeedQuery, Query()],
    session: Reading,
    now: Now,
    chosen: Chosen,
) -> Response:
    """Events of the last 30 days and all that come. The same bytes until something changed; reading changes nothing."""
    opened = await feeds.open_feed(session, token)
    if opened is None:
        raise Problem(404, "no calendar has this address")
    if feeds.is_gone(opened, datetime.now(UTC)):
        raise Problem(410, "this address was replaced; subscribe to the new one", kind="replaced-link")
    if opened.replaced_at is not None:
        body = calendar_feed.replaced_calendar(opened.feed, opened.replaced_at, base_url=chosen.base_url)
    else:
        listed, reasons = await feeds.feed_events(session, opened.feed, now=now)
        body = await asyncio.to_thread(
            calendar_feed.calendar,
            calendar_feed.header(opened.feed.name),
            listed,
            base_url=chosen.base_url,
            reasons=reasons,
            cancelled=asked.cancelled,
        )
    answer = calendar_response(body, cache=CACHE)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
