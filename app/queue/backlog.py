"""What the rows of work say to an operator: which are due, held, failing, dead; and the way back for those."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Chore, Host, Leased
from app.queue import leases

KINDS: dict[str, type[Leased]] = {"chore": Chore, "host": Host}
MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Listed:
    kind: str
    name: str
    state: str  # running, dead, failing, due, waiting
    next_due: datetime
    attempts: int
    holder: str | None
    error: str | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"next_due": self.next_due.isoformat()}


async def listed(session: AsyncSession, *, clock: datetime, everything: bool = False) -> list[Listed]:
    """Return the work that is due, held, failing or dead, or all of it, by kind and time."""
    told: list[Listed] = []
    for kind, table in KINDS.items():
        unsettled = or_(col(table.next_due) <= clock, col(table.holder).is_not(None), col(table.attempts) > 0)
        rows = await session.exec(
            select(table)
            .where(*(() if everything else (unsettled,)))
            .order_by(col(table.next_due), col(table.name))
            .limit(MOST_LISTED)
        )
        told += [_told(kind, row, clock) for row in rows]
    return told


def _told(kind: str, row: Leased, clock: datetime) -> Listed:
    state, error = state_of(row, clock), row.error
    ended = row.attempts - (state == "running")  # who holds it is at the last attempt
    if error is None and ended > 0:
        error = "its worker ended at it" if ended == 1 else f"{ended} workers ended while they were at it"
    return Listed(kind, row.name, state, row.next_due, row.attempts, row.holder, error)


def state_of(row: Leased, clock: datetime) -> str:
    if row.holder is not None and row.lease_until is not None and row.lease_until > clock:
        return "running"
    if row.attempts >= leases.MOST_ATTEMPTS:
        return "dead"
    if row.attempts > 0:
        return "failing"
    return "due" if row.next_due <= clock else "waiting"


async def requeue_named(session: AsyncSession, name: str, *, clock: datetime) -> bool:
    """Make the host or chore of this name due with all attempts ahead; return whether it was there and free."""
    freed = [await leases.requeue(session, table, name, clock=clock) for table in KINDS.values()]
    return any(freed)


async def requeue_dead(session: AsyncSession, *, clock: datetime) -> list[str]:
    """Make all that is dead due; return the names."""
    freed = []
    for table in KINDS.values():
        dead = list(await session.exec(select(table.name).where(leases.is_dead(table)).order_by(table.name)))
        freed += [name for name in dead if await leases.requeue(session, table, name, clock=clock)]
    return freed
