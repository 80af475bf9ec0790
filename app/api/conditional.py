"""HEAD, entity tags, 304 and compression for every answer alike (RFC 9110 §8.8.3, §9.3.2, §13.1.2).

An answer that came with a promise (`promise`) is kept and given again, tag, compressed body, headers and all, while the
promise holds; nothing behind this door is asked then but how far the counters of `revisions` stand.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.limits import is_limited
from app.api.problems import Problem
from app.revisions import Revisions
from app.words.wording import preferred

SHORTEST = 1000  # bytes below which gzip gains nothing
LONG = 100_000  # bytes above which compressing is done beside the event loop
LEVEL = 4  # half the time of 6 for a few per cent more
COMPRESSED = (
    "text/",
    "application/json",
    "application/problem+json",
    "application/feed+json",
    "application/rss+xml",
    "application/atom+xml",
    "application/xml",
    "image/svg+xml",
)
KEPT = 64 * 1024 * 1024  # bytes of answers a process keeps
LARGEST_KEPT = KEPT // 4
LONGEST_QUERY = 2000  # bytes of a query string whose answer is kept
# What a 304 tells (RFC 9110 §15.4.5) and what a page of another site must be told to be allowed to look at it; the
# client keeps the rest with the body.
WITH_304 = (b"cache-control", b"content-location", b"expires", b"vary", b"access-control-")

SPOKEN = ("/embed", "/api/v1/topics")  # addresses whose kept answers differ by Accept-Language, too

RawHeaders = list[tuple[bytes, bytes]]
Key = tuple[str, bytes, str | None]  # path, query, language; what is promised depends on nothing else of a request


@dataclass(frozen=True, slots=True)
class Promise:
    """How long an answer holds: while these counters stand where they stood before it was made, and until a moment."""

    standing: Mapping[str, int]
    until: datetime | None  # the last moment, of `Settings.now`; None: the passing of time changes nothing


async def standing(request: Request, *names: str) -> Mapping[str, int]:
    """Return where these counters stand; ask before anything is read that they count."""
    revisions: Revisions = request.app.state.revisions
    return await revisions.numbers(names)


def promise(request: Request, stood: Mapping[str, int], *, until: datetime | None) -> None:
    """Promise that the answer depends on nothing but the address, what these counters count, and the time.

    At SPOKEN addresses it may depend on the language, too.
    """
    request.scope["adjacent.promise"] = Promise(stood, until)


class Conditional:
    """Answers HEAD as GET without the body; tags, compresses and, where the client has it already, spares the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._memory = Memory(KEPT)
        self._asked_for: dict[Key, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        key = (scope["path"], scope["query_string"], _language(scope) if scope["path"] in SPOKEN else None)
        whole = await self._kept(key, scope)
        if whole is None:
            is_answered = self._asked_for[key] = asyncio.Event()
            try:
                whole = await self._asked(scope, receive, send)
                if whole is not None and whole.promise is not None:
                    self._memory.keep(key, whole)
            finally:
                is_answered.set()
                if self._asked_for.get(key) is is_answered:
                    del self._asked_for[key]
        if whole is not None:
            await _deliver(whole, scope, send)

    async def _kept(self, key: Key, scope: Scope) -> Whole | None:
        """Return an answer that is no older than the question, or None where it has to be asked for.

        Of all who want what has changed since it was kept, one asks, and the others wait for that answer: a hundred at
        once would keep each other from it. What was never promised is nobody else's.
        """
        state = scope["app"].state
        wanted: Mapping[str, int] | None = None
        while (whole := self._memory.get(key)) is not None and whole.promise is not None:
            if wanted is None or wanted.keys() != whole.promise.standing.keys():
                wanted = await _standing_now(whole.promise, state)
            if _holds(whole.promise, wanted, state):
                scope["route"] = whole.route
                return whole
            if (somebody_asks := self._asked_for.get(key)) is None:
                return None
            await somebody_asks.wait()
            if self._memory.get(key) is whole:  # it came to nothing; one after another would wait for the same
                return None
        return None

    async def _asked(self, scope: Scope, receive: Receive, send: Send) -> Whole | None:
        """Return the application's answer, or None for one that has been passed on since no tag stands before it."""
        is_head, scope["method"] = scope["method"] == "HEAD", "GET"
        start: Message = {}
        parts: list[bytes] = []
        whole: Whole | None = None

        async def collect(message: Message) -> None:
            nonlocal start, whole
            if message["type"] == "http.response.start":
                start = message
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if message.get("more_body", False):
                    return
                body = b"".join(parts)  # of one part that part itself: calendars have megabytes
                if start["status"] == 200 and "no-store" not in Headers(raw=start["headers"]).get("cache-control", ""):
                    # What is limited is counted behind here, so that it has to be asked for every time.
                    promised = None if is_limited(scope) else scope.get("adjacent.promise")
                    whole = Whole(start["headers"], body, promised, scope.get("route"))
                else:
                    # Servers count the bytes they were promised unless it is HEAD, and cut the connection over a lack.
                    scope["method"] = "HEAD" if is_head else "GET"
                    await send(start)
                    await send({"type": "http.response.body", "body": b"" if is_head else body})
            else:
                await send(message)

        await self.app(scope, receive, collect)
        scope["method"] = "HEAD" if is_head else "GET"
        return whole


@dataclass
class Whole:
    """One whole answer of status 200, in every form it may be sent in; each is made when it is first wanted."""

    headers: RawHeaders
    body: bytes
    promise: Promise | None = None
    route: Any = None
    _sent: dict[tuple[bool, bool], RawHeaders] = field(default_factory=dict)

    @cached_property
    def is_compressible(self) -> bool:
        kind = Headers(raw=self.headers).get("content-type", "")
        return len(self.body) >= SHORTEST and kind.startswith(COMPRESSED)

    @cached_property
    def tag(self) -> str:
        return Headers(raw=self.headers).get("etag", "").strip('"') or tag_of(self.body)

    @cached_property
    def compressed(self) -> bytes:
        return gzip.compress(self.body, LEVEL, mtime=0)

    def coded_tag(self, *, gzipped: bool) -> str:
        return _coded(self.tag)[gzipped]

    def headers_of(self, *, gzipped: bool, is_known: bool) -> RawHeaders:
        """Return the headers that go with the body, or, where the client has it, with its absence."""
        made = self._sent.get((gzipped, is_known))
        if made is None:
            headers = MutableHeaders(raw=list(self.headers))
            headers.add_vary_header("Accept-Encoding")
            headers["etag"] = self.coded_tag(gzipped=gzipped)
            del headers["content-length"]
            if gzipped:
                headers["content-encoding"] = "gzip"
            headers["content-length"] = str(len(self.compressed if gzipped else self.body))
            made = headers.raw
            if is_known:
                made = [one for one in made if one[0].startswith((*WITH_304, b"etag"))]
            self._sent[gzipped, is_known] = made
        return list(made)  # those who pass it on add theirs

    @property
    def size(self) -> int:
        """Bytes it takes to keep; compressed text is a third of the text at most."""
        return len(self.body) * 4 // 3 + 1000


def tag_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def _coded(tag: str) -> tuple[str, str]:
    """Return the tags of plain and of compressed bytes: a strong tag stands for bytes, and these are others."""
    return f'"{tag}"', f'"{tag}-gzip"'


def require_match(asked: str, current: bytes) -> None:
    """Let a write go on that wants (`If-Match`) what it changes to be as the client saw it (RFC 9110 §13.1.1)."""
    named = {one.strip() for one in asked.split(",")}
    if "*" not in named and named.isdisjoint(_coded(tag_of(current))):
        raise Problem(412, "it has changed since; ask for it again, and change that", kind="changed-meanwhile")


class Memory:
    """The answers that were wanted last, up to a number of bytes."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._size = 0
        self._kept: OrderedDict[Key, Whole] = OrderedDict()

    def get(self, key: Key) -> Whole | None:
        whole = self._kept.get(key)
        if whole is not None:
            self._kept.move_to_end(key)
        return whole

    def keep(self, key: Key, whole: Whole) -> None:
        if key in self._kept:
            self._size -= self._kept.pop(key).size
        if whole.size > LARGEST_KEPT or len(key[1]) > LONGEST_QUERY:
            return
        self._kept[key] = whole
        self._size += whole.size
        while self._size > self._largest:
            _, oldest = self._kept.popitem(last=False)
            self._size -= oldest.size


def _language(scope: Scope) -> str | None:
    return preferred(Headers(scope=scope).get("accept-language", ""))


async def _standing_now(promise: Promise, state: Any) -> Mapping[str, int]:
    revisions: Revisions = state.revisions
    return await revisions.numbers(promise.standing) if promise.standing else {}


def _holds(promise: Promise, wanted: Mapping[str, int], state: Any) -> bool:
    """Whether an answer was made when its counters stood no lower than is wanted, and its time has not come."""
    if promise.until is not None and state.settings.now() > promise.until:
        return False
    return all(promise.standing[name] >= number for name, number in wanted.items())


async def _deliver(whole: Whole, scope: Scope, send: Send) -> None:
    accepted, known = _asked_for(scope)
    gzipped = whole.is_compressible and takes_gzip(accepted)
    if is_match(known, whole.coded_tag(gzipped=gzipped)):
        headers = whole.headers_of(gzipped=gzipped, is_known=True)
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body"})
        return
    if gzipped and len(whole.body) > LONG and "compressed" not in vars(whole):
        await asyncio.to_thread(getattr, whole, "compressed")
    headers = whole.headers_of(gzipped=gzipped, is_known=False)
    body = b"" if scope["method"] == "HEAD" else whole.compressed if gzipped else whole.body
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _asked_for(scope: Scope) -> tuple[str, str | None]:
    """Return a request's Accept-Encoding and If-None-Match."""
    accepted, known = "", None
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accepted = f"{accepted},{value.decode('latin-1')}"
        elif name == b"if-none-match":
            known = f"{known},{value.decode('latin-1')}" if known is not None else value.decode("latin-1")
    return accepted, known


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding takes gzip (RFC 9110 §12.5.3)."""
    for coding in accepted.split(","):
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
