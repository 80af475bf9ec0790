"""Steps 1 to 3, looked back on: how many fetches failed on each day, since sources keep only how they fare now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Tally

# Fetches that went well are not counted: every worker would wait for the one row of the day.
Kind = Literal["failed"]


async def count(session: AsyncSession, kind: Kind, day: date) -> None:
    """Count one more on this day (UTC). Last in its transaction, since others wait for the row until it ends."""
    insert = sqlite.insert(Tally) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(Tally)
    await session.exec(
        insert.values(day=day.isoformat(), kind=kind, number=1).on_conflict_do_update(
            index_elements=["day", "kind"], set_={"number": col(Tally.number) + 1}
        )
    )


async def by_day(session: AsyncSession, kind: Kind, *, since: date) -> Mapping[date, int]:
    """Return the numbers of the days that have one."""
    rows = await session.exec(
        select(Tally.day, Tally.number).where(Tally.kind == kind, col(Tally.day) >= since.isoformat())
    )
    return {date.fromisoformat(day): number for day, number in rows}
