"""What is searched says what the columns say, follows every change, and SQLite goes through it in the order of lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from service import NOW, Service, draft
from sqlalchemy import event as listening
from sqlalchemy import text
from sqlmodel import select

from app.models import Event
from app.queries import slices, totals
from app.queries.filters import EventFilter
from app.queries.slices import Position, Sort, event_slice
from app.queries.totals import Total, total

LANGUAGES = ("de", "DE", "de-AT", "den", "de_CH", "en-GB", "English, German", None)
PURPOSES: tuple[dict[str, float], ...] = (
    {"learn": 0.7, "sell": 0.3},
    {"sell": 0.5, "learn": 0.5},
    {"exchange": 0.2, "recruit": 0.1},
    {"learn": 0.0},
    {},
)
TITLES = ("A violin", "Bread and violin", "Online bread", "\ue001m6f6e6c696e65")  # the last one looks like a mark


async def stored(service: Service, number: int = 60) -> list[Event]:
    """Store events that differ in all that the index tells, three at a time at the same moment; return them by start."""
    await service.store(
        *(
            draft(
                f"e{n:02}",
                TITLES[n % 4],
                days=1 + (n * 7 % number) // 3,
                mode=("online", "in_person", "hybrid", "unknown")[n // 4 % 4],
                status=("confirmed", "cancelled", "moved_online")[n % 3],
                price=(None, "free", "9 EUR")[n // 2 % 3],
            )
            for n in range(number)
        )
    )
    async with service.database.writing() as session:
        for row in await session.exec(select(Event)):
            assert row.id is not None
            row.language, row.purpose = LANGUAGES[row.id % 8], PURPOSES[row.id % 5]
    async with service.database.reading() as session:
        return list(await session.exec(select(Event).order_by(Event.starts_at, Event.id)))  # type: ignore[arg-type]


def is_mainly(purpose: str) -> Callable[[Event], bool]:
    return lambda one: one.purpose.get(purpose, 0) > 0 and one.purpose[purpose] == max(one.purpose.values())


ASKED: dict[EventFilter, Callable[[Event], bool]] = {
    EventFilter(modes=("online",)): lambda one: one.mode == "online",
    EventFilter(modes=("online", "in_person")): lambda one: one.mode in ("online", "in_person"),
    EventFilter(statuses=("moved_online",)): lambda one: one.status == "moved_online",
    EventFilter(language="de"): lambda one: one.language in ("de", "DE", "de-AT"),
    EventFilter(language="DE-at"): lambda one: one.language == "de-AT",
    EventFilter(language="english, german"): lambda one: one.language == "English, German",
    EventFilter(free=True): lambda one: one.is_free is True,
    EventFilter(free=False): lambda one: one.is_free is False,
    **{EventFilter(purpose=one): is_mainly(one) for one in ("learn", "exchange", "sell", "recruit", "social")},
    EventFilter(words="violin"): lambda one: "violin" in one.title,
    EventFilter(words="violin bread"): lambda one: one.title == "Bread and violin",
    EventFilter(words="online"): lambda one: one.title == "Online bread",
    EventFilter(words="\ue001m*"): lambda one: one.title == TITLES[3],
    EventFilter(words="bread", modes=("hybrid",), free=True, purpose="sell", language="en"): lambda one: (
        "read" in one.title
        and (one.mode, one.is_free, one.language) == ("hybrid", True, "en-GB")
        and is_mainly("sell")(one)
    ),
    EventFilter(words="violin", end=NOW + timedelta(days=9)): lambda one: (
        "violin" in one.title and one.starts_at < NOW + timedelta(days=9)
    ),
}


async def test_marks_find_what_the_columns_say(service: Service) -> None:
    events = await stored(service)
    async with service.database.reading() as session:
        for wanted, passes in ASKED.items():
            found = await event_slice(session, replace(wanted, start=NOW), sort="start", limit=100)
            assert found.ids == [one.id for one in events if passes(one)], wanted
            counted = Total(len(found.ids), False, NOW if found.ids else None, _first(events, passes))
            assert await total(session, replace(wanted, start=NOW)) == counted, wanted


def _first(events: list[Event], passes: Callable[[Event], bool]) -> datetime | None:
    return next((one.starts_at for one in events if passes(one)), None)


@pytest.mark.sqlite
@pytest.mark.parametrize("sort", ["start", "-start", "updated"])
async def test_searches_page_forwards_and_back_through_everything_once(service: Service, sort: Sort) -> None:
    events = await stored(service)
    ids = [one.id for one in events if "violin" in one.title]
    expected = ids[::-1] if sort == "-start" else sorted(ids) if sort == "updated" else ids  # type: ignore[type-var]
    pages: list[list[int]] = []
    async with service.database.reading() as session:

        async def page(position: Position | None) -> slices.Slice:
            return await event_slice(
                session, EventFilter(start=NOW, words="violin"), sort=sort, limit=7, position=position
            )

        part = await page(None)
        pages.append(part.ids)
        while part.next is not None:
            part = await page(part.next)
            pages.append(part.ids)
        back = [part.ids]
        while part.previous is not None:
            part = await page(part.previous)
            back.insert(0, part.ids)
    assert [one for ids in pages for one in ids] == expected
    assert back == pages


@pytest.mark.sqlite
async def test_search_follows_what_becomes_of_an_event(service: Service) -> None:
    events = await stored(service, 6)
    one, other = (event.id for event in events if event.title == "A violin")

    async def found(**wanted: Any) -> list[int]:
        async with service.database.reading() as session:
            asked = EventFilter(words="violin", **wanted)
            return (await event_slice(session, asked, sort="start", limit=100)).ids

    async def change(number: int | None, **values: object) -> None:
        async with service.database.writing() as session:
            event = await session.get_one(Event, number)
            for name, value in values.items():
                setattr(event, name, value)

    both = await found()
    await change(one, starts_at=datetime(2027, 5, 1, tzinfo=UTC))
    assert await found() == [*(id_ for id_ in both if id_ != one), one]
    assert await found(start=datetime(2027, 5, 1, tzinfo=UTC)) == [one]
    await change(one, mode="online", title="A violin online")
    assert await found(modes=("online",), start=datetime(2027, 5, 1, tzinfo=UTC)) == [one]
    await change(one, deleted_at=NOW)
    assert await found() == [id_ for id_ in both if id_ != one]
    assert one in await found(include_deleted=True)
    await change(one, deleted_at=None, merged_into=other)
    assert await found() == [id_ for id_ in both if id_ != one]
    await change(one, merged_into=None, title="A cello")
    assert await found(include_deleted=True) == [id_ for id_ in both if id_ != one]
    async with service.database.writing() as session:
        for table in ("eventversion", "event"):
            await (await session.connection()).execute(text(f"DELETE FROM {table}"))
    assert await found(include_deleted=True, include_merged=True) == []


@pytest.mark.sqlite
async def test_what_moves_within_a_second_is_found_by_that_second(service: Service) -> None:
    moment = NOW + timedelta(days=2)
    await service.store(
        draft("a", "Violin", days=2), replace(draft("b", "Violin"), starts_at=moment + timedelta(milliseconds=700))
    )
    async with service.database.reading() as session:

        async def found(start: datetime) -> list[int]:
            return (await event_slice(session, EventFilter(start=start, words="violin"), sort="start", limit=9)).ids

        assert await found(moment) == [1, 2]
        assert await found(moment + timedelta(milliseconds=1)) == []


@pytest.mark.sqlite
async def test_events_of_any_year_are_searched(service: Service) -> None:
    years = (1905, 1969, 1970, 2106, 2242, 2300)
    await service.store(
        *(replace(draft(f"e{year}", "Violin"), starts_at=datetime(year, 7, 1, tzinfo=UTC)) for year in years)
    )
    async with service.database.reading() as session:
        found = await event_slice(session, EventFilter(words="violin"), sort="start", limit=9)
        later = await total(session, EventFilter(words="violin", start=datetime(2100, 1, 1, tzinfo=UTC)))
    assert (len(found.ids), found.ids[2:4], later.count) == (6, [3, 4], 3)


@pytest.mark.sqlite
@pytest.mark.parametrize("sought", [0, 1_000])
async def test_total_tells_the_newest_change_however_it_is_sought(
    service: Service, monkeypatch: pytest.MonkeyPatch, sought: int
) -> None:
    events = await stored(service)
    changed = next(one for one in events if one.title == "A violin")
    async with service.database.writing() as session:
        for number, at in ((changed.id, NOW + timedelta(minutes=1)), (events[-1].id, NOW + timedelta(minutes=2))):
            (await session.get_one(Event, number)).updated_at = at
    assert "violin" not in events[-1].title
    monkeypatch.setattr(totals, "SOUGHT", sought)
    async with service.database.reading() as session:
        told = await total(session, EventFilter(start=NOW, words="violin"))
    assert told == Total(30, False, NOW + timedelta(minutes=1), events[0].starts_at)


async def test_of_more_than_are_counted_no_newest_change_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = await stored(service)
    monkeypatch.setattr(totals, "COUNTED", 10)
    async with service.database.reading() as session:
        for wanted in (EventFilter(start=NOW), EventFilter(start=NOW, words="violin")):
            assert await total(session, wanted) == Total(10, True, None, events[0].starts_at)
            assert (await event_slice(session, wanted, sort="start", limit=5)).total.is_lower_bound


@pytest.mark.sqlite
async def test_searches_neither_sort_nor_read_all_events(service: Service) -> None:
    await stored(service, 6)
    asked: list[tuple[str, Any]] = []
    listening.listen(
        service.database.engine.sync_engine, "before_cursor_execute", lambda *sent: asked.append((sent[2], sent[3]))
    )
    async with service.database.reading() as session:
        for wanted in (EventFilter(words="violin bread"), EventFilter(modes=("online",)), EventFilter(purpose="sell")):
            position = Position(NOW, 1)
            for sort in ("start", "-start"):
                await event_slice(session, replace(wanted, start=NOW), sort=sort, limit=1, position=position)
        plans = []
        for statement, values in tuple(asked):
            connection = await session.connection()
            explained = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans += [row[3] for row in explained]
    assert not any("TEMP B-TREE" in step for step in plans)
    assert {step.split(" INDEX")[0] for step in plans if " event" in step} == {
        "SCAN event_search VIRTUAL TABLE",
        "SEARCH event USING INTEGER PRIMARY KEY (rowid=?)",
    }
