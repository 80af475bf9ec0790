"""/ops/mails: what the outbox of an instance without a mail server holds, as text and as it looks."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.api.access import Chosen, Operator
from app.api.problems import Problem
from app.mail import outbox
from app.web.rendering import page
from app.web.visit import UNSTORED, Visiting

router = APIRouter(include_in_schema=False, dependencies=[Operator])

SHOWN = 100
# A mail brings its styles in its elements; whatever else it brings runs, loads and sends nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups"
HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "List-ID", "List-Unsubscribe")


@router.get("/ops/mails")
async def mails(visit: Visiting, chosen: Chosen) -> HTMLResponse:
    kept = await asyncio.to_thread(outbox.newest, chosen.data / "outbox", SHOWN)
    return await page(visit, "mails.html", "ops", headers=UNSTORED, mails=kept, has_server=chosen.smtp_url is not None)


@router.get("/ops/mails/{name}")
async def mail(visit: Visiting, name: str, chosen: Chosen) -> HTMLResponse:
    read = await _read(name, chosen)
    return await page(
        visit,
        "mail.html",
        "ops",
        headers=UNSTORED,
        name=name,
        subject=str(read["Subject"] or ""),
        fields=[(field, str(read[field])) for field in HEADERS if read[field]],
        text=_part(read, "plain"),
    )


@router.get("/ops/mails/{name}/looks")
async def how_it_looks(name: str, chosen: Chosen) -> HTMLResponse:
    read = await _read(name, chosen)
    return HTMLResponse(_part(read, "html"), headers={**UNSTORED, "Content-Security-Policy": POLICY})


async def _read(name: str, chosen: Chosen) -> EmailMessage:
    read = await asyncio.to_thread(outbox.read, name, chosen.data / "outbox")
    if read is None:
        raise Problem(404, "no mail of the outbox has this name")
    return read


def _part(read: EmailMessage, subtype: str) -> str:
    part = read.get_body((subtype,))
    return str(part.get_content()) if part is not None else ""
