"""What visitors say is wrong with an event; operators see it until they have looked at it."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.access import Data
from app.api.limits import at_most
from app.api.problems import Problem
from app.models import Report
from app.queries.listing import event_by_key
from app.web.forms import read_form
from app.web.visit import Visiting, led_on

router = APIRouter(include_in_schema=False)

KINDS = ("time", "off", "twice", "topic", "purpose", "other")
REPORTS_AN_HOUR = 20  # from one address
LONGEST = 500  # characters


@router.post("/e/{key}/report", dependencies=[Depends(at_most(REPORTS_AN_HOUR, "report"))])
async def report(request: Request, visit: Visiting, key: str, database: Data) -> Response:
    form = await read_form(request)
    kind, words = (form.get(name, [""])[-1] for name in ("what", "words"))
    if kind not in KINDS:
        raise Problem(422, f"`what` is one of {', '.join(KINDS)}")
    async with database.writing() as session:
        event = await event_by_key(session, key)
        if event is None or event.id is None:
            raise Problem(404, "there is no such event")
        told = " ".join(words.split())[:LONGEST]
        session.add(Report(event_id=event.id, kind=kind, words=told, reported_at=datetime.now(UTC)))
    return led_on(request, f"/e/{key}", visit.wording.text("Thank you. The people who run this will look at it."))
