"""How much one address or one person may ask for: token buckets in memory, one a client and purpose."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from fastapi import Request
from starlette.types import Scope

from app.api.problems import Problem
from app.settings import Settings

REMEMBERED = 10_000  # clients; the one not seen for longest is forgotten first
LIMITED = "adjacent.limited"
CUSTOMER = 64  # bits of an IPv6 address that a provider gives out together


@dataclass(slots=True)
class Bucket:
    """Holds up to `size` tokens and gains `size` an hour; every request takes one."""

    size: float
    tokens: float
    filled_at: float  # seconds of a monotonic clock

    def take(self, clock: float) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        self.tokens = min(self.size, self.tokens + (clock - self.filled_at) * self.size / 3600)
        self.filled_at = clock
        if self.tokens < 1:
            return (1 - self.tokens) * 3600 / self.size
        self.tokens -= 1
        return 0.0


class Limiter:
    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def take(self, client: str, purpose: str, *, an_hour: int, clock: float) -> float:
        """Count one request; return how many seconds to wait before it may be made, 0 for at once."""
        key = (client, purpose)
        bucket = self._buckets.setdefault(key, Bucket(an_hour, an_hour, clock))
        self._buckets.move_to_end(key)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket.take(clock)


def count(request: Request, purpose: str, who: str, *, an_hour: int) -> None:
    """Count one request of an address or a person; raises the Problem for one too many."""
    limiter: Limiter = request.app.state.limiter
    wait = limiter.take(who, purpose, an_hour=an_hour, clock=time.monotonic())
    if wait:
        seconds = math.ceil(wait)
        raise Problem(
            429,
            f"more than {an_hour} an hour; try again in {seconds} s",
            kind="too-many-requests",
            headers={"Retry-After": str(seconds)},
        )


def at_most(an_hour: int, purpose: str) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that refuses what one address asks for more often than that."""

    async def limited(request: Request) -> None:
        request.scope[LIMITED] = True
        count(request, purpose, address_of(request), an_hour=an_hour)

    return limited


def is_limited(scope: Scope) -> bool:
    """Whether a request was counted on its way."""
    return LIMITED in scope


def address_of(request: Request) -> str:
    """Return the address a request comes from; of IPv6 the network a customer gets, since addresses in it are free."""
    settings: Settings = request.app.state.settings
    peer = request.client.host if request.client else ""
    client = client_behind(peer, request.headers.getlist("x-forwarded-for"), settings.trusted_proxies)
    if isinstance(client, IPv6Address):
        return str(IPv6Network((client, CUSTOMER), strict=False))
    return str(client or peer)


def client_behind(
    peer: str, forwarded: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]
) -> IPv4Address | IPv6Address | None:
    """Return the last address on the way that is no trusted proxy; each proxy appended the one it heard from.

    What stands further left was written by whoever asked, and is believed from nobody.
    """
    client = _address(peer)
    hops = [hop for line in forwarded for hop in line.split(",")]
    while hops and client is not None and any(client in network for network in trusted):
        before = _address(hops.pop())
        if before is None:
            break
        client = before
    return client


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
