"""Step 1, fetch: what a site's robots.txt asks of us (RFC 9309)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any

from protego import Protego

from scrapers.answers import FetchError

PRODUCT = "Adjacent"  # the product token robots.txt may address us by
LARGEST = 512 * 1024  # bytes read of it; RFC 9309 §2.5 asks for at least 500 KiB
PAUSE_SECONDS = 1.5  # between two requests to a host that asks for nothing
LONGEST_PAUSE_SECONDS = 60.0  # some files ask for hours, which would keep a worker waiting for one host
KEPT_SECONDS = 24 * 3600.0  # RFC 9309 §2.4: not longer than 24 hours
TROUBLE_SECONDS = 600.0  # a site whose robots.txt cannot be had is not asked again before
MOST_ORIGINS = 4096


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one origin; without any, everything is allowed."""

    rules: Protego | None = None

    def allows(self, url: str) -> bool:
        return self.rules is None or bool(self.rules.can_fetch(url, PRODUCT))

    def pause_seconds(self) -> float:
        """Return how long to wait between two requests."""
        asked = None if self.rules is None else self.rules.crawl_delay(PRODUCT)
        return PAUSE_SECONDS if asked is None else min(max(asked, PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)


def parse_robots(body: bytes) -> Robots:
    """Return the rules of a robots.txt; whatever is no rule in it is skipped."""
    return Robots(Protego.parse(body[:LARGEST].decode("utf-8", "replace")))


@dataclass(slots=True)
class _Entry:
    task: asyncio.Task[Robots | FetchError]
    expires_at: float  # on the loop's clock


class RobotsMemory:
    """The rules of each origin met, asked for once however many fetches need them at the same moment."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, _Entry] = {}

    async def rules(
        self, origin: Hashable, read: Callable[[], Coroutine[Any, Any, Robots | FetchError]]
    ) -> Robots | FetchError:
        """Return the origin's rules, or why they cannot be had; `read` is only called where neither is known."""
        clock = asyncio.get_running_loop().time
        entry = self._entries.get(origin)
        if entry is None or entry.expires_at <= clock():
            entry = _Entry(asyncio.create_task(read()), clock() + KEPT_SECONDS)
            self._entries.pop(origin, None)
            self._entries[origin] = entry
            self._forget_oldest()
        robots = await asyncio.shield(entry.task)  # a fetch that is cancelled must not take the others' rules away
        if isinstance(robots, FetchError):
            entry.expires_at = min(entry.expires_at, clock() + TROUBLE_SECONDS)
        return robots

    def _forget_oldest(self) -> None:
        oldest = next(iter(self._entries))
        if len(self._entries) > MOST_ORIGINS and self._entries[oldest].task.done():
            del self._entries[oldest]

    async def close(self) -> None:
        """Stop asking for rules nobody waits for any more."""
        unfinished = [entry.task for entry in self._entries.values() if not entry.task.done()]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
