"""Step 1, fetch: tells whether an answer says something new, without reading it."""

from __future__ import annotations

import hashlib
import re

from scrapers.content_lines import looks_like_calendar

# What servers write anew at every request, with its folds; nothing of it is ever read.
_PASSING = re.compile(rb"\n(?:DTSTAMP|LAST-MODIFIED|CREATED)[;:][^\n]*(?:\n[ \t][^\n]*)*")


def stable_digest(body: bytes) -> str:
    """Return the SHA-256 hex of a body; of a calendar without its stamps, which many servers renew without a change.

    Equal digests are equal readings. The reverse may fail: odd line ends or encodings leave the stamps in.
    """
    if looks_like_calendar(body):
        body = _PASSING.sub(b"\n-", body)
    return hashlib.sha256(body).hexdigest()
