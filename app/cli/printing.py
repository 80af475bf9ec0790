"""How lists and tables are printed: JSON for programs, aligned columns for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
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


def say(message: str) -> None:
    """Tell a person something that is not the answer itself."""
    print(message, file=sys.stderr)
