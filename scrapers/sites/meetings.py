"""Step 2, reading: meetings of public bodies: Legistar's API and tables, CivicClerk, and city halls' own lists.

Shapes seen: tables of Legistar in City-Bureau/city-scrapers and its family (as opencivicdata's scrapers turn them into
JSON), its API in scrapers built on opencivicdata's legistar library, CivicClerk in city-scrapers-atl, eLMS in city-scrapers (Chicago),
LIMS in city-scrapers-minn, PrimeGov in washabstract/city-scrapers-ca.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from scrapers.draft import Reading, Status, Venue, Window
from scrapers.locations import is_online_in_words, meeting_url, read_venue
from scrapers.sites.items import MOST_ITEMS, Item
from scrapers.sites.told import Here, Told, organizer_of, reading_of

_CANCELLED = re.compile(r"\bcancell?ed\b|\bcancellation\b", re.IGNORECASE)
_POSTAL = re.compile(r"\b[A-Z]{2},? +\d{5}\b")
_AMERICAN_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_POSTPONED = re.compile(r"\bpostponed\b|\brescheduled\b|\bdeferred\b", re.IGNORECASE)


def read_meetings(document: Any, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the meetings of a public body, or None if this is no such list."""
    rows = _rows(document)
    here = Here(url, window, zone)
    for keys, tell in _TELLERS:
        if meetings := [row for row in rows if row.has(*keys)]:
            return reading_of((tell(row, here) for row in meetings), here, kind="meetings")
    return None


def _rows(document: Any) -> list[Item]:
    """Return the rows of a list, of the list under a name as APIs wrap it, or of pairs with the row in front."""
    if isinstance(document, Mapping):
        document = next((document[name] for name in ("value", "data", "meetings") if name in document), [])
    if isinstance(document, Mapping):
        document = document.get("meetings", [])
    rows = document if isinstance(document, list) else []
    first = (row[0] if isinstance(row, list) and row else row for row in rows[:MOST_ITEMS])
    return [Item(row) for row in first if isinstance(row, Mapping)]


def _of_table(row: Item, here: Here) -> Told:
    """A row of a Legistar calendar: its cells are texts, or objects with label and address."""
    place, _, remark = _cell(row, "Meeting Location").replace("--em--", "\n").strip().partition("\n")
    clock = _cell(row, "Meeting Time")
    name, day = _cell(row, "Name"), _cell(row, "Meeting Date")
    link = row.text("Meeting Details.url", "iCalendar.url")
    return Told(
        uid=_uid("legistar", row.text("iCalendar.url"), name, day, clock),
        title=name,
        start=f"{_month_first(day)} {clock}" if any(char.isdigit() for char in clock) else _month_first(day),
        status=_status(clock, place, name, remark),
        is_online=is_online_in_words(place),
        url=link,
        online_url=meeting_url(f"{place} {remark}") or "",
        venue=_place(place),
        organizer=organizer_of(name, row.text("Name.url"), here.url),
        description=remark,
    )


def _of_legistar(row: Item, here: Here) -> Told:
    place, clock, name = row.text("EventLocation"), row.text("EventTime"), row.text("EventBodyName")
    comment = row.markup("EventComment")
    return Told(
        uid=f"{row.text('EventGuid') or row.text('EventId')}@{here.host}",
        title=name,
        start=f"{row.text('EventDate')[:10]} {clock}".strip(),
        status=_status(clock, place, comment, row.text("EventAgendaStatusName")),
        is_online=is_online_in_words(place),
        url=row.text("EventInSiteURL"),
        online_url=meeting_url(f"{place} {comment}") or "",
        venue=_place(place),
        organizer=organizer_of(name),
        description=comment,
    )


def _of_civicclerk(row: Item, here: Here) -> Told:
    """Its times are those of the clock on the wall, in spite of the Z behind them."""
    place = row.item("eventLocation")
    address = [place.text(part) for part in ("name", "address1", "address2", "city", "state", "zipCode")]
    return Told(
        uid=f"{row.text('id')}@{here.host}",
        title=row.text("eventName", "agendaName"),
        start=row.text("startDateTime", "eventDate").removesuffix("Z"),
        status=_status(row.text("eventName"), "cancelled" if row.is_true("isDeleted") else ""),
        url=row.text("externalMediaUrl"),
        venue=read_venue(", ".join(filter(None, address))),
        organizer=organizer_of(row.text("categoryName", "eventCategoryName")),
        categories=[row.text("categoryName", "eventCategoryName")],
        description=row.markup("eventDescription"),
    )


