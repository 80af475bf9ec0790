"""Fetching from real origins: whole pages or errors, within limits, politely."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from origin import (
    Asked,
    Handler,
    Origin,
    answer,
    drip,
    drip_headers,
    endless,
    endless_chunks,
    raw,
    reset,
    silent,
    truncated_gzip,
)
from wire import Names, Wire

from scrapers.answers import gunzip, retry_after
from scrapers.draft import Page
from scrapers.fetch import Fetcher, FetchError, Limits, NotModified, user_agent
from scrapers.guard import Guard
from scrapers.robots import Robots, RobotsMemory

CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"
NAMES = {"public.test": [["93.184.216.34"]], "other.test": [["8.8.4.4"]]}
SHORT = Limits(seconds=0.4)  # only where time is meant to run out; a busy machine is slow


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as origin:
        yield origin


@pytest.fixture
async def fetcher(origin: Origin) -> AsyncIterator[Fetcher]:
    async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
        yield fetcher


async def failure(fetcher: Fetcher, address: str) -> FetchError:
    with pytest.raises(FetchError) as failed:
        await fetcher.fetch(address)
    return failed.value


# --- pages ---------------------------------------------------------------------------------------------------------


async def test_page_carries_body_type_and_validators(origin: Origin, fetcher: Fetcher) -> None:
    modified = "Wed, 18 Nov 2026 08:00:00 GMT"
    origin.serve("/a.ics", CALENDAR, content_type="text/calendar", headers={"ETag": 'W/"1"', "Last-Modified": modified})
    assert await fetcher.fetch(origin.url("/a.ics")) == Page(
        url=origin.url("/a.ics"),
        body=CALENDAR,
        content_type="text/calendar",
        etag='W/"1"',
        last_modified=modified,
    )


async def test_request_says_who_asks_and_wants_gzip(origin: Origin) -> None:
    origin.serve("/a.ics", CALENDAR)
    async with Fetcher(allow_hosts=origin.allow_hosts, contact="events@town.example") as fetcher:
        await fetcher.fetch(origin.url("/a.ics"))
    asked = origin.requests[-1].headers
    assert asked["user-agent"].startswith("Adjacent/")
    assert asked["user-agent"].endswith("(event discovery; events@town.example)")
    assert asked["accept-encoding"] == "gzip"
    assert asked["host"] == origin.host
    assert set(asked) == {"host", "accept", "accept-encoding", "user-agent"}


def test_contact_cannot_break_out_of_its_header() -> None:
    assert user_agent("a@b.example\r\nX-Evil: ü").endswith("(event discovery; a@b.example X-Evil: ?)")


async def test_gzip_is_unpacked(origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", gzip.compress(CALENDAR * 1000), headers={"Content-Encoding": "gzip"})
    page = await fetcher.fetch(origin.url("/a.ics"))
    assert isinstance(page, Page)
    assert page.body == CALENDAR * 1000


def test_gzip_of_several_members_and_padding_is_one_text() -> None:
    assert gunzip(gzip.compress(b"one ") + gzip.compress(b"two") + b"\0" * 9, limit=7) == b"one two"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "truncated"),
        (gzip.compress(b"x" * 99)[:-1], "truncated"),
        (gzip.compress(b"one") + gzip.compress(b"two")[:-9], "truncated"),
        (b"no gzip", "encoding"),
        (gzip.compress(b"x" * 101), "too_large"),
        (gzip.compress(b"x") * 65, "encoding"),
    ],
    ids=["nothing", "cut", "second member cut", "no gzip", "too large", "too many members"],  # gzip holds the time
)
def test_gzip_that_is_not_whole_is_an_error(data: bytes, code: str) -> None:
    with pytest.raises(FetchError) as failed:
        gunzip(data, limit=100)
    assert failed.value.code == code


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a key and a certificate for public.test, signed by itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=public.test -addext subjectAltName=DNS:public.test"
    path = tmp_path / "both.pem"
    subprocess.run([openssl, *request.split(), "-keyout", path, "-out", path], check=True, capture_output=True)
    return path


async def test_name_and_certificate_must_agree(certificate: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    async with Origin(ssl_context=server) as origin:
        origin.serve("/a", b"fine")
        guard = Guard(resolver=Names(NAMES), network=Wire(origin.port))
        async with Fetcher(guard=guard, ssl_context=trusting) as fetcher:
            page = await fetcher.fetch("https://public.test/a")
            assert isinstance(page, Page)
            assert page.body == b"fine"
            assert (await failure(fetcher, "https://other.test/a")).code == "tls"
        async with Fetcher(guard=guard) as fetcher:
            assert (await failure(fetcher, "https://public.test/a")).code == "tls"


async def test_garbage_inside_tls_is_an_error(certificate: Path) -> None:
    async def spoil(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, {"Content-Length": "1000"}, b"so far"))
        await writer.drain()
        writer.transport._ssl_protocol._transport.write(b"no TLS record" * 9)  # type: ignore[attr-defined]

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    async with Origin(ssl_context=server) as origin:
        origin.handle("/a", spoil)
        guard = Guard(resolver=Names(NAMES), network=Wire(origin.port))
        async with Fetcher(guard=guard, ssl_context=ssl.create_default_context(cafile=certificate)) as fetcher:
            assert (await failure(fetcher, "https://public.test/a")).code == "truncated"


# --- conditional requests ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"1"'}, {"etag": '"1"'}),
        (
            {"Last-Modified": "Wed, 18 Nov 2026 08:00:00 GMT"},
            {"last_modified": "Wed, 18 Nov 2026 08:00:00 GMT"},
        ),
    ],
)
async def test_page_we_hold_is_not_sent_again(
    origin: Origin, fetcher: Fetcher, headers: dict[str, str], validator: dict[str, str]
) -> None:
    origin.serve("/a.ics", CALENDAR, headers=headers)
    assert await fetcher.fetch(origin.url("/a.ics"), **validator) == NotModified(origin.url("/a.ics"))


async def test_validators_go_along_a_redirect(origin: Origin, fetcher: Fetcher) -> None:
    origin.redirect("/old", "/new")
    origin.serve("/new", CALENDAR, headers={"ETag": '"1"'})
    assert await fetcher.fetch(origin.url("/old"), etag='"1"') == NotModified(origin.url("/new"))


async def test_page_we_hold_tells_of_a_permanent_move(origin: Origin, fetcher: Fetcher) -> None:
    origin.redirect("/old", "/new", status=301)
    origin.serve("/new", CALENDAR, headers={"ETag": '"1"'})
    new = origin.url("/new")
    assert await fetcher.fetch(origin.url("/old"), etag='"1"') == NotModified(new, moved_to=new)


async def test_not_modified_without_being_asked_is_an_error(origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", status=304)
    assert (await failure(fetcher, origin.url("/a.ics"))).code == "status"


# --- redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "moved"), [([301], True), ([308, 301], True), ([301, 302], False), ([307, 308], False), ([303], False)]
)
async def test_source_has_moved_only_when_every_hop_is_permanent(
    origin: Origin, fetcher: Fetcher, statuses: list[int], moved: bool
) -> None:
    for number, status in enumerate(statuses):
        origin.redirect(f"/{number}", f"/{number + 1}", status=status)
    origin.serve(f"/{len(statuses)}", CALENDAR)
    final = origin.url(f"/{len(statuses)}")
    assert await fetcher.fetch(origin.url("/0")) == Page(final, CALENDAR, moved_to=final if moved else None)


async def test_five_redirects_are_followed_and_a_sixth_is_not(origin: Origin, fetcher: Fetcher) -> None:
    for number in range(6):
        origin.redirect(f"/{number}", f"/{number + 1}")
    origin.serve("/6", CALENDAR)
    assert isinstance(await fetcher.fetch(origin.url("/1")), Page)
    assert (await failure(fetcher, origin.url("/0"))).code == "redirects"


async def test_redirect_in_a_circle_ends(origin: Origin, fetcher: Fetcher) -> None:
    origin.redirect("/a", "/b")
    origin.redirect("/b", "/a")
    assert (await failure(fetcher, origin.url("/a"))).code == "redirects"
    assert len(origin.requests) == 1 + 6


async def test_redirect_to_an_umlaut_is_followed(origin: Origin, fetcher: Fetcher) -> None:
    origin.handle("/a", raw("HTTP/1.1 302 Found\r\nLocation: /größe\r\nContent-Length: 0\r\n\r\n".encode()))
    origin.serve("/gr%C3%B6%C3%9Fe", CALENDAR)
    assert isinstance(await fetcher.fetch(origin.url("/a")), Page)


async def test_redirect_without_a_place_is_an_error(origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a", status=302)
    assert (await failure(fetcher, origin.url("/a"))).code == "status"


# --- answers that are no page --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (204, "status"),
        (206, "status"),
        (400, "status"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (410, "gone"),
        (418, "status"),
        (429, "rate_limited"),
        (500, "server_error"),
        (503, "unavailable"),
        (599, "server_error"),
        (999, "status"),
    ],
)
async def test_status_has_its_code(origin: Origin, fetcher: Fetcher, status: int, code: str) -> None:
    origin.serve("/a.ics?key=secret", b"" if status == 204 else b"sorry", status=status)
    error = await failure(fetcher, origin.url("/a.ics?key=secret"))
    assert (error.code, error.status) == (code, status)
    assert error.message.startswith(f"{origin.host}/a.ics answers {status}")


async def test_server_that_asks_to_wait_is_heard(origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a", status=429, headers={"Retry-After": "120"})
    origin.serve("/b", status=503, headers={"Retry-After": "99999999999999999999"})
    origin.serve("/c", status=500, headers={"Retry-After": "120"})
    assert [(await failure(fetcher, origin.url(path))).retry_after for path in ("/a", "/b", "/c")] == [
        timedelta(minutes=2),
        timedelta(hours=24),
        None,
    ]


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("0", timedelta(0)),
        (" 90 ", timedelta(seconds=90)),
        ("9" * 5000, timedelta(hours=24)),
        ("Mon, 23 Nov 2026 08:10:00 GMT", timedelta(minutes=10)),
        ("Mon, 23 Nov 2026 08:10:00 -0000", timedelta(minutes=10)),
        ("Mon, 23 Nov 2026 07:00:00 GMT", timedelta(0)),
        ("Wed, 21 Oct 2099 07:28:00 GMT", timedelta(hours=24)),
        ("-5", None),
        ("soon", None),
        ("Mon, 99 Nov 99999999999 08:10:00 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, wait: timedelta | None) -> None:
    assert retry_after(value, datetime(2026, 11, 23, 8, tzinfo=UTC)) == wait


# --- origins that misbehave ----------------------------------------------------------------------------------------

BOMB = gzip.compress(b"\0" * 30_000_000)
MISBEHAVING: dict[str, tuple[Handler, str]] = {
    "drip": (drip, "timeout"),
    "drip headers": (drip_headers, "timeout"),
    "silence": (silent, "timeout"),
    "endless": (endless, "too_large"),
    "endless chunks": (endless_chunks, "too_large"),
    "reset": (reset, "protocol"),
    "nothing": (raw(b""), "protocol"),
    "garbage": (raw(b"\x00\x01 not http\r\n\r\n"), "protocol"),
    "HTTP/0.9": (raw(b"<html>hi</html>"), "protocol"),
    "huge header": (raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n"), "protocol"),
    "many headers": (raw(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 100_000 + b"\r\n"), "protocol"),
    "early hints": (raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000), "protocol"),
    "short": (raw(answer(200, {"Content-Length": "1000"}, CALENDAR)), "truncated"),
    "short chunks": (raw(answer(200, {"Transfer-Encoding": "chunked"}, b"5\r\nhello\r\n")), "truncated"),
    "bad chunk": (raw(answer(200, {"Transfer-Encoding": "chunked"}, b"ZZZ\r\nabc\r\n")), "truncated"),
    "negative length": (raw(answer(200, {"Content-Length": "-1"}, b"x")), "protocol"),
    "two lengths": (
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello"),
        "protocol",
    ),
    "cut gzip": (raw(truncated_gzip(CALENDAR * 100)), "truncated"),
    "corrupt gzip": (raw(answer(200, {"Content-Encoding": "gzip", "Content-Length": "9"}, b"notgzip!!")), "encoding"),
    "gzip bomb": (raw(answer(200, {"Content-Encoding": "gzip", "Content-Length": str(len(BOMB))}, BOMB)), "too_large"),
    "stacked gzip": (raw(answer(200, {"Content-Encoding": "gzip, gzip", "Content-Length": "2"}, b"ok")), "encoding"),
    "brotli": (raw(answer(200, {"Content-Encoding": "br", "Content-Length": "2"}, b"ok")), "encoding"),
    "bad redirect": (raw(answer(302, {"Location": "http://[::1", "Content-Length": "0"})), "refused"),
    "long redirect": (raw(answer(302, {"Location": f"/{'x' * 60_000}", "Content-Length": "0"})), "refused"),
}


@pytest.mark.parametrize("fault", MISBEHAVING)
async def test_misbehaving_origin_costs_little_and_gives_no_page(origin: Origin, fault: str) -> None:
    handler, code = MISBEHAVING[fault]
    origin.handle("/a.ics", handler)
    async with Fetcher(allow_hosts=origin.allow_hosts, limits=SHORT if code == "timeout" else Limits()) as fetcher:
        tracemalloc.start()
        error = await failure(fetcher, origin.url("/a.ics"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.code == code
    assert peak < 60_000_000


async def test_connection_that_misbehaved_does_not_spoil_the_next_fetch(origin: Origin) -> None:
    origin.handle("/drip", drip)
    origin.handle("/reset", reset)
    origin.serve("/a.ics", CALENDAR)
    async with Fetcher(allow_hosts=origin.allow_hosts, limits=SHORT) as fetcher:
        await asyncio.gather(*(failure(fetcher, origin.url(path)) for path in ["/drip", "/reset"] * 5))
        assert isinstance(await fetcher.fetch(origin.url("/a.ics")), Page)


async def test_host_nobody_listens_at_cannot_be_reached() -> None:
    async with Origin() as gone:
        pass
    async with Fetcher(allow_hosts=gone.allow_hosts) as fetcher:
        assert (await failure(fetcher, gone.url("/a"))).code == "connect"


# --- politeness ----------------------------------------------------------------------------------------------------


async def test_robots_are_obeyed_and_asked_once(origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/robots.txt", "User-agent: *\nDisallow: /private/\n\nUser-agent: adjacent\nDisallow: /ours/\n")
    for path in ("/private/a", "/ours/b", "/c"):
        origin.serve(path, CALENDAR)
    outcomes = await asyncio.gather(
        *(fetcher.fetch(origin.url(path)) for path in ("/private/a", "/ours/b", "/c")), return_exceptions=True
    )
    assert [outcome.code if isinstance(outcome, FetchError) else type(outcome) for outcome in outcomes] == [
        Page,
        "robots",
        Page,
    ]
    assert origin.paths.count("/robots.txt") == 1


async def test_robots_are_obeyed_behind_a_redirect(origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/robots.txt", "User-agent: *\nDisallow: /private/\n")
    origin.redirect("/a", "/private/a")
    assert (await failure(fetcher, origin.url("/a"))).code == "robots"
    assert origin.paths == ["/robots.txt", "/a"]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_site_without_robots_has_no_rules(origin: Origin, fetcher: Fetcher, status: int) -> None:
    origin.serve("/robots.txt", status=status)
    origin.serve("/a", CALENDAR)
    assert isinstance(await fetcher.fetch(origin.url("/a")), Page)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_site_whose_robots_cannot_be_read_is_left_alone(origin: Origin, fetcher: Fetcher, status: int) -> None:
    origin.serve("/robots.txt", status=status, headers={"Retry-After": "60"})
    origin.serve("/a", CALENDAR)
    errors = [await failure(fetcher, origin.url("/a")) for _ in range(3)]
    assert {error.code for error in errors} == {"robots"}
    assert errors[0].retry_after == (None if status == 500 else timedelta(minutes=1))
    assert origin.paths == ["/robots.txt"]


async def test_rules_are_asked_for_again_after_a_day_and_trouble_after_ten_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    real, later = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: real() + later[0])
    asked: list[str] = []

    async def good() -> Robots | FetchError:
        asked.append("good")
        return Robots()

    async def bad() -> Robots | FetchError:
        asked.append("bad")
        return FetchError("robots", "no answer")

    memory = RobotsMemory()
    for hours in (0, 0.1, 0.2, 23.9, 24.1):
        later[0] = hours * 3600
        await memory.rules("one", good)
        await memory.rules("two", bad)
    assert asked == ["good", "bad", "bad", "bad", "good", "bad"]


async def test_cancelled_fetch_leaves_the_rules_to_the_others(origin: Origin, fetcher: Fetcher) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def late(_: Asked, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await may_answer.wait()
        writer.write(answer(404, {"Content-Length": "0"}))

    origin.handle("/robots.txt", late)
    origin.serve("/a", CALENDAR)
    first, second = (asyncio.create_task(fetcher.fetch(origin.url("/a"))) for _ in range(2))
    await asked.wait()
    first.cancel()
    may_answer.set()
    assert isinstance(await second, Page)
    assert origin.paths == ["/robots.txt", "/a"]


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00", b"<html><p>Disallow: all of it</p>", b"Disallow: /\n", b"Crawl-delay: soon\n" * 9]
)
async def test_robots_that_are_no_rules_allow_everything(origin: Origin, fetcher: Fetcher, body: bytes) -> None:
    origin.serve("/robots.txt", body)
    origin.serve("/a", CALENDAR)
    assert isinstance(await fetcher.fetch(origin.url("/a")), Page)


async def test_pause_is_what_robots_ask_for_within_reason() -> None:
    async with Origin() as origin:
        guard = Guard(resolver=Names(NAMES), network=Wire(origin.port))
        pauses = []
        for rules in ("", "User-agent: *\nCrawl-delay: 10", "User-agent: *\nCrawl-delay: 86400"):
            origin.serve("/robots.txt", rules)
            async with Fetcher(guard=guard) as fetcher:
                pauses.append(await fetcher.pause("http://public.test/a"))
        origin.serve("/robots.txt", status=500)
        async with Fetcher(guard=guard) as fetcher:
            pauses.append(await fetcher.pause("http://public.test/a"))
        async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
            pauses += [await fetcher.pause(origin.url("/a")), await fetcher.pause("http://public.test:22/")]
    assert pauses == [1.5, 10.0, 60.0, 1.5, 0.0, 0.0]


async def test_public_host_has_one_connection_and_an_allowed_one_four(origin: Origin) -> None:
    async def slow(_: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.005)
        writer.write(answer(200, {"Content-Length": "2"}, b"ok"))

    origin.handle_others(slow)
    origin.serve("/robots.txt", status=404)
    async with Fetcher(guard=Guard(resolver=Names(NAMES), network=Wire(origin.port))) as fetcher:
        await asyncio.gather(*(fetcher.fetch(f"http://public.test/{number}") for number in range(20)))
    assert (origin.connections, origin.most_open) == (1, 1)
    async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
        await asyncio.gather(*(fetcher.fetch(origin.url(f"/{number}")) for number in range(20)))
    assert (origin.connections, origin.most_open) == (1 + 4, 4)


async def test_waiting_for_a_turn_is_not_taken_for_slowness(origin: Origin) -> None:
    async def slow(_: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(answer(200, {"Content-Length": "2"}, b"ok"))

    origin.handle_others(slow)
    origin.serve("/robots.txt", status=404)
    guard = Guard(resolver=Names(NAMES), network=Wire(origin.port))
    async with Fetcher(guard=guard, limits=Limits(seconds=1.0)) as fetcher:
        pages = await asyncio.gather(*(fetcher.fetch(f"http://public.test/{number}") for number in range(12)))
    assert {type(page) for page in pages} == {Page}


async def test_fetch_that_is_cancelled_leaves_its_turn_to_the_next(origin: Origin, fetcher: Fetcher) -> None:
    all_in = asyncio.Semaphore(0)

    async def hold(asked: Asked, writer: asyncio.StreamWriter) -> None:
        all_in.release()
        await silent(asked, writer)

    origin.handle("/silent", hold)
    origin.serve("/a", CALENDAR)
    waiting = [asyncio.create_task(fetcher.fetch(origin.url("/silent"))) for _ in range(8)]
    for _ in range(4):
        await all_in.acquire()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(await fetcher.fetch(origin.url("/a")), Page)


async def test_body_that_comes_after_its_headers_is_not_waited_for(origin: Origin, fetcher: Fetcher) -> None:
    async def in_two(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        for part in (answer(200, {"Content-Length": str(len(CALENDAR))}), CALENDAR):
            writer.write(part)
            await writer.drain()

    async def in_one(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, {"Content-Length": str(len(CALENDAR))}) + CALENDAR)
        await writer.drain()

    async def spent_on(handler: Callable[[Asked, asyncio.StreamWriter], Awaitable[None]], where: str) -> float:
        origin.handle_others(handler)
        started = time.monotonic()
        for number in range(60):
            await fetcher.fetch(origin.url(f"/{where}/{number}"))
        return time.monotonic() - started

    origin.serve("/robots.txt", status=404)
    await spent_on(in_one, "warm")
    delayed_acknowledgements = 60 * 0.040
    assert await spent_on(in_two, "two") < 4 * await spent_on(in_one, "one") + delayed_acknowledgements / 2


async def test_sources_of_one_allowed_host_share_four_connections(origin: Origin) -> None:
    for number in range(300):
        origin.serve(f"/{number}.ics", CALENDAR)
    async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
        await asyncio.gather(*(fetcher.fetch(origin.url(f"/{number}.ics")) for number in range(300)))
    assert (origin.connections, len(origin.requests)) == (4, 301)
