"""/me/takeaways: what I brought back from an evening, for myself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Now, Reading, ReadingPerson, Writing, WritingPerson
from app.api.answers import NO_PARAMETERS, Nothing, private
from app.api.events import found_event
from app.api.json_bodies import JsonRoute
from app.api.mistakes import in_body
from app.api.naming import topic_meant, topics_named
from app.api.problems import Problem, declared
from app.api.shapes import takeaways as shapes
from app.api.spoken import changed_answer
from app.calendars import feeds
from app.people import takeaways
from app.queries.event_forms import event_json

router = APIRouter(prefix="/api/v1/me/takeaways", tags=["me"], route_class=JsonRoute)

EventId = Annotated[str, Path(pattern=r"^[a-z0-9]{1,32}$", examples=["k5xw2v3nqt7mzb4c"])]
Note = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]


class Brought(BaseModel):
    model_config = ConfigDict(extra="forbid")

    learned: Note = Field("", description="What did you learn?", examples=["Big letters are set from the middle."])
    to_tell: Note = Field("", description="Whom do you want to tell?")
    would_go_again: Annotated[bool, Field(strict=True)] | None = None
    topic: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]+$")] | None = Field(
        None, description="What you now know a little of; it joins your map.", examples=["Typography"]
    )


@router.get(
    "",
    operation_id="list_takeaways",
    summary="What I brought back, and one question",
    response_model=shapes.Takeaways,
    responses=declared(401, 403, 422),
)
async def list_takeaways(_: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson, now: Now) -> Response:
    """`question` names the last evening you went to and said nothing of, or null."""
    asked = await takeaways.question(session, me, now=now)
    question = asked and {
        "event": event_json(asked),
        "topics": await takeaways.offered(session, asked.event),
    }
    return private({"data": await takeaways.told(session, me), "question": question})


@router.put(
    "/{event}",
    operation_id="tell_takeaway",
    dependencies=[NO_PARAMETERS],
    summary="Tell what I brought back",
    response_model=shapes.TakeawayAnswer,
    responses=declared(400, 401, 403, 404, 413, 415, 422),
)
async def tell_takeaway(
    *, request: Request, event: EventId, sent: Brought, session: Writing, me: WritingPerson, now: Now
) -> Response:
    """Replaces what was told before. An empty body says: asked, and nothing to tell."""
    found = await found_event(session, event)
    await takeaways.ask(session, me, found)
    changed = []
    if sent != Brought():
        with topics_named(lambda _: in_body("topic")):
            topic = topic_meant(sent.topic).label if sent.topic else None
        changed = await takeaways.tell(session, me, found, **sent.model_dump() | {"topic": topic})
        await feeds.renew(session, me, now=now)
    return changed_answer(request, me, {"event": found.key}, changed)


@router.delete(
    "/{event}",
    operation_id="take_takeaway_back",
    summary="Forget it",
    response_model=shapes.TakeawayAnswer,
    responses=declared(401, 403, 404, 422),
)
async def take_takeaway_back(
    request: Request, event: EventId, _: Annotated[Nothing, Query()], session: Writing, me: WritingPerson, now: Now
) -> Response:
    found = await found_event(session, event)
    changed = await takeaways.take_back(session, me, found)
    if changed is None:
        raise Problem(404, "nothing was told of this event")
    await feeds.renew(session, me, now=now)
    return changed_answer(request, me, {"event": found.key}, changed)
