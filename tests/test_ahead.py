"""The events ahead are read once and kept while none changes; all at once, the rules are those of one at a time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from service import MUNICH, NOW, Service, draft, serving
from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from structlog.testing import capture_logs
from waiting import until

from app.db import Database
from app.events import turns
from app.models import Community, Event, EventTopic
from app.people.wishes import EVENING, LATE, Hours, Refusals, Seen, Wish
from app.picking import ahead, ahead_reading, picks
from app.picking.ahead import events_ahead
from app.picking.ahead_table import Ahead
from app.picking.barriers import ELSEWHERE, MUTUAL_HELP, barrier
from app.picking.feasible import feasible
from app.places import Spot
from app.queries import listing
from app.queries.filters import PURPOSES, EventFilter

pytest_plugins = ("databases",)

HERE = Spot(48.137, 11.575, "Munich")
TOPICS = ("ux-design", "teaching", "chess", "agile", min(MUTUAL_HELP), "of no catalogue")
TITLES = ("Letters", "Letters, cancelled", "Letters: sold out", "Full of letters")


async def lay(database: Database, n: int) -> None:
    """Store events that differ in all that a rule minds."""
    draw = np.random.default_rng(6)
    async with database.writing() as session:
        groups = [Community(key=f"group{number}", name=f"Group {number}", updated_at=NOW) for number in range(5)]
        session.add_all(groups)
        await session.flush()
        for number in range(n):
            mode = str(draw.choice(["in_person", "online", "hybrid", "unknown"]))
            lat, lon = draw.uniform(47.5, 48.8), draw.uniform(10.8, 12.3)
            is_located, is_named = draw.random() < 0.8, draw.random() < 0.5
            shares = draw.dirichlet([0.5] * len(PURPOSES)).tolist()
            event = Event(
                key=f"event{number}",
                title=str(draw.choice(TITLES, p=(0.7, 0.1, 0.1, 0.1))),
                starts_at=NOW + timedelta(hours=int(draw.integers(-48, 24 * 40))),
                zone=str(draw.choice(["Europe/Berlin", "Pacific/Auckland"])),
                all_day=bool(draw.random() < 0.2),
                status=str(draw.choice(["confirmed", "tentative", "cancelled"], p=(0.8, 0.1, 0.1))),
                mode=mode,
                lat=lat if is_located else None,
                lon=lon if is_located else None,
                city="Munich" if is_named else None,
                language=draw.choice(np.array(["de", "de-AT", "EN", None], object)),
                is_free=draw.choice(np.array([True, False, None], object)),
                community_id=draw.choice(np.array([None, *(group.id for group in groups)], object)),
                series_key=draw.choice(np.array([None, None, "weekly", "monthly"], object)),
                purpose=dict(zip(PURPOSES, shares, strict=True)) if draw.random() < 0.8 else {},
                sequence=int(draw.integers(3)),
                created_at=NOW,
                updated_at=NOW,
                deleted_at=NOW if draw.random() < 0.05 else None,
            )
            session.add(event)
            await session.flush()
            assert event.id is not None
            for slug in draw.choice(TOPICS, int(draw.integers(0, 3)), replace=False):
                session.add(EventTopic(event_id=event.id, topic=str(slug), weight=float(draw.uniform(0.3, 1))))


def wishes() -> list[Wish]:
    """Return wishes that each turn one thing, and some that turn all."""
    plain = Wish(known={"react": 3}, near=HERE, within_km=40, days=30)
    refusals = Refusals(
        topics=frozenset({"chess"}),
        communities=frozenset({"group1"}),
        events=frozenset({3, 5, 8, 100_000}),
        series=frozenset({"monthly"}),
        seen={number: Seen("2026-W48", 1) for number in range(20, 120)},
        seen_series={"weekly": "2026-W47", "gone": "2026-W46"},
    )
    each = [
        plain,
        replace(plain, near=None),
        replace(plain, online=False),
        replace(plain, modes=frozenset({"in_person"})),
        replace(plain, modes=frozenset({"online"})),
        replace(plain, languages=frozenset({"de"})),
        replace(plain, languages=frozenset({"en", "de-AT"})),
        replace(plain, free_only=True),
        replace(plain, purposes=frozenset({"sell"})),
        replace(plain, purposes=frozenset(PURPOSES)),
        replace(plain, purposes=frozenset({"social", "recruit"})),
        replace(plain, known={min(MUTUAL_HELP): 3}, days=3),
        replace(plain, refusals=refusals),
    ]
    return [*each, replace(each[5], near=None, online=False, refusals=refusals, purposes=frozenset({"learn"}))]


async def test_all_at_once_the_barriers_are_those_of_each_event(database: Database) -> None:
    await lay(database, 600)
    for wish in wishes():
        async with database.reading() as session:
            kept = await events_ahead(session, now=NOW)
            window = EventFilter(start=NOW, end=NOW + timedelta(days=wish.days))
            listed = await listing.events(session, window)
        found = feasible(kept, wish, now=NOW)
        barriers = {item.event.id: barrier(item, wish) for item in listed}
        numbers = kept.ids
        assert numbers[found.open].tolist() == [number for number, why in barriers.items() if why is None]
        assert numbers[found.reachable].tolist() == [
            number for number, why in barriers.items() if why is None or why.code not in ELSEWHERE
        ]
        away = {item.event.id: picks.away_km(item.event, wish.near) or 0.0 for item in listed}
        assert np.allclose(found.distance_km[found.open], [away[number] for number in numbers[found.open]], atol=1e-6)


async def change(database: Database, *, now: datetime) -> None:
    """Change events in each way that a reading minds, as all do who write: stamped in their turn."""
    async with database.writing() as session:
        stamp = await turns.next_stamp(session, now=now)
        events = list(await session.exec(select(Event).order_by(col(Event.id))))
        told = cycle(
            [
                {"title": "Letters, cancelled"},
                {"starts_at": NOW + timedelta(days=3)},
                {"deleted_at": NOW},
                {"merged_into": events[0].id},
                {"status": "cancelled"},
                {"mode": "by post", "language": "eo", "sequence": 7},
                {"lat": None, "lon": None, "purpose": {"sell": 1.0}},
                {"community_id": None, "series_key": "fresh"},
                {"status": "confirmed", "deleted_at": None, "title": "Back again"},
            ]
        )
        for event in events[1::3]:
            for name, value in next(told).items():
                setattr(event, name, value)
            event.updated_at = stamp
        ids = [event.id for event in events[1::9]]
        await session.exec(delete(EventTopic).where(col(EventTopic.event_id).in_(ids)))
        session.add_all(EventTopic(event_id=number or 0, topic=min(MUTUAL_HELP), weight=0.8) for number in ids)
        session.add(Community(key=f"newcomers {now}", name="Newcomers", updated_at=NOW))
        session.add(
            Event(key=f"newest {now}", title="Newest", starts_at=NOW, zone="UTC", created_at=NOW, updated_at=stamp)
        )


UNLIKE = {"mode", "language", "community", "worth"}  # codes, and what liveliness of another moment makes


def arrays_of(kept: Ahead) -> dict[str, object]:
    """Return all that is told of events, with names for codes: those stand in the order of their coming."""
    by_name = vars(kept) | vars(kept.about) | vars(kept.table)
    coded = {
        "modes": [kept.modes[code] for code in kept.mode],
        "languages": [(*kept.languages, None)[code] for code in kept.language],
        "communities": [(*kept.table.communities, None)[code] for code in kept.table.community],
    }
    plain = {name: value.tolist() for name, value in by_name.items() if isinstance(value, np.ndarray)}
    return {name: repr(value) for name, value in (plain | coded).items() if name not in UNLIKE}


async def test_what_changed_is_read_as_everything_is(database: Database) -> None:
    await lay(database, 300)
    async with database.beside() as connection:
        kept = await ahead_reading.read(connection, NOW)
    for turn in range(3):
        await change(database, now=NOW + timedelta(minutes=turn))
        async with database.beside() as connection:
            kept = await ahead_reading.read_on(connection, kept)
            anew = await ahead_reading.read(connection, NOW)
        assert arrays_of(kept) == arrays_of(anew)
        assert np.allclose(kept.table.worth, anew.table.worth, atol=0.05)
        assert (kept.revision, kept.stamp, kept.among_themselves) == (anew.revision, anew.stamp, anew.among_themselves)
        assert len(kept) > 50


def is_at(event: Event, hours: Hours) -> bool:
    start = event.starts_at.astimezone(ZoneInfo(event.zone))
    if hours == "any" or start.isoweekday() > 5:
        return hours in ("any", "weekend")
    return hours != "weekend" and (event.all_day or (EVENING <= start.hour < LATE) == (hours == "evening"))


async def test_hours_are_those_of_the_event_s_own_clock(database: Database) -> None:
    await lay(database, 200)
    async with database.reading() as session:
        kept = await events_ahead(session, now=NOW)
        events = {event.id: event for event in await session.exec(select(Event))}
    chosen: tuple[Hours, ...] = ("any", "daytime", "evening", "weekend")
    for hours in chosen:
        found = feasible(kept, Wish(known={}, days=60, hours=hours), now=NOW)
        told = [is_at(events[number], hours) for number in kept.ids.tolist()]
        everything = feasible(kept, Wish(known={}, days=60), now=NOW)
        assert found.open.tolist() == (everything.open & told).tolist()
        assert found.open.any()


async def picked(service: Service, **asked: object) -> list[str]:
    asked = {"know": ["JavaScript", "React"], "near": "Munich"} | asked
    answer = await service.client.post("/api/v1/recommendations", json=asked)
    return sorted(pick["event"]["title"] for pick in answer.json()["data"])


async def test_what_one_process_changes_the_others_pick_from_at_once(tmp_path: Path, database_url: str) -> None:
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(serving(tmp_path, ADJACENT_DATABASE_URL=database_url)) for _ in range(2)
        ]
        letters, chalk = draft("a", "Letters", venue=MUNICH), draft("b", "Chalk", days=2, venue=MUNICH)
        await one.store(letters, topics={"a": {"ux-design": 0.9}})
        assert [await picked(each) for each in (one, other)] == [["Letters"]] * 2
        await other.store(letters, chalk, topics={"b": {"teaching": 0.9}})
        assert [await picked(each) for each in (one, other)] == [["Chalk", "Letters"]] * 2
        async with one.database.writing() as session:
            (event,) = await session.exec(select(Event).where(Event.title == "Letters"))
            event.status = "cancelled"
        assert [await picked(each) for each in (one, other)] == [["Chalk"]] * 2


async def test_while_a_long_reading_goes_on_nothing_is_picked_that_is_off(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "FEW", 1)
    monkeypatch.setattr(ahead, "RESTS", 0)
    about = {"a": {"ux-design": 0.9}, "b": {"teaching": 0.9}}
    await service.store(draft("a", "Letters", venue=MUNICH), draft("b", "Chalk", days=2, venue=MUNICH), topics=about)
    assert await picked(service) == ["Chalk", "Letters"]
    async with service.database.writing() as session:
        (letters,) = await session.exec(select(Event).where(Event.title == "Letters"))
        letters.status = "cancelled"
    async with service.database.reading() as session:
        before = await events_ahead(session, now=NOW)
        assert len(before) == 2
        assert [pick.listed.event.title for pick in await picks.picks_for(session, a_wish(), now=NOW)] == ["Chalk"]
        while (kept := await events_ahead(session, now=NOW)).revision == before.revision:
            pass
        assert [await title_of(session, number) for number in kept.ids.tolist()] == ["Chalk"]


async def title_of(session: AsyncSession, number: int) -> str:
    return (await session.get_one(Event, number)).title


def a_wish() -> Wish:
    return Wish(known={"javascript": 3, "react": 3}, near=HERE)


async def nothing_goes_on() -> bool:
    return len(asyncio.all_tasks()) == 1


async def test_events_ahead_are_read_before_anybody_asks(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "FEW", 0)  # who asks after a change gets what was read before it
    await lay(database, 20)
    async with ahead.read_before_anybody_asks(database, now=NOW):
        await until(nothing_goes_on)
        async with database.writing() as session:
            for event in await session.exec(select(Event)):
                event.status = "cancelled"
        async with database.reading() as session:
            assert len(await events_ahead(session, now=NOW)) > 0
    await ahead.forget(database)


async def test_a_failed_reading_at_the_start_is_logged_and_nothing_else(tmp_path: Path) -> None:
    unmigrated = Database(f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite3")
    with capture_logs() as logs:
        async with ahead.read_before_anybody_asks(unmigrated, now=NOW):
            await until(nothing_goes_on)
    assert [line["event"] for line in logs] == ["the events ahead were not read at the start"]
    await ahead.forget(unmigrated)
    await unmigrated.close()


async def test_another_day_is_another_reading(service: Service) -> None:
    await service.store(draft("a", "Letters", days=2, venue=MUNICH), topics={"a": {"ux-design": 0.9}})
    for days, titles in ((0, ["Letters"]), (2.5, []), (-30, [])):
        now: datetime = NOW + timedelta(days=days)
        async with service.database.reading() as session:
            found = await picks.picks_for(session, a_wish(), now=now)
        assert [pick.listed.event.title for pick in found] == titles
