"""What the guard lets out: attacks end without a single connection, honest addresses arrive."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Sequence
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from origin import Asked, Origin, answer
from wire import Names, Wire

from scrapers.draft import Page
from scrapers.fetch import Fetcher, FetchError, NotModified
from scrapers.guard import Guard, Refused, is_public

PUBLIC, PUBLIC_TOO, PUBLIC_V6 = "93.184.216.34", "8.8.4.4", "2606:2800:220:1:248:1893:25c8:1946"
NAMES: dict[str, list[list[str]]] = {
    "public.test": [[PUBLIC]],
    "other.test": [[PUBLIC_TOO]],
    "six.test": [[PUBLIC_V6]],
    "both.test": [[PUBLIC_V6, PUBLIC]],
    "mapped-public.test": [[f"::ffff:{PUBLIC}"]],
    "nat64-public.test": [["64:ff9b::5db8:d822"]],
    "localhost": [["127.0.0.1"]],
    "meta.test": [["169.254.169.254"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "ten.test": [["10.0.0.5"]],
    "redis": [["172.18.0.3"]],
    "mixed.test": [[PUBLIC, "10.0.0.5"]],
    "mixed-first.test": [["10.0.0.5", PUBLIC]],
    "mixed-six.test": [[PUBLIC, "fd00::1"]],
    "rebind.test": [[PUBLIC], ["127.0.0.1"]],
    "rebind-later.test": [[PUBLIC], [PUBLIC], ["127.0.0.1"]],
    "flip.test": [["127.0.0.1"], [PUBLIC]],
    "mapped.test": [["::ffff:10.0.0.5"]],
    "nat64.test": [["64:ff9b::a9fe:a9fe"]],
    "scoped.test": [["fe80::1%eth0"]],
    "six-to-four.test": [["2002:7f00:1::"]],
    "translated.test": [["::ffff:0:7f00:1"]],
    "mixed-nat64.test": [[PUBLIC, "64:ff9b::7f00:1"]],
    "fifth.test": [[PUBLIC, PUBLIC_TOO, "1.1.1.1", "9.9.9.9", "10.0.0.5"]],
    "nothing.test": [[]],
}


def hop(status: int, target: str, host: str = "public.test") -> str:
    return f"http://{host}/{status}/{quote(target, safe='')}"


LITERALS = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0300.0250.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::1]/",
    "http://[fec0::1]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[ff02::1]/",
    "http://[3fff::1]/",
    "http://[5f00::1]/",
    "http://[2001:db8::1]/",
    "http://[2001::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://10.0.0.5/",
    "http://192.168.1.1/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://198.18.0.1/",
    "http://192.0.0.8/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
]
SPELLINGS = [
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://local\u00adhost/",
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://public.test@127.0.0.1/",
    "http://public.test:80@127.0.0.1/",
    "http://public.test%2f@127.0.0.1/",
    "http://user:password@public.test/",
    "http://public.test\\@127.0.0.1/",
    "http://127.0.0.1#@public.test/",
    "http://127.0.0.1?@public.test/",
    "http://127.0.0.1\t.public.test/",
    "http://public.test\r\nHost: 127.0.0.1/",
    "webcal://127.0.0.1/all.ics",
]
RESOLVED = [
    "http://ten.test/",
    "http://meta.test/",
    "http://metadata.google.internal/",
    "http://redis/",
    "http://mixed.test/",
    "http://mixed-first.test/",
    "http://mixed-six.test/",
    "http://mapped.test/",
    "http://nat64.test/",
    "http://scoped.test/",
    "http://six-to-four.test/",
    "http://translated.test/",
    "http://mixed-nat64.test/",
    "http://fifth.test/",
    "http://nothing.test/",
    "http://unknown.test/",
    "http://flip.test/",
]
NO_WEB = [
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_INFO",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "data:text/plain,hi",
    "javascript:alert(1)",
    "//public.test/",
    "http:///etc/passwd",
    "public.test",
    "",
    f"http://public.test/{'x' * 5000}",
]
PORTS = [
    "http://public.test:22/",
    "http://public.test:6379/",
    "https://public.test:8443/",
    "http://public.test:0/",
    "http://public.test:99999/",
]
REDIRECTS = [
    hop(301, "http://127.0.0.1/"),
    hop(302, "http://169.254.169.254/latest/"),
    hop(303, "http://localhost/"),
    hop(307, "http://10.0.0.5/"),
    hop(308, "http://[::1]/"),
    hop(302, hop(302, "http://ten.test/", host="other.test")),
    hop(302, "//127.0.0.1/"),
    hop(302, "file:///etc/passwd"),
    hop(302, "http://public.test:25/"),
    hop(302, "http://user@other.test/"),
    hop(302, "http://flip.test/"),
    hop(302, "http://2130706433/"),
    hop(302, "http://[2002:7f00:1::1]/"),
    hop(302, "http:\\\\127.0.0.1\\"),
    hop(302, "http://[::1"),
    hop(302, "http://public.test\\@127.0.0.1/"),
]
DIRECT = [*LITERALS, *SPELLINGS, *RESOLVED, *NO_WEB, *PORTS]


async def answer_by_path(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Redirect where a path of `hop` says; answer everything else with a page, but for robots.txt."""
    status, _, target = asked.path[1:].partition("/")
    if status.isdigit():
        writer.write(answer(int(status), {"Location": unquote(target), "Content-Length": "0"}))
    elif asked.path == "/robots.txt":
        writer.write(answer(404, {"Content-Length": "0"}))
    else:
        writer.write(answer(200, {"Content-Length": "4"}, b"fine"))


