"""What people call a source on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.cli.failing import Failed

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.models import Source


async def source_named(session: AsyncSession, name: str) -> Source:
    """Return the source an id or an address stands for."""
    from sqlmodel import select

    from app.models import Source

    row = None
    if name.isdigit():
        row = await session.get(Source, int(name))
    if row is None:
        row = (await session.exec(select(Source).where(Source.url == name))).one_or_none()
    if row is None:
        raise Failed(f"no source has the id or address {name!r}; `adjacent sources list` shows them")
    return row
