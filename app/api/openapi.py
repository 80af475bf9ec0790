"""The OpenAPI document: what the routes say, and what none of them says by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.examples import illustrate
from app.api.problems import ProblemDetails

ABOUT = """Lists hold `data`, `meta` and `links`. Follow `links.next`, or `rel="next"` of the `Link` header, to the end: \
paging neither skips nor repeats while events arrive. `meta.count` is exact up to 10,000.

Errors are `application/problem+json` (RFC 9457); `detail` says what would help, and `errors` of a 422 what is wrong, part \
by part. Parameters and fields that are not known are refused with 422, so that a misspelt filter never goes unnoticed.

Answers carry a strong `ETag`: sent back as `If-None-Match`, it gets 304 while nothing changed. HEAD works wherever GET does.

Sentences come in the language of `Accept-Language` (English or German), else in the one the person chose. Topics are \
understood by their names in either; their labels, errors and this page are English.

Pages of any site may read (CORS, never with credentials), errors, too. What is somebody's own wants \
`Authorization: Bearer …`; `POST /api/v1/me` makes such a token without an address, and signing in later keeps everything."""
TAGS = {
    "events": "What is on: one by one, in lists, and in the forms calendars, readers and spreadsheets take.",
    "communities": "Groups, user groups, associations and chats behind the events.",
    "topics": "What events are about, and what lies next to what.",
    "picks": "Events one step outside what somebody knows.",
    "me": "Somebody's own corner: what they know, their picks, calendars and mail.",
    "sign-in": "Signing in without a password.",
    "sources": "Where events come from.",
    "calendars": "What calendar programs subscribe to.",
    "operating": "For those who run an instance.",
}

Json = dict[str, Any]


def _header(told: str, kind: str = "string") -> Json:
    return {"description": told, "schema": {"type": kind}}


TAG = {"ETag": _header("Stands for these very bytes.")}
PAGES = {"Link": _header("`rel` `self`, `next`, `prev` (RFC 8288), and the same events in other forms as `alternate`.")}
ERRORS = {
    "401": {"WWW-Authenticate": _header('`Bearer`, with `error="invalid_token"` where one was sent (RFC 6750).')},
    "429": {"Retry-After": _header("Seconds to wait.", "integer")},
}
IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "`ETag` of what is to be changed, as `GET` gave it.",
    "schema": {"type": "string"},
}


def describe(app: FastAPI) -> Json:
    """Return the document, made once an app."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=ABOUT,
            routes=app.routes,
            tags=[{"name": name, "description": told} for name, told in TAGS.items()],
            openapi_version="3.1.0",
        )
        problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= problem.pop("$defs") | {"ProblemDetails": problem}
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for method, operation in _operations(document):
            _complete(method, operation)
        illustrate(document)
        app.openapi_schema = document
    return app.openapi_schema


def _complete(method: str, operation: Json) -> None:
    """Add to an operation what its answers owe to no route but to the doors all pass."""
    responses = operation["responses"]
    if "401" in responses:
        operation["security"] = [{"token": []}]
    if "412" in responses:
        operation.setdefault("parameters", []).append(IF_MATCH)
        if method == "patch":  # RFC 9110 §9.3.4 forbids it to a PUT whose body is not kept as it came
            responses["200"]["headers"] = TAG
    for status in ERRORS.keys() & responses.keys():
        responses[status]["headers"] = ERRORS[status]
    if method == "get" and "operating" not in operation["tags"]:
        pages = PAGES if "limit" in {one["name"] for one in operation.get("parameters", ())} else {}
        responses["200"]["headers"] = responses["200"].get("headers", {}) | TAG | pages
        responses["304"] = {"description": "Unchanged since the `ETag` in `If-None-Match`.", "headers": TAG}


def _operations(document: Json) -> Iterator[tuple[str, Json]]:
    for methods in document["paths"].values():
        yield from methods.items()
