"""Step 2, reading: bytes of any kind become a Reading, or an Unreadable that says why not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.charset import decode
from scrapers.community_files import looks_like_archive, looks_like_community, read_archive, read_community
from scrapers.draft import Problem, Reading, Unreadable, Window
from scrapers.feeds import looks_like_feed, read_feed
from scrapers.graph import every_node, types
from scrapers.ical import looks_like_calendar, read_calendar
from scrapers.listing import listing
from scrapers.pages import read_page
from scrapers.schema_org import read_events
from scrapers.sites.readers import JSON_READERS
from scrapers.wholeness import is_cut_off

LARGEST_BODY = 20 * 2**20  # bytes; what `fetch` lets in
_PASSWORD = re.compile(r"<input[^>]{0,300}\btype\s*=\s*[\"']?password", re.IGNORECASE)


def read_here(body: bytes, *, url: str, content_type: str | None, window: Window, zone: ZoneInfo) -> Reading:
    """Return what a body lists; the door of the same name says more."""
    if len(body) > LARGEST_BODY:
        raise Unreadable("too_large", f"{len(body):,} bytes; at most {LARGEST_BODY:,} are read")
    if looks_like_calendar(body):
        return read_calendar(body, url=url, window=window, zone=zone)
    if looks_like_archive(body):
        return read_archive(body, url=url, window=window, zone=zone)
    text = decode(body, content_type)
    start = text.lstrip("\ufeff \t\r\n")[:40]
    if not start:
        raise Unreadable("empty", "the answer is empty")
    promised = (content_type or "").partition(";")[0].strip().casefold()
    if start[0] in "[{" or promised.endswith("json"):
        return _read_json(text, url=url, window=window, zone=zone)
    if looks_like_community(text):
        return read_community(text, url=url, window=window, zone=zone)
    if "<" not in text:
        raise Unreadable("unknown_format", f"neither a calendar nor a page, feed or JSON; it begins {start!r}")
    if looks_like_feed(text):
        return _told_if_cut(read_feed(text, url=url, window=window, zone=zone), body, url)
    try:
        return _told_if_cut(read_page(text, url=url, window=window, zone=zone), body, url)
    except Unreadable as error:
        if promised == "text/calendar":
            raise Unreadable("not_a_calendar", _instead_of_calendar(text)) from error
        raise


def _told_if_cut(reading: Reading, body: bytes, url: str) -> Reading:
    if not is_cut_off(body):
        return reading
    cut = Problem("truncated", url, "the page breaks off; what it does not list may have stood behind that")
    return replace(reading, problems=(cut, *reading.problems))


def _read_json(text: str, *, url: str, window: Window, zone: ZoneInfo) -> Reading:
    try:
        document: Any = json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise Unreadable("broken_json", f"the JSON cannot be read: {error}"[:300]) from error
    for reader in JSON_READERS:
        if (reading := reader(document, url=url, window=window, zone=zone)) is not None:
            return reading
    if any(types(node) for node in every_node(document)):
        found = read_events([document], url=url, window=window, zone=zone)
        if found.nodes:
            return listing(found.drafts, kind="jsonld", window=window, problems=found.problems)
    raise Unreadable("no_events", "JSON of an unknown kind: no list of events, and nothing of schema.org")


def _instead_of_calendar(text: str) -> str:
    is_login = _PASSWORD.search(text) is not None
    return f"a calendar was promised, but {'a login page' if is_login else 'a web page without events'} came"
