"""Step 1, fetch: an address in, a complete `Page` out, or word that nothing changed. The only file that connects.

Where a connection may go is decided by `scrapers.guard`; here everything has a limit, and an answer that is not
whole is an error. A short body would look like events that were taken back.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Self
from weakref import WeakValueDictionary

import httpcore
import httpx

from scrapers.answers import FetchError, gunzip, status_error
from scrapers.draft import Page
from scrapers.guard import Guard, Refused, Unresolved, port_of
from scrapers.robots import PRODUCT, Robots, RobotsMemory, parse_robots

__all__ = ["FetchError", "Fetcher", "Limits", "NotModified", "user_agent"]

CONNECTIONS = 64  # open at a time, over all hosts
LANES_PUBLIC, LANES_ALLOWED = 1, 4  # connections to one host
KEPT_ALIVE_SECONDS = 15.0
DRAINED = 64 * 1024  # bytes of an answer without use, read so that its connection can serve again

_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError)  # httpcore lets the last one through
_ACCEPT = "text/calendar, text/html, application/json, application/xml;q=0.9, */*;q=0.8"


@dataclass(frozen=True, slots=True)
class NotModified:
    """The server says that what we have is what there is."""

    url: str  # where the answer came from, after redirects
    moved_to: str | None = None  # as in Page


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost, redirects and robots.txt included."""

    wire: int = 5_000_000  # bytes received
    decoded: int = 20_000_000  # bytes after gzip
    hops: int = 5
    seconds: float = 20.0  # in all: a timeout per read never fires on a server that drips


@dataclass(frozen=True, slots=True)
class _Redirect:
    location: str
    is_permanent: bool


