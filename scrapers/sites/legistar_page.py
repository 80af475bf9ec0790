"""Step 2, reading: the calendar pages of Legistar, whose table has the same columns as the lists made from it.

Shapes seen: City-Bureau/city-scrapers-philly and -minn.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser, LexborNode

from scrapers.draft import Reading, Window
from scrapers.sites.meetings import read_meetings
from scrapers.text import clean_url, one_line

_COLUMNS = {"Date": "Meeting Date", "Time": "Meeting Time", "Location": "Meeting Location"}  # of one body's own page


def read_legistar_page(page: LexborHTMLParser, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the meetings in a Legistar calendar, or None if the page holds none."""
    rows = [row for table in page.css("table.rgMasterTable") for row in _rows(table, page, url)]
    return read_meetings(rows, url=url, window=window, zone=zone) if rows else None


def _rows(table: LexborNode, page: LexborHTMLParser, url: str) -> list[dict[str, object]]:
    heads = [one_line(head.text(deep=True)) for head in table.css("thead th")]
    columns = [_COLUMNS.get(head, head) for head in heads]
    if "Meeting Date" not in columns or "Meeting Time" not in columns:
        return []
    title = page.css_first("title")
    body = one_line(title.text()).rpartition(" - ")[2] if title else ""
    found = []
    for line in table.css("tbody tr.rgRow, tbody tr.rgAltRow"):
        cells = dict(zip(columns, (_cell(cell, url) for cell in line.css("td")), strict=False))
        if calendar := line.css_first('a[href*="M=IC"]'):
            cells["iCalendar"] = {"url": clean_url(calendar.attributes.get("href") or "", url)}
        found.append({"Name": {"label": body}, **cells})
    return found


def _cell(cell: LexborNode, url: str) -> object:
    label = one_line(cell.text(deep=True, separator=" "))
    link = cell.css_first("a[href]")
    address = clean_url(link.attributes.get("href") or "", url) if link else None
    return {"label": label, "url": address}
