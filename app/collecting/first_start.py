"""What an empty instance begins with: a demonstration city, and an offer of live sources nobody has said yes to yet.

The demonstration's files are written for eight weeks from REFERENCE and go through the same readers as everything
else; the eight weeks repeat for ever, so that eight always lie ahead.
"""

from __future__ import annotations

import csv
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import col, select

from app.collecting import collect, frontier, registry
from app.community import activity
from app.db import Database
from app.events import about, removal
from app.models import Community, Setting, Source, Token
from app.people import audit
from app.places import DEMONSTRATION as CITY
from scrapers import EventDraft, Page, Reading, Window, read_here

DEMO = Path(__file__).parents[1] / "data" / "demo"
LIVE_SOURCES = Path(__file__).parents[1] / "data" / "live_sources.tsv"
REFERENCE = date(2026, 1, 5)  # a Monday
PERIOD = timedelta(weeks=8)
PAST = PERIOD  # what was before: it shows how groups meet, and somebody may have been there
ARCHIVE = "https://communities.demo.example/main.zip"
DEMO_SETTING = "demonstration"


async def prepare(database: Database, *, now: datetime) -> int:
    """Give an instance that never had sources the demonstration city and the registry; return events added.

    Both are written down at once: who is killed while the city is loaded has the rest done by the chores, and nothing
    of it twice.
    """
    async with database.reading() as session:
        setting = await session.get(Setting, DEMO_SETTING)
        has_sources = (await session.exec(select(Source.id).limit(1))).first() is not None
    if setting is not None or has_sources:
        return 0
    async with database.writing() as session:
        await session.merge(Setting(name=DEMO_SETTING, value="loaded"))
        await registry.enter(session)
    return await _load(database, now=now)


async def move_on(database: Database, *, now: datetime) -> int:
    """Let eight weeks lie ahead again, where the demonstration city is loaded (a daily job); return events added."""
    return await _load(database, now=now) if await is_demonstration(database) else 0


async def load_demo(database: Database, *, now: datetime) -> int:
    """Load the demonstration city's next eight weeks and return how many events are new."""
    async with database.writing() as session:
        await session.merge(Setting(name=DEMO_SETTING, value="loaded"))
    return await _load(database, now=now)


async def _load(database: Database, *, now: datetime) -> int:
    added = 0
    for page in _pages():
        async with database.writing() as session:
            setting = await session.get(Setting, DEMO_SETTING, with_for_update=True)
            if setting is None or setting.value != "loaded":
                break  # somebody removed it meanwhile
            source = await frontier.add_source(
                session,
                page.url,
                zone=CITY.zone or "UTC",
                city=CITY.name,
                lat=CITY.lat,
                lon=CITY.lon,
                is_demo=True,
                is_bundled=True,
            )
        outcome = await collect.keep(database, source, page, _upcoming(page, now), now=now)
        added += outcome.counts.added
        if _is_archive(page):
            await _vouch(database, source, now=now)
    await about.tag_new(database, now=now)
    await activity.renew(database, now=now)
    return added


def _pages() -> Iterator[Page]:
    """Yield the demonstration's calendars and pages, then its community files as one archive."""
    for path in sorted(DEMO.glob("*.[ihj]*")):  # .ics, .html, .json
        yield Page(_address(path), path.read_bytes(), mimetypes.guess_type(path.name)[0])
    yield Page(ARCHIVE, registry.archive(sorted((DEMO / "communities").glob("*.toml"))))


def _address(path: Path) -> str:
    return f"https://{path.stem}.demo.example/{path.name}"


def _is_archive(page: Page) -> bool:
    return page.url == ARCHIVE


async def _vouch(database: Database, source: Source, *, now: datetime) -> None:
    """Note that the communities of the demonstration's files live: nobody could ever fetch their addresses."""
    async with database.writing() as session:
        new = (col(Community.source_id) == source.id, col(Community.checked_at).is_(None))
        await session.exec(update(Community).where(*new).values(checked_at=now))


def _upcoming(page: Page, now: datetime) -> Reading:
    """Read a file of the demonstration, and repeat its eight weeks around now."""
    wanted = Window(now - PAST, now + PERIOD)
    zone = ZoneInfo(CITY.zone or "UTC")
    if _is_archive(page):  # rhythms of community files never end
        return replace(read_here(page.body, url=page.url, window=wanted, zone=zone), series=())
    start = datetime.combine(REFERENCE, datetime.min.time(), zone)
    reading = read_here(
        page.body, url=page.url, content_type=page.content_type, window=Window(start, start + PERIOD), zone=zone
    )
    drafts = sorted(
        (draft for told in reading.events for draft in _repeated(told, wanted)), key=lambda draft: draft.starts_at
    )
    last = drafts[-1].starts_at if drafts else None
    # Not as series: what is repeated here is the whole demonstration, one period after another.
    return replace(reading, events=tuple(drafts), series=(), listed=len(drafts), last_start=last)


def _repeated(draft: EventDraft, wanted: Window) -> Iterator[EventDraft]:
    period = max(0, (wanted.start - draft.starts_at) // PERIOD)
    while (moved := _moved(draft, period)).starts_at < wanted.end:
        if moved.starts_at in wanted:
            yield moved
        period += 1


def _moved(draft: EventDraft, periods: int) -> EventDraft:
    """Return the draft whole periods later, at the same hour on the clock there."""
    zone = ZoneInfo(draft.zone)
    later = PERIOD * periods

    def move(instant: datetime) -> datetime:
        return (instant.astimezone(zone).replace(tzinfo=None) + later).replace(tzinfo=zone)

    return replace(
        draft,
        uid=f"{draft.uid}/{periods}",
        starts_at=move(draft.starts_at),
        ends_at=move(draft.ends_at) if draft.ends_at else None,
    )


async def remove_demo(database: Database, *, now: datetime, by: Token | None) -> int:
    """Remove the demonstration city and return how many events went; it does not come back by itself.

    `by` is the operator's token, None on the command line.
    """
    async with database.writing() as session:  # first of all: who loads it at this moment stops
        await session.merge(Setting(name=DEMO_SETTING, value="removed"))
        audit.note(session, by, "demonstration.remove", CITY.name)
        ids = list(await session.exec(select(Source.id).where(col(Source.is_demo).is_(True))))
    removed = 0
    for source_id in ids:
        async with database.writing() as session:
            source = await session.get_one(Source, source_id)
            removed += await removal.forget_source(session, source, now=now)
    return removed


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A public address of the bundled list, and the public repository it was seen in; unchecked until it is fetched."""

    url: str
    name: str
    kind: str
    place: str
    field: str
    seen_in: str


def live_sources() -> list[LiveSource]:
    """Return the bundled list; nothing of it is fetched before somebody says yes."""
    lines = (line for line in LIVE_SOURCES.read_text("utf-8").splitlines() if not line.startswith("#"))
    return [LiveSource(**row) for row in csv.DictReader(lines, delimiter="\t")]


async def is_demonstration(database: Database) -> bool:
    """Whether the demonstration city is loaded, so that pages can say so."""
    async with database.reading() as session:
        setting = await session.get(Setting, DEMO_SETTING)
    return setting is not None and setting.value == "loaded"