@cache  # reading the system's certificates takes 50 ms
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class Fetcher:
    """Fetches pages politely and within limits; safe for many fetches at once.

    It keeps connections and robots.txt for its lifetime: use it as an async context manager, one for a whole round.
    """

    def __init__(
        self,
        *,
        allow_hosts: Collection[tuple[str, int]] = (),
        contact: str | None = None,
        limits: Limits = Limits(),
        guard: Guard | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = guard or Guard(allow_hosts)
        self._limits = limits
        self._headers = {"Accept": _ACCEPT, "Accept-Encoding": "gzip", "User-Agent": user_agent(contact)}
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or _trusted(),
            max_connections=CONNECTIONS,
            keepalive_expiry=KEPT_ALIVE_SECONDS,
            network_backend=self._guard,
        )
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._lanes: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._robots = RobotsMemory()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._robots.close()
        await self._pool.aclose()

    def is_allowed(self, address: str) -> bool:
        """Tell whether the operator put the address's host and port on the allow-list."""
        try:
            url = self._guard.web_address(address)
        except Refused:
            return False
        return self._guard.allows(url.host, port_of(url))

    async def pause(self, address: str) -> float:
        """Return the seconds to leave between two requests to the address's host; 0 where nothing is to be spared."""
        try:
            url = self._guard.web_address(address)
        except Refused:
            return 0.0
        if self._guard.allows(url.host, port_of(url)):
            return 0.0
        robots = await self._robots_of(url)
        return (Robots() if isinstance(robots, FetchError) else robots).pause_seconds()

    async def fetch(
        self, address: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Page | NotModified:
        """Return the page at an address; NotModified only where a validator was given and still holds.

        Raises FetchError for everything else: there is no page without its last byte.
        """
        validators = {
            name: value for name, value in (("If-None-Match", etag), ("If-Modified-Since", last_modified)) if value
        }
        return await self._fetch(self._web_address(address), validators, obey_robots=True)

    async def _fetch(self, url: httpx.URL, validators: dict[str, str], *, obey_robots: bool) -> Page | NotModified:
        try:
            async with asyncio.timeout(self._limits.seconds) as deadline:
                return await self._follow(url, validators, deadline, obey_robots=obey_robots)
        except TimeoutError as error:
            raise FetchError("timeout", f"{named(url)} took longer than {self._limits.seconds:g} s") from error

    async def _follow(
        self, url: httpx.URL, validators: dict[str, str], deadline: asyncio.Timeout, *, obey_robots: bool
    ) -> Page | NotModified:
        start, is_permanent = url, True
        for _ in range(self._limits.hops + 1):
            if obey_robots:
                await self._obey_robots(url)
            async with self._turn(url, deadline):
                answer = await self._request(url, validators)
            if isinstance(answer, _Redirect):
                is_permanent &= answer.is_permanent
                url = self._redirected(url, answer.location)
                continue
            return replace(answer, moved_to=answer.url) if is_permanent and url != start else answer
        raise FetchError("redirects", f"{named(start)} redirects more than {self._limits.hops} times")

    async def _request(self, url: httpx.URL, validators: dict[str, str]) -> Page | NotModified | _Redirect:
        headers = [(name.encode(), value.encode()) for name, value in {**self._headers, **validators}.items()]
        headers.append((b"Host", url.netloc))
        # In parts, so that no second parser gets a say in which host was meant.
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        try:
            async with self._pool.stream("GET", target, headers=headers) as response:
                _acknowledge(response)
                received = httpx.Headers(response.headers)
                if response.status == HTTPStatus.OK:
                    return Page(
                        url=str(url),
                        body=await self._body(url, response, received),
                        content_type=received.get("content-type"),
                        etag=received.get("etag"),
                        last_modified=received.get("last-modified"),
                    )
                await _drain(response)
        except (*_BROKEN, httpcore.TimeoutException) as error:
            raise _failure(url, error) from error
        if response.status == HTTPStatus.NOT_MODIFIED and validators:
            return NotModified(str(url))
        if response.status in {301, 302, 303, 307, 308} and "location" in received:
            return _Redirect(received["location"], is_permanent=response.status in {301, 308})
        raise status_error(named(url), response.status, received.get("retry-after"), datetime.now(UTC))

    async def _body(self, url: httpx.URL, response: httpcore.Response, headers: httpx.Headers) -> bytes:
        codings = [coding.strip().lower() for coding in headers.get("content-encoding", "").split(",")]
        codings = [coding for coding in codings if coding not in {"", "identity"}]
        if codings not in ([], ["gzip"], ["x-gzip"]):
            raise FetchError("encoding", f"{named(url)} is encoded as {', '.join(codings)}; only gzip was asked for")
        wire = bytearray()
        try:
            async for chunk in response.aiter_stream():
                wire += chunk
                if len(wire) > self._limits.wire:
                    raise FetchError("too_large", f"{named(url)} is longer than {self._limits.wire:,} bytes")
        except _BROKEN as error:
            raise FetchError("truncated", f"{named(url)} broke off after {len(wire):,} bytes ({error})") from error
        if not codings:
            return bytes(wire)
        try:
            return gunzip(bytes(wire), self._limits.decoded)
        except FetchError as error:
            raise FetchError(error.code, f"{named(url)}: {error.message}") from error

    @contextlib.asynccontextmanager
    async def _turn(self, url: httpx.URL, deadline: asyncio.Timeout) -> AsyncIterator[None]:
        """Hold one of the host's connections. Waiting for it is not the host's slowness and does not count."""
        is_allowed = self._guard.allows(url.host, port_of(url))
        host = f"{url.host}:{port_of(url)}" if is_allowed else url.host
        lane = self._lanes.get(host)
        if lane is None:
            lane = self._lanes[host] = asyncio.Semaphore(LANES_ALLOWED if is_allowed else LANES_PUBLIC)
        clock = asyncio.get_running_loop().time
        due = deadline.when()
        assert due is not None
        left = due - clock()
        deadline.reschedule(None)
        async with lane, self._slots:
            deadline.reschedule(clock() + left)
            yield

    async def _obey_robots(self, url: httpx.URL) -> None:
        robots = await self._robots_of(url)
        if isinstance(robots, FetchError):
            raise FetchError(robots.code, robots.message, retry_after=robots.retry_after, status=robots.status)
        if not robots.allows(str(url)):
            raise FetchError("robots", f"{named(url)}: the site's robots.txt asks not to fetch this")

    async def _robots_of(self, url: httpx.URL) -> Robots | FetchError:
        origin = (url.scheme, url.host, port_of(url))
        return await self._robots.rules(origin, lambda: self._read_robots(url.copy_with(raw_path=b"/robots.txt")))

    async def _read_robots(self, url: httpx.URL) -> Robots | FetchError:
        try:
            page = await self._fetch(url, {}, obey_robots=False)
        except FetchError as error:
            if error.status is None:
                return error
            if error.status < 500 and error.status != HTTPStatus.TOO_MANY_REQUESTS:
                return Robots()  # RFC 9309 §2.3.1.3: no rules
            return FetchError(
                "robots",
                f"{named(url)} answers {error.status}; until it can be read, nothing of the site is fetched",
                retry_after=error.retry_after,
                status=error.status,
            )
        assert isinstance(page, Page)  # nothing conditional was asked
        return parse_robots(page.body)

    def _web_address(self, address: str) -> httpx.URL:
        try:
            return self._guard.web_address(address)
        except Refused as error:
            raise FetchError("refused", str(error)) from error

    def _redirected(self, url: httpx.URL, location: str) -> httpx.URL:
        try:
            return self._guard.web_address(str(url.join(location)))
        except (Refused, httpx.InvalidURL, ValueError) as error:
            raise FetchError("refused", f"{named(url)} redirects to a place that is not fetched: {error}") from error


def user_agent(contact: str | None) -> str:
    """Return the header that tells a site who is asking and where to complain."""
    purpose = "event discovery" if contact is None else f"event discovery; {contact}"
    agent = f"{PRODUCT}/{version('adjacent')} ({' '.join(purpose.split())})"
    return agent.encode("ascii", "replace").decode()


def named(url: httpx.URL) -> str:
    """Return what to call an address in messages: without its query, which may hold a secret."""
    return f"{url.netloc.decode()}{url.path}"


def _acknowledge(response: httpcore.Response) -> None:
    """Tell the server at once that its headers are here, where the system can do that.

    A server that sends headers and body apart and has Nagle's algorithm on (Python's does) holds the body back until
    then, and Linux takes 40 ms to say so on a connection that is kept: 720 fetches took 9 s and take 3 s.
    """
    if hasattr(socket, "TCP_QUICKACK"):
        connection = response.extensions["network_stream"].get_extra_info("socket")
        with contextlib.suppress(OSError):  # closed already: then all there is has arrived
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


async def _drain(response: httpcore.Response) -> None:
    size = 0
    with contextlib.suppress(*_BROKEN):  # status and headers were all we needed
        async for chunk in response.aiter_stream():
            size += len(chunk)
            if size > DRAINED:
                return


def _failure(url: httpx.URL, error: Exception) -> FetchError:
    if isinstance(error, Refused):
        return FetchError("refused", str(error))
    if isinstance(error, Unresolved):
        return FetchError("dns", str(error))
    if isinstance(error, httpcore.TimeoutException):
        return FetchError("timeout", f"{url.host} cannot be reached in time")
    # httpcore's pool raises "from None", which clears the cause and leaves the context.
    if isinstance(error, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError):
        return FetchError("tls", f"{url.host}: {error}")
    if isinstance(error, httpcore.ProtocolError):
        return FetchError("protocol", f"{named(url)} gave no HTTP answer ({error})")
    return FetchError("connect", f"{url.host} cannot be reached ({error})")
