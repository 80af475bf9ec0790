"""/ops: whether the service is healthy, and what waits for an operator."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import col, select

from app.api.access import Chosen, Data, Now, Operator, OperatorToken, Reading, settings_of
from app.collecting import first_start, frontier
from app.models import Source
from app.people import audit
from app.web.forms import read_form
from app.web.overview import overview, room_at
from app.web.rendering import page
from app.web.sources import STATE_WORDS
from app.web.visit import UNSTORED, Visiting, led_on
from app.words.event_words import PURPOSE_WORDS
from scrapers.text import clean_url

router = APIRouter(include_in_schema=False)


@router.get("/ops", dependencies=[Operator])
async def ops(request: Request, visit: Visiting, session: Reading, now: Now) -> Response:
    wording, clock = visit.wording, datetime.now(UTC)
    live = first_start.live_sources()
    wanted = [one.url for one in live]
    return await page(
        visit,
        "ops.html",
        "ops",
        headers=UNSTORED,
        now=clock,
        live=live,
        added=set(await session.exec(select(Source.url).where(col(Source.url).in_(wanted)))),
        room=await asyncio.to_thread(room_at, settings_of(request).data),
        state_words={state: wording.text(words) for state, words in STATE_WORDS.items()},
        purpose_words={name: wording.text(words) for name, words in PURPOSE_WORDS.items()},
        **await overview(session, wording, now=now, clock=clock),
    )


@router.post("/ops/sources")
@router.post("/ops/live-sources")
async def add_sources(operator: OperatorToken, request: Request, visit: Visiting, database: Data) -> Response:
    """Record addresses; the schedule reads them within a minute."""
    addresses = (await read_form(request)).get("url", [])
    good = [url for url in map(clean_url, addresses) if url is not None]
    async with database.writing() as session:
        known = set(await session.exec(select(Source.url).where(col(Source.url).in_(good))))
        fresh = [url for url in dict.fromkeys(good) if url not in known]
        await frontier.add_sources(session, fresh)
        for url in fresh:
            audit.note(session, operator, "source.add", url)
    wording, refused = visit.wording, len(addresses) - len(good)
    said = [
        wording.plural("{number} added; read within a minute.", "{number} added; read within a minute.", len(fresh))
        if fresh
        else wording.text("Nothing added."),
        wording.plural("{number} known already.", "{number} known already.", len(known)) if known else "",
        wording.plural("{number} refused: no http(s) address.", "{number} refused: no http(s) address.", refused)
        if refused
        else "",
    ]
    return led_on(request, "/ops#add", " ".join(filter(None, said)), is_good=bool(fresh or known))


@router.post("/ops/demonstration/remove")
async def remove_demonstration(
    operator: OperatorToken, request: Request, visit: Visiting, database: Data, chosen: Chosen
) -> Response:
    await first_start.remove_demo(database, now=chosen.now(), by=operator)
    return led_on(request, "/ops", visit.wording.text("The demonstration is gone."))
