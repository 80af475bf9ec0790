"""Step 2, reading: what text and links look like once through the door: scrubbed here, trusted everywhere after."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

import nh3

LONGEST_HTML = 64 * 1024  # nh3 takes seconds for a megabyte of "&"
LONGEST_URL = 2048

# C0 and C1 but newline and tab; bidi overrides and isolates, which let text claim to be other text; surrogates,
# which no database takes; noncharacters; byte order marks inside text.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")
_MARKUP = re.compile(
    r"<\s*(?:br|p|div|a|b|i|u|em|strong|ul|ol|li|span|html|body|h[1-6]|table|tr|td|img|font|blockquote|script|style)\b[^>]*>",
    re.IGNORECASE,
)
_BREAKS = re.compile(r"<\s*(?:br|/p|/div|/li|/h[1-6]|/tr|/blockquote|/ul|/ol)\b[^>]*>", re.IGNORECASE)
# What most addresses look like; nothing in them could be resolved, repaired or refused.
_PLAIN_URL = re.compile(r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[\w~%.,/=&+-]*(?:\?[\w~%.,/=&+-]+)?)?", re.ASCII)


def clean_text(text: str) -> str:
    """Return text with newline and tab as its only control characters and no signs that reorder it."""
    if not text.replace("\n", " ").isprintable():
        text = _FORBIDDEN.sub("", _LINE_ENDS.sub("\n", text))
    return text.strip()


def one_line(text: str) -> str:
    """Return clean text without line breaks, for titles and names."""
    if text.isprintable() and "  " not in text:  # nearly always
        return text.strip()
    return " ".join(clean_text(text).split())


def looks_like_html(text: str) -> bool:
    return "<" in text and _MARKUP.search(text) is not None


def plain_text(markup: str) -> str:
    """Return what a person would read of HTML: no tags, scripts or styles; blocks become lines."""
    broken = _BREAKS.sub("\n", markup[:LONGEST_HTML])
    stripped = nh3.clean(broken, tags=set(), clean_content_tags={"script", "style"})
    text = clean_text(html.unescape(stripped)).replace("\xa0", " ")
    return _BLANK_LINES.sub("\n\n", text)


def prose(text: str) -> str:
    """Return a description as plain text, whether it was written as HTML or not."""
    return plain_text(text) if looks_like_html(text) else clean_text(text)


def clean_url(url: str, base: str | None = None) -> str | None:
    """Return an absolute http(s) address, or None for whatever else was there (javascript:, data:, credentials …)."""
    if len(url) <= LONGEST_URL and _PLAIN_URL.fullmatch(url):
        return url
    text = (url if url.isprintable() else _FORBIDDEN.sub("", url)).strip().replace(" ", "%20")
    if not text or len(text) > LONGEST_URL or "\n" in text or "\t" in text:
        return None
    try:
        absolute = urljoin(base, text) if base else text
        parts = urlsplit(absolute)
        _ = parts.port  # raises ValueError for a port that is none
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or "\\" in parts.netloc:
        return None
    return absolute
