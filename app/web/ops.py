"""For operators: sign in with the printed link, add sources, accept bundled ones, remove the demonstration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import func
from sqlmodel import col, select

from app import first_start, frontier, queries, tokens
from app.api.access import Chosen, Data, Now, Operator, Reading, is_operator, settings_of, token_of
from app.api.doors import session_cookie
from app.models import Source
from app.web.home import read_form
from app.web.rendering import page
from scrapers.text import clean_url

router = APIRouter(include_in_schema=False)

SESSION = timedelta(days=30)
SHOWN = 200  # sources a page


@router.get("/sign-in")
async def how_to_sign_in(request: Request, session: Reading) -> Response:
    if is_operator(await token_of(request, session)):
        return RedirectResponse("/ops", 303)
    return await page(request, "sign_in.html", step="how")


@router.get("/sign-in/{secret}")
async def ask_to_sign_in(request: Request, secret: str, session: Reading) -> HTMLResponse:
    """Show a button: mail scanners and previews follow links, so a GET consumes nothing."""
    token = await tokens.find(session, secret, "sign_in")
    return await page(
        request,
        "sign_in.html",
        step="button" if token else "spent",
        status=200 if token else 410,
        headers={"Cache-Control": "no-store"},
    )


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
        return await page(request, "sign_in.html", step="spent", status=410)
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


@router.post("/sign-out")
async def sign_out(request: Request, database: Data) -> Response:
    async with database.writing() as session:
        token = await token_of(request, session)
        if token is not None and token.kind == "session":
            token.revoked_at = datetime.now(UTC)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(session_cookie(settings_of(request).base_url))
    return answer


@router.get("/ops", dependencies=[Operator])
async def ops(request: Request, session: Reading, now: Now) -> HTMLResponse:
    return await _ops(request, await _facts(session, now), said="")


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


async def _ops(request: Request, facts: dict[str, Any], *, said: str, status: int = 200) -> HTMLResponse:
    return await page(request, "ops.html", "ops", status=status, said=said, is_good=status == 200, **facts)


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
        known = set(await session.exec(select(Source.url).where(col(Source.url).in_(good))))
        fresh = [url for url in dict.fromkeys(good) if url not in known]
        await frontier.add_sources(session, fresh)
        facts = await _facts(session, now)
    said = [
        f"{len(fresh)} added; read within a minute." if fresh else "Nothing added.",
        f"{len(known)} known already." if known else "",
        f"{len(addresses) - len(good)} refused: no http(s) address." if len(good) < len(addresses) else "",
    ]
    return await _ops(request, facts, said=" ".join(filter(None, said)), status=200 if fresh or known else 422)


@router.post("/ops/demonstration/remove", dependencies=[Operator])
async def remove_demonstration(database: Data, chosen: Chosen) -> RedirectResponse:
    await first_start.remove_demo(database, now=chosen.now())
    return RedirectResponse("/ops", 303)


@router.get("/sources")
async def sources_page(request: Request, session: Reading, now: Now, after: int = 0) -> HTMLResponse:
    shown = await queries.source_healths(session, now=now, after=max(0, min(after, 2**62)), limit=SHOWN + 1)
    return await page(
        request,
        "sources.html",
        "sources",
        total=await queries.count_sources(session),
        healths=shown[:SHOWN],
        is_first=after <= 0,
        next=f"/sources?after={shown[SHOWN - 1]['id']}" if len(shown) > SHOWN else None,
    )
