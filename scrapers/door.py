"""Step 2, reading: the two ways to have bytes read. What is behind them is loaded where it reads."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from scrapers import workers
from scrapers.draft import Reading, Window

_UTC = ZoneInfo("UTC")


def read(
    body: bytes,
    *,
    url: str,
    content_type: str | None = None,
    window: Window,
    zone: ZoneInfo = _UTC,
    cpu_seconds: float = 2.0,
    memory_mb: int = 512,
) -> Reading:
    """Return what `read_here` makes of a body, in a process that is ended when it has used up its budget.

    Raises Unreadable and nothing else, whatever the bytes; `too_expensive` is its code for a spent budget.
    Safe to call from several threads at once. `zone` is that of times that name none.
    """
    return workers.WORKERS.run(workers.Job(body, url, content_type, window, zone, cpu_seconds, memory_mb))


def read_here(
    body: bytes, *, url: str, content_type: str | None = None, window: Window, zone: ZoneInfo = _UTC
) -> Reading:
    """Return the events of a calendar, page, feed or JSON document; its bytes tell which it is, not its type.

    Raises Unreadable. Hostile bytes can keep it busy for minutes: strangers' bytes go through `read`.
    """
    # All readers with their libraries: an eighth of a start, and most processes have others read.
    from scrapers import reading  # noqa: PLC0415

    return reading.read_here(body, url=url, content_type=content_type, window=window, zone=zone)
