"""Renderings are stored once a version, say what would be said now, and go with anything they were made from."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from service import BASE_URL, MUNICH, NOW, Service, draft
from sqlalchemy import delete, update
from sqlmodel import col, select

from app.calendars import renderings
from app.models import Community, Event, EventTopic, Rendering

pytest_plugins = ("databases",)
pytestmark = pytest.mark.usefixtures("database_url")

DRAFTS = (
    draft("a", "Letters; ink, “paper” – für alle", venue=MUNICH, description="Zeile\nnoch eine " + "ä" * 200),
    draft("b", "Day of type", days=2, all_day=True, status="cancelled", url="https://a.example/b?x=1,2"),
    draft("c", "Chess", days=3, ends_at=NOW + timedelta(days=3, hours=2), online_url="https://a.example/c"),
)
FORMS = ("events", "events?near=Munich", "events?limit=1&sort=-updated", "events.ics", "events.ics?near=Munich")


async def store_missing(service: Service) -> int:
    return await renderings.store_missing(service.database, base_url=BASE_URL, now=NOW)


async def stored(service: Service) -> set[int]:
    async with service.database.reading() as session:
        return set(await session.exec(select(Rendering.event_id)))


async def change(service: Service, *statements: Any) -> None:
    async with service.database.writing() as session:
        for statement in statements:
            await session.exec(statement)


async def test_stored_rendering_says_what_is_made_without_it(service: Service) -> None:
    await service.store(*DRAFTS, topics={"a": {"typography": 0.9}, "c": {"chess": 0.5}})
    made = [(await service.client.get(f"/api/v1/{form}")).content for form in FORMS]
    assert await store_missing(service) == 3
    assert await stored(service) == {1, 2, 3}
    # Another event moves the counter, so that nothing is answered from memory.
    await service.store(draft("past", days=-1))
    assert [(await service.client.get(f"/api/v1/{form}")).content for form in FORMS] == made
    async with service.database.writing() as session:
        await session.exec(update(Rendering).values(item=b'"stored"', component=b"STORED\r\n"))
        await session.exec(update(Event).where(col(Event.title) == "A meeting").values(title="Another"))
    assert (await service.client.get("/api/v1/events")).json()["data"] == ["stored"] * 3
    assert (await service.client.get("/api/v1/events.ics")).text.count("STORED") == 3


async def test_nothing_is_rendered_twice(service: Service) -> None:
    await service.store(*DRAFTS)
    assert [await store_missing(service), await store_missing(service)] == [3, 0]
    await service.store(replace(DRAFTS[0], title="Post"))
    assert await stored(service) == {2, 3}
    assert [await store_missing(service), await store_missing(service)] == [1, 0]


async def test_what_calendars_do_not_show_is_not_stored(service: Service) -> None:
    await service.store(draft("a"), draft("merged", days=2), draft("long past", days=-40))
    await change(service, update(Event).where(col(Event.id) == 2).values(merged_into=1))
    assert await store_missing(service) == 1
    assert await stored(service) == {1}


@pytest.mark.parametrize(
    "change_of",
    [
        update(Event).where(col(Event.id) == 1).values(title="x"),
        update(EventTopic).where(col(EventTopic.event_id) == 1).values(weight=0.1),
        delete(EventTopic).where(col(EventTopic.event_id) == 1),
        update(Community).values(name="x"),
    ],
    ids=["event", "topic", "no topic", "community"],
)
async def test_change_takes_the_rendering_along(service: Service, change_of: Any) -> None:
    await service.store(*DRAFTS, topics={"a": {"typography": 0.9}})
    async with service.database.writing() as session:
        session.add(Community(id=7, key="c", name="Club", updated_at=NOW))
        await session.flush()
        await session.exec(update(Event).where(col(Event.id) == 1).values(community_id=7))
    await store_missing(service)
    await change(service, update(Community).values(description="nobody renders this"))
    assert await stored(service) == {1, 2, 3}
    await change(service, change_of)
    assert await stored(service) == {2, 3}


async def test_rendering_of_another_address_is_made_anew(service: Service) -> None:
    await service.store(*DRAFTS)
    await store_missing(service)
    moved = "https://moved.example"
    async with service.database.reading() as session:
        (first, *_) = await renderings.bodies(session, [1, 2, 3], "component", base_url=moved)
    assert b"https://moved.example/e/" in first.replace(b"\r\n ", b"")
    assert await renderings.store_missing(service.database, base_url=moved, now=NOW) == 3
    assert await stored(service) == {1, 2, 3}


async def test_no_change_falls_between_reading_and_storing(service: Service) -> None:
    await service.store(*DRAFTS)
    for topic in ("typography", "chess", "javascript", "python"):
        async with service.database.writing() as session:
            session.add(EventTopic(event_id=1, topic=topic, weight=0.5))
            await session.flush()
            under_way = asyncio.create_task(store_missing(service))
            await session.exec(select(Event).where(col(Event.id) == 1))  # the other transaction may begin
        await under_way
        async with service.database.reading() as session:
            row = await session.get(Rendering, 1)
        assert row is None or f'"{topic}"'.encode() in row.item
