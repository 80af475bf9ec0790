"""The queue: one job a key, each run once, on the memory of a process and on PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.db import Database
from app.queue.engine import Engine, engine

pytest_plugins = ("databases",)

PATIENCE = 20  # seconds that anything here may take on a busy machine


@asynccontextmanager
async def running(queue: Engine) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(queue.run(stopping))
    yield
    stopping.set()
    await asyncio.wait_for(task, PATIENCE)


async def test_key_is_queued_once_until_its_job_has_ended(database: Database) -> None:
    ran: list[str] = []
    both, again = asyncio.Event(), asyncio.Event()

    async def run(key: str) -> None:
        ran.append(key)
        (again if len(ran) > 2 else both if len(ran) == 2 else asyncio.Event()).set()

    async with engine(database) as queue:
        queue.job("walk", run)
        assert await queue.enqueue("walk", []) == 0
        assert await queue.enqueue("walk", ["a", "b", "a"]) == 2
        assert await queue.enqueue("walk", ["b"]) == 0
        assert await queue.waiting() == 2
        async with running(queue):
            await asyncio.wait_for(both.wait(), PATIENCE)
            while await queue.waiting():  # noqa: ASYNC110 (a queue cannot call us)
                await asyncio.sleep(0.02)
            assert await queue.enqueue("walk", ["b"]) == 1
            await asyncio.wait_for(again.wait(), PATIENCE)
    assert (sorted(ran[:2]), ran[2:]) == (["a", "b"], ["b"])


async def test_job_that_raises_ends_and_the_others_go_on(database: Database) -> None:
    done = asyncio.Event()

    async def run(key: str) -> None:
        if key == "broken":
            raise ValueError("broken")
        done.set()

    async with engine(database) as queue:
        queue.job("walk", run)
        await queue.enqueue("walk", ["broken", "sound"])
        async with running(queue):
            await asyncio.wait_for(done.wait(), PATIENCE)
        assert await queue.waiting() == 0


async def test_stopping_waits_for_what_is_under_way(database: Database) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(_: str) -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    async with engine(database) as queue:
        queue.job("walk", run)
        await queue.enqueue("walk", ["a"])
        stopping = asyncio.Event()
        task = asyncio.create_task(queue.run(stopping))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        stopping.set()
        await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        await asyncio.wait_for(task, PATIENCE)
        assert ended.is_set()


async def test_what_comes_every_second_comes_in_one_of_the_processes(database: Database) -> None:
    came = asyncio.Event()

    async def tick() -> None:
        came.set()

    async with engine(database) as queue:
        queue.at("* * * * * */1", "tick", tick)
        async with running(queue):
            await asyncio.wait_for(came.wait(), PATIENCE)


async def test_log_of_ended_jobs_does_not_grow_for_ever(database: Database) -> None:
    done = asyncio.Event()

    async def run(_: str) -> None:
        done.set()

    async with engine(database) as queue:
        queue.job("walk", run)
        await queue.enqueue("walk", ["a"])
        async with running(queue):
            await asyncio.wait_for(done.wait(), PATIENCE)
        await queue.forget_log()
        kept = await queue._queries.queue_log()
    assert {one.status for one in kept} == (set() if database.is_sqlite else {"queued", "picked", "successful"})


on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@on_postgresql
async def test_processes_share_the_jobs_and_each_is_run_once(database: Database) -> None:
    ran: list[tuple[str, str]] = []
    keys = [f"{number:02}" for number in range(60)]
    both_run, all_ran = asyncio.Event(), asyncio.Event()

    def runner(name: str):
        async def run(key: str) -> None:
            ran.append((name, key))
            if {name for name, _ in ran} == {"one", "other"}:
                both_run.set()
            await asyncio.wait_for(both_run.wait(), PATIENCE)  # so that one does not run all before the other looks
            if len(ran) == len(keys):
                all_ran.set()

        return run

    async with engine(database) as one, engine(database) as other:
        one.job("walk", runner("one"))
        other.job("walk", runner("other"))
        await one.enqueue("walk", keys)
        async with running(one), running(other):
            await asyncio.wait_for(all_ran.wait(), PATIENCE)
    assert sorted(key for _, key in ran) == keys
    assert {name for name, _ in ran} == {"one", "other"}


@on_postgresql
async def test_lost_connection_is_told(database: Database) -> None:
    async with engine(database) as queue:
        task = asyncio.create_task(queue.run(asyncio.Event()))
        while await queue.enqueue("walk", ["a"]) != 1:
            pass
        queue._queries.driver._connection.terminate()
        with pytest.raises(Exception, match="closed"):
            await asyncio.wait_for(task, PATIENCE)
