"""A calendar of kind `near` holds whatever lies near what its owner knows, and follows what they come to know."""

from __future__ import annotations

from pathlib import Path

import icalendar
from service import MUNICH, draft, serving

from app.calendars.feed_contents import NEAR, near_topics
from app.topic_names import label_of
from recommender.reasons import source_of


async def test_calendar_of_what_is_near_follows_what_its_owner_knows(tmp_path: Path) -> None:
    topics = near_topics({"javascript": 4, "react": 4})
    assert len(topics) == NEAR
    assert not {"javascript", "react"} & set(topics)
    async with serving(tmp_path) as service:
        await service.store(
            draft("a", "Near", venue=MUNICH),
            draft("b", "Known", venue=MUNICH, days=2),
            topics={"a": {topics[0]: 0.9}, "b": {"react": 0.9}},
        )
        me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
        made = await service.client.post("/api/v1/me/feeds", json={"name": "All", "kind": "near"}, headers=me)
        address = made.json()["data"]["url"]

        async def titles() -> list[str]:
            found = icalendar.Calendar.from_ical((await service.client.get(address)).content).walk("VEVENT")
            return [str(event["summary"]) for event in found]

        assert await titles() == ["Near"]
        (near,) = icalendar.Calendar.from_ical((await service.client.get(address)).content).walk("VEVENT")
        path = f"{label_of(source_of({'javascript': 4, 'react': 4}, topics[0]))} → {label_of(topics[0])}"
        assert str(near["description"]).split("\n")[0] == path
        await service.client.put("/api/v1/me/expertise", json={"know": [topics[0]], "near": "Munich"}, headers=me)
        assert "Near" not in await titles()
    assert near_topics({}) == ()
