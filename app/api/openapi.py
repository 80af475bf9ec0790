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

Sentences come in the language of `Accept-Language` (English or German), else in the one the person chose; names of topics \
and errors are English.

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


def describe(app: FastAPI) -> dict[str, Any]:
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
            if "401" in operation["responses"]:
                operation["security"] = [{"token": []}]
            if method == "get" and "operating" not in operation["tags"]:
                operation["responses"]["304"] = {"description": "Unchanged since the `ETag` in `If-None-Match`."}
        illustrate(document)
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in document["paths"].values():
        yield from methods.items()
