"""The form of answers: one JSON envelope, and headers that say how long they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from scrapers.text import one_line

PUBLIC = "public, max-age=60"
PRIVATE = "private, no-cache"

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]  # PostgreSQL takes no NUL


def _named(text: str) -> str:
    name = one_line(text)
    if not name:
        raise ValueError("is empty")
    return name


Name = Annotated[Text, Field(min_length=1), AfterValidator(_named)]  # of what people make, in one line


class Nothing(BaseModel):
    """No parameters: whatever is sent is unknown."""

    model_config = ConfigDict(extra="forbid")


async def _no_parameters(_: Annotated[Nothing, Query()]) -> None:
    """Refuse whatever stands in the address."""


NO_PARAMETERS = Depends(_no_parameters)  # of requests that say everything in their body


def answer(
    content: Any, *, status: int = 200, cache: str = PUBLIC, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        orjson.dumps(content), status, {"Cache-Control": cache, **(headers or {})}, media_type="application/json"
    )


def private(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer that is one person's own."""
    return answer(content, status=status, cache=PRIVATE, headers=headers)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, as the envelope shows it."""

    rows: Sequence[Any]
    count: int
    is_lower_bound: bool = False
    updated_at: datetime | None = None
    next: str | None = None  # cursors
    previous: str | None = None
    more_meta: Mapping[str, Any] = field(default_factory=dict)


def newest(rows: Sequence[Mapping[str, Any]], *names: str) -> datetime | None:
    """Return the latest of the times that stand in rows under these names."""
    told = (row[name] for row in rows for name in names)
    return max((datetime.fromisoformat(time) for time in told if time is not None), default=None)


# The forms the event list comes in, and the parameters that only some of them take.
FORMS = {
    "/api/v1/events": "application/json",
    "/api/v1/events.ics": "text/calendar",
    "/api/v1/events.rss": "application/rss+xml",
    "/api/v1/events.atom": "application/atom+xml",
    "/api/v1/feed.json": "application/feed+json",
    "/api/v1/events.csv": "text/csv",
    "/embed": "text/html",
}
OF_SOME = ("cursor", "limit", "sort", "cancelled", "title", "language", "theme")


def alternates(request: Request) -> list[str]:
    """Return the links of a Link header to the other forms of an event list, with the same filters."""
    query = request.url.remove_query_params(OF_SOME).query
    base_url = request.app.state.settings.base_url
    return [
        f'<{base_url}{path}{"?" if query else ""}{query}>; rel="alternate"; type="{media_type}"'
        for path, media_type in FORMS.items()
        if path != request.url.path
    ]


def list_answer(
    request: Request,
    page: Listing,
    *,
    cache: str = PUBLIC,
    more_links: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    links = {
        "self": _address(request, request.query_params.get("cursor")),
        "next": _address(request, page.next) if page.next else None,
        "prev": _address(request, page.previous) if page.previous else None,
    }
    content = {
        "data": page.rows,
        "meta": {
            "count": page.count,
            "count_is_lower_bound": page.is_lower_bound,
            "updated_at": page.updated_at.isoformat() if page.updated_at else None,
            **page.more_meta,
        },
        "links": links,
    }
    related = [f'<{address}>; rel="{relation}"' for relation, address in links.items() if address]
    return answer(content, cache=cache, headers={"Link": ", ".join((*related, *more_links)), **(headers or {})})


def _address(request: Request, cursor: str | None) -> str:
    """Return the absolute address of the same list at another place."""
    url = request.url.remove_query_params("cursor")
    if cursor:
        url = url.include_query_params(cursor=cursor)
    query = f"?{url.query}" if url.query else ""
    return f"{request.app.state.settings.base_url}{url.path}{query}"
