"""Step 7, the days of an event that lasts all day, as calendars count them."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from app.models import Event

A_DAY = timedelta(days=1)


def days_of(event: Event) -> tuple[date, date]:
    """Return an event's first day and the one after its last, whether its source ends it at midnight or a minute before."""
    zone = ZoneInfo(event.zone)
    first = event.starts_at.astimezone(zone).date()
    if event.ends_at is None or event.ends_at <= event.starts_at:
        return first, first + A_DAY
    return first, (event.ends_at.astimezone(zone) - timedelta.resolution).date() + A_DAY
