"""Pages of lists: cursors, which stand for a place between two rows, and what lies on either side of a page."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypedDict, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from app.api.mistakes import in_address
from app.api.problems import Problem, unfit
from app.numbered import BEGINNING, Beside

LARGEST_ID = 2**31 - 1  # PostgreSQL's integer

Count = Annotated[int, Field(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[
    str | None, Field(max_length=400, description="Taken from `links.next` or `links.prev` of an answer before.")
]
Row = TypeVar("Row")


class Paging(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Count = 50
    cursor: Cursor = None


class Cursors(TypedDict):
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """The rows of one page, and whether there are others on either side."""

    shown: Sequence[Row]
    has_previous: bool
    has_next: bool

    def cursors(self, number: Callable[[Row], int]) -> Cursors:
        """Return the cursors beside this page of a list by number."""
        return {
            "next": write_cursor(number(self.shown[-1]), 0) if self.has_next else None,
            "previous": write_cursor(number(self.shown[0]), 1) if self.has_previous else None,
        }


def page_of(found: Sequence[Row], limit: int, *, is_first: bool, backwards: bool) -> Part[Row]:
    """Return a page out of up to one row more than it shows, which stands at the end one came from the other side of."""
    has_more = len(found) > limit
    if backwards:
        shown = found[-limit:]
        return Part(shown, has_previous=has_more and bool(shown), has_next=bool(shown))
    shown = found[:limit]
    return Part(shown, has_previous=not is_first and bool(shown), has_next=has_more)


def page_beside(found: Sequence[Row], asked: Paging, beside: Beside) -> Part[Row]:
    """Return a page of a list by number."""
    return page_of(found, asked.limit, is_first=beside.number is None, backwards=beside.backwards)


def write_cursor(*parts: str | int) -> str:
    return urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def read_cursor(cursor: str, *kinds: type) -> list[Any]:
    """Return the parts of a cursor, which must be of these types; raises Problem for one that was not made here."""
    try:
        parts = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise bad_cursor() from error
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise bad_cursor()
    return parts


def read_beside(cursor: str | None) -> Beside:
    """Return where a page of a list by number begins."""
    if cursor is None:
        return BEGINNING
    number, backwards = read_cursor(cursor, int, int)
    return Beside(row_id(number), bool(backwards))


def row_id(number: int) -> int:
    """Return a row's number out of a cursor; raises the cursor's Problem for one no database takes."""
    if not 0 <= number <= LARGEST_ID:
        raise bad_cursor()
    return number


def bad_cursor() -> Problem:
    return unfit(in_address("cursor"), "the cursor is none of this list", kind="bad-cursor")
