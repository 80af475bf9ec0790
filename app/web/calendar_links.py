"""Where one event is put into a calendar: the file that every program reads, and what people use in a browser."""

from __future__ import annotations

from dataclasses import dataclass

from app.calendars.calendar_offers import offers
from app.models import Event


@dataclass(frozen=True, slots=True)
class EventLinks:
    file_url: str
    google_url: str
    outlook_url: str


def event_links(event: Event, address: str) -> EventLinks:
    """Return the links; `address` is that of its page. Mails offer the same ones."""
    offered = offers(event, address)
    return EventLinks(f"/api/v1/events/{event.key}.ics?entry=true", offered.google, offered.outlook)
