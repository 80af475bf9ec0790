"""Events to serve: a database with any number of them, rendered as the worker leaves them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, insert, text

from app.calendars import renderings
from app.db import Database, migrate
from app.events import about
from app.models import Event, EventTopic
from app.queries.plain_rows import EVENTS

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SPREAD = timedelta(hours=5000)  # from the first start to the last
BATCH = 10_000
MADE = 100_000  # events that are made and rendered one by one; all others are copies
RARE = 60  # events that are something no other is, however many there are
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
    await asyncio.to_thread(_fill, file, min(events, MADE), about.load_reader().mark)
    await renderings.store_missing(database, base_url=base_url, now=NOW)
    if events > MADE:
        await asyncio.to_thread(_copy, file, events)
    await asyncio.to_thread(_set_apart, file, events)
    await renderings.store_missing(database, base_url=base_url, now=NOW)
    await database.close()


def _copy(file: Path, events: int) -> None:
    """Add events that differ from the first ones in nothing but their names, which is ten times as fast."""
    columns = ", ".join(column.name for column in EVENTS.c if column.name not in {"id", "key"})
    forms = f"{_renamed('item')}, {_renamed('component')}"
    tables = {
        f"event (id, key, {columns})": f"id + :shift, printf('e%015d', id - 1 + :shift), {columns} FROM event WHERE id",
        "eventtopic (event_id, topic, weight)": "event_id + :shift, topic, weight FROM eventtopic WHERE event_id",
        "rendering (event_id, mark, item, component)": f"event_id + :shift, mark, {forms} FROM rendering WHERE event_id",
    }
    engine = create_engine(f"sqlite:///{file}")
    for shift in range(MADE, events, MADE):
        some = {"shift": shift, "last": min(MADE, events - shift)}
        with engine.begin() as connection:
            for table, those in tables.items():
                connection.execute(text(f"INSERT INTO {table} SELECT {those} <= :last"), some)
    engine.dispose()


def _set_apart(file: Path, events: int) -> None:
    engine = create_engine(f"sqlite:///{file}")
    change = """UPDATE event SET title = 'harpsichord ' || title, mode = 'hybrid', purpose = '{"sell": 1.0}'
        WHERE id % :every = 0 AND id <= :every * :rare"""
    with engine.begin() as connection:
        connection.execute(text(change), {"every": max(events // RARE, 1), "rare": RARE})
    engine.dispose()


def _renamed(form: str) -> str:
    old, new = "printf('e%015d', event_id - 1)", "printf('e%015d', event_id - 1 + :shift)"
    return f"CAST(replace(CAST({form} AS TEXT), {old}, {new}) AS BLOB)"


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
    starts_at = NOW + number * timedelta(hours=1) % SPREAD
    words = [WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(90)]
    return {
        "key": f"e{number:015}",
        "title": " ".join(words[:6]),
        "description": " ".join(words),
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=2),
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
