"""/me/tokens: what opens a person's corner, made with scopes, listed, taken away."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Owner, Reading, ReadingPerson, Writing
from app.api.answers import NO_PARAMETERS, PRIVATE, Listing, Name, Nothing, list_answer, newest, private
from app.api.json_bodies import JsonRoute
from app.api.problems import Problem, declared
from app.api.shapes import tokens as shapes
from app.people import tokens

router = APIRouter(prefix="/api/v1/me/tokens", tags=["me"], route_class=JsonRoute)

KINDS = ("api", "session")
MOST = 50  # a person's tokens that work

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")]


class NewToken(BaseModel):
    model_config = ConfigDict(extra="forbid")

    label: Name = Field(examples=["My calendar page"])
    scopes: Annotated[list[Literal["read", "write", "feeds"]], Field(min_length=1, max_length=3)]
    days: (
        Annotated[int, Field(strict=True, ge=1, le=3650, description="How long it lives; for ever if not given.")]
        | None
    ) = None


@router.get(
    "",
    operation_id="list_tokens",
    summary="List my tokens and sessions",
    response_model=shapes.TokenList,
    responses=declared(401, 403, 422),
)
async def list_tokens(
    request: Request, _: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson
) -> Response:
    """Those that work. When one was last used is told to the day."""
    rows = await tokens.all_tokens(session, *KINDS, person_id=me.id)
    return list_answer(
        request,
        Listing(rows=rows, count=len(rows), updated_at=newest(rows, "created_at", "last_used_at")),
        cache=PRIVATE,
    )


@router.post(
    "",
    operation_id="make_token",
    dependencies=[NO_PARAMETERS],
    summary="Make an API token",
    status_code=201,
    response_model=shapes.NewTokenAnswer,
    responses=declared(400, 401, 403, 409, 413, 415, 422),
)
async def make_token(sent: NewToken, session: Writing, me: Owner) -> Response:
    """`read` shows, `write` changes the profile and gives feedback, `feeds` makes calendars. It is shown once."""
    if len(await tokens.all_tokens(session, *KINDS, person_id=me.id)) >= MOST:
        raise Problem(409, f"a person has at most {MOST} tokens; delete one first")
    scopes = [scope for scope in tokens.SCOPES if scope in sent.scopes]
    lives = timedelta(days=sent.days) if sent.days is not None else None
    secret = await tokens.issue(session, "api", person_id=me.id, label=sent.label, scopes=scopes, lives=lives)
    made = await tokens.find_any(session, secret, "api")
    assert made is not None
    return private({"data": tokens.token_json(made) | {"token": secret}}, status=201)


@router.delete(
    "/{id}",
    operation_id="delete_token",
    summary="End a token or session",
    status_code=204,
    responses=declared(401, 403, 404, 422),
)
async def delete_token(id: Id, _: Annotated[Nothing, Query()], session: Writing, me: Owner) -> Response:  # noqa: A002
    token = await tokens.called(session, id, person_id=me.id)
    if token is None or token.kind not in KINDS or token.revoked_at is not None:
        raise Problem(404, f"you have no token with the id {id!r}")
    tokens.end(token)
    return Response(status_code=204)
