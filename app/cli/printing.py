"""How lists and tables are printed: JSON for programs, aligned columns for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def as_json(rows: Iterable[Any]) -> None:
    """Print one JSON array."""
    json.dump(list(rows), sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    # Piped into a file there is no width to keep to: nothing is cut.
    console = Console(width=None if sys.stdout.isatty() else 240, highlight=False)
    grid = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        grid.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(grid)


def facts(named: Mapping[str, Any]) -> None:
    """Print what is known of one thing, a line a fact, and nothing of what is not."""
    rows = [(name, in_words(value)) for name, value in named.items()]
    table(("", ""), [row for row in rows if row[1]])


def in_words(value: object) -> str:
    """Return a value as a person reads it: `yes`, `Wine 0.89, Tourism 0.57`, `name Town hall, city Bonn`."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case {"label": label, "weight": weight}:
            return f"{label} {weight:.2f}"
        case Mapping():
            told = ((name, in_words(inner)) for name, inner in value.items())
            return ", ".join(f"{name} {words}" for name, words in told if words)
        case list() | tuple():
            return ", ".join(filter(None, map(in_words, value)))
        case _:
            return str(value)


def say(message: str) -> None:
    """Tell a person something that is not the answer itself."""
    print(message, file=sys.stderr)
