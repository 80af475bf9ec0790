"""Errors for people: where a browser asks for a page, the problem is told as one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import Response

from app.api import embed
from app.api.access import settings_of
from app.web.fault import fault
from app.web.rendering import trouble, visit_now
from app.words.wording import mark

TITLES: Mapping[int, str] = {
    400: mark("That could not be read"),
    401: mark("Please sign in"),
    403: mark("This is for operators"),
    404: mark("Nothing is here"),
    405: mark("This address takes no such request"),
    410: mark("This is gone"),
    413: mark("That was too much at once"),
    422: mark("That does not fit"),
    429: mark("A little slower, please"),
}
WORDS: Mapping[int, str] = {
    401: mark("This page is for the people who run this instance."),
    403: mark("You are signed in, but not as an operator."),
    404: mark("The address is wrong, or what was here has been removed."),
    410: mark("This calendar has a new address, which stands on the page about you. Subscribe to that one."),
}
ELSEWHERE = mark("That came from another site")
Handler = Callable[[Request, Exception], Awaitable[Response]]


def tell_people(app: FastAPI) -> None:
    """Let each handler of errors answer browsers with a page."""
    for kind, handler in list(app.exception_handlers.items()):
        as_page = _as_page if kind is not Exception else _as_fault
        app.add_exception_handler(kind, as_page(cast("Handler", handler)))


def _as_page(handler: Handler) -> Any:
    async def told(request: Request, error: Exception) -> Response:
        answer = await handler(request, error)
        status = answer.status_code
        if not is_for_people(request) or status not in TITLES:
            return answer
        problem = orjson.loads(answer.body)
        if request.url.path == embed.PATH:
            return embed.refusal(status, problem.get("detail", ""), settings_of(request).base_url)
        detail, is_forged = problem.get("detail"), problem["type"] == "/problems/cross-site"
        visit = await visit_now(request)
        known = "" if is_forged else visit.wording.text(WORDS.get(status, ""))
        words = known or (f"{detail[:1].upper()}{detail[1:]}." if detail else "")
        kept = {name: value for name, value in answer.headers.items() if name in ("allow", "retry-after")}
        headers = {**kept, "Cache-Control": "no-store"}
        title = visit.wording.text(ELSEWHERE if is_forged else TITLES[status])
        offers_sign_in = status in (401, 403) and not is_forged
        return await trouble(visit, status, title, words, sign_in=offers_sign_in, headers=headers)

    return told


def _as_fault(handler: Handler) -> Any:
    async def told(request: Request, error: Exception) -> Response:
        # Nothing is asked for this page: what it would need may be what fails.
        return fault() if is_for_people(request) else await handler(request, error)

    return told


def is_for_people(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
