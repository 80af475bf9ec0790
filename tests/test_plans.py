"""However SQLite goes through the events of a filter, it finds the same ones in the same order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from service import MUNICH, NOW, Service, draft
from sqlalchemy import event

from app.places import Spot
from app.queries import listing, plans, slices
from app.queries.filters import EventFilter

HERE = Spot(48.137, 11.575, "Munich")
WANTED = (
    EventFilter(topics=("typography",)),
    EventFilter(topics=("typography", "chess")),
    EventFilter(near=HERE, radius_km=20),
    EventFilter(box=(48, 49, 11, 12)),
    EventFilter(box=(-50, 50, 170, -170)),
    EventFilter(words="evening"),
    EventFilter(words="letters even*"),
    EventFilter(words='"'),
    EventFilter(sources=(2,)),
    EventFilter(words="evening", near=HERE, topics=("chess",), sources=(1,)),
)


@pytest.mark.sqlite
async def test_either_way_finds_the_same_events(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    venues = (MUNICH, None, replace(MUNICH, lat=48.371, lon=10.898), replace(MUNICH, lat=48.2, lon=11.6))
    titles, topics = ("Letters", "Chess evening", "An evening of letters"), ("typography", "chess", "clay")
    await service.store(
        *(draft(f"e{n}", titles[n % 3], days=1 + n % 5, venue=venues[n % 4]) for n in range(24)),
        topics={f"e{n}": {topics[n % 3]: 0.9} for n in range(0, 24, 2)},
    )
    await service.store(draft("h", "Evening in the hall"), source="https://hall.example/a.ics")
    asked: list[str] = []
    event.listen(service.database.engine.sync_engine, "before_cursor_execute", lambda *sent: asked.append(sent[2]))

    async def found() -> list[object]:
        async with service.database.reading() as session:
            return [
                (
                    await slices.event_slice(session, replace(one, start=NOW), sort="start", limit=3),
                    [each.event.id for each in await listing.events(session, one)],
                )
                for one in WANTED
            ]

    by_index = await found()
    assert any("event.id IN (SELECT" in statement for statement in asked)
    monkeypatch.setattr(plans, "FEW", 0)
    assert await found() == by_index
    assert any("+event." in statement for statement in asked)
    assert [len(ids) for _, ids in by_index] == [4, 8, 12, 12, 0, 17, 8, 0, 1, 2]  # type: ignore[misc]
