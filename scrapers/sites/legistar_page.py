"""Step 2, reading: the calendar pages of Legistar, whose table has the same columns as the lists made from it.

Shapes seen: City-Bureau/city-scrapers-philly and -minn.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bs4 import BeautifulSoup, Tag
from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import Reading, Window
from scrapers.sites.meetings import read_meetings
from scrapers.text import clean_url, one_line

_COLUMNS = {"Date": "Meeting Date", "Time": "Meeting Time", "Location": "Meeting Location"}  # of one body's own page


def read_legistar_page(page: LexborHTMLParser, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the meetings in a Legistar calendar, or None if the page holds none."""
    title = page.css_first("title")
    body = one_line(title.text()).rpartition(" - ")[2] if title else ""
    tables = (BeautifulSoup(table.html or "", "lxml") for table in page.css("table.rgMasterTable"))
    rows = [row for table in tables for row in _rows(table, body, url)]
    return read_meetings(rows, url=url, window=window, zone=zone) if rows else None


def _rows(table: BeautifulSoup, body: str, url: str) -> list[dict[str, object]]:
    heads = [one_line(head.get_text()) for head in table.select("thead th")]
    columns = [_COLUMNS.get(head, head) for head in heads]
    if "Meeting Date" not in columns or "Meeting Time" not in columns:
        return []
    found = []
    for line in table.select("tbody tr.rgRow, tbody tr.rgAltRow"):
        cells = dict(zip(columns, (_cell(cell, url) for cell in line.select("td")), strict=False))
        if calendar := line.select_one('a[href*="M=IC"]'):
            cells["iCalendar"] = {"url": clean_url(str(calendar["href"]), url)}
        found.append({"Name": {"label": body}, **cells})
    return found


def _cell(cell: Tag, url: str) -> object:
    link = cell.select_one("a[href]")
    address = clean_url(str(link["href"]), url) if link else None
    return {"label": one_line(cell.get_text(" ")), "url": address}