def _of_elms(row: Item, here: Here) -> Told:
    place = row.text("location")
    return Told(
        uid=f"{row.text('meetingId')}@{here.host}",
        title=row.text("body"),
        start=row.text("date"),
        status=_status(row.text("status"), row.text("comment")),
        is_online=is_online_in_words(place),
        online_url=meeting_url(place) or "",
        venue=_place(place),
        organizer=organizer_of(row.text("body")),
        description=row.markup("comment"),
    )


def _of_lims(row: Item, here: Here) -> Told:
    place = ", ".join(filter(None, (row.text("Location", "location"), row.text("Address", "address"))))
    name = row.text("CommitteeName", "committeeName")
    return Told(
        uid=f"{row.text('Id', 'id')}@{here.host}",
        title=name,
        start=row.text("MeetingTime", "meetingTime"),
        status="cancelled" if row.is_true("Cancelled", "cancelled") else "confirmed",
        is_online=is_online_in_words(place),
        venue=_place(place),
        organizer=organizer_of(name),
        categories=[row.text("CommitteeType", "committeeType")],
        description=row.markup("Description", "description"),
    )


def _of_primegov(row: Item, here: Here) -> Told:
    documents = " ".join(row.texts("documentList", "templateName"))
    return Told(
        uid=f"{row.text('id')}@{here.host}",
        title=row.text("title"),
        start=f"{row.text('date')} {row.text('time')}".strip(),
        status=_status(row.text("title"), documents),
        is_online=row.is_true("meetingOnline", "isZoomMeeting"),
        online_url=row.text("zoomMeetingLink"),
    )


def _of_list(row: Item, here: Here) -> Told:
    """A meeting with plain names for its parts, as content systems without a calendar of their own give it."""
    return Told(
        uid=f"{row.text('id')}@{here.host}",
        title=row.text("title"),
        start=row.text("start"),
        end=row.text("end"),
        status="cancelled" if row.is_true("isCancelled") else _status(row.text("title")),
        categories=[row.text("category"), *row.texts("tags", "title")],
        online_url=meeting_url(row.markup("body")) or "",
        description=row.markup("summary", "body"),
    )


_TELLERS: tuple[tuple[tuple[str, ...], Callable[[Item, Here], Told]], ...] = (
    (("Meeting Date", "Name"), _of_table),
    (("EventBodyName", "EventDate"), _of_legistar),
    (("eventName", "startDateTime", "agendaId"), _of_civicclerk),
    (("meetingId", "body", "date"), _of_elms),
    (("CommitteeName", "MeetingTime"), _of_lims),
    (("committeeName", "meetingTime"), _of_lims),
    (("meetingTypeId", "committeeId", "date", "time", "title"), _of_primegov),
    (("title", "start", "isCancelled"), _of_list),
)


def _cell(row: Item, name: str) -> str:
    return row.text(f"{name}.label", name).replace("\xa0", " ")


def _month_first(day: str) -> str:
    """Legistar serves American bodies only, wherever the source is said to be."""
    return _AMERICAN_DAY.sub(r"\3-\1-\2", day)


def _place(text: str) -> Venue | None:
    """Return the venue; the last part of "Room 2, Town Hall" is no city, and "CANCELLED" is no place."""
    if not text or _CANCELLED.fullmatch(text.strip(" .!*-")):
        return None
    return read_venue(text) if _POSTAL.search(text) or is_online_in_words(text) else Venue(name=text)


def _status(*texts: str) -> Status:
    told = " ".join(texts)
    if _CANCELLED.search(told):
        return "cancelled"
    return "postponed" if _POSTPONED.search(told) else "confirmed"


def _uid(source: str, link: str, *parts: str) -> str:
    number = re.search(r"[?&]ID=(\d+)", link)
    return f"{source}-{number[1]}" if number else f"{source}-{'-'.join(parts)}".replace(" ", "_")
