"""How errors are told: RFC 9457 problem details, for every route, method and body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.routing import APIRouter, iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from app.api.mistakes import Mistake, Part, in_body, in_words, mistake_of, names_known
from app.topic_names import UnknownTopic

MEDIA_TYPE = "application/problem+json"

# What a `type` means; `/problems/{name}` says it to people.
KINDS = {
    "invalid-request": "A parameter or a field is unknown, missing or outside its bounds; `errors` names each of them.",
    "unknown-topic": "A label names no topic of the catalogue; `suggestions` holds labels that may have been meant; "
    "`unknown` does so for each label where several name none.",
    "unknown-place": "No city is called so, or several are; `candidates` holds spellings that name one of them.",
    "bad-cursor": "A cursor is no cursor of this list; take it from `links.next` or `links.prev`, with the same `sort`.",
    "not-json": "The body is no JSON in UTF-8.",
    "changed-meanwhile": "What is to be changed is no longer as `If-Match` names it; somebody was there first.",
    "too-many-requests": "More than the limit for one address or person; `Retry-After` says how many seconds to wait.",
    "insufficient-scope": "The token is not for that; `WWW-Authenticate` names the scopes that are needed.",
    "sign-in-failed": "The link or the code is wrong, used up or too old; ask for another one.",
    "needs-sign-in": "This is for people who signed in with an address; guests can, and keep everything.",
    "unreadable-page": "The page could not be fetched, or holds no events that can be read; `code` says why.",
    "replaced-link": "The address of this calendar was replaced by its owner; the new one is in their settings.",
    "cross-site": "A browser sent this write from a page of another site, with a cookie of ours; such writes are refused.",
    "collecting-failed": "The source could not be fetched or read; `code` says why.",
}

router = APIRouter(tags=["about"])


class UnknownLabel(BaseModel):
    label: str
    suggestions: list[str]


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 writes it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[Mistake] | None = Field(None, description="What is wrong, part by part: of every 422.")
    label: str | None = None
    suggestions: list[str] | None = None
    unknown: list[UnknownLabel] | None = None
    candidates: list[str] | None = None
    code: str | None = None


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI declaration of these error answers."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    return {status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}} for status in statuses}


class Problem(Exception):  # noqa: N818 (RFC 9457's own word)
    """An answer that is an error: its status, and a kind of KINDS where there is more to say than the status does."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind, self.headers, self.members = status, detail, kind, headers, members


def unfit(part: Part, message: str, *, kind: str = "invalid-request", **members: Any) -> Problem:
    """Return the 422 that says what is wrong with a part of a request."""
    return Problem(422, message, kind=kind, errors=[part.mistake(message)], **members)


def unknown_topics(error: UnknownTopic, part_of: Callable[[str], Part]) -> Problem:
    """Return the 422 that points to each label that names no topic, with labels that may have been meant."""
    first = next(iter(error.suggestions))
    return Problem(
        422,
        error.told(otherwise="GET /api/v1/topics?q=… finds what there is"),
        kind="unknown-topic",
        errors=[part_of(label).mistake(f"names no topic{_meant(meant)}") for label, meant in error.suggestions.items()],
        label=first,
        suggestions=list(error.suggestions[first]),
        unknown=[{"label": label, "suggestions": list(of)} for label, of in error.suggestions.items()],
    )


def _meant(suggestions: Sequence[str]) -> str:
    return f"; did you mean {', '.join(suggestions)}?" if suggestions else ""


def problem_response(
    status: int,
    detail: str | None,
    *,
    kind: str | None = None,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    assert kind is None or kind in KINDS
    content = {
        "type": f"/problems/{kind}" if kind else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        **({"detail": detail} if detail else {}),
        **(members or {}),
    }
    return Response(
        orjson.dumps(content), status, {"Cache-Control": "no-store", **(headers or {})}, media_type=MEDIA_TYPE
    )


@router.get("/problems/{name}", operation_id="show_problem", include_in_schema=False)
async def show_problem(name: str) -> Response:
    if name not in KINDS:
        raise Problem(404, f"no problem is called {name!r}")
    return PlainTextResponse(f"{name}: {KINDS[name]}\n")


def install(app: FastAPI) -> None:
    """Make every error of an app a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(UnknownTopic, _unknown_topic)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error.status, error.detail, kind=error.kind, headers=error.headers, members=error.members)


async def _unknown_topic(request: Request, error: Exception) -> Response:
    assert isinstance(error, UnknownTopic)
    return await _problem(request, unknown_topics(error, lambda _: in_body("topic")))  # of a form


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if unread := [fault["ctx"]["error"] for fault in faults if fault["type"] == "json_invalid"]:
        return problem_response(400, f"the body is no JSON in UTF-8: {unread[0]}", kind="not-json")
    if any(fault["loc"] == ("body",) for fault in faults) and not _is_json(request):
        return problem_response(415, "send a body of Content-Type: application/json")
    route = request.scope.get("route")
    errors = [mistake_of(fault, names_known(route, fault["loc"])) for fault in faults]
    return problem_response(422, in_words(errors), kind="invalid-request", members={"errors": errors})


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    detail = None if error.detail == HTTPStatus(error.status_code).phrase else str(error.detail)
    if error.status_code == 405:
        # Starlette names the methods of the first route that has the path; RFC 9110 §15.5.6 wants all.
        headers["Allow"] = ", ".join(methods_at(request.app, request.url.path))
        detail = f"{request.url.path} takes {headers['Allow']}, and not {request.method}"
    if error.status_code == 400 and "parsing the body" in str(error.detail):
        return problem_response(400, "the body is no JSON in UTF-8", kind="not-json")
    if error.status_code == 404 and (there := _without_slash(request)) is not None:
        return RedirectResponse(there, 308, {"Cache-Control": "no-store"})
    if error.status_code == 404:
        detail = f"nothing is at {request.url.path}; /docs lists what there is"
    return problem_response(error.status_code, detail, headers=headers)


def _without_slash(request: Request) -> str | None:
    """Return the address that was meant by one with a slash at its end; relative, since proxies change where we are."""
    path = request.url.path.rstrip("/")
    if path == request.url.path or not methods_at(request.app, path):
        return None
    return f"{path}?{request.url.query}" if request.url.query else path


def methods_at(app: FastAPI, path: str) -> list[str]:
    """Return the methods that an address answers."""
    routes = [route for route in iter_route_contexts(app.routes) if route.path is not None]
    # An address of its own is what it is called, and not also what some template would take it for.
    own = [route for route in routes if route.path == path]
    found = own or [route for route in routes if compile_path(route.path or "")[0].match(path)]
    methods = {method for route in found for method in route.methods or ()}
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)


async def _failed(_request: Request, _error: Exception) -> Response:
    return problem_response(500, "this is a fault of ours; it was written to the log")
