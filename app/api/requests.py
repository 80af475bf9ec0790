"""One id and one log line a request. The route's template is logged, never the address: that may hold a secret."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
GIVEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")  # ids of others that are taken over; they stand in our log

log = structlog.stdlib.get_logger("adjacent.requests")


class Requests:
    """Takes over a proper X-Request-ID or makes one, answers with it, and logs how the request went."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if GIVEN.fullmatch(given) else secrets.token_hex(8)
        # Bound, and left bound: the server logs what escapes from here in the same task, which is this request's own.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = time.perf_counter(), 500

        async def marking_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(raw=message["headers"])[HEADER] = request_id
            await send(message)

        try:
            await self.app(scope, receive, marking_send)
        finally:
            route = getattr(scope.get("route"), "path", None)
            took = round((time.perf_counter() - started) * 1000, 1)
            tell = log.error if status >= 500 else log.info
            tell("request", method=scope["method"], route=route, status=status, ms=took)
