"""Signing in with a browser: ask for a mail, open its link or type its code, sign out. Operators open a printed link."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.background import BackgroundTask

from app.account import signing
from app.api.access import Chosen, Data, Now, Reading, settings_of, token_of
from app.api.limits import at_most
from app.api.sign_in import ASKED_AN_HOUR, CONFIRMED_AN_HOUR, deliver, forget_session, remember_session
from app.people import tokens
from app.web.forms import read_form
from app.web.rendering import page
from app.web.visit import UNSTORED, Visit, Visiting

router = APIRouter(include_in_schema=False)


async def _page(visit: Visit, step: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    return await page(
        visit, "sign_in.html", status=status, headers=UNSTORED, **{"step": step, "email": "", "said": "", **facts}
    )


@router.get("/sign-in")
async def how_to_sign_in(visit: Visiting) -> Response:
    if visit.is_operator:
        return RedirectResponse("/ops", 303)
    return await _page(visit, "how")


@router.post("/sign-in", dependencies=[Depends(at_most(ASKED_AN_HOUR, "sign-in"))])
async def ask_for_a_mail(request: Request, visit: Visiting, database: Data, chosen: Chosen) -> Response:
    """Show the same page for every address."""
    given = (await read_form(request)).get("email", [""])[-1]
    try:
        email = signing.normal_address(given)
    except signing.BadAddress:
        return await _page(
            visit, "how", status=422, said=visit.wording.text("This is no address mail can reach."), email=given
        )
    async with database.writing() as session:
        asked = await signing.ask(session, email, chosen)
    shown = await _page(visit, "code", email=email)
    if asked is not None:
        shown.background = BackgroundTask(deliver, signing.mail_for(asked, chosen, visit.wording), chosen)
    return shown


@router.post("/sign-in/code", dependencies=[Depends(at_most(CONFIRMED_AN_HOUR, "sign-in confirm"))])
async def sign_in_with_code(request: Request, visit: Visiting, database: Data, chosen: Chosen, now: Now) -> Response:
    form = await read_form(request)
    given, code = form.get("email", [""])[-1], "".join(form.get("code", [""])[-1].split())
    try:
        email = signing.normal_address(given)
    except signing.BadAddress:
        return await _page(
            visit, "how", status=422, said=visit.wording.text("This is no address mail can reach."), email=given
        )
    async with database.writing() as session:
        presented = await token_of(request, session)
        used = await signing.use_code(session, email, code, chosen)
        entered = (
            await signing.enter(session, used, presented, now=now, language=visit.wording.language)
            if used is not None
            else None
        )
    if entered is None:
        return await _page(
            visit,
            "code",
            status=403,
            email=email,
            said=visit.wording.text("The code is wrong, used up or too old. Nothing was lost."),
        )
    return _welcome(request, entered)


@router.get("/sign-in/{secret}")
async def ask_to_sign_in(visit: Visiting, secret: str, session: Reading) -> HTMLResponse:
    """Show a button: mail scanners and previews follow links, so a GET consumes nothing."""
    token = await tokens.find(session, secret, "sign_in")
    return await _page(visit, "button" if token else "spent", status=200 if token else 410)


@router.post("/sign-in/{secret}", dependencies=[Depends(at_most(CONFIRMED_AN_HOUR, "sign-in confirm"))])
async def sign_in(request: Request, visit: Visiting, secret: str, database: Data, now: Now) -> Response:
    async with database.writing() as session:
        presented = await token_of(request, session)
        used = await signing.use_link(session, secret)
        entered = (
            await signing.enter(session, used, presented, now=now, language=visit.wording.language)
            if used is not None
            else None
        )
    return await _page(visit, "spent", status=410) if entered is None else _welcome(request, entered)


def _welcome(request: Request, entered: signing.Entered) -> Response:
    answer = RedirectResponse("/ops" if entered.is_operator else "/", 303, headers=UNSTORED)
    remember_session(answer, entered.secret, settings_of(request).base_url)
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, database: Data) -> Response:
    async with database.writing() as session:
        token = await token_of(request, session)
        if token is not None and token.kind == "session":
            tokens.end(token)
    answer = RedirectResponse("/", 303)
    forget_session(answer, settings_of(request).base_url)
    return answer
