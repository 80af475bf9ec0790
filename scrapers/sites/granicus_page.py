"""Step 2, reading: the public pages of Granicus (`ViewPublisher.php`), which list meetings to come above old videos.

Shapes seen: washabstract/city-scrapers-ca (Los Angeles airports, San Diego).
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser, LexborNode

from scrapers.draft import Reading, Window
from scrapers.sites.told import Here, Told, organizer_of, reading_of
from scrapers.text import one_line

_PUBLISHED_BY = "as published by the"  # in the summary of the table, for people who hear the page


def read_granicus_page(page: LexborHTMLParser, /, *, url: str, window: Window, zone: ZoneInfo) -> Reading | None:
    """Return the meetings to come, none if none is planned; None if the page is not one of Granicus."""
    table = page.css_first("table.listingTable#upcoming")
    if table is None or table.css_first("th#EventDate") is None:
        return None
    return reading_of(_meetings(table), Here(url, window, zone), kind="granicus")


def _meetings(table: LexborNode) -> Iterator[Told]:
    summary = one_line(table.attributes.get("summary") or "")
    body = summary.partition(_PUBLISHED_BY)[2].partition(".")[0].strip()
    for row in table.css("tbody tr"):
        name, when, link = (row.css_first(each) for each in ('[headers~="EventName"]', '[headers~="EventDate"]', "a"))
        if name is None or when is None:
            continue
        for hidden in when.css('[style*="display:none"]'):
            hidden.decompose()
        title = one_line(name.text(deep=True))
        yield Told(
            uid="",
            title=title,
            start=one_line(when.text(deep=True)).replace(" - ", " "),
            status="cancelled" if "cancel" in title.casefold() else "confirmed",
            url=(link.attributes.get("href") or "") if link else "",
            organizer=organizer_of(body),
        )
