"""What every exchange passes: who may read from other sites, who may not write, and the headers that keep pages safe."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import Problem

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# What pages of other sites may read: whatever stands here, with its errors, or they could not tell what went wrong.
# Browsers send them no cookie of ours along, since no answer allows credentials; what is somebody's own takes a token.
OPEN = ("/api/", "/f/", "/problems/", "/openapi.json")
# What depends on our cookie where one is sent. Such an answer is for our own pages: a browser's cache, which may not
# tell who asked for it, would hand it on.
PRIVATE = ("/api/v1/me", "/api/v1/sign-", "/api/v1/events/import", "/api/v1/proposals", "/api/v1/audit")
# Forged, these would sign somebody in as somebody else, or make them a guest who knows what another site says.
SETTING_COOKIES = ("/sign-in", "/start", "/say", "/language")
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match, X-Request-ID",
    "Access-Control-Max-Age": "86400",
}
EXPOSED = "Allow, ETag, Link, Location, Retry-After, WWW-Authenticate, X-Request-ID, X-Total-Count"
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def session_cookie(base_url: str) -> str:
    """Return the name of the session cookie; `__Host-` binds it to this host, and browsers take it over TLS only."""
    return "__Host-adjacent" if base_url.startswith("https://") else "adjacent"


class BodyLimit:
    """Refuses a body that is too large: at once where its length is announced, else when the limit is passed."""

    def __init__(self, app: ASGIApp, *, largest: int) -> None:
        self.app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > self._largest:
            await _answer(Problem(413, self._told, headers={"Connection": "close"}), scope, receive, send)
            return
        received = 0

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._largest:
                raise HTTPException(413, self._told)
            return message

        await self.app(scope, counting_receive, send)

    @property
    def _told(self) -> str:
        return f"a body has at most {self._largest} bytes"


class Faults:
    """Answers for what fails in here, with the headers of every answer, and lets the failure go on to the server's log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except Exception as failure:
            if scope["type"] == "http" and not has_begun:
                await _answer(failure, scope, receive, send)
            raise


async def _answer(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the application does to an error behind its routes: to programs as a problem, to people as a page."""
    handlers = scope["app"].exception_handlers
    response: Response = await handlers.get(type(error), handlers[Exception])(Request(scope, receive), error)
    await response(scope, receive, send)


class Doors:
    def __init__(self, app: ASGIApp, *, base_url: str) -> None:
        self.app = app
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
        self._cookie = f"{session_cookie(base_url)}="
        self._headers = dict(SECURITY)
        if base_url.startswith("https://"):
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        is_open = self._is_open(scope["path"], asked)

        async def safe_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if "frame-ancestors *" in headers["Content-Security-Policy"]:
                    del headers["X-Frame-Options"]  # knows no "anywhere"
                if is_open:
                    headers["Access-Control-Allow-Origin"] = "*"
                    headers["Access-Control-Expose-Headers"] = EXPOSED
            await send(message)

        if scope["method"] == "OPTIONS" and "access-control-request-method" in asked and is_open:
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, safe_send)
        elif scope["method"] not in SAFE_METHODS and self._is_forged(scope["path"], asked):
            refused = Problem(403, "a page of another site may not write here", kind="cross-site")
            await _answer(refused, scope, receive, safe_send)
        else:
            await self.app(scope, receive, safe_send)

    def _is_open(self, path: str, asked: Headers) -> bool:
        """Whether pages of other sites may read the answer."""
        return path.startswith(OPEN) and not (path.startswith(PRIVATE) and self._is_with_cookie(asked))

    def _is_with_cookie(self, asked: Headers) -> bool:
        return self._cookie in asked.get("cookie", "")

    def _is_forged(self, path: str, asked: Headers) -> bool:
        """Whether another site's page made a browser send this with our cookie, or get one.

        Browsers say which site asks; those that do not (before 2023) name its origin. Programs say neither, and are
        made by nobody to send a cookie that is not theirs.
        """
        if not self._is_with_cookie(asked) and not path.startswith(SETTING_COOKIES):
            return False
        site = asked.get("sec-fetch-site")
        if site is not None:
            return site not in ("same-origin", "none")
        return asked.get("origin", self._origin) != self._origin
