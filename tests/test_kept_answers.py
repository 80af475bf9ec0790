"""Answers are kept while nothing changed, and not a moment longer, whoever writes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from service import MUNICH, NOW, Service, draft, serving
from sqlalchemy import delete, event, update
from sqlmodel import col, select

from app.api.conditional import Memory, Promise, Whole
from app.db import Database
from app.models import Event, EventTopic, EventVersion, Feedback, Person
from app.revisions import EVENTS, revisions_of

pytest_plugins = ("databases",)

on_both_databases = pytest.mark.usefixtures("database_url")
LIST = "/api/v1/events"
NEVER_KEPT = Promise({}, None)


class Statements:
    """What a database is asked, transactions aside."""

    def __init__(self, database: Database) -> None:
        self.told: list[str] = []
        event.listen(database.engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            self.told.append(" ".join(statement.split()))

    def of_events(self) -> list[str]:
        return [statement for statement in self.told if " FROM event " in statement]


@on_both_databases
async def test_answer_that_is_kept_costs_one_indexed_read_at_most(service: Service) -> None:
    await service.store(draft("a"))
    me = await service.guest(know=["React"], near="Munich")
    made = await service.client.post("/api/v1/me/feeds", json={"name": "x", "kind": "saved"}, headers=me)
    for address in (LIST, f"{LIST}.ics", f"{LIST}.rss", "/embed", made.json()["data"]["url"]):
        first = await service.client.get(address)
        statements = Statements(service.database)
        again = await service.client.get(address, headers={"If-None-Match": first.headers["etag"]})
        whole = await service.client.get(address)
        assert (again.status_code, again.content, whole.content) == (304, b"", first.content)
        read = "SELECT revision.name, revision.number FROM revision"
        # SQLite is asked beside the pool, by a connection of the counters' own.
        asked = [] if service.database.is_sqlite else [read, read]
        assert [told.split(" WHERE ")[0] for told in statements.told] == asked


async def test_every_change_is_seen_at_once_by_every_process(tmp_path: Path, database_url: str) -> None:
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(serving(tmp_path, ADJACENT_DATABASE_URL=database_url)) for _ in range(2)
        ]
        await one.store(draft("a", "Letters", venue=MUNICH), draft("b", "Chess", days=2))

        async def told(address: str = LIST) -> str:
            answers = [await service.client.get(address) for service in (one, other)]
            assert answers[0].content == answers[1].content
            return answers[0].text

        async def change(statement: Any) -> None:
            async with one.database.writing() as session:
                await session.exec(statement)

        before = await told()
        for changed in (
            update(Event).where(col(Event.title) == "Chess").values(title="Go"),
            update(Event).where(col(Event.title) == "Go").values(deleted_at=NOW),
        ):
            await change(changed)
            assert await told() != before
            before = await told()
        await change(delete(EventVersion).where(col(EventVersion.event_id) == 2))
        await change(delete(Event).where(col(Event.title) == "Go"))
        assert "Go" not in await told(f"{LIST}?include_deleted=true")
        async with one.database.writing() as session:
            only = (await session.exec(select(Event))).one()
            session.add(EventTopic(event_id=only.id or 0, topic="typography", weight=0.5))
        assert "Typography" in await told()
        await change(delete(EventTopic))
        assert "Typography" not in await told()


@on_both_databases
async def test_of_all_who_want_what_has_changed_one_asks(service: Service) -> None:
    await service.store(draft("a"))
    await service.client.get(LIST)
    statements = Statements(service.database)
    await service.store(draft("a", "Another name"))
    statements.told.clear()
    one = await service.client.get(LIST)
    alone = len(statements.of_events())
    await service.store(draft("a", "A third name"))
    statements.told.clear()
    answers = await asyncio.gather(*(service.client.get(LIST) for _ in range(20)))
    assert alone > 0
    assert len(statements.of_events()) == alone
    assert {answer.headers["etag"] for answer in answers} == {(await service.client.get(LIST)).headers["etag"]}
    assert one.headers["etag"] not in {answer.headers["etag"] for answer in answers}


async def test_who_asks_after_a_change_waits_for_no_older_answer(service: Service) -> None:
    """While one answer is made, its event changes: whoever asks from then on is told of it."""
    await service.store(draft("a"))
    await service.client.get(LIST)
    await service.store(draft("a", "Before"))
    for title in ("After", "Much later"):
        first = asyncio.create_task(service.client.get(LIST))
        await asyncio.sleep(0)
        await service.store(draft("a", title))
        later = await asyncio.gather(*(service.client.get(LIST) for _ in range(5)))
        assert [answer.json()["data"][0]["title"] for answer in later] == [title] * 5
        await first


async def test_who_waited_for_what_came_to_nothing_asks_at_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.store(draft("a"))
    await service.client.get(LIST)
    await service.store(draft("a", "Another name"))
    begun = [asyncio.Event() for _ in range(3)]

    async def fail(*_: object, **__: object) -> None:
        number = sum(one.is_set() for one in begun)
        begun[number].set()
        if number > 0:  # those who waited are here together, or never
            await begun[-1].wait()
        raise ZeroDivisionError

    monkeypatch.setattr("app.api.events.event_slice", fail)
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*(service.client.get(LIST) for _ in begun), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ZeroDivisionError] * 3


@on_both_databases
async def test_personal_calendar_follows_its_person_only(service: Service) -> None:
    ids = await service.store(draft("a", "Letters", venue=MUNICH))
    me, somebody = await service.guest(know=["React"]), await service.guest(know=["React"])
    made = await service.client.post("/api/v1/me/feeds", json={"name": "x", "kind": "saved"}, headers=me)
    address = made.json()["data"]["url"]
    assert "Letters" not in (await service.client.get(address)).text
    saved = {"event": ids["a"], "kind": "saved"}
    await service.client.post("/api/v1/me/feedback", json=saved, headers=somebody)
    statements = Statements(service.database)
    assert "Letters" not in (await service.client.get(address)).text
    assert len(statements.told) <= 1  # what others do changes nothing here
    await service.client.post("/api/v1/me/feedback", json=saved, headers=me)
    assert "Letters" in (await service.client.get(address)).text
    async with service.database.writing() as session:
        await session.exec(delete(Feedback).where(col(Feedback.person_id).in_(select(Person.id))))
    assert "Letters" not in (await service.client.get(address)).text
    await service.client.post(f"/api/v1/me/feeds/{made.json()['data']['id']}/rotate", headers=me)
    assert "This link was replaced" in (await service.client.get(address)).text
    await service.client.delete(f"/api/v1/me/feeds/{made.json()['data']['id']}", headers=me)
    assert (await service.client.get(address)).status_code == 404


async def test_begun_event_leaves_a_kept_list(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        await service.store(draft("a", "Letters", days=1), draft("b", "Chess", days=2))
        for form in ("events", "events.csv", "events.ics"):
            assert "Letters" in (await service.client.get(f"/api/v1/{form}")).text
        later = NOW + timedelta(days=1, minutes=1)
        service.app.state.settings = replace(service.settings, pinned_now=later)
        for form in ("events", "events.csv", "events.ics"):
            text = (await service.client.get(f"/api/v1/{form}")).text
            assert "Chess" in text
            assert "Letters" not in text


@on_both_databases
async def test_counters_are_read_after_the_question(service: Service) -> None:
    revisions = revisions_of(service.database)
    reading = asyncio.create_task(revisions.numbers([EVENTS]))
    await asyncio.sleep(0)
    for _ in range(3):
        before = (await revisions.numbers([EVENTS]))[EVENTS]
        await service.store(draft(f"e{before}"))
        asked = await asyncio.gather(*(revisions.numbers([EVENTS]) for _ in range(20)))
        assert {numbers[EVENTS] for numbers in asked} == {asked[0][EVENTS]}
        assert asked[0][EVENTS] > before
    await reading


@on_both_databases
async def test_transaction_that_is_rolled_back_counts_nothing(service: Service) -> None:
    revisions = revisions_of(service.database)
    await service.store(draft("a"))
    before = await revisions.numbers([EVENTS])
    async with service.database.reading() as session:
        await session.exec(update(Event).values(title="x"))
        await session.rollback()
    assert await revisions.numbers([EVENTS]) == before


def test_memory_keeps_what_was_wanted_last_within_its_bytes() -> None:
    memory = Memory(10_000)
    for name in ("a", "b", "c"):
        memory.keep((name, b""), Whole([], b"x" * 1500, NEVER_KEPT))
    assert memory.get(("a", b"")) is not None
    memory.keep(("d", b""), Whole([], b"x" * 1500, NEVER_KEPT))
    assert [name for name in "abcd" if memory.get((name, b""))] == ["a", "c", "d"]
    memory.keep(("e", b"?" * 3000), Whole([], b"", NEVER_KEPT))
    assert memory.get(("e", b"?" * 3000)) is None
