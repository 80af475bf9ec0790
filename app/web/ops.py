"""For operators: sign in with the printed link, add sources, accept bundled ones, remove the demonstration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app import first_start, frontier, queries, tokens
from app.api.access import Chosen, Data, Now, Operator, Reading, settings_of
from app.api.doors import session_cookie
from app.web.home import read_form
from app.web.rendering import page
from scrapers.text import clean_url

router = APIRouter(include_in_schema=False)

SESSION = timedelta(days=30)


@router.get("/sign-in/{secret}")
async def ask_to_sign_in(request: Request, secret: str, session: Reading) -> HTMLResponse:
    """Show a button: mail scanners and previews follow links, so a GET consumes nothing."""
    token = await tokens.find(session, secret, "sign_in")
    return await page(request, "sign_in.html", is_good=token is not None, status=200 if token else 410)


@router.post("/sign-in/{secret}")
async def sign_in(request: Request, secret: str, database: Data) -> Response:
    async with database.writing() as session:
        token = await tokens.find(session, secret, "sign_in")
        if token is not None:
            token.revoked_at = token.used_at = datetime.now(UTC)
            fresh = await tokens.issue(
                session, "session", person_id=token.person_id, label="browser", scopes=token.scopes, lives=SESSION
            )
    if token is None:
        return await page(request, "sign_in.html", is_good=False, status=410)
    base_url = settings_of(request).base_url
    answer = RedirectResponse("/ops" if "operator" in token.scopes else "/", 303)
    answer.set_cookie(
        session_cookie(base_url),
        fresh,
        max_age=int(SESSION.total_seconds()),
        httponly=True,
        secure=base_url.startswith("https://"),
        samesite="lax",
    )
    return answer


@router.get("/ops", dependencies=[Operator])
async def ops(request: Request, session: Reading, now: Now) -> HTMLResponse:
    return await _ops(request, session_facts=await _facts(session, now), said="")


async def _facts(session: Reading, now: datetime) -> dict[str, Any]:
    known = {source.url for source in await queries.sources(session)}
    return {
        "counts": list((await queries.count_all(session, now)).items()),
        "live": first_start.live_sources(),
        "added": known,
    }


async def _ops(request: Request, *, session_facts: dict[str, Any], said: str) -> HTMLResponse:
    return await page(request, "ops.html", "ops", said=said, **session_facts)


@router.post("/ops/sources", dependencies=[Operator])
async def add_source(request: Request, database: Data, now: Now) -> HTMLResponse:
    return await _add(request, database, now, (await read_form(request)).get("url", []))


@router.post("/ops/live-sources", dependencies=[Operator])
async def add_live_sources(request: Request, database: Data, now: Now) -> HTMLResponse:
    return await _add(request, database, now, (await read_form(request)).get("url", []))


async def _add(request: Request, database: Data, now: datetime, addresses: list[str]) -> HTMLResponse:
    """Record addresses; the schedule reads them within a minute."""
    good = [url for url in map(clean_url, addresses) if url is not None]
    async with database.writing() as session:
        await frontier.add_sources(session, good)
        facts = await _facts(session, now)
    refused = len(addresses) - len(good)
    said = f"{len(good)} added; they are read within a minute." if good else "Nothing added."
    if refused:
        said += f" {refused} refused: no http(s) address."
    return await _ops(request, session_facts=facts, said=said)


@router.post("/ops/demonstration/remove", dependencies=[Operator])
async def remove_demonstration(database: Data, chosen: Chosen) -> RedirectResponse:
    await first_start.remove_demo(database, now=chosen.now())
    return RedirectResponse("/ops", 303)
