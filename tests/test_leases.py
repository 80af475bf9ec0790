"""Who works on what: rows are spoken for, held by one, renewed and given back, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.collecting import frontier
from app.db import Database
from app.models import Chore, FetchState, Host, Source
from app.queue import leases

pytest_plugins = ("databases",)

CLOCK = datetime(2026, 12, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def lay(database: Database, *names: str, due: datetime = CLOCK) -> None:
    async with database.writing() as session:
        session.add_all(Host(name=name, next_due=due) for name in names)


async def claim(database: Database, *, clock: datetime = CLOCK, limit: int = 10) -> list[str]:
    async with database.writing() as session:
        return await leases.claim(session, Host, clock=clock, limit=limit)


async def take(database: Database, name: str, holder: str, *, clock: datetime = CLOCK) -> bool:
    async with database.writing() as session:
        return await leases.take(session, Host, [name], holder, clock=clock) == {name}


async def row(database: Database, name: str) -> tuple[datetime, datetime | None, str | None, int, str | None]:
    async with database.reading() as session:
        host = await session.get_one(Host, name)
        return host.next_due, host.lease_until, host.holder, host.attempts, host.error


async def test_due_rows_are_claimed_longest_overdue_first_and_once(database: Database) -> None:
    await lay(database, "a", due=CLOCK - MINUTE)
    await lay(database, "b", due=CLOCK)
    await lay(database, "old", due=CLOCK - 2 * MINUTE)
    await lay(database, "later", due=CLOCK + MINUTE)
    assert set(await claim(database, limit=2)) == {"old", "a"}
    assert await claim(database) == ["b"]
    assert set(await claim(database, clock=CLOCK + leases.LEASE)) == {"old", "a", "b"}


async def test_row_is_held_by_one_until_its_lease_is_over(database: Database) -> None:
    await lay(database, "a")
    await claim(database)
    assert await take(database, "a", "first")
    assert not await take(database, "a", "second")
    assert await claim(database) == []
    after = CLOCK + leases.LEASE
    assert await claim(database, clock=after) == ["a"]
    assert await take(database, "a", "second", clock=after)
    async with database.writing() as session:
        assert await leases.renew(session, Host, ["a"], "first", clock=after) == set()
        assert await leases.renew(session, Host, ["a"], "second", clock=after + MINUTE) == {"a"}
    assert await row(database, "a") == (after, after + MINUTE + leases.LEASE, "second", 2, None)


async def test_row_that_is_not_due_is_not_taken(database: Database) -> None:
    await lay(database, "a", due=CLOCK + MINUTE)
    assert not await take(database, "a", "first")
    assert not await take(database, "unknown", "first")


async def test_failed_row_is_due_again_after_a_pause_and_rests_as_a_dead_letter(database: Database) -> None:
    await lay(database, "a")
    clock = CLOCK
    for attempt in range(1, leases.MOST_ATTEMPTS + 1):
        assert await claim(database, clock=clock) == ["a"]
        assert await take(database, "a", "first", clock=clock)
        async with database.writing() as session:
            await leases.fail(session, Host, "a", "first", "ValueError: no", clock=clock)
        clock += leases.retry_after(attempt)
        assert await row(database, "a") == (clock, None, None, attempt, "ValueError: no")
    assert await claim(database, clock=clock + timedelta(hours=23)) == []
    assert await claim(database, clock=clock + leases.REST) == ["a"]  # one more attempt a day


async def test_row_that_kills_its_workers_becomes_a_dead_letter_too(database: Database) -> None:
    await lay(database, "poison", due=CLOCK - timedelta(days=9))
    clock = CLOCK
    for number in range(leases.MOST_ATTEMPTS):
        assert await claim(database, clock=clock) == ["poison"]
        assert await take(database, "poison", f"worker {number}", clock=clock)
        clock += leases.LEASE  # nobody renews: it is dead
    assert await claim(database, clock=clock) == []
    async with database.writing() as session:
        assert await leases.requeue(session, Host, "poison", clock=clock)
    assert await claim(database, clock=clock) == ["poison"]


async def test_interrupted_work_is_no_attempt(database: Database) -> None:
    await lay(database, "a")
    await take(database, "a", "first")
    async with database.writing() as session:
        await leases.give_up(session, Host, ["a"], "first")
    assert await row(database, "a") == (CLOCK, None, None, 0, None)


async def test_what_somebody_is_at_is_not_requeued(database: Database) -> None:
    await lay(database, "a")
    await take(database, "a", "first")
    async with database.writing() as session:
        assert not await leases.requeue(session, Host, "a", clock=CLOCK)


async def test_released_host_is_due_when_its_first_source_is(database: Database) -> None:
    async with database.writing() as session:
        for path in ("a", "b", "paused", "bundled"):
            source = await frontier.add_source(session, f"https://host.example/{path}", is_bundled=path == "bundled")
            source.state = "paused" if path == "paused" else "ok"
            state = await session.get_one(FetchState, source.id)
            state.next_fetch_at = CLOCK + {"a": 2, "b": 1, "paused": 0, "bundled": 0}[path] * MINUTE
        (await session.get_one(Host, "host.example:443")).next_due = CLOCK
    assert await take(database, "host.example:443", "first")
    async with database.writing() as session:
        due_again = frontier.due_again(clock=CLOCK)
        await leases.release(session, Host, ["host.example:443"], "first", next_due=due_again)
    assert await row(database, "host.example:443") == (CLOCK + MINUTE, None, None, 0, None)
    async with database.reading() as session:
        due = await frontier.due_sources(session, clock=CLOCK + 2 * MINUTE, host="host.example:443")
        urls = [(await session.get_one(Source, source_id)).url for source_id in due]
    assert urls == ["https://host.example/b", "https://host.example/a"]


async def test_host_whose_sources_all_rest_is_not_due_for_long(database: Database) -> None:
    async with database.writing() as session:
        (await frontier.add_source(session, "https://host.example/a")).state = "gone"
        (await session.get_one(Host, "host.example:443")).next_due = CLOCK
    assert await take(database, "host.example:443", "first")
    async with database.writing() as session:
        due_again = frontier.due_again(clock=CLOCK)
        await leases.release(session, Host, ["host.example:443"], "first", next_due=due_again)
    assert (await row(database, "host.example:443"))[0] == CLOCK + timedelta(days=365)


async def test_rows_are_laid_once(database: Database) -> None:
    for clock in (CLOCK, CLOCK + MINUTE):
        async with database.writing() as session:
            await leases.lay(session, Chore, ["sweep"], clock=clock)
            await leases.lay(session, Chore, [], clock=clock)
    async with database.reading() as session:
        assert (await session.get_one(Chore, "sweep")).next_due == CLOCK


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (5, 16), (9, 60), (90, 60)])
def test_pause_after_failures_doubles_up_to_an_hour(attempts: int, minutes: int) -> None:
    assert leases.retry_after(attempts) == timedelta(minutes=minutes)
