"""Step 7 for spreadsheets: events as CSV, the same bytes until something changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from app.calendars.item_words import labels
from app.links import link
from app.queries.event_forms import event_json
from app.queries.listing import Listed
from scrapers.text import clean_text

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
COLUMNS = (
    *("id", "title", "starts_at", "ends_at", "zone", "all_day", "status", "mode"),
    *("venue", "address", "city", "country", "lat", "lon", "organizer", "community", "topics"),
    *("language", "price", "is_free", "url", "online_url", "page", "description"),
    *("updated_at", "sequence", "deleted", "merged_into"),
)


def table(events: Sequence[Listed], base_url: str) -> bytes:
    """Return CSV (RFC 4180) in UTF-8 with a header, safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for listed in events:
        event = listed.event
        facts = event_json(listed) | {
            "venue": event.venue_name,
            "address": event.address,
            "city": event.city,
            "country": event.country,
            "lat": event.lat,
            "lon": event.lon,
            "organizer": event.organizer_name,
            "community": listed.community.name if listed.community else None,
            "topics": "; ".join(labels(listed)),
            "url": link(event.url),
            "online_url": link(event.online_url),
            "page": f"{base_url}/e/{event.key}",
        }
        writer.writerow([csv_safe(facts[column]) for column in COLUMNS])
    return out.getvalue().encode()


def csv_safe(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    told = clean_text(value)
    return f"'{told}" if told.startswith(FORMULA_STARTS) else told
