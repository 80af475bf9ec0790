"""Readers of single platforms, one file each. The first one that knows a document reads it.

A reader of JSON is a function `(document, *, url, window, zone) -> Reading | None`; None means "not mine".
"""

from __future__ import annotations

from typing import Any, Protocol
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Window
from scrapers.sites.conferences import read_conferences


class JsonReader(Protocol):
    def __call__(self, document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None: ...


JSON_READERS: tuple[JsonReader, ...] = (read_conferences,)
