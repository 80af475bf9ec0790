"""What people bring back: asked once, kept for themselves, and a map that grows and shrinks with it."""

from __future__ import annotations

from typing import Any

import pytest
from service import MUNICH, Service, draft

TAKEAWAYS = "/api/v1/me/takeaways"


async def went(service: Service, *, days: float = -1) -> tuple[dict[str, str], str]:
    """Let somebody have gone to an evening about UX design; return their headers and its id."""
    ids = await service.store(
        draft("ux", "Sketching for beginners", days=days, venue=MUNICH),
        topics={"ux": {"ux-design": 0.9, "drawing": 0.4}},
    )
    me = await service.guest(know={"JavaScript": 4}, near="Munich")
    said = {"event": ids["ux"], "kind": "going"}
    assert (await service.client.post("/api/v1/me/feedback", json=said, headers=me)).status_code == 200
    return me, ids["ux"]


async def asked(service: Service, me: dict[str, str]) -> dict[str, Any]:
    answer = await service.client.get(TAKEAWAYS, headers=me)
    assert answer.status_code == 200
    return dict(answer.json())


async def known(service: Service, me: dict[str, str]) -> dict[str, int]:
    answer = await service.client.get("/api/v1/me/expertise", headers=me)
    return {one["slug"]: one["level"] for one in answer.json()["data"]["know"]}


async def test_question_names_the_last_evening_and_what_it_was_about(service: Service) -> None:
    me, event = await went(service)
    told = await asked(service, me)
    assert told["data"] == []
    assert told["question"]["event"]["id"] == event
    assert told["question"]["topics"] == ["UX design", "Drawing"]


@pytest.mark.parametrize("days", [0.01, -0.02, -40])
async def test_evening_that_is_to_come_not_over_or_long_ago_is_not_asked_about(service: Service, days: float) -> None:
    me, _ = await went(service, days=days)
    assert (await asked(service, me))["question"] is None


async def test_nobody_is_asked_twice(service: Service) -> None:
    me, event = await went(service)
    answer = await service.client.put(f"{TAKEAWAYS}/{event}", json={}, headers=me)
    assert answer.json() == {"data": {"event": event, "changed": []}}
    assert await asked(service, me) == {"data": [], "question": None}


async def test_note_is_kept_and_the_map_grows_and_shrinks_again(service: Service) -> None:
    me, event = await went(service)
    sent = {"learned": "Draw the box first", "to_tell": "Bob", "would_go_again": True, "topic": "UX design"}
    answer = await service.client.put(f"{TAKEAWAYS}/{event}", json=sent, headers=me)
    assert answer.json()["data"]["changed"] == [
        "Your note is kept for you alone.",
        "Your map grows: you now know a little of UX design.",
    ]
    assert await known(service, me) == {"javascript": 4, "ux-design": 1}
    (told,) = (await asked(service, me))["data"]
    assert told["event"]["title"] == "Sketching for beginners"
    assert {name: told[name] for name in sent} == sent | {"topic": "ux-design"}
    exported = (await service.client.get("/api/v1/me/export", headers=me)).json()["data"]
    assert [one["learned"] for one in exported["takeaways"]] == ["Draw the box first"]
    answer = await service.client.delete(f"{TAKEAWAYS}/{event}", headers=me)
    assert answer.json()["data"]["changed"] == ["Your note is deleted.", "UX design is no longer on your map."]
    assert await known(service, me) == {"javascript": 4}
    assert await asked(service, me) == {"data": [], "question": None}
    assert (await service.client.delete(f"{TAKEAWAYS}/{event}", headers=me)).status_code == 404


async def test_topic_changes_with_what_is_told(service: Service) -> None:
    me, event = await went(service)
    for topic in ("UX design", "Drawing", None):
        sent = {"learned": "Boxes", "topic": topic}
        answer = await service.client.put(f"{TAKEAWAYS}/{event}", json=sent, headers=me)
        assert answer.status_code == 200
        assert set(await known(service, me)) == {
            "javascript",
            *([{"UX design": "ux-design"}.get(topic, "drawing")] if topic else []),
        }


async def test_known_topic_stays_as_it_is_when_the_note_goes(service: Service) -> None:
    me, event = await went(service)
    sent = {"learned": "More", "topic": "JavaScript"}
    answer = await service.client.put(f"{TAKEAWAYS}/{event}", json=sent, headers=me)
    assert answer.json()["data"]["changed"][-1] == "You knew JavaScript already; your map stays as it is."
    await service.client.delete(f"{TAKEAWAYS}/{event}", headers=me)
    assert await known(service, me) == {"javascript": 4}


async def test_unknown_topic_is_refused_and_nothing_is_kept(service: Service) -> None:
    me, event = await went(service)
    answer = await service.client.put(f"{TAKEAWAYS}/{event}", json={"learned": "x", "topic": "Javascrpt"}, headers=me)
    assert answer.status_code == 422
    assert (await asked(service, me))["question"] is not None


async def test_notes_are_nobody_elses(service: Service) -> None:
    me, event = await went(service)
    await service.client.put(f"{TAKEAWAYS}/{event}", json={"learned": "Mine"}, headers=me)
    other = await service.guest(know={"Python": 3})
    assert await asked(service, other) == {"data": [], "question": None}
    assert (await service.client.get(TAKEAWAYS)).status_code == 401
