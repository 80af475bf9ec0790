"""/sign-in: a mail with a link and a code, either of which opens a session; /sign-out ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from starlette.background import BackgroundTask

from app.account import signing
from app.api.access import CHALLENGE, Chosen, Data, Now, Writing, settings_of, token_of
from app.api.answers import NO_PARAMETERS, Nothing, answer
from app.api.doors import session_cookie
from app.api.json_bodies import JsonRoute
from app.api.limits import at_most
from app.api.mistakes import told
from app.api.problems import Problem, declared
from app.api.shapes import sign_in as shapes
from app.mail import mailer
from app.mail.message import Message
from app.people import tokens
from app.settings import Settings
from app.words.wording import preferred, wording_for

router = APIRouter(prefix="/api/v1", tags=["sign-in"], route_class=JsonRoute)

log = structlog.get_logger()

# From one address of the network. To one mail address go at most signing.AN_HOUR, which nobody is told.
ASKED_AN_HOUR = 60
CONFIRMED_AN_HOUR = 120


Email = Annotated[
    str,
    Field(max_length=320, examples=["ada@example.org"], json_schema_extra={"format": "email"}),
    AfterValidator(signing.normal_address),
]


class Asking(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email


@router.post(
    "/sign-in",
    operation_id="ask_to_sign_in",
    summary="Ask for a sign-in mail",
    status_code=202,
    response_model=shapes.AskedAnswer,
    responses=declared(400, 403, 413, 415, 422, 429),
    dependencies=[NO_PARAMETERS, Depends(at_most(ASKED_AN_HOUR, "sign-in"))],
)
async def ask_to_sign_in(request: Request, sent: Asking, session: Writing, chosen: Chosen) -> Response:
    """The answer is the same for every address. The mail holds a link and a six-digit code, good for 15 minutes.

    It speaks the language of `Accept-Language`.
    """
    asked = await signing.ask(session, sent.email, chosen)
    content = {"data": {"expires_in": int(signing.LIVES.total_seconds())}}
    accepted = answer(content, status=202, cache="no-store")
    if asked is not None:
        accepted.background = BackgroundTask(
            deliver, signing.mail_for(asked, chosen, wording_for(_language(request))), chosen
        )
    return accepted


def _language(request: Request) -> str | None:
    return preferred(request.headers.get("accept-language", ""))


async def deliver(message: Message, settings: Settings) -> None:
    """Send a mail after the answer has left: who waits learns neither how long that takes nor whether it works."""
    try:
        await mailer.send(message, settings)
    except mailer.Undelivered as error:
        log.warning("mail not sent", why=str(error), is_permanent=error.is_permanent)


Code = Annotated[
    str, Field(pattern=r"^\s*\d{3}\s?\d{3}\s*$", examples=["123456"]), told("is no code of six digits, e.g. 123456")
]


class Confirming(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email | None = None
    code: Code | None = None
    token: Annotated[str, Field(max_length=100, description="The last part of the link.")] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Confirming:
        by_code = self.email is not None and self.code is not None
        if by_code == (self.token is not None) or (self.email is None) != (self.code is None):
            raise ValueError("send `email` and `code`, or `token`")
        return self


@router.post(
    "/sign-in/confirm",
    operation_id="confirm_sign_in",
    summary="Sign in with the mail's code or link",
    response_model=shapes.SignedInAnswer,
    responses=declared(400, 403, 413, 415, 422, 429),
    dependencies=[NO_PARAMETERS, Depends(at_most(CONFIRMED_AN_HOUR, "sign-in confirm"))],
)
async def confirm_sign_in(request: Request, sent: Confirming, database: Data, chosen: Chosen, now: Now) -> Response:
    """`token` in the answer is a Bearer token for 30 days. A guest's token sent along makes the guest this person.

    The guest's own tokens end with it; calendars keep their addresses.
    """
    async with database.writing() as session:  # wrong codes are counted, so that what fails is committed, too
        presented = await token_of(request, session)
        if sent.token is not None:
            used = await signing.use_link(session, sent.token)
        else:
            code = "".join((sent.code or "").split())
            used = await signing.use_code(session, sent.email or "", code, chosen)
        entered = (
            await signing.enter(session, used, presented, now=now, language=_language(request))
            if used is not None
            else None
        )
    if entered is None:
        raise Problem(403, "the link or the code is wrong, used up or too old", kind="sign-in-failed")
    return answer({"data": _told(entered)}, cache="no-store")


def _told(entered: signing.Entered) -> dict[str, Any]:
    return {
        "id": entered.person.key if entered.person is not None else None,
        "token": entered.secret,
        "expires_at": entered.expires_at.isoformat(),
        "merged": entered.has_merged,
    }


@router.post(
    "/sign-out",
    operation_id="sign_out",
    summary="End my session",
    status_code=204,
    responses=declared(401, 403, 409, 422),
)
async def sign_out(request: Request, _: Annotated[Nothing, Query()], session: Writing) -> Response:
    token = await token_of(request, session)
    if token is None:
        raise Problem(401, "there is no session to end", headers=CHALLENGE)
    if token.kind != "session":
        raise Problem(409, "this is no session; API tokens end by DELETE /api/v1/me/tokens/{id}")
    tokens.end(token)
    ended = Response(status_code=204)
    forget_session(ended, settings_of(request).base_url)
    return ended


def remember_session(response: Response, secret: str, base_url: str, *, lives: timedelta = signing.SESSION) -> None:
    """Give a browser the session as a cookie no script can read and no other site can make it send along in writes."""
    response.set_cookie(
        session_cookie(base_url),
        secret,
        max_age=int(lives.total_seconds()),
        httponly=True,
        secure=base_url.startswith("https://"),
        samesite="lax",
    )


def forget_session(response: Response, base_url: str) -> None:
    response.delete_cookie(
        session_cookie(base_url), httponly=True, secure=base_url.startswith("https://"), samesite="lax"
    )
