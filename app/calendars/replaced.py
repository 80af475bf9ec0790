"""Step 7, the old address of a personal calendar: for two weeks it says that it was replaced, then it is gone.

Programs keep what they had when an address only fails; this is how people hear of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.calendars.calendar_feed import ALWAYS, UID_HOST, header, whole
from app.calendars.content_lines import instant, line, text
from app.models import Feed
from app.words.wording import Wording

REPLACED_FOR = timedelta(days=14)


def is_gone(replaced_at: datetime, clock: datetime) -> bool:
    """Whether an address has said for long enough that it was replaced."""
    return clock - replaced_at > REPLACED_FOR


def replaced_calendar(feed: Feed, replaced_at: datetime, *, base_url: str, wording: Wording) -> bytes:
    """Return the calendar of one event that says so.

    It lasts for as long as it is told: some programs ask but once a day, and people look at the day they are in.
    """
    again = wording.text(
        "The address of “{name}” was replaced. Subscribe again: {address}", name=feed.name, address=f"{base_url}/me"
    )
    at, gone_at = instant(replaced_at), instant(replaced_at + REPLACED_FOR)
    notice = (
        f"BEGIN:VEVENT\r\nUID:{feed.key}-replaced@{UID_HOST}\r\nDTSTAMP:{at}\r\nCREATED:{at}\r\n",
        f"LAST-MODIFIED:{at}\r\nSEQUENCE:0\r\nDTSTART;VALUE=DATE:{at[:8]}\r\nDTEND;VALUE=DATE:{gone_at[:8]}\r\n",
        line("SUMMARY", text(wording.text("This link was replaced"))),
        line("DESCRIPTION", text(again)),
        line("URL", f"{base_url}/me"),
        "STATUS:CONFIRMED\r\n",
        ALWAYS,
    )
    return whole(header(feed.name), ["".join(notice).encode()])