async def attempt(address: str) -> tuple[Page | NotModified | FetchError, list[tuple[str, int]]]:
    """Fetch through a guard on the wire; return the outcome and what was dialled."""
    async with Origin() as origin:
        origin.handle_others(answer_by_path)
        wire = Wire(origin.port)
        async with Fetcher(guard=Guard(resolver=Names(NAMES), network=wire)) as fetcher:
            try:
                return await fetcher.fetch(address), wire.dialled
            except FetchError as error:
                return error, wire.dialled


@pytest.mark.parametrize("address", DIRECT)
async def test_attack_ends_without_a_connection(address: str) -> None:
    outcome, dialled = await attempt(address)
    assert isinstance(outcome, FetchError)
    assert (outcome.code in {"refused", "dns"}, dialled) == (True, [])


@pytest.mark.parametrize("address", REDIRECTS)
async def test_attack_by_redirect_ends_at_the_redirect(address: str) -> None:
    outcome, dialled = await attempt(address)
    assert isinstance(outcome, FetchError)
    assert outcome.code == "refused"
    assert set(dialled) <= {(PUBLIC, 80), (PUBLIC_TOO, 80)}


@pytest.mark.parametrize(
    "address", ["http://rebind.test/", "http://rebind-later.test/", hop(302, "http://rebind.test/")]
)
async def test_name_that_changes_its_mind_is_never_dialled_at_its_new_address(address: str) -> None:
    async with Origin() as origin:

        async def once(asked: Asked, writer: asyncio.StreamWriter) -> None:
            await answer_by_path(asked, writer)
            writer.close()  # so that every request needs a new connection, and a new look-up

        origin.handle_others(once)
        wire = Wire(origin.port)
        async with Fetcher(guard=Guard(resolver=Names(NAMES), network=wire)) as fetcher:
            for _ in range(3):
                with contextlib.suppress(FetchError):
                    await fetcher.fetch(address)
            with pytest.raises(FetchError) as refused:
                await fetcher.fetch(address)
        assert refused.value.code == "refused"
        assert set(wire.dialled) == {(PUBLIC, 80)}


@pytest.mark.parametrize(
    ("address", "dialled"),
    [
        ("http://public.test/a", [(PUBLIC, 80)]),
        ("http://PUBLIC.test./a", [(PUBLIC, 80)]),
        ("http://public.test:80/a#part", [(PUBLIC, 80)]),
        (f"http://{PUBLIC}/a", [(PUBLIC, 80)]),
        ("http://six.test/a", [(PUBLIC_V6, 80)]),
        (f"http://[{PUBLIC_V6}]/a", [(PUBLIC_V6, 80)]),
        ("http://both.test/a", [(PUBLIC_V6, 80)]),
        ("http://mapped-public.test/a", [(PUBLIC, 80)]),
        ("http://nat64-public.test/a", [("64:ff9b::5db8:d822", 80)]),
        (hop(302, "http://other.test/a"), [(PUBLIC, 80), (PUBLIC_TOO, 80)]),
        (hop(307, "/a"), [(PUBLIC, 80)]),
        (hop(302, hop(302, "//other.test/a", host="six.test")), [(PUBLIC, 80), (PUBLIC_V6, 80), (PUBLIC_TOO, 80)]),
    ],
)
async def test_honest_address_is_fetched_from_the_address_that_was_judged(
    address: str, dialled: list[tuple[str, int]]
) -> None:
    outcome, met = await attempt(address)
    assert isinstance(outcome, Page)
    assert (outcome.body, met) == (b"fine", dialled)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://public.test/a", "public.test"),
        ("http://PUBLIC.test:80/a", "public.test"),
        (f"http://[{PUBLIC_V6}]/a", f"[{PUBLIC_V6}]"),
    ],
)
async def test_host_header_says_what_the_address_says(address: str, host: str) -> None:
    async with Origin() as origin:
        origin.serve("/a", b"fine")
        async with Fetcher(guard=Guard(resolver=Names(NAMES), network=Wire(origin.port))) as fetcher:
            await fetcher.fetch(address)
        assert {asked.headers["host"] for asked in origin.requests} == {host}


