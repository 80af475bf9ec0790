"""The bundled list of live sources: what it promises about itself."""

from __future__ import annotations

import csv
from pathlib import Path

from scrapers.discover import is_source_list, parse_source_list
from scrapers.draft import Page

PATH = Path(__file__).parent.parent / "app" / "data" / "live_sources.tsv"


def rows() -> list[dict[str, str]]:
    lines = (line for line in PATH.read_text("utf-8").splitlines() if not line.startswith("#"))
    return list(csv.DictReader(lines, delimiter="\t"))


def test_every_live_source_says_what_it_is_and_where_it_was_seen() -> None:
    for row in rows():
        assert list(row) == ["url", "name", "kind", "place", "field", "seen_in"]
        assert all(row.values()), row
        repository, path = row["seen_in"].split(" ", 1)
        assert repository.count("/") == 1, row
        assert path, row


def test_live_sources_reach_beyond_software() -> None:
    fields = [row["field"] for row in rows()]
    assert len(fields) >= 40
    assert len(set(fields)) >= 12
    assert fields.count("software") * 4 < len(fields)


def test_list_of_live_sources_can_be_added_as_it_is() -> None:
    page = Page("https://lists.example/live", PATH.read_bytes(), "text/plain")
    assert is_source_list(page)
    assert parse_source_list(page.body) == [row["url"] for row in rows()]
