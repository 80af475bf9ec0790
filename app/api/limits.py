"""How much one address may ask for: token buckets in memory, one a client and purpose."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request

from app.api.problems import Problem

REMEMBERED = 10_000  # clients; the one not seen for longest is forgotten first


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


def at_most(an_hour: int, purpose: str) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that refuses what one address asks for more often than that.

    The address is the connection's: what a header claims is believed from nobody.
    """

    async def limited(request: Request) -> None:
        client = request.client.host if request.client else ""
        limiter: Limiter = request.app.state.limiter
        wait = limiter.take(client, purpose, an_hour=an_hour, clock=time.monotonic())
        if wait:
            seconds = math.ceil(wait)
            raise Problem(
                429,
                f"more than {an_hour} an hour from one address; try again in {seconds} s",
                kind="too-many-requests",
                headers={"Retry-After": str(seconds)},
            )

    return limited
