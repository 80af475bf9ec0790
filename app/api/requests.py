"""One id and one log line a request. The route's template is logged, never the address: that may hold a secret."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.health import Timings, method_of
from app.operating import logs

HEADER = b"x-request-id"
GIVEN = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")  # ids of others that are taken over; they stand in our log


class Requests:
    """Takes over a proper X-Request-ID or makes one, answers with it, and logs and counts how the request went."""

    def __init__(self, app: ASGIApp, *, timings: Timings) -> None:
        self.app = app
        self._timings = timings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _given(scope) or secrets.token_hex(8)
        # Bound, and left bound: the server logs what escapes from here in the same task, which is this request's own.
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status, method = time.perf_counter(), 500, method_of(scope)

        async def marking_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((HEADER, request_id.encode()))
            await send(message)

        try:
            await self.app(scope, receive, marking_send)
        finally:
            took = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", None)
            self._timings.note(method, route, status, took)
            logs.tell_request(
                {
                    "event": "request",
                    "logger": "adjacent.requests",
                    "method": method,
                    "ms": round(took * 1000, 1),
                    "request_id": request_id,
                    "route": route,
                    "status": status,
                },
                has_failed=status >= 500,
            )


def _given(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER:
            return logs.redact(value.decode()) if GIVEN.fullmatch(value) else None
    return None
