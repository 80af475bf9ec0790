"""HEAD, entity tags, 304 and compression for every answer alike (RFC 9110 §8.8.3, §9.3.2, §13.1.2)."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHORTEST = 1000  # bytes below which gzip gains nothing
LEVEL = 4  # half the time of 6 for a few per cent more
COMPRESSED = ("text/", "application/json", "application/problem+json", "application/xml", "image/svg+xml")


class Conditional:
    """Answers HEAD as GET without the body; tags, compresses and, where the client has it already, spares the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        scope["method"] = "GET"
        await self.app(scope, receive, exchange.send)


class _Exchange:
    """One answer, held back until it is whole: its tag stands in front of it."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._is_head = scope["method"] == "HEAD"
        self._asked = Headers(scope=scope)
        self._send = send
        self._start: Message = {}
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish()
        else:
            await self._send(message)

    async def _finish(self) -> None:
        headers = MutableHeaders(raw=self._start["headers"])
        body = bytes(self._body)
        if self._start["status"] == 200 and "no-store" not in headers.get("cache-control", ""):
            body = self._encode(headers, body)
            if is_match(self._asked.get("if-none-match"), headers["etag"]):
                for name in ("content-length", "content-type", "content-encoding"):
                    del headers[name]
                await self._send({**self._start, "status": 304, "headers": headers.raw})
                await self._send({"type": "http.response.body"})
                return
            headers["content-length"] = str(len(body))
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": b"" if self._is_head else body})

    def _encode(self, headers: MutableHeaders, body: bytes) -> bytes:
        headers.add_vary_header("Accept-Encoding")
        tag = headers.get("etag", "").strip('"') or hashlib.sha256(body).hexdigest()[:32]
        if len(body) >= SHORTEST and self._takes_gzip() and headers.get("content-type", "").startswith(COMPRESSED):
            # One tag a content coding: a strong tag stands for bytes, and these are others.
            headers["etag"], headers["content-encoding"] = f'"{tag}-gzip"', "gzip"
            return gzip.compress(body, LEVEL, mtime=0)
        headers["etag"] = f'"{tag}"'
        return body

    def _takes_gzip(self) -> bool:
        for coding in self._asked.get("accept-encoding", "").split(","):
            name, _, weight = coding.partition(";")
            if name.strip().lower() in ("gzip", "*"):
                return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
        return False


def is_match(asked: str | None, tag: str) -> bool:
    """Decide whether an If-None-Match names this tag; the weak comparison is meant (RFC 9110 §13.1.2)."""
    if asked is None:
        return False
    return asked.strip() == "*" or tag in _tags(asked)


def _tags(asked: str) -> Iterable[str]:
    return (tag.strip().removeprefix("W/") for tag in asked.split(","))
