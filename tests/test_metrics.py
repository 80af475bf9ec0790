"""The numbers an operator watches: what the rows say, on both databases, and the questions each of them answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service import draft, serving

from app.collecting import frontier
from app.db import Database
from app.events import ingest
from app.models import Chore, Digest, FetchState, Host, Person, Worker
from app.operating.backup import back_up
from app.operating.metrics import FATES, as_text, measure
from app.queue import leases

pytest_plugins = ("databases",)

CLOCK = datetime(2026, 12, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OPERATING = Path(__file__).parent.parent / "docs" / "operating.md"


async def told(database: Database, data: Path) -> dict[str, float]:
    text = as_text(await measure(database, data, now=CLOCK, clock=CLOCK)).decode()
    return {
        name.removeprefix("adjacent_"): float(number)
        for name, _, number in (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    }


async def test_rows_are_told_as_numbers(database: Database, tmp_path: Path) -> None:
    async with database.writing() as session:
        for name, state in (("a", "ok"), ("b", "failing")):
            source = await frontier.add_source(session, f"https://{name}.example/")
            source.state = state
            fetching = await session.get_one(FetchState, source.id)
            fetching.last_fetch_at = CLOCK - 30 * MINUTE if name == "a" else CLOCK - 90 * MINUTE
            fetching.error_code = "timeout" if name == "b" else None
            (await session.get_one(Host, f"{name}.example:443")).next_due = CLOCK - 10 * MINUTE
        held = await session.get_one(Host, "a.example:443")
        held.holder, held.lease_until, held.attempts = "one", CLOCK + MINUTE, 1
        session.add(Host(name="dead.example:443", next_due=CLOCK - 60 * MINUTE, attempts=leases.MOST_ATTEMPTS))
        session.add(Chore(name="sweep", next_due=CLOCK, attempts=1, error="no"))
        session.add(Worker(name="one", started_at=CLOCK, seen_at=CLOCK - timedelta(seconds=3)))
        session.add(Worker(name="gone", started_at=CLOCK, seen_at=CLOCK - 60 * MINUTE))
        person = Person(key="ada", created_at=CLOCK, reach_chosen_at=CLOCK)
        session.add(person)
        await session.flush()
        session.add(Digest(person_id=person.id, week="2026-W48", state="sent", changed_at=CLOCK))
        await ingest.store(session, source, ingest.Changes(added=(draft("x"), draft("y", days=-1))), now=CLOCK)
    await back_up(database, tmp_path / "all.tar.gz", clock=CLOCK - 5 * MINUTE)
    numbers = await told(database, tmp_path)
    assert numbers == numbers | {f'digests{{state="{state}"}}': state == "sent" for state in FATES}
    numbers = {name: number for name, number in numbers.items() if not name.startswith("digests")}
    assert numbers.pop("database_bytes") > 0
    assert numbers.pop("disk_free_bytes") > 0
    assert numbers == {
        'sources{state="failing"}': 1,
        'sources{state="ok"}': 1,
        'source_errors{code="timeout"}': 1,
        "sources_fetched_last_hour": 1,
        "hosts_due": 1,
        "host_lateness_seconds": 600,
        "workers": 1,
        "worker_silence_seconds": 3,
        'jobs{kind="host",state="running"}': 1,
        'jobs{kind="host",state="failing"}': 0,
        'jobs{kind="host",state="dead"}': 1,
        'jobs{kind="chore",state="running"}': 0,
        'jobs{kind="chore",state="failing"}': 1,
        'jobs{kind="chore",state="dead"}': 0,
        "events_upcoming": 1,
        "events_untagged": 1,
        "people": 1,
        "subscriptions": 0,
        "backup_age_seconds": 300,
    }


async def test_instance_without_anything_has_numbers(database: Database, tmp_path: Path) -> None:
    numbers = await told(database, tmp_path / "not made yet")
    assert numbers["hosts_due"] == numbers["host_lateness_seconds"] == numbers["workers"] == 0
    assert "worker_silence_seconds" not in numbers


async def test_every_number_the_operators_questions_use_is_told(tmp_path: Path) -> None:
    asked = set(
        re.findall(r"adjacent_\w+", "".join(re.findall(r"```promql\n(.*?)```", OPERATING.read_text(), re.DOTALL)))
    )
    async with serving(tmp_path) as service:
        await service.client.get("/api/v1/events")
        body = (await service.client.get("/metrics")).text
        ready = (await service.client.get("/readyz")).json()
    there = set(re.findall(r"^# TYPE (\w+)", body, re.MULTILINE))
    there |= {f"{name}_{part}" for name in there for part in ("bucket", "count")}
    assert len(asked) > 9
    assert asked <= there
    assert ready["worker_silence_seconds"] is None
