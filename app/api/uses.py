"""When tokens were last used, to the day: noted in memory, since reading never writes, and written now and then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from app.db import Database
from app.models import Token
from app.people import tokens

PAUSE = 600  # seconds between two writes


class Uses:
    def __init__(self) -> None:
        self._noted: set[str] = set()

    def note(self, token: Token, clock: datetime) -> None:
        if token.used_at is None or token.used_at.date() < clock.date():
            self._noted.add(token.digest)

    async def write(self, database: Database) -> None:
        noted, self._noted = self._noted, set()
        if noted:
            async with database.writing() as session:
                await tokens.note_uses(session, sorted(noted), clock=datetime.now(UTC))

    @asynccontextmanager
    async def written_behind(self, database: Database) -> AsyncIterator[None]:
        """Write from time to time what was noted inside, and at the end the rest."""
        task = asyncio.create_task(self._keep_writing(database))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.write(database)

    async def _keep_writing(self, database: Database) -> None:
        while True:
            await asyncio.sleep(PAUSE)
            await self.write(database)
