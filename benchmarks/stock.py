"""Events to serve: a database with any number of them, rendered as the worker leaves them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, insert

from app.calendars import renderings
from app.db import Database, migrate
from app.events import about
from app.models import Event, EventTopic

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BATCH = 10_000
TOPICS = ("typography", "javascript", "chess")
WORDS = [
    "letters",
    "paper",
    "ink",
    "press",
    "type",
    "evening",
    "talk",
    "walk",
    "garden",
    "chess",
    "clay",
    "stage",
    "violin",
    "bread",
    "river",
    "map",
    "stars",
    "code",
]


async def lay(file: Path, events: int, *, base_url: str) -> None:
    """Make a database of that many events, with nothing left to do about them."""
    database = Database(f"sqlite+aiosqlite:///{file}")
    await migrate(database)
    await asyncio.to_thread(_fill, file, events, about.load_reader().mark)
    await renderings.store_missing(database, base_url=base_url, now=NOW)
    await database.close()


def _fill(file: Path, events: int, tagged: str) -> None:
    engine = create_engine(f"sqlite:///{file}")
    for first in range(0, events, BATCH):
        numbers = range(first, min(first + BATCH, events))
        with engine.begin() as connection:
            connection.execute(insert(Event), [_event(number, tagged) for number in numbers])
            connection.execute(
                insert(EventTopic),
                [{"event_id": n + 1, "topic": TOPICS[n % 3], "weight": 0.5} for n in numbers],
            )
    engine.dispose()


def _event(number: int, tagged: str) -> dict[str, object]:
    words = [WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(90)]
    return {
        "key": f"e{number:015}",
        "title": " ".join(words[:6]),
        "description": " ".join(words),
        "starts_at": NOW + timedelta(hours=number % 5000),
        "ends_at": NOW + timedelta(hours=number % 5000 + 2),
        "zone": "Europe/Berlin",
        "venue_name": "Hall 3",
        "city": "Munich",
        "lat": 48.1,
        "lon": 11.5,
        "url": f"https://events.example/{number}",
        "created_at": NOW,
        "updated_at": NOW,
        "all_day": False,
        "status": "confirmed",
        "mode": "in_person",
        "sequence": 0,
        "welcomes": 0.0,
        "text_digest": "",
        "tagged_digest": tagged,  # so that no worker finds them untagged
        "provenance": {},
        "categories": [],
        "purpose": {},
        "purpose_phrases": [],
    }
