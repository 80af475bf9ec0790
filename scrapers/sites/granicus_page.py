"""Step 2, reading: the public pages of Granicus (`ViewPublisher.php`), which list meetings to come above old videos.

The tree of the page tells cheaply whether it is one; the part that matters is read by hand with BeautifulSoup.

Shapes seen: washabstract/city-scrapers-ca (Los Angeles airports, San Diego).
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from bs4 import BeautifulSoup
from selectolax.lexbor import LexborHTMLParser

from scrapers.draft import Reading, Window
from scrapers.sites.told import Here, Told, organizer_of, reading_of
from scrapers.text import one_line

_PUBLISHED_BY = "as published by the"  # in the summary of the table, for people who hear the page


def read_granicus_page(page: LexborHTMLParser, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the meetings to come, none if none is planned; None if the page is not one of Granicus."""
    table = page.css_first("table.listingTable#upcoming")
    if table is None or table.css_first("th#EventDate") is None:
        return None
    return reading_of(_meetings(BeautifulSoup(table.html or "", "lxml")), Here(url, window, zone), kind="granicus")


def _meetings(part: BeautifulSoup) -> Iterator[Told]:
    table = part.select_one("table")
    summary = one_line(str(table["summary"])) if table is not None and table.has_attr("summary") else ""
    body = summary.partition(_PUBLISHED_BY)[2].partition(".")[0].strip()
    for row in part.select("tbody tr"):
        name, when, link = (row.select_one(each) for each in ('[headers~="EventName"]', '[headers~="EventDate"]', "a"))
        if name is None or when is None:
            continue
        for hidden in when.select('[style*="display:none"]'):
            hidden.decompose()
        title = one_line(name.get_text())
        yield Told(
            uid="",
            title=title,
            start=one_line(when.get_text()).replace(" - ", " "),
            status="cancelled" if "cancel" in title.casefold() else "confirmed",
            url=str(link.get("href") or "") if link else "",
            organizer=organizer_of(body),
        )
