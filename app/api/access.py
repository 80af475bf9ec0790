"""What a request has open, and who it comes from: settings, one session a request, a person, an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from app import tokens
from app.api.doors import session_cookie
from app.api.problems import Problem
from app.db import Database
from app.models import Person, Token
from app.settings import Settings

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="adjacent"'}  # RFC 6750 §3


def settings_of(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def database_of(request: Request) -> Database:
    return cast("Database", request.app.state.database)


def now_of(request: Request) -> datetime:
    return settings_of(request).now()


async def _reading(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).reading() as session:
        yield session


async def _writing(request: Request) -> AsyncIterator[AsyncSession]:
    async with database_of(request).writing() as session:
        yield session


Chosen = Annotated[Settings, Depends(settings_of)]
Data = Annotated[Database, Depends(database_of)]
Now = Annotated[datetime, Depends(now_of)]
# Of "function" scope: what was written is committed before the answer leaves, and a failed commit is an error.
Reading = Annotated[AsyncSession, Depends(_reading, scope="function")]
Writing = Annotated[AsyncSession, Depends(_writing, scope="function")]


def secret_of(request: Request) -> str | None:
    """Return the secret a request shows: a Bearer token, else the session cookie."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return request.cookies.get(session_cookie(settings_of(request).base_url))


async def token_of(request: Request, session: AsyncSession) -> Token | None:
    """Return the token of whoever asks, or None for a stranger."""
    secret = secret_of(request)
    return await tokens.find(session, secret, "api", "session", "operator") if secret else None


async def person_of(request: Request, session: AsyncSession) -> Person | None:
    token = await token_of(request, session)
    return await session.get(Person, token.person_id) if token and token.person_id is not None else None


async def _required(request: Request, session: AsyncSession) -> Person:
    person = await person_of(request, session)
    if person is None:
        raise Problem(
            401, "send a person's API token as `Authorization: Bearer …`; POST /api/v1/me makes one", headers=CHALLENGE
        )
    return person


async def _reader(request: Request, session: Reading) -> Person:
    return await _required(request, session)


async def _writer(request: Request, session: Writing) -> Person:
    return await _required(request, session)


ReadingPerson = Annotated[Person, Depends(_reader)]
WritingPerson = Annotated[Person, Depends(_writer)]


def is_operator(token: Token | None) -> bool:
    return token is not None and (token.kind == "operator" or "operator" in token.scopes)


async def _operator(request: Request) -> None:
    async with database_of(request).reading() as session:
        token = await token_of(request, session)
    if token is None:
        raise Problem(401, "send an operator token; `adjacent tokens create` makes one", headers=CHALLENGE)
    if not is_operator(token):
        raise Problem(403, "this needs an operator token; `adjacent tokens create` makes one")


Operator = Depends(_operator)
