"""Bytes in, event drafts out: no network (but `fetch`), no database, no clock."""

from scrapers.digest import stable_digest
from scrapers.door import read, read_here
from scrapers.draft import (
    CommunityDraft,
    EventDraft,
    Link,
    Organizer,
    Page,
    Problem,
    Reading,
    Series,
    Unreadable,
    Venue,
    Window,
    as_json,
    from_json,
)

__all__ = [
    "CommunityDraft",
    "EventDraft",
    "Link",
    "Organizer",
    "Page",
    "Problem",
    "Reading",
    "Series",
    "Unreadable",
    "Venue",
    "Window",
    "as_json",
    "from_json",
    "read",
    "read_here",
    "stable_digest",
]
