"""/me: a person's profile, what they know, their picks and their map. Without an address one is a guest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.background import BackgroundTask

from app.api.access import Chosen, Now, Owner, Reading, ReadingPerson, Writing, WritingPerson
from app.api.answers import NO_PARAMETERS, PRIVATE, Listing, Nothing, list_answer, private
from app.api.conditional import require_match, tag_of
from app.api.events import found_event, moved
from app.api.json_bodies import JsonRoute
from app.api.limits import at_most
from app.api.mistakes import in_body
from app.api.naming import known_topics, spot_named
from app.api.problems import declared
from app.api.profile import Knowledge, Profile
from app.api.shapes.people import PersonAnswer, TopicMapAnswer
from app.api.shapes.picks import Slate, StandingAnswer
from app.api.shapes.sign_in import GuestAnswer
from app.api.spoken import grounds_told, told_in, wording_asked
from app.calendars import feeds
from app.mail import mailer
from app.models import Person
from app.people import export, people
from app.picking import left_out, slates, topic_map
from app.queries.listing import with_topics
from app.words.retelling import retold
from app.words.wording import Wording

router = APIRouter(prefix="/api/v1/me", tags=["me"], route_class=JsonRoute)

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
    responses=declared(400, 401, 403, 412, 413, 415, 422),
)
async def change_me(request: Request, sent: Profile, session: Writing, me: WritingPerson, now: Now) -> Response:
    """What is not sent stays as it is. This week's picks are made anew.

    With `If-Match: ETAG` of `GET` or of the last change, only while nothing else changed it (412).
    """
    await _as_it_was_seen(request, session, me)
    _apply(me, sent)
    me.profile_version += 1
    await feeds.renew(session, me, now=now)
    changed = private({"data": await people.person_json(session, me)})
    changed.headers["ETag"] = f'"{tag_of(bytes(changed.body))}"'  # for the next change, without asking in between
    return changed


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
    responses=declared(400, 401, 403, 412, 413, 415, 422),
)
async def set_expertise(request: Request, sent: Knowledge, session: Writing, me: WritingPerson, now: Now) -> Response:
    """Replaces what was known before; other fields only where they are sent. This week's picks are made anew.

    With `If-Match: ETAG` of `GET`, only while nothing else changed it (412).
    """
    await _as_it_was_seen(request, session, me)
    known = known_topics(sent.know)
    _apply(me, sent)
    await people.set_expertise(session, me, known)
    await feeds.renew(session, me, now=now)
    return private({"data": await people.person_json(session, me)})


async def _as_it_was_seen(request: Request, session: AsyncSession, me: Person) -> None:
    """Answer 412 where the profile is no longer as `If-Match` names it."""
    if (asked := request.headers.get("if-match")) is not None:
        await session.refresh(me, with_for_update=True)
        require_match(asked, bytes(private({"data": await people.person_json(session, me)}).body))


class SlateQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    left_out: bool = Field(
        False, description="Also which events I could go to were left out, and why (`meta.left_out`)."
    )


def _apply(person: Person, sent: Profile) -> None:
    given = sent.model_fields_set
    if "near" in given:
        people.settle(person, spot_named(sent.near, in_body("near")) if sent.near is not None else None)
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
    shown, wording = await slates.current(session, me, now=now), wording_asked(request, me)
    rows = [grounds_told(one.as_json(), wording) for one in shown]
    meta: dict[str, Any] = {"week": slates.iso_week(now)}
    if asked.left_out:
        wish = await slates.wish_of(session, me, now=now)
        others = await left_out.left_out(session, wish, {one.listed.event.id for one in shown}, now=now)
        meta["left_out"] = [one.as_json() | {"sentence": retold(one.why.sentence, wording)} for one in others]
    updated_at = max((one.listed.event.updated_at for one in shown), default=None)
    page = Listing(rows=rows, count=len(rows), updated_at=updated_at, more_meta=meta)
    return list_answer(request, page, cache=PRIVATE, headers=told_in(wording))


@router.get(
    "/recommendations/{id}",
    operation_id="show_standing",
    summary="Show why an event is among my picks, or why not",
    response_model=StandingAnswer,
    responses=declared(401, 403, 404, 422),
)
async def show_standing(
    request: Request,
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
    found, wording = await left_out.standing(session, me, listed, now=now), wording_asked(request, me)
    return private({"data": {"event": event.key, **_standing_told(found, wording)}}, headers=told_in(wording))


def _standing_told(standing: left_out.Standing, wording: Wording) -> dict[str, Any]:
    told = standing.as_json()
    if told["pick"] is not None:
        told["pick"] = grounds_told(told["pick"], wording)
    if standing.barrier is not None:
        told["left_out"]["sentence"] = retold(standing.barrier.sentence, wording)
    return told


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
