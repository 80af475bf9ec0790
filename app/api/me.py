"""/me: a person's profile, what they know, their picks and their map. Without an address one is a guest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from app.api.access import Chosen, Now, Owner, Reading, ReadingPerson, Writing, WritingPerson
from app.api.answers import NO_PARAMETERS, PRIVATE, Listing, Nothing, list_answer, private
from app.api.events import found_event, moved
from app.api.limits import at_most
from app.api.parameters import spot
from app.api.problems import declared
from app.api.profile import Knowledge, Profile
from app.api.shapes.people import PersonAnswer, TopicMapAnswer
from app.api.shapes.picks import Slate, StandingAnswer
from app.api.shapes.sign_in import GuestAnswer
from app.calendars import feeds
from app.mail import mailer
from app.models import Person
from app.people import export, people
from app.picking import left_out, slates, topic_map
from app.queries.listing import with_topics
from app.topic_names import resolve_known

router = APIRouter(prefix="/api/v1/me", tags=["me"])

EventId = Annotated[str, Path(pattern=r"^[a-z0-9]{1,32}$")]
GUESTS_AN_HOUR = 1000  # from one address: many people may share a proxy's, a script may not fill the database


@router.post(
    "",
    operation_id="make_guest",
    summary="Start as a guest",
    status_code=201,
    response_model=GuestAnswer,
    responses=declared(422, 429),
    dependencies=[Depends(at_most(GUESTS_AN_HOUR, "guests"))],
)
async def make_guest(_: Annotated[Nothing, Query()], session: Writing) -> Response:
    """The token is shown once; send it as `Authorization: Bearer …`."""
    person, token = await people.make_guest(session)
    return private({"data": {"id": person.key, "token": token}}, status=201, headers={"Location": "/api/v1/me"})


@router.get(
    "",
    operation_id="show_me",
    summary="Show my profile",
    response_model=PersonAnswer,
    responses=declared(401, 403, 422),
)
async def show_me(_: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson) -> Response:
    return private({"data": await people.person_json(session, me)})


@router.patch(
    "",
    operation_id="change_me",
    dependencies=[NO_PARAMETERS],
    summary="Change my profile",
    response_model=PersonAnswer,
    responses=declared(400, 401, 403, 413, 415, 422),
)
async def change_me(sent: Profile, session: Writing, me: WritingPerson, now: Now) -> Response:
    """What is not sent stays as it is. This week's picks are made anew."""
    _apply(me, sent)
    me.profile_version += 1
    await feeds.renew(session, me, now=now)
    return private({"data": await people.person_json(session, me)})


@router.delete(
    "",
    operation_id="delete_me",
    summary="Delete me and everything kept about me",
    status_code=204,
    responses=declared(401, 403, 422),
)
async def delete_me(_: Annotated[Nothing, Query()], session: Writing, me: Owner, chosen: Chosen) -> Response:
    """Needs a token with every scope, or a session."""
    deleted = Response(status_code=204)
    if me.email is not None:  # its mails go when the rows are gone
        deleted.background = BackgroundTask(mailer.forget, me.email, chosen)
    await people.delete_person(session, me)
    return deleted


@router.get(
    "/expertise",
    operation_id="show_expertise",
    summary="Show what I know",
    response_model=PersonAnswer,
    responses=declared(401, 403, 422),
)
async def show_expertise(_: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson) -> Response:
    return private({"data": await people.person_json(session, me)})


@router.put(
    "/expertise",
    operation_id="set_expertise",
    dependencies=[NO_PARAMETERS],
    summary="Say what I know",
    response_model=PersonAnswer,
    responses=declared(400, 401, 403, 413, 415, 422),
)
async def set_expertise(sent: Knowledge, session: Writing, me: WritingPerson, now: Now) -> Response:
    """Replaces what was known before; other fields only where they are sent. This week's picks are made anew."""
    known = resolve_known(sent.know)
    _apply(me, sent)
    await people.set_expertise(session, me, known)
    await feeds.renew(session, me, now=now)
    return private({"data": await people.person_json(session, me)})


class SlateQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    left_out: bool = Field(
        False, description="Also which events I could go to were left out, and why (`meta.left_out`)."
    )


def _apply(person: Person, sent: Profile) -> None:
    given = sent.model_fields_set
    if "near" in given:
        people.settle(person, spot(sent.near) if sent.near is not None else None)
    for name in given & {"within_km", "online", "days", "zone", "languages", "purposes", "free_only"}:
        setattr(person, name, getattr(sent, name))
    if "reach" in given:
        person.reach, person.reach_chosen_at = sent.reach, datetime.now(UTC)


@router.get(
    "/recommendations",
    operation_id="show_picks",
    summary="Show my picks of this week",
    response_model=Slate,
    responses=declared(401, 403, 422),
)
async def show_picks(
    request: Request, asked: Annotated[SlateQuery, Query()], session: Reading, me: ReadingPerson, now: Now
) -> Response:
    """The same picks on every channel, for the whole ISO week; profile, feedback and cancellations change them."""
    shown = await slates.current(session, me, now=now)
    rows = [one.as_json() for one in shown]
    meta: dict[str, Any] = {"week": slates.iso_week(now)}
    if asked.left_out:
        wish = await slates.wish_of(session, me, now=now)
        others = await left_out.left_out(session, wish, {one.listed.event.id for one in shown}, now=now)
        meta["left_out"] = [one.as_json() for one in others]
    return list_answer(request, Listing(rows=rows, count=len(rows), more_meta=meta), cache=PRIVATE)


@router.get(
    "/recommendations/{id}",
    operation_id="show_standing",
    summary="Show why an event is among my picks, or why not",
    response_model=StandingAnswer,
    responses=declared(401, 403, 404, 422),
)
async def show_standing(
    id: EventId,  # noqa: A002
    _: Annotated[Nothing, Query()],
    session: Reading,
    me: ReadingPerson,
    now: Now,
) -> Response:
    """`week` tells when it was shown to me; without it, `pick` is what speaks for it, or `left_out` what does not."""
    event = await found_event(session, id)
    (listed,) = await with_topics(session, [event])
    if listed.merged_into is not None:
        return moved(f"/api/v1/me/recommendations/{listed.merged_into}", PRIVATE)
    found = await left_out.standing(session, me, listed, now=now)
    return private({"data": {"event": event.key, **found.as_json()}})


@router.get(
    "/map",
    operation_id="show_map",
    summary="Show the topics around what I know",
    response_model=TopicMapAnswer,
    responses=declared(401, 403, 422),
)
async def show_map(_: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson, now: Now) -> Response:
    """What I know, the topics with events I could go to within my reach (`ring`), and those beyond (`far`)."""
    wish = await slates.wish_of(session, me, now=now)
    found = await topic_map.topic_map(session, wish, now=now)
    return private({"data": found.as_json()})


@router.get(
    "/export",
    operation_id="export_me",
    summary="Everything kept about me",
    responses=declared(401, 403, 422),
)
async def export_me(_: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson) -> Response:
    return private({"data": await export.export(session, me)})
