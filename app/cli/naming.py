"""What people call sources and places on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.cli.failing import Failed

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.models import Source
    from app.places import City, Spot

SUGGESTED = 3  # cities


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


def spot_named(near: str) -> Spot:
    """Return the point that --near stands for."""
    from app.places import UnknownPlace, find_spot

    try:
        return find_spot(near)
    except UnknownPlace as error:
        raise Failed(f"--near: {error}{_meant(near)}") from error


def city_named(name: str) -> City:
    """Return the city that --city stands for."""
    from app.places import UnknownPlace, find_city

    try:
        return find_city(name)
    except UnknownPlace as error:
        raise Failed(f"--city: {error}{_meant(name)}") from error


def _meant(name: str) -> str:
    from app.places import cities_called, cities_like

    if cities_called(name):
        return ""  # several of the very name: they are told already
    like = cities_like(name, limit=SUGGESTED)
    return f". Did you mean {' or '.join(city.label for city in like)}?" if like else ""
