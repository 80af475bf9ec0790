"""Where the service was last started, for commands that print its addresses from beside it."""

from __future__ import annotations

from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Setting

NAME = "served at"


async def note(session: AsyncSession, base_url: str) -> None:
    await session.merge(Setting(name=NAME, value=base_url))


async def noted(session: AsyncSession) -> str | None:
    row = await session.get(Setting, NAME)
    return row.value if row is not None else None
