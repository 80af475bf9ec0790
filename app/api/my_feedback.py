"""/me/feedback: what I say of an event, what that changes, and taking it back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app import opinions
from app.api.access import Now, Reading, ReadingPerson, Writing, WritingPerson
from app.api.answers import (
    NO_PARAMETERS,
    PRIVATE,
    Listing,
    list_answer,
)
from app.api.events import found_event
from app.api.json_bodies import JsonRoute
from app.api.paging import Paging, page_beside, read_beside
from app.api.problems import Problem, declared
from app.api.shapes import opinions as shapes
from app.api.spoken import changed_answer
from app.api.undoing import named
from app.people import feedback
from app.queries.event_forms import event_name

router = APIRouter(prefix="/api/v1/me/feedback", tags=["me"], route_class=JsonRoute)

EventId = Annotated[str, Field(pattern=r"^[a-z0-9]{1,32}$", examples=["k5xw2v3nqt7mzb4c"])]


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    event: EventId
    kind: feedback.Kind


class SaidWithNote(Said):
    note: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="What was learned, for oneself."
    )


class FeedbackQuery(Paging):
    kind: feedback.Kind | None = None


@router.get(
    "",
    operation_id="list_feedback",
    summary="List what I said of events",
    response_model=shapes.SaidList,
    responses=declared(401, 403, 422),
)
async def list_feedback(
    request: Request, asked: Annotated[FeedbackQuery, Query()], session: Reading, me: ReadingPerson
) -> Response:
    """Newest first: what I saved, what I am going to, what is not for me."""
    beside = read_beside(asked.cursor)
    found = await feedback.given(session, me, kind=asked.kind, beside=beside, limit=asked.limit + 1)
    part = page_beside(found, asked, beside)
    rows = [
        {"event": event_name(event), "kind": said.kind, "note": said.note, "given_at": said.given_at.isoformat()}
        for said, event in part.shown
    ]
    count, last_at = await feedback.all_given(session, me, kind=asked.kind)
    page = Listing(rows=rows, count=count, updated_at=last_at, **part.cursors(lambda one: one[0].id or 0))
    return list_answer(request, page, cache=PRIVATE)


@router.post(
    "",
    operation_id="give_feedback",
    dependencies=[NO_PARAMETERS],
    summary="Say something of an event",
    response_model=shapes.FeedbackAnswer,
    responses=declared(400, 401, 403, 404, 413, 415, 422),
)
async def give_feedback(
    request: Request, sent: SaidWithNote, session: Writing, me: WritingPerson, now: Now
) -> Response:
    """`changed` says in words what it changed. Said twice, “too close” or “too far” moves the reach by one step."""
    event = await found_event(session, sent.event)
    changed = await opinions.say(session, me, event, sent.kind, note=sent.note, now=now)
    said = {"event": event.key, "kind": sent.kind, "note": sent.note}
    return changed_answer(request, me, said, changed)


class Undone(BaseModel):
    model_config = ConfigDict(extra="forbid")

    event: EventId | None = None
    kind: feedback.Kind | None = None


@router.delete(
    "",
    operation_id="take_feedback_back",
    summary="Take it back",
    response_model=shapes.FeedbackAnswer,
    responses=declared(400, 401, 403, 404, 413, 415, 422),
)
async def take_feedback_back(
    *,
    request: Request,
    asked: Annotated[Undone, Query()],
    session: Writing,
    me: WritingPerson,
    now: Now,
    sent: Said | None = None,
) -> Response:
    """Undoes what was said: `?event=…&kind=…`, or the same in a body where nothing on the way drops it."""
    said = named(Said, asked, sent)
    event = await found_event(session, said.event)
    changed = await opinions.take_back(session, me, event, said.kind, now=now)
    if changed is None:
        raise Problem(404, f"nothing like {said.kind!r} was said of this event")
    return changed_answer(request, me, {"event": event.key, "kind": said.kind, "note": None}, changed)
