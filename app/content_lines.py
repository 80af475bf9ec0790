"""Step 7, the letters of iCalendar: clean values, escaped and folded into content lines (RFC 5545 §3.1, §3.3.11).

Written by hand because whole feeds are: 5,000 events take icalendar 1.4 s (docs/decisions/0009). It is the oracle in
the tests.
"""

from __future__ import annotations

from datetime import UTC, datetime

from scrapers.text import clean_text, clean_url

LONGEST_LINE = 75  # bytes, the line end not counted
_URL_SIGNS = frozenset('<>"\\^`{|} ')


def text(value: str) -> str:
    """Return a TEXT value: no control characters, escaped."""
    value = clean(value)
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def clean(value: str) -> str:
    # All that `clean_text` takes out is not printable. Asking so first spares nearly all texts three passes.
    if value.replace("\n", "").isprintable():
        return value.strip()
    return clean_text(value)


def link(url: str | None) -> str | None:
    """Return an address that may stand in a calendar or a page, or None for what is no http(s) address."""
    if url is None:
        return None
    is_plain = url.startswith(("http://", "https://")) and url.isascii() and url.isprintable()
    if is_plain and _URL_SIGNS.isdisjoint(url):
        return url
    cleaned = clean_url(url)
    if cleaned is None:
        return None
    return "".join(f"%{ord(sign):02X}" if sign in _URL_SIGNS else sign for sign in cleaned)


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
