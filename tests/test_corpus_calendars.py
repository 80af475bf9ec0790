"""Real calendars agree with four independent parsers, or a property of theirs says why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from calendar_agreement import UTC_ZONE, compare_all

from scrapers import ical
from scrapers.draft import Unreadable, Window
from scrapers.ical import read_calendar


@pytest.mark.shared
@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.long)])
def test_calendars_agree_with_the_consensus_of_four_parsers(shared: Path, step: int) -> None:
    compared = list(compare_all(shared, step=step))
    equal = sum(one.is_equal for one in compared)
    unexplained = [one.name for one in compared if not one.is_equal and one.cause is None]
    assert len(compared) > 700 / step
    assert equal / len(compared) > 0.92
    assert len(unexplained) / len(compared) < 0.01, unexplained


@pytest.mark.shared
def test_every_calendar_reads_the_same_from_its_series(shared: Path) -> None:
    reference = json.loads((shared / "corpus" / "reference" / "ics.json").read_text(encoding="utf-8"))
    different, read = [], 0
    for name in sorted(reference)[::8]:
        begin, end = (datetime.fromtimestamp(second, UTC) for second in reference[name]["window"])
        window = Window(begin, end)
        try:
            reading = read_calendar(
                (shared / "corpus" / "ics" / name).read_bytes(), url="", window=window, zone=UTC_ZONE
            )
        except Unreadable:
            continue
        if len(reading.events) == ical.MOST_EVENTS:
            continue
        for one in reading.series[:5]:
            again = read_calendar(one.definition, url="", window=window, zone=UTC_ZONE)
            read += 1
            if again.events != tuple(event for event in reading.events if event.uid.partition("#")[0] == one.uid):
                different.append((name, one.uid))
    assert read > 40
    assert different == []
