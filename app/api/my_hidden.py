"""/me/hidden: the topics and communities I never want picks of, and showing them again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from app import opinions
from app.api.access import Now, Reading, ReadingPerson, Writing, WritingPerson
from app.api.answers import NO_PARAMETERS, PRIVATE, Listing, Nothing, Text, list_answer, newest
from app.api.json_bodies import JsonRoute
from app.api.mistakes import Part, in_address, in_body
from app.api.naming import topic_meant, topics_named
from app.api.problems import Problem, declared, unfit
from app.api.shapes import opinions as shapes
from app.api.spoken import changed_answer
from app.api.undoing import named
from app.people import hiding

router = APIRouter(prefix="/api/v1/me/hidden", tags=["me"], route_class=JsonRoute)


class Hiding(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: hiding.Kind
    subject: Annotated[
        Text,
        Field(min_length=1, description="A topic's label or slug, or a community's id.", examples=["Typography"]),
    ]


@router.get(
    "",
    operation_id="list_hidden",
    summary="List what I hide",
    response_model=shapes.HiddenList,
    responses=declared(401, 403, 422),
)
async def list_hidden(
    request: Request, _: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson
) -> Response:
    rows = await hiding.all_hidden(session, me)
    return list_answer(
        request, Listing(rows=rows, count=len(rows), updated_at=newest(rows, "hidden_at")), cache=PRIVATE
    )


@router.post(
    "",
    operation_id="hide",
    dependencies=[NO_PARAMETERS],
    summary="Hide a topic or a community",
    response_model=shapes.HidingAnswer,
    responses=declared(400, 401, 403, 413, 415, 422),
)
async def hide(request: Request, sent: Hiding, session: Writing, me: WritingPerson, now: Now) -> Response:
    """Nothing of it is picked for me on any channel, until it is shown again; `changed` says in words what that changed."""
    subject, name = await _named(session, sent, in_body("subject"))
    changed = await opinions.hide(session, me, sent.kind, subject, name, now=now)
    return changed_answer(request, me, {"kind": sent.kind, "subject": subject, "name": name}, changed)


class ShownAgain(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: hiding.Kind | None = None
    subject: Annotated[Text, Field(min_length=1)] | None = None


@router.delete(
    "",
    operation_id="show_again",
    summary="Show it again",
    response_model=shapes.HidingAnswer,
    responses=declared(400, 401, 403, 404, 413, 415, 422),
)
async def show_again(
    *,
    request: Request,
    asked: Annotated[ShownAgain, Query()],
    session: Writing,
    me: WritingPerson,
    now: Now,
    sent: Hiding | None = None,
) -> Response:
    """Undoes hiding: `?kind=…&subject=…`, or the same in a body where nothing on the way drops it."""
    hidden = named(Hiding, asked, sent)
    subject = hidden.subject
    # What it is called by now need not be known any more: what was hidden can always be shown again.
    if subject not in await hiding.hidden_by(session, me, hidden.kind):
        subject, _ = await _named(session, hidden, in_body("subject") if sent is not None else in_address("subject"))
    name = await hiding.name_of(session, hidden.kind, subject) or subject
    changed = await opinions.show_again(session, me, hidden.kind, subject, name, now=now)
    if changed is None:
        raise Problem(404, f"you do not hide {name}")
    return changed_answer(request, me, {"kind": hidden.kind, "subject": subject, "name": name}, changed)


async def _named(session: AsyncSession, sent: Hiding, part: Part) -> tuple[str, str]:
    """Return what is stored of a subject and the name people know it by; raises the Problem for what nobody knows."""
    with topics_named(lambda _: part):
        subject = topic_meant(sent.subject).slug if sent.kind == "topic" else sent.subject
    name = await hiding.name_of(session, sent.kind, subject)
    if name is None:
        raise unfit(part, f"no community has the id {sent.subject!r}")
    return subject, name
