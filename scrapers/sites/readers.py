"""Step 2, platforms: all readers, in the order they are asked. The first one that knows a document reads it."""

from __future__ import annotations

from typing import Any, Protocol
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import Reading, Window
from scrapers.sites.activitypub import read_activitypub
from scrapers.sites.bevy import read_bevy
from scrapers.sites.conferences import read_conferences
from scrapers.sites.dice import read_dice
from scrapers.sites.discord import read_discord
from scrapers.sites.discourse import read_discourse
from scrapers.sites.eventbrite import read_eventbrite
from scrapers.sites.gancio import read_gancio
from scrapers.sites.google_calendar import read_google_calendar
from scrapers.sites.granicus_page import read_granicus_page
from scrapers.sites.indico import read_indico
from scrapers.sites.legistar_page import read_legistar_page
from scrapers.sites.localist import read_localist
from scrapers.sites.luma import read_luma
from scrapers.sites.meetings import read_meetings
from scrapers.sites.meetup import read_meetup
from scrapers.sites.plain_list import read_plain_list
from scrapers.sites.resident_advisor import read_resident_advisor
from scrapers.sites.squarespace import read_squarespace
from scrapers.sites.tribe import read_tribe
from scrapers.sites.wix import read_wix


class JsonReader(Protocol):
    def __call__(self, document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None: ...


class PageReader(Protocol):
    def __call__(self, page: LexborHTMLParser, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None: ...


JSON_READERS: tuple[JsonReader, ...] = (
    read_meetup,
    read_luma,
    read_eventbrite,
    read_bevy,
    read_discourse,
    read_discord,
    read_activitypub,
    read_gancio,
    read_tribe,
    read_squarespace,
    read_google_calendar,
    read_indico,
    read_localist,
    read_resident_advisor,
    read_dice,
    read_meetings,
    read_conferences,
    read_plain_list,
)
# What pages embed holds much besides their events: only readers with unmistakable signs may look at it.
EMBEDDED_READERS: tuple[JsonReader, ...] = (
    read_meetup,
    read_luma,
    read_eventbrite,
    read_bevy,
    read_wix,
    read_dice,
)
# By a word of the platform's own that all its pages hold: looking for it costs a hundredth of asking the tree.
PAGE_READERS: dict[str, PageReader] = {"rgMasterTable": read_legistar_page, "listingTable": read_granicus_page}
