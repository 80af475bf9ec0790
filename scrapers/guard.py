"""Step 1, fetch: decides where one may go: public addresses, ports 80 and 443, and what the operator allows by name.

Checking an address before the connection is made is no guard, since the name may resolve to another one a moment
later. So the check sits where the connection is made: the name is resolved once, every answer is judged, and the
literal address that was judged is dialled. Redirects pass the same way, hop by hop.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final

import httpcore
import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

DNS_SECONDS = 5.0
DIAL_SECONDS = 5.0  # per address, so that a dead IPv6 route leaves time for IPv4
DIALLED = 4  # addresses tried of one name
PORTS = frozenset({80, 443})

# `ipaddress.is_global` does not decide this: Python 3.11.7 calls 6to4, fec0::/10, multicast and more global
# (CPython gh-113171), and its answer changes between versions. From the IANA special-purpose registries.
_NOT_PUBLIC_V4: Final = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers; also Alibaba's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's WireServer, by its number a public address
        "169.254.0.0/16",  # link-local; the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")  # all that IANA has given out
_NOT_PUBLIC_V6: Final = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: how networks without IPv4 reach it

LONGEST_URL = 4096
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")


class Refused(httpcore.ConnectError):
    """The guard does not let a connection be made there."""


class Unresolved(httpcore.ConnectError):
    """The name has no address, or the name servers did not say so in time."""


def is_public(address: Address) -> bool:
    """Tell whether the address belongs to the public internet; IPv4 inside IPv6 is judged as what it carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in _NOT_PUBLIC_V4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_UNICAST_V6 and not any(address in block for block in _NOT_PUBLIC_V6)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses the system knows for a name, preferred ones first; OSError where it knows none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class Guard(httpcore.AsyncNetworkBackend):
    """The only way out: a network backend that dials what it has judged.

    `allow_hosts` holds (host, port) pairs that may be private and may use any port. `resolver` and `network` are
    what it resolves and dials with.
    """

    def __init__(
        self,
        allow_hosts: Collection[tuple[str, int]] = (),
        *,
        resolver: Resolver = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
        dns_seconds: float = DNS_SECONDS,
    ) -> None:
        self._allow_hosts = frozenset((host.lower(), port) for host, port in allow_hosts)
        self._resolver = resolver
        self._network = network or httpcore.AnyIOBackend()
        self._dns_seconds = dns_seconds

    def allows(self, host: str, port: int) -> bool:
        """Tell whether the operator named this host and port."""
        return (host.lower(), port) in self._allow_hosts

    def web_address(self, text: str) -> httpx.URL:
        """Return the address in normal form, `webcal:` as what it stands for; Refused for what is no plain web address.

        Nothing is resolved here: whether the host is public is only known when it is dialled.
        """
        text = text.strip()
        if len(text) > LONGEST_URL:
            raise Refused(f"{text[:80]}…: an address of {len(text)} characters; {LONGEST_URL} are enough")
        if _UNSAFE_IN_URL.search(text):  # browsers and libraries disagree about the host of http://a\@b/
            raise Refused(f"{text!r}: an address holds no spaces, control characters or backslashes")
        try:
            url = httpx.URL(text)
            if url.scheme in {"webcal", "webcals"}:
                allowed = self.allows(url.host, url.port or 80)
                url = url.copy_with(scheme="http" if allowed else "https")
            host, port = url.host, port_of(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise Refused(f"{text}: no web address ({error})") from error
        if url.scheme not in {"http", "https"} or not host:
            raise Refused(f"{text}: only http, https and webcal addresses are fetched")
        if url.userinfo:
            raise Refused(f"{host}: an address with a user name or password in it is not fetched")
        self._check_port(host, port)
        return url.copy_with(fragment=None)

    def _check_port(self, host: str, port: int) -> None:
        if port not in PORTS and not self.allows(host, port):
            raise Refused(f"{host}: port {port} is not fetched, only 80 and 443")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the signature is httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._check_port(host, port)
        addresses = await self._judged_addresses(host, port)
        limit = DIAL_SECONDS if timeout is None else min(timeout, DIAL_SECONDS)
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses[:DIALLED]:
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout=limit, local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or Unresolved(f"{host}: the name has no address")

    async def _judged_addresses(self, host: str, port: int) -> list[Address]:
        try:
            async with asyncio.timeout(self._dns_seconds):
                answers = await self._resolver(host, port)
            addresses = [_address(answer) for answer in dict.fromkeys(answers)]
        except TimeoutError as error:
            raise Unresolved(f"{host}: no answer from the name servers within {self._dns_seconds:g} s") from error
        except (OSError, UnicodeError) as error:
            raise Unresolved(f"{host}: the name has no address ({error})") from error
        if not self.allows(host, port):
            for address in addresses:  # one bad answer spoils all: which one is dialled is a race others can win
                if not is_public(address):
                    subject = host if host == str(address) else f"{host}: {address}"
                    raise Refused(f"{subject} is not a public address")
        return addresses

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        raise Refused(f"{path}: Unix sockets are not fetched")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def _address(text: str) -> Address:
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address  # ::ffff:a.b.c.d is dialled as what it is, and judged as that


def port_of(url: httpx.URL) -> int:
    """Return the port that is dialled."""
    if url.port is not None:
        return url.port
    return 80 if url.scheme == "http" else 443
