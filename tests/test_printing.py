"""How facts are printed for people."""

from __future__ import annotations

import pytest

from app.cli import printing


def test_facts_are_told_in_words_and_what_is_not_known_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    printing.facts(
        {
            "title": "Tea",
            "url": None,
            "all_day": False,
            "lat": 0.0,
            "venue": {"name": "Town hall", "address": None, "city": "Bonn"},
            "organizer": {"name": None, "url": None},
            "topics": [
                {"slug": "tea", "label": "Tea", "weight": 0.894},
                {"slug": "food", "label": "Food", "weight": 0.5},
            ],
            "categories": [],
        }
    )
    assert [line.split(maxsplit=1) for line in map(str.strip, capsys.readouterr().out.splitlines()) if line] == [
        ["title", "Tea"],
        ["all_day", "no"],
        ["lat", "0.0"],
        ["venue", "name Town hall, city Bonn"],
        ["topics", "Tea 0.89, Food 0.50"],
    ]
