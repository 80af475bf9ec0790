"""What operators did: one row an action, written in the transaction that does it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Audit, Token
from app.numbered import BEGINNING, Beside
from app.people import tokens


def note(session: AsyncSession, token: Token | None, action: str, subject: str) -> None:
    """Write down an action; `token` is the operator's, None on the command line. People are named by id only."""
    token_id = tokens.id_of(token) if token is not None else None
    session.add(Audit(at=datetime.now(UTC), token_id=token_id, action=action, subject=subject))


async def newest(session: AsyncSession, *, beside: Beside = BEGINNING, limit: int) -> list[dict[str, Any]]:
    """Return actions, newest first."""
    rows = await session.exec(beside.page(select(Audit), col(Audit.id), limit=limit, newest_first=True))
    return [
        {"id": row.id, "at": row.at.isoformat(), "token": row.token_id, "action": row.action, "subject": row.subject}
        for row in beside.in_order(list(rows))
    ]


async def all_noted(session: AsyncSession) -> tuple[int, datetime | None]:
    """Return how many actions are written down, and when the last was."""
    return (await session.exec(select(func.count(), func.max(Audit.at)))).one()
