"""What a request has open, and who it comes from: settings, one session a request, a person, an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.doors import session_cookie
from app.api.problems import Problem
from app.api.uses import Uses
from app.db import Database
from app.models import Person, Token
from app.people import tokens
from app.settings import Settings

OPERATING = "operator"  # the scope of sessions that may operate
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="adjacent"'}  # RFC 6750 §3
INVALID = {"WWW-Authenticate": 'Bearer realm="adjacent", error="invalid_token"'}  # RFC 6750 §3.1


def settings_of(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def database_of(request: Request) -> Database:
    return cast("Database", request.app.state.database)


async def _reading(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).reading() as session:
        yield session


async def _writing(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).writing() as session:
        yield session


# Coroutines, although they wait for nothing: FastAPI hands plain functions to a thread, at 50 µs each.
async def _settings(request: Request) -> Settings:
    return settings_of(request)


async def _database(request: Request) -> Database:
    return database_of(request)


async def _now(request: Request) -> datetime:
    return settings_of(request).now()


Chosen = Annotated[Settings, Depends(_settings)]
Data = Annotated[Database, Depends(_database)]
Now = Annotated[datetime, Depends(_now)]
# Of "function" scope: what was written is committed before the answer leaves, and a failed commit is an error.
Reading = Annotated[AsyncSession, Depends(_reading, scope="function")]
Writing = Annotated[AsyncSession, Depends(_writing, scope="function")]


def _bearer(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _shown(request: Request) -> tuple[str, tuple[str, ...]] | None:
    """Return the secret a request shows, a Bearer token or else the session cookie, and the kinds it may be of."""
    if secret := _bearer(request):
        return secret, ("api", "session", "operator")
    cookie = request.cookies.get(session_cookie(settings_of(request).base_url))
    return (cookie, ("session",)) if cookie else None


async def token_of(request: Request, session: AsyncSession) -> Token | None:
    """Return the token of whoever asks, or None for a stranger."""
    shown = _shown(request)
    if shown is None:
        return None
    secret, kinds = shown
    token = await tokens.find(session, secret, *kinds)
    if token is not None:
        uses: Uses = request.app.state.uses
        uses.note(token, datetime.now(UTC))
    return token


def stranger(request: Request, wanted: str) -> Problem:
    """Return the answer to who shows no token, or one that is of no use, and says which: apps ask again or sign in."""
    if _bearer(request):
        return Problem(401, f"this token is unknown, revoked or too old; {wanted}", headers=INVALID)
    return Problem(401, wanted, headers=CHALLENGE)


async def required(request: Request, session: AsyncSession, *scopes: str) -> Person:
    token = await token_of(request, session)
    if token is None:
        raise stranger(request, "send a person's API token as `Authorization: Bearer …`; POST /api/v1/me makes one")
    person = await session.get(Person, token.person_id) if token.person_id is not None else None
    if person is None:
        raise Problem(403, "this token is nobody's own; send a person's; POST /api/v1/me makes one")
    missing = [scope for scope in scopes if scope not in tokens.scopes_of(token)]
    if missing:
        named = " ".join(scopes)
        challenge = f'Bearer realm="adjacent", error="insufficient_scope", scope="{named}"'  # RFC 6750 §3.1
        raise Problem(
            403,
            f"this token is not for that: it lacks {', '.join(missing)}",
            kind="insufficient-scope",
            headers={"WWW-Authenticate": challenge},
        )
    return person


async def _reader(request: Request, session: Reading) -> Person:
    return await required(request, session, "read")


async def _writer(request: Request, session: Writing) -> Person:
    return await required(request, session, "write")


async def _feed_writer(request: Request, session: Writing) -> Person:
    return await required(request, session, "feeds")


async def _owner(request: Request, session: Writing) -> Person:
    return await required(request, session, *tokens.SCOPES)


ReadingPerson = Annotated[Person, Depends(_reader)]
WritingPerson = Annotated[Person, Depends(_writer)]
FeedWritingPerson = Annotated[Person, Depends(_feed_writer)]
# Whoever may do everything may also hand out tokens and delete the person: no token makes a mightier one.
Owner = Annotated[Person, Depends(_owner)]


def is_operator(token: Token | None) -> bool:
    """Whether a token is an operator's, or the session of a browser that signed in as one."""
    return token is not None and (token.kind == "operator" or (token.kind == "session" and OPERATING in token.scopes))


async def _operator(request: Request) -> Token:
    async with database_of(request).reading() as session:
        token = await token_of(request, session)
    if token is None:
        raise stranger(request, "send an operator token; `adjacent tokens create` makes one")
    if not is_operator(token):
        raise Problem(403, "this needs an operator token; `adjacent tokens create` makes one")
    return token


Operator = Depends(_operator)
OperatorToken = Annotated[Token, Operator]