async def test_webcal_means_https_but_http_where_the_operator_allows_it() -> None:
    guard = Guard({("10.0.0.5", 8080), ("ten.test", 80)})
    assert [str(guard.web_address(text)) for text in ("webcal://a.example/b", "WEBCAL://10.0.0.5:8080/b")] == [
        "https://a.example/b",
        "http://10.0.0.5:8080/b",
    ]
    assert str(guard.web_address("webcal://ten.test/b")) == "http://ten.test/b"


async def test_allowed_host_may_be_private_on_its_port_only() -> None:
    async with Origin() as origin, Origin() as other:
        origin.serve("/a", b"fine")
        other.serve("/a", b"secret")
        async with Fetcher(allow_hosts={("127.0.0.1", origin.port)}) as fetcher:
            page = await fetcher.fetch(origin.url("/a"))
            with pytest.raises(FetchError, match="not fetched, only 80 and 443") as refused:
                await fetcher.fetch(other.url("/a"))
        assert isinstance(page, Page)
        assert (page.body, refused.value.code, other.connections) == (b"fine", "refused", 0)


async def test_allow_list_names_hosts_as_addresses_spell_them() -> None:
    async with Fetcher(allow_hosts={("Inside.Test", 8099)}) as fetcher:
        assert [
            fetcher.is_allowed(address)
            for address in ("http://inside.test:8099/a", "webcal://INSIDE.test:8099/", "http://inside.test/a", "no")
        ] == [True, True, False, False]


async def test_name_servers_that_do_not_answer_are_given_up() -> None:
    async def silent(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with Fetcher(guard=Guard(resolver=silent, dns_seconds=0.05)) as fetcher:
        with pytest.raises(FetchError, match="no answer from the name servers") as failed:
            await fetcher.fetch("http://public.test/")
    assert failed.value.code == "dns"


async def test_next_address_is_tried_when_one_is_dead() -> None:
    async with Origin() as origin:
        origin.serve("/a", b"fine")
        wire = Wire(origin.port, dead=PUBLIC_V6)
        async with Fetcher(guard=Guard(resolver=Names(NAMES), network=wire)) as fetcher:
            await fetcher.fetch("http://both.test/a")
    assert wire.dialled == [(PUBLIC_V6, 80), (PUBLIC, 80)]


async def test_unix_sockets_are_refused() -> None:
    with pytest.raises(Refused):
        await Guard().connect_unix_socket("/var/run/docker.sock")


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Origin() as origin, Origin() as proxy:
        origin.serve("/a", b"fine")
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
            await fetcher.fetch(origin.url("/a"))
        assert proxy.connections == 0


@given(st.text(alphabet="htpswebcal:/@\\\\[]?#%.01279af \t\u00e4①。\ud800"))
def test_address_is_refused_or_plain_whatever_it_looks_like(text: str) -> None:
    try:
        url = Guard().web_address(text)
    except Refused:
        return
    assert (url.scheme in {"http", "https"}, bool(url.host), url.userinfo) == (True, True, b"")


@pytest.mark.parametrize("address", ["8.8.8.8", "193.99.144.80", "2a02:2e0:3fe:1001::1", "::ffff:8.8.8.8"])
def test_address_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_no_address_is_public_that_python_calls_private() -> None:
    # Newer Pythons know the registries better than 3.11; whatever they learn must hold here, too.
    blocks = [f"{first}.{second}.0.1" for first in range(256) for second in range(256)]
    assert [a for a in blocks if is_public(ipaddress.ip_address(a)) and not ipaddress.ip_address(a).is_global] == []
