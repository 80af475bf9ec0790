"""What counts as news before anything is read."""

from __future__ import annotations

import hashlib

import pytest

from scrapers import stable_digest

CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:jazz@lantern
DTSTAMP:{stamp}
LAST-MODIFIED:{stamp}
DTSTART:20260305T190000Z
SUMMARY:{title}
END:VEVENT
END:VCALENDAR
"""


def calendar(stamp: str, title: str = "Jazz", end: str = "\r\n") -> bytes:
    return CALENDAR.format(stamp=stamp, title=title).replace("\n", end).encode()


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_stable_digest_ignores_stamps(end: str) -> None:
    assert stable_digest(calendar("20260101T000000Z", end=end)) == stable_digest(calendar("20260102T133700Z", end=end))


def test_stable_digest_ignores_a_folded_stamp() -> None:
    assert stable_digest(calendar("20260101T000000Z")) == stable_digest(calendar("2026\r\n 0102T13\r\n\t3700Z"))


def test_stable_digest_sees_a_new_title() -> None:
    assert stable_digest(calendar("20260101T000000Z")) != stable_digest(calendar("20260101T000000Z", title="Blues"))


def test_stable_digest_sees_a_stamp_in_a_text() -> None:
    told = [stable_digest(calendar("20260101T000000Z", title=f"Jazz\r\n DTSTAMP:{day}")) for day in (1, 2)]

    assert told[0] != told[1]


def test_stable_digest_of_a_page_counts_every_byte() -> None:
    page = b"<html><pre>\nDTSTAMP:20260101T000000Z\n</pre></html>"

    assert stable_digest(page) == hashlib.sha256(page).hexdigest()
