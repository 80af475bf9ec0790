"""The work behind the requests as an operator sees it, and what they can do about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from service import settings_in
from typer.testing import CliRunner

from app.db import Database, migrate
from app.models import Chore, Host
from app.queue import backlog, leases
from app.queue.backlog import Listed

pytest_plugins = ("databases",)

CLOCK = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER, EARLIER = CLOCK + timedelta(hours=1), CLOCK - timedelta(hours=1)


def rows() -> list[Host | Chore]:
    return [
        Chore(name="sweep", next_due=LATER, attempts=2, error="ValueError: broken"),
        Chore(name="rest", next_due=LATER),
        Host(name="dead:443", next_due=EARLIER, attempts=leases.MOST_ATTEMPTS),
        Host(name="due:443", next_due=CLOCK),
        Host(name="held:443", next_due=CLOCK, holder="one", lease_until=CLOCK + leases.LEASE, attempts=1),
        Host(name="quiet:443", next_due=LATER),
        Host(name="taken:443", next_due=CLOCK, holder="two", lease_until=CLOCK + leases.LEASE, attempts=2),
    ]


async def test_what_is_unsettled_is_listed(database: Database) -> None:
    async with database.writing() as session:
        session.add_all(rows())
    async with database.reading() as session:
        told = await backlog.listed(session, clock=CLOCK)
        everything = await backlog.listed(session, clock=CLOCK, everything=True)
    assert told == [
        Listed("chore", "sweep", "failing", LATER, 2, None, "ValueError: broken"),
        Listed("host", "dead:443", "dead", EARLIER, 5, None, "5 workers ended while they were at it"),
        Listed("host", "due:443", "due", CLOCK, 0, None, None),
        Listed("host", "held:443", "running", CLOCK, 1, "one", None),
        Listed("host", "taken:443", "running", CLOCK, 2, "two", "its worker ended at it"),
    ]
    assert [(one.name, one.state) for one in everything if one not in told] == [
        ("rest", "waiting"),
        ("quiet:443", "waiting"),
    ]


async def test_dead_letters_are_due_again_when_somebody_says_so(database: Database) -> None:
    async with database.writing() as session:
        session.add_all(rows())
    async with database.writing() as session:
        assert await backlog.requeue_dead(session, clock=CLOCK) == ["dead:443"]
        assert await backlog.requeue_named(session, "sweep", clock=CLOCK)
        assert not await backlog.requeue_named(session, "held:443", clock=CLOCK)
        assert not await backlog.requeue_named(session, "unknown", clock=CLOCK)
    async with database.reading() as session:
        assert {one.name: one.state for one in await backlog.listed(session, clock=CLOCK)} == {
            "dead:443": "due",
            "due:443": "due",
            "held:443": "running",
            "sweep": "due",
            "taken:443": "running",
        }


def test_commands_list_and_requeue(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from app.cli.commands import cli

    settings = settings_in(tmp_path)
    monkeypatch.setenv("ADJACENT_DATA", str(tmp_path))
    monkeypatch.delenv("ADJACENT_DATABASE_URL", raising=False)

    async def fill() -> None:
        database = Database(settings.database_url)
        await migrate(database)
        async with database.writing() as session:
            session.add(Host(name="dead:443", next_due=EARLIER, attempts=leases.MOST_ATTEMPTS, error="OSError: full"))
        await database.close()

    asyncio.run(fill())
    run = CliRunner().invoke
    assert json.loads(run(cli, ["jobs", "list", "--json"]).stdout) == [
        {
            "kind": "host",
            "name": "dead:443",
            "state": "dead",
            "next_due": EARLIER.isoformat(),
            "attempts": 5,
            "holder": None,
            "error": "OSError: full",
        }
    ]
    assert run(cli, ["jobs", "requeue", "--dead"]).exit_code == 0
    assert [one["state"] for one in json.loads(run(cli, ["jobs", "list", "--json"]).stdout)] == ["due"]
    assert run(cli, ["jobs", "requeue"]).exit_code == 2
    assert "not known" in str(run(cli, ["jobs", "requeue", "nowhere:443"]).exception)
