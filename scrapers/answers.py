"""Step 1, fetch: what an answer that is no page amounts to: errors with codes, gzip within limits, Retry-After."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

LONGEST_RETRY_AFTER = timedelta(hours=24)
GZIP_MEMBERS = 64  # one is usual; each costs a copy of the rest

_CODES: Final = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    410: "gone",
    429: "rate_limited",
    503: "unavailable",
}


class FetchError(Exception):
    """No page could be had. `code` is a stable word for machines, the message is for people.

    Codes: refused, dns, connect, tls, timeout, protocol, truncated, encoding, too_large, redirects, robots; and for
    answers: unauthorized, forbidden, not_found, gone, rate_limited, unavailable, server_error, status.
    """

    def __init__(
        self, code: str, message: str, *, retry_after: timedelta | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after  # what the server asked for, at most 24 hours
        self.status = status  # of the HTTP answer, where there was one


def gunzip(data: bytes, limit: int) -> bytes:
    """Return the content of gzip data; FetchError where it is cut off, corrupt, or more than `limit` bytes."""
    content = bytearray()
    for _ in range(GZIP_MEMBERS):  # RFC 1952 §2.2: a file may hold several members
        member = zlib.decompressobj(wbits=31)
        try:
            content += member.decompress(data, limit - len(content) + 1)
        except zlib.error as error:
            raise FetchError("encoding", f"corrupt gzip data ({error})") from error
        if len(content) > limit:
            raise FetchError("too_large", f"more than {limit:,} bytes once unpacked")
        if not member.eof:
            raise FetchError("truncated", "the gzip data is cut off")
        data = member.unused_data
        if not data.startswith(b"\x1f\x8b"):  # what else follows is padding
            return bytes(content)
    raise FetchError("encoding", f"more than {GZIP_MEMBERS} gzip members")


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header (RFC 9110 §10.2.3) asks to wait, at most 24 hours; None where unclear."""
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(r"[0-9]+", text):
        wait = timedelta(seconds=int(text)) if len(text) < 10 else LONGEST_RETRY_AFTER
    else:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), LONGEST_RETRY_AFTER)


def status_error(subject: str, status: int, wait: str | None, now: datetime) -> FetchError:
    """Return the error for an answer without a page; `wait` is its Retry-After header."""
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    return FetchError(
        _CODES.get(status) or ("server_error" if 500 <= status < 600 else "status"),
        f"{subject} answers {status}{phrase}",
        retry_after=retry_after(wait, now) if status in {429, 503} else None,
        status=status,
    )
