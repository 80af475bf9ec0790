"""The demonstration city: loaded through the readers, eight weeks ahead for ever, and gone without a trace."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from service import NOW, draft
from sqlmodel import col, func, select

from app.collecting import first_start, frontier, registry
from app.db import Database
from app.events import ingest, removal
from app.models import Community, Event, EventTopic, EventVersion, FetchState, Host, Series, Setting, Source
from app.people.wishes import Wish
from app.picking.picks import picks_for
from app.topic_names import resolve_known
from scrapers import Page, Reading, Window, read_here

pytest_plugins = ("databases",)

DUBLIN = ZoneInfo("Europe/Dublin")
AUTUMN = datetime(2026, 10, 20, 12, tzinfo=UTC)  # the clocks go back five days later
WEEK = timedelta(weeks=1)


def pages() -> list[Page]:
    return [
        Page(first_start._address(path), path.read_bytes(), mimetypes.guess_type(path.name)[0])
        for path in sorted(first_start.DEMO.glob("*.[ihj]*"))
    ]


def as_written(page: Page) -> Reading:
    start = datetime.combine(first_start.REFERENCE, datetime.min.time(), DUBLIN)
    window = Window(start, start + first_start.PERIOD)
    return read_here(page.body, url=page.url, content_type=page.content_type, window=window, zone=DUBLIN)


async def upcoming(database: Database, now: datetime) -> list[Event]:
    async with database.reading() as session:
        rows = await session.exec(
            select(Event).where(col(Event.starts_at) >= now, col(Event.deleted_at).is_(None)).order_by(col(Event.id))
        )
        return list(rows)


async def test_demonstration_is_a_living_city_that_moves_on_and_goes(database: Database) -> None:
    # One story, since loading and tagging a city takes seconds.
    loaded = await check_city(database)
    added = await check_week_later(database, loaded)
    await check_removal(database, loaded + added)


# What ten very different newcomers say first.
NEWCOMERS = (
    ("Nursing", "Health care"),
    ("Accounting", "Finance"),
    ("Carpentry", "Woodworking"),
    ("Teaching", "Education"),
    ("Law", "Contract law"),
    ("JavaScript", "React"),
    ("SQL", "PostgreSQL", "Databases"),
    ("Product management", "Agile"),
    ("Painting", "Drawing"),
    ("Computer networking", "VoIP and telephony"),
)


async def check_newcomers(database: Database) -> None:
    """Whoever comes first finds a week worth of evenings, not all on one day."""
    async with database.reading() as session:
        for labels in NEWCOMERS:
            wish = Wish(resolve_known(dict.fromkeys(labels, 4)), near=first_start.CITY, within_km=30, limit=7)
            found = await picks_for(session, wish, now=AUTUMN)
            assert len(found) >= 5, labels
            assert len({pick.listed.event.starts_at.date() for pick in found}) >= 4, labels


async def check_city(database: Database) -> int:
    loaded = await first_start.prepare(database, now=AUTUMN)
    coming = await upcoming(database, AUTUMN)
    assert len(coming) >= 100
    async with database.reading() as session:
        communities = list(await session.exec(select(Community)))
        tagged = set(await session.exec(select(EventTopic.event_id)))
    assert len({one.community_id for one in coming} & {one.id for one in communities}) >= 30
    files = [one for one in communities if one.file is not None]
    assert len({one.kind for one in files}) >= 8
    assert all(one.checked_at is not None and one.join_steps for one in files)
    assert {one.status for one in coming} == {
        *("confirmed", "tentative", "cancelled"),
        *("postponed", "rescheduled", "moved_online"),
    }
    assert {one.mode for one in coming} >= {"in_person", "online", "hybrid"}
    assert len(tagged & {one.id for one in coming}) > 0.75 * len(coming)
    assert min(one.starts_at for one in coming) < AUTUMN + WEEK
    assert max(one.starts_at for one in coming) > AUTUMN + 7 * WEEK
    await check_hours(database)
    await check_newcomers(database)
    return loaded


async def check_week_later(database: Database, loaded: int) -> int:
    assert await first_start.prepare(database, now=AUTUMN) == 0
    coming = await upcoming(database, AUTUMN)
    before = {one.key: (one.starts_at, one.sequence, one.updated_at) for one in coming}
    later = AUTUMN + WEEK
    added = await first_start.move_on(database, now=later)
    assert 5 < added < loaded / 4
    after = {one.key: (one.starts_at, one.sequence, one.updated_at) for one in await upcoming(database, AUTUMN)}
    assert {key: after.get(key) for key in before} == before
    assert len(after) == len(before) + added
    await check_hours(database)
    return added


async def check_removal(database: Database, loaded: int) -> None:
    """It takes all away but what others told, and does not come back by itself, not even into an empty instance."""
    assert await first_start.is_demonstration(database)
    async with database.writing() as session:
        own = await frontier.add_source(session, "https://reading.example/a.ics")
        changes = ingest.Changes(added=(draft("own", "Evening of marbled paper"),))
        await ingest.store(session, own, changes, now=AUTUMN)
    assert await first_start.remove_demo(database, now=AUTUMN, by=None) == loaded
    async with database.reading() as session:
        standing = await session.exec(select(Event.title).where(col(Event.deleted_at).is_(None)))
        assert list(standing) == ["Evening of marbled paper"]
        left = [
            (await session.exec(select(func.count()).select_from(table))).one()
            for table in (EventVersion, Community, Series, Source, FetchState, Host)
        ]
        assert left == [1, 0, 0, 2, 2, 2]  # their own, and the registry, which is not of the demonstration
    assert not await first_start.is_demonstration(database)
    assert await first_start.prepare(database, now=AUTUMN + WEEK) == 0
    async with database.writing() as session:
        await removal.forget_source(session, await session.get_one(Source, own.id), now=AUTUMN)
    assert await first_start.prepare(database, now=AUTUMN + WEEK) == 0


async def check_hours(database: Database) -> None:
    """Every event stands at the weekday and hour its file says, whole periods away, whatever the clock change."""
    written = {
        (one.source, one.uid, one.recurrence_id): one.starts_at.astimezone(DUBLIN)
        for page in pages()
        for one in as_written(page).events
    }
    async with database.reading() as session:
        files = select(Source.id).where(Source.url == first_start.ARCHIVE)  # those go on by rhythms of their own
        versions = list(await session.exec(select(EventVersion).where(col(EventVersion.source_id).not_in(files))))
    offsets = set()
    for version in versions:
        uid, _, period = version.uid.rpartition("/")
        start = written[version.draft["source"], uid, version.recurrence_id]
        told = datetime.fromisoformat(version.draft["starts_at"]).astimezone(DUBLIN)
        assert (told.date() - start.date(), told.time()) == (first_start.PERIOD * int(period), start.time())
        assert told == version.starts_at
        offsets.add(told.utcoffset())
    assert offsets == {timedelta(0), timedelta(hours=1)}


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 1, 5, 3, tzinfo=UTC),
        datetime(2026, 3, 28, 23, 59, tzinfo=UTC),
        datetime(2026, 11, 25, 12, tzinfo=UTC),
        datetime(2027, 10, 31, 0, 30, tzinfo=UTC),  # the hour that comes twice
        datetime(2032, 2, 29, 12, tzinfo=UTC),
    ],
)
def test_eight_weeks_lie_ahead_from_any_date(now: datetime) -> None:
    written = sum(len(as_written(page).events) for page in pages())
    repeated = [one for page in pages() for one in first_start._upcoming(page, now).events]
    ahead = [one for one in repeated if one.starts_at >= now]
    # The window is measured in hours, the events on the clock: what stands at its very end may fall out.
    assert abs(len(ahead) - written) <= 2
    assert {(one.starts_at - now) // WEEK for one in ahead} == set(range(8))
    assert len({(one.source, one.uid, one.recurrence_id) for one in repeated}) == len(repeated)


async def test_instance_with_sources_of_its_own_gets_no_demonstration(database: Database) -> None:
    async with database.writing() as session:
        await frontier.add_source(session, "https://reading.example/a.ics")
    assert await first_start.prepare(database, now=NOW) == 0
    async with database.reading() as session:
        assert list(await session.exec(select(Setting))) == []


async def test_chores_go_on_with_a_first_start_that_was_cut_off(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(first_start, "_pages", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await first_start.prepare(database, now=NOW)
    assert await first_start.prepare(database, now=NOW) == 0
    assert await first_start.is_demonstration(database)  # so that it is moved on
    assert await registry.is_loaded(database)  # so that it is kept up


async def test_demonstration_is_never_fetched(database: Database) -> None:
    async with database.writing() as session:
        await frontier.add_source(session, "https://one.demo.example/one.ics", is_demo=True, is_bundled=True)
    async with database.reading() as session:
        assert await frontier.due_sources(session, clock=datetime.now(UTC) + WEEK) == []
