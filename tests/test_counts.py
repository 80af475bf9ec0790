"""How much there is, as operators are told."""

from __future__ import annotations

from service import NOW, Service, draft
from sqlmodel import col, select

from app.models import Event
from app.queries.counts import count_all


async def test_events_that_are_gone_are_not_counted(service: Service) -> None:
    ids = await service.store(draft("a"), draft("b"), draft("c"), topics={"a": {"drawing": 0.9}, "b": {"drawing": 0.9}})
    async with service.database.writing() as session:
        (await session.exec(select(Event).where(col(Event.key) == ids["b"]))).one().deleted_at = NOW
    async with service.database.reading() as session:
        counts = await count_all(session, NOW)
    assert {name: counts[name] for name in ("events", "upcoming events", "events with topics")} == {
        "events": 2,
        "upcoming events": 2,
        "events with topics": 1,
    }
