"""Addresses as they may stand in calendars, feeds, pages and mails, whoever wrote them."""

from __future__ import annotations

from scrapers.text import clean_url

_URL_SIGNS = frozenset('<>"\\^`{|} ')


def link(url: str | None) -> str | None:
    """Return an address with nothing in it that ends one, or None for what is no http(s) address."""
    if url is None:
        return None
    is_plain = url.startswith(("http://", "https://")) and url.isascii() and url.isprintable()
    if is_plain and _URL_SIGNS.isdisjoint(url):
        return url
    cleaned = clean_url(url)
    if cleaned is None:
        return None
    return "".join(f"%{ord(sign):02X}" if sign in _URL_SIGNS else sign for sign in cleaned)
