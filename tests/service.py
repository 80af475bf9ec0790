"""The real service on a database of its own, for tests of everything that stands in front of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import postgresql
import uvicorn
from fastapi import FastAPI
from sqlmodel import select

from app.collecting.frontier import add_source
from app.db import Database, migrate
from app.events import ingest
from app.main import create_app
from app.models import EventTopic, EventVersion
from app.people import tokens
from app.settings import Settings
from scrapers import EventDraft, Venue

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)  # a Tuesday
BASE_URL = "http://adjacent.test"
MUNICH = Venue(name="Studio", address="Hof 3", city="Munich", country="DE", lat=48.137, lon=11.575)


def draft(uid: str, title: str = "A meeting", *, days: float = 1, **fields: Any) -> EventDraft:
    """Return an event that starts `days` after NOW."""
    return EventDraft(uid=uid, title=title, starts_at=NOW + timedelta(days=days), **fields)


@dataclass
class Service:
    app: FastAPI
    database: Database
    settings: Settings
    client: httpx.AsyncClient
    announced: list[str] = field(default_factory=list)

    async def store(
        self,
        *drafts: EventDraft,
        source: str = "https://calendar.example/a.ics",
        topics: Mapping[str, Mapping[str, float]] | None = None,
        now: datetime = NOW,
    ) -> dict[str, str]:
        """Store events as collecting would, with these topics (uid → slug → weight); return their ids by uid."""
        async with self.database.writing() as session:
            row = await add_source(session, source)
            known = await ingest.stored_versions(session, row.id)
            added = tuple(one for one in drafts if one.key not in known)
            changed = tuple((known[one.key].id, one) for one in drafts if one.key in known)
            await ingest.store(session, row, ingest.Changes(added=added, changed=changed), now=now)
            told = await session.exec(
                select(EventVersion.uid, EventVersion.event_id).where(EventVersion.source_id == row.id)
            )
            events = dict(list(told))
            for uid, weights in (topics or {}).items():
                for slug, weight in weights.items():
                    await session.merge(EventTopic(event_id=events[uid], topic=slug, weight=weight))
        return {one.uid: await self.key_of(events[one.uid]) for one in drafts}

    async def key_of(self, event_id: int) -> str:
        from app.models import Event

        async with self.database.reading() as session:
            return (await session.get_one(Event, event_id)).key

    async def operator(self) -> dict[str, str]:
        """Return the headers of an operator."""
        async with self.database.writing() as session:
            return {"Authorization": f"Bearer {await tokens.issue(session, 'operator')}"}

    async def guest(self, **profile: Any) -> dict[str, str]:
        """Return the headers of a new guest with this profile (`know`, `near` …)."""
        made = await self.client.post("/api/v1/me")
        headers = {"Authorization": f"Bearer {made.json()['data']['token']}"}
        if profile:
            answer = await self.client.put("/api/v1/me/expertise", json=profile, headers=headers)
            assert answer.status_code == 200, answer.text
        return headers


def settings_in(folder: Path, **changes: Any) -> Settings:
    environment = {
        "ADJACENT_DATA": str(folder),
        "ADJACENT_BASE_URL": BASE_URL,
        "ADJACENT_NOW": NOW.isoformat(),
        **changes,
    }
    return Settings.from_environment(environment)


SERVED_ON = "sqlite"  # or "postgresql"; set for each test (conftest.py)

_on_postgresql: dict[Path, str] = {}  # the databases of services, by their folders
_migrated: list[bytes] = []  # an empty database file, made once a session: migrations take longer than most tests


async def lay_database(folder: Path) -> Settings:
    """Put an empty, migrated database into a folder and return the settings that use it."""
    settings = settings_in(folder)
    file = folder / "adjacent.sqlite3"
    if _migrated:
        file.write_bytes(_migrated[0])
    elif not file.exists():
        database = Database(settings.database_url)
        await migrate(database)
        await database.close()  # the last connection folds the write-ahead log into the file
        _migrated.append(file.read_bytes())
    return settings


@asynccontextmanager
async def serving(folder: Path, **changes: Any) -> AsyncIterator[Service]:
    """Run the service with its data in a folder; nothing is collected."""
    announced: list[str] = []
    if "ADJACENT_DATABASE_URL" not in changes and SERVED_ON == "postgresql":
        if folder not in _on_postgresql:  # a service that is started again finds what it had
            _on_postgresql[folder] = await asyncio.to_thread(postgresql.make)
        changes["ADJACENT_DATABASE_URL"] = _on_postgresql[folder]
    elif "ADJACENT_DATABASE_URL" not in changes:
        await lay_database(folder)
    settings = settings_in(folder, **changes)
    app = create_app(settings, works=False, announce=announced.append)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as client,
    ):
        yield Service(app, app.state.database, settings, client, announced)


@asynccontextmanager
async def on_a_port(service: Service) -> AsyncIterator[str]:
    """Serve over a real socket on loopback."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(service.app, lifespan="off", log_level="error"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await running
