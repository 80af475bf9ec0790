"""Lists of communities and sources can be walked to the end and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from service import NOW, Service, draft, serving

from app.models import Community


async def _pages(service: Service, address: str | None, relation: str) -> list[list[str]]:
    pages = []
    while address:
        answer = (await service.client.get(address)).json()
        pages.append([str(one["id"]) for one in answer["data"]])
        last, address = address, answer["links"][relation]
    if relation == "next":
        back = await _pages(service, last, "prev")
        assert back == pages[::-1]
    return pages


@pytest.mark.parametrize(("path", "count"), [("communities", 7), ("sources", 7), ("sources", 6)])
async def test_walking_back_shows_the_same_pages(tmp_path: Path, path: str, count: int) -> None:
    async with serving(tmp_path) as service:
        async with service.database.writing() as session:
            for number in range(7):
                session.add(Community(key=f"c{number}", name=f"Guild {number // 3}", updated_at=NOW))
        for number in range(count):
            await service.store(draft("a"), source=f"https://host.example/{number}.ics")
        pages = await _pages(service, f"/api/v1/{path}?limit=3", "next")
        assert [len(page) for page in pages] == [3, 3, 1][: (count + 2) // 3]
        assert (await service.client.get(f"/api/v1/{path}?cursor=WzEsMl0")).status_code == (
            200 if path == "sources" else 422
        )
