"""Step 2 as the service takes it: a page is read behind the guarded door, while everybody else goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.collecting.frontier import LATEST
from scrapers import Page, Reading, Unreadable, Window, read
from scrapers.discover import asks_to_sign_in

HORIZON = timedelta(days=365)  # how far ahead lists go and recurring events are expanded
READ_AGAIN = timedelta(days=30)  # after which an unchanged page is read again: what it lists has come nearer
# What happens once is kept from farther on, so that it is there when the horizon reaches it, whatever the page answers:
# it is read again at the first look after READ_AGAIN, and the longest pause between two looks is LATEST.
AHEAD = HORIZON + READ_AGAIN + LATEST


async def read_page(page: Page, *, zone: ZoneInfo, now: datetime) -> Reading:
    """Return what a page lists, as far ahead as it is kept; raises Unreadable."""
    window = Window.ahead(now, days=AHEAD.days)
    try:
        reading = await asyncio.to_thread(
            read, page.body, url=page.url, content_type=page.content_type, window=window, zone=zone
        )
    except Unreadable as error:
        if asks_to_sign_in(page):
            raise Unreadable("login_page", "it asks for a password; a public address is needed") from error
        raise
    return within_reach(reading, now=now)


def within_reach(reading: Reading, *, now: datetime) -> Reading:
    """Return the reading without the occurrences of recurring events that the daily job will add in their time."""
    end = now + HORIZON
    kept = tuple(draft for draft in reading.events if not draft.recurrence_id or draft.starts_at < end)
    return replace(reading, events=kept)
