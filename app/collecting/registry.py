"""The bundled registry: real communities and recurring chats, one file each, read like any repository of such files.

Each was seen in a public source that its file names, and stays unchecked until its own address was fetched well.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting import collect, frontier
from app.collecting.page_reading import AHEAD, within_reach
from app.community import activity
from app.db import Database
from app.models import Community, Source
from scrapers import Page, Reading, Window, read_here
from scrapers.fetch import Fetcher, FetchError

FOLDER = Path(__file__).parents[1] / "data" / "communities"
ADDRESS = "https://communities.adjacent.example/registry.zip"  # stands for the folder; nobody fetches it


async def enter(session: AsyncSession) -> Source:
    """Write down that this instance has the registry; a daily chore loads it, and loads it anew after an upgrade."""
    return await frontier.add_source(session, ADDRESS, is_bundled=True)


async def keep_up(database: Database, *, now: datetime) -> int:
    """Bring the registry up to date in an instance that has it; return events added.

    Where it was never entered it stays away: an instance that began with sources of its own is a city that somebody
    chose. `doctor` and `communities list` offer it there.
    """
    return await load(database, now=now) if await is_loaded(database) else 0


async def load(database: Database, *, now: datetime) -> int:
    """Bring the registry of an instance up to date with the bundled one; return events added."""
    async with database.writing() as session:
        source = await enter(session)
    page, reading = await asyncio.to_thread(_read, now)
    outcome = await collect.keep(database, source, page, reading, now=now)
    await activity.renew(database, now=now)
    return outcome.counts.added


def _read(now: datetime) -> tuple[Page, Reading]:
    page = Page(ADDRESS, archive(files()))
    reading = read_here(page.body, url=page.url, window=Window.ahead(now, days=AHEAD.days))
    return page, within_reach(reading, now=now)


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.toml"))


def archive(paths: Sequence[Path]) -> bytes:
    """Return files as a zip archive that is the same bytes whenever it is made."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for path in paths:
            file.writestr(zipfile.ZipInfo(f"registry/communities/{path.name}"), path.read_bytes())
    return packed.getvalue()


async def is_loaded(database: Database) -> bool:
    async with database.reading() as session:
        return (await session.exec(select(Source.id).where(Source.url == ADDRESS))).first() is not None


@dataclass(frozen=True, slots=True)
class Checked:
    key: str
    name: str
    url: str
    error: str | None  # None: its address answers


async def check(database: Database, fetcher: Fetcher, *, now: datetime) -> list[Checked]:
    """Fetch the addresses that communities of files give and note which answer; this asks the world outside."""
    async with database.reading() as session:
        rows = list(await session.exec(select(Community).where(col(Community.file).is_not(None))))
    checked = []
    for row in sorted(rows, key=lambda one: one.name.casefold()):
        if row.url is None:
            continue
        try:
            await fetcher.fetch(row.url)
        except FetchError as error:
            checked.append(Checked(row.key, row.name, row.url, str(error)))
            continue
        checked.append(Checked(row.key, row.name, row.url, None))
        async with database.writing() as session:
            kept = await session.get(Community, row.id)
            if kept is not None:
                kept.checked_at, kept.updated_at = datetime.now(UTC), now
    await activity.renew(database, now=now)
    return checked
