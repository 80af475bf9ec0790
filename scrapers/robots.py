"""What a site's robots.txt asks of us (RFC 9309)."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

PRODUCT = "Adjacent"  # the product token robots.txt may address us by
LARGEST = 512 * 1024  # bytes read of it; RFC 9309 §2.5 asks for at least 500 KiB
PAUSE_SECONDS = 1.5  # between two requests to a host that asks for nothing
LONGEST_PAUSE_SECONDS = 60.0  # some files ask for hours, which would keep a worker waiting for one host


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
