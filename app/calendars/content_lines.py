"""Step 7, the letters of iCalendar: values escaped and folded into content lines (RFC 5545 §3.1, §3.3.5, §3.3.11).

Written by hand because whole feeds are: 5,000 events take icalendar 1.4 s (docs/decisions/0009). It is the oracle in
the tests.
"""

from __future__ import annotations

from datetime import UTC, datetime

from scrapers.text import clean_text

LONGEST_LINE = 75  # bytes, the line end not counted


def text(value: str) -> str:
    """Return a TEXT value: no control characters, escaped."""
    return clean_text(value).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def instant(moment: datetime) -> str:
    """Return a DATE-TIME in UTC."""
    return moment.astimezone(UTC).isoformat()[:19].replace("-", "").replace(":", "") + "Z"


def line(name: str, value: str) -> str:
    """Return one property, folded. The value is in its final form."""
    whole = f"{name}:{value}"
    if len(whole) <= LONGEST_LINE and whole.isascii():
        return f"{whole}\r\n"
    if whole.isascii():
        rest = (whole[start : start + LONGEST_LINE - 1] for start in range(LONGEST_LINE, len(whole), LONGEST_LINE - 1))
        return "\r\n ".join((whole[:LONGEST_LINE], *rest)) + "\r\n"
    return _folded(whole.encode())


def _folded(whole: bytes) -> str:
    """Fold between characters, never inside one."""
    parts, start, room = [], 0, LONGEST_LINE
    while len(whole) - start > room:
        end = start + room
        while whole[end] & 0xC0 == 0x80:  # it continues a character
            end -= 1
        parts.append(whole[start:end])
        start, room = end, LONGEST_LINE - 1  # the space that marks a continuation counts
    parts.append(whole[start:])
    return b"\r\n ".join(parts).decode() + "\r\n"
