"""A real HTTP origin on loopback that tests fill with answers, and that counts what it is asked.

    async with Origin() as origin:
        origin.serve("/a.ics", b"BEGIN:VCALENDAR…", content_type="text/calendar", headers={"ETag": '"1"'})
        async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
            page = await fetcher.fetch(origin.url("/a.ics"))
    assert origin.paths == ["/robots.txt", "/a.ics"]

Paths nobody filled answer 404. An answer with an ETag or Last-Modified is 304 to whoever holds it already. The
functions at the end are ways to misbehave: `origin.handle("/drip", drip)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; header names are in lower case."""

    method: str
    path: str  # with its query
    headers: Mapping[str, str]


Handler = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return an HTTP answer as it goes over the wire; nothing is added to the headers."""
    phrase = HTTPStatus(status).phrase if status in {known.value for known in HTTPStatus} else ""
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


class Origin:
    """The server; `requests` holds all it was asked, `most_open` how many connections it had at once."""

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Asked] = []
        self.connections = 0
        self.most_open = 0
        self.port = 0
        self._ssl_context = ssl_context
        self._handlers: dict[str, Handler] = {}
        self._otherwise: Handler = _nothing
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._ssl_context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def allow_hosts(self) -> frozenset[tuple[str, int]]:
        return frozenset({("127.0.0.1", self.port)})

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.requests]

    def url(self, path: str = "/") -> str:
        return f"{'https' if self._ssl_context else 'http'}://{self.host}{path}"

    def serve(
        self,
        path: str,
        body: bytes | str = b"",
        *,
        status: int = 200,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer `path` (with its query) like this from now on."""
        content = body.encode() if isinstance(body, str) else body
        sent = dict(headers or {})
        if content_type is not None:
            sent["Content-Type"] = content_type
        sent.setdefault("Content-Length", str(len(content)))

        async def whole(asked: Asked, writer: asyncio.StreamWriter) -> None:
            known = {name.lower(): value for name, value in sent.items()}
            if (status == 200 and known.get("etag", "") == asked.headers.get("if-none-match", "-")) or (
                known.get("last-modified", "") == asked.headers.get("if-modified-since", "-")
            ):
                writer.write(answer(304, {"Content-Length": "0"}))
            else:
                writer.write(answer(status, sent, content if asked.method != "HEAD" else b""))

        self.handle(path, whole)

    def redirect(self, path: str, location: str, *, status: int = 302) -> None:
        self.serve(path, status=status, headers={"Location": location})

    def handle(self, path: str, handler: Handler) -> None:
        """Let `handler` write the answer; the connection ends when it is cancelled or closes the writer."""
        self._handlers[path] = handler

    def handle_others(self, handler: Handler) -> None:
        """Let `handler` answer all paths that nobody filled."""
        self._otherwise = handler

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        self.most_open = max(self.most_open, len(self._open))
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                await self._answer_one(reader, writer)
        self._open.discard(task)
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines if line)
        asked = Asked(method, path, {name.lower(): value for name, value in headers.items()})
        self.requests.append(asked)
        await self._handlers.get(path, self._otherwise)(asked, writer)
        await writer.drain()


async def _nothing(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(404, {"Content-Length": "0"}))


def raw(data: bytes) -> Handler:
    """Send exactly these bytes and hang up."""

    async def send(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return send


def truncated_gzip(body: bytes) -> bytes:
    """Return half of the packed body as a complete HTTP answer: only the gzip data tells that something is missing."""
    half = gzip.compress(body)[:-12]
    return answer(200, {"Content-Encoding": "gzip", "Content-Length": str(len(half))}, half)


async def drip(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Send a body byte by byte, for ever."""
    writer.write(answer(200, {"Content-Length": "1000000"}))
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_headers(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Send header after header, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Wait: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silent(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing."""
    await asyncio.Event().wait()


async def endless(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Send a body of unknown length as fast as it is taken."""
    writer.write(answer(200, {"Connection": "close"}))
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def endless_chunks(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(200, {"Transfer-Encoding": "chunked"}))
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


async def reset(_: Asked, writer: asyncio.StreamWriter) -> None:
    """Drop the connection without a word."""
    writer.transport.abort()
