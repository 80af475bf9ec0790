"""What the documentation says of size is what the costs it names add up to."""

from __future__ import annotations

from pathlib import Path

from benchmarks.scale import tables

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"


def test_tables_of_the_documentation_are_those_of_the_unit_costs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for table in tables():
        assert table in page
