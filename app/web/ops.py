"""For operators: add sources, accept bundled ones, remove the demonstration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import func
from sqlmodel import col, select

from app import audit, first_start, frontier, queries
from app.api.access import Chosen, Data, Now, Operator, OperatorToken, Reading
from app.models import Source
from app.places import DEMONSTRATION
from app.web.forms import read_form
from app.web.rendering import page
from app.web.visit import Visit, Visiting
from scrapers.text import clean_url

router = APIRouter(include_in_schema=False)

SHOWN = 200  # sources a page


@router.get("/ops", dependencies=[Operator])
async def ops(visit: Visiting, session: Reading, now: Now) -> HTMLResponse:
    return await _ops(visit, await _facts(session, now), said="")


async def _facts(session: Reading, now: datetime) -> dict[str, Any]:
    live = first_start.live_sources()
    wanted = [one.url for one in live]
    states = select(Source.state, func.count()).group_by(col(Source.state)).order_by(col(Source.state))
    return {
        "counts": list((await queries.count_all(session, now)).items()),
        "states": list(await session.exec(states)),
        "newest": list(await session.exec(select(Source).order_by(col(Source.id).desc()).limit(5))),
        "live": live,
        "added": set(await session.exec(select(Source.url).where(col(Source.url).in_(wanted)))),
    }


async def _ops(visit: Visit, facts: dict[str, Any], *, said: str, status: int = 200) -> HTMLResponse:
    return await page(visit, "ops.html", "ops", status=status, said=said, is_good=status == 200, **facts)


@router.post("/ops/sources")
@router.post("/ops/live-sources")
async def add_sources(
    operator: OperatorToken, request: Request, visit: Visiting, database: Data, now: Now
) -> HTMLResponse:
    """Record addresses; the schedule reads them within a minute."""
    addresses = (await read_form(request)).get("url", [])
    good = [url for url in map(clean_url, addresses) if url is not None]
    async with database.writing() as session:
        known = set(await session.exec(select(Source.url).where(col(Source.url).in_(good))))
        fresh = [url for url in dict.fromkeys(good) if url not in known]
        await frontier.add_sources(session, fresh)
        for url in fresh:
            audit.note(session, operator, "source.add", url)
        facts = await _facts(session, now)
    said = [
        f"{len(fresh)} added; read within a minute." if fresh else "Nothing added.",
        f"{len(known)} known already." if known else "",
        f"{len(addresses) - len(good)} refused: no http(s) address." if len(good) < len(addresses) else "",
    ]
    return await _ops(visit, facts, said=" ".join(filter(None, said)), status=200 if fresh or known else 422)


@router.post("/ops/demonstration/remove")
async def remove_demonstration(operator: OperatorToken, database: Data, chosen: Chosen) -> RedirectResponse:
    async with database.writing() as session:
        audit.note(session, operator, "demonstration.remove", DEMONSTRATION.name)
    await first_start.remove_demo(database, now=chosen.now())
    return RedirectResponse("/ops", 303)
