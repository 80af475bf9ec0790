"""/me/digest: whether and when the weekly mail comes, and where to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AfterValidator, Field
from starlette.background import BackgroundTask

from app.account import address_change, signing
from app.api.access import Chosen, Reading, ReadingPerson, Writing, WritingPerson
from app.api.answers import NO_PARAMETERS, Nothing, private
from app.api.json_bodies import JsonRoute
from app.api.problems import Problem, declared
from app.api.profile import Change
from app.api.shapes import people as shapes
from app.api.sign_in import deliver
from app.mail import subscription as subscriptions
from app.words.wording import LANGUAGES, wording_for

router = APIRouter(prefix="/api/v1/me/digest", tags=["me"], route_class=JsonRoute)


class DigestChange(Change):
    """A part of what is wanted: what is not sent stays as it is."""

    rhythm: subscriptions.Rhythm = Field(
        "weekly",
        description="`worthwhile`: only when something is really worth it. `off` ends it.",
        examples=["fortnightly"],
    )
    weekday: int = Field(2, ge=1, le=7, strict=True, description="1 is Monday, in your zone.")
    hour: int = Field(8, ge=0, le=23, strict=True, description="In your zone.")
    pause_weeks: int = Field(
        0, ge=0, le=subscriptions.LONGEST_PAUSE, strict=True, description="Weeks without a mail from now; 0 resumes."
    )
    language: Literal[LANGUAGES] = Field("en", description="Of mails and pages.")  # type: ignore[valid-type]
    email: Annotated[str, Field(max_length=320), AfterValidator(signing.normal_address)] | None = Field(
        None, description="Another address. It counts once the link in the mail to it was used."
    )


@router.get(
    "",
    operation_id="show_digest",
    summary="Show how I get the weekly mail",
    response_model=shapes.SubscriptionAnswer,
    responses=declared(401, 403, 422),
)
async def show_digest(_: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson) -> Response:
    return private({"data": await subscriptions.subscription_json(session, me, clock=datetime.now(UTC))})


@router.patch(
    "",
    operation_id="change_digest",
    dependencies=[NO_PARAMETERS],
    summary="Say how I want the weekly mail",
    response_model=shapes.SubscriptionAnswer,
    responses=declared(400, 401, 403, 409, 413, 415, 422),
)
async def change_digest(sent: DigestChange, session: Writing, me: WritingPerson, chosen: Chosen) -> Response:
    """Mails go to a confirmed address only: one signed in with by mail, or whose confirming link was used.

    `state` says whether they go out. A guest's wish holds from the moment they sign in with an address.
    """
    clock, given = datetime.now(UTC), sent.model_fields_set
    if sent.email is not None and me.email is None:
        raise Problem(409, "a guest has no address yet; POST /api/v1/sign-in with this token gives you one")
    if "language" in given:
        me.language = sent.language
    wish = {name: getattr(sent, name) for name in given & {"rhythm", "weekday", "hour"}}
    pause = sent.pause_weeks if "pause_weeks" in given else None
    wanted = await subscriptions.ask(session, me, wish, clock=clock, pause_weeks=pause)
    address = sent.email or (subscriptions.unproven(wanted, me) if "rhythm" in given else None)
    asked = await address_change.ask(session, me, address) if address else None
    answer = private({"data": await subscriptions.subscription_json(session, me, clock=clock)})
    if asked is not None:
        answer.background = BackgroundTask(
            deliver, address_change.mail_for(asked, chosen, wording_for(me.language)), chosen
        )
    return answer
