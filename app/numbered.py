"""Lists in the order of their rows' numbers, page by page: while others arrive, none is skipped and none told twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Select, SQLColumnExpression

Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Beside:
    """Where a page begins: next to the row of a number, on either side, or at the beginning of the list."""

    number: int | None = None
    backwards: bool = False

    def page(
        self, statement: Statement, column: SQLColumnExpression[Any], *, limit: int | None, newest_first: bool = False
    ) -> Statement:
        """Return a statement for the rows of the page; `in_order` turns those of a page backwards round."""
        descending = newest_first != self.backwards
        if self.number is not None:
            statement = statement.where(column < self.number if descending else column > self.number)
        return statement.order_by(column.desc() if descending else column).limit(limit)

    def in_order(self, rows: Sequence[Row]) -> list[Row]:
        return list(reversed(rows)) if self.backwards else list(rows)


BEGINNING = Beside()
