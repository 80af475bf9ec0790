"""Who looks at a page: the person behind the session, if any, the language they read, and what they are still to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, unquote

import orjson
from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Reading, is_operator, settings_of, token_of
from app.models import Person, Token
from app.words.wording import Wording, preferred, wording_for

LANGUAGE_COOKIE = "language"
A_YEAR = 365 * 24 * 3600  # seconds
NOTICE_COOKIE = "notice"
LONGEST_NOTICE = 2500  # bytes: browsers keep 4,096 a cookie, and quoting adds to it
UNSTORED = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Notice:
    """What an action did, told on the page that follows it."""

    sentences: tuple[str, ...]
    is_good: bool = True
    undo: tuple[tuple[str, str], ...] = ()  # the fields that take it back; `action` says where to

    def as_json(self) -> dict[str, Any]:
        return {"sentences": self.sentences, "is_good": self.is_good, "undo": self.undo}


@dataclass(frozen=True, slots=True)
class Visit:
    request: Request
    token: Token | None
    person: Person | None  # belongs to a session that only reads
    wording: Wording
    notice: Notice | None

    @property
    def is_operator(self) -> bool:
        return is_operator(self.token)

    @property
    def is_known(self) -> bool:
        """Whether an address stands behind the session; without one somebody is a guest."""
        return self.person is not None and self.person.email is not None


async def visit_of(request: Request, session: AsyncSession) -> Visit:
    token = await token_of(request, session)
    person = None
    if token is not None and token.kind == "session" and token.person_id is not None:
        person = await session.get(Person, token.person_id)
    language = (
        (person.language if person is not None else None)
        or request.cookies.get(LANGUAGE_COOKIE)
        or preferred(request.headers.get("accept-language", ""))
    )
    return Visit(request, token, person, wording_for(language), _read_notice(request.cookies.get(NOTICE_COOKIE)))


async def _visiting(request: Request, session: Reading) -> Visit:
    return await visit_of(request, session)


Visiting = Annotated[Visit, Depends(_visiting)]


def led_on(
    request: Request,
    address: str,
    *sentences: str,
    is_good: bool = True,
    undo: Sequence[tuple[str, str]] = (),
) -> RedirectResponse:
    """Answer a form by leading to a page, which tells these sentences once (so that a reload repeats nothing)."""
    answer = RedirectResponse(address, 303, headers=UNSTORED)
    if sentences:
        while sentences and len(_written(sentences, is_good, undo)) > LONGEST_NOTICE:
            sentences = sentences[:-1]
        answer.set_cookie(
            NOTICE_COOKIE,
            _written(sentences, is_good, undo),
            max_age=60,
            httponly=True,
            samesite="strict",
            secure=settings_of(request).base_url.startswith("https://"),
        )
    return answer


def forget_notice(answer: Response) -> None:
    answer.delete_cookie(NOTICE_COOKIE, httponly=True, samesite="strict")


def _written(sentences: Sequence[str], is_good: bool, undo: Sequence[tuple[str, str]]) -> str:
    return quote(orjson.dumps(Notice(tuple(sentences), is_good, tuple(undo)).as_json()), safe="")


def _read_notice(cookie: str | None) -> Notice | None:
    if not cookie:
        return None
    try:
        told = orjson.loads(unquote(cookie))
        undo = tuple((str(name), str(value)) for name, value in told["undo"])
        return Notice(tuple(map(str, told["sentences"])), bool(told["is_good"]), undo)
    except (ValueError, KeyError, TypeError):  # whatever a browser sends under this name
        return None


def own_path(address: str, otherwise: str = "/") -> str:
    """Return an address of this site as it was sent along in a form, or another where it leads elsewhere."""
    is_own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_own else otherwise
