"""Sources: health in public, writing for operators only."""

from __future__ import annotations

from pathlib import Path

import pytest
from origin import Origin
from service import MUNICH, Service, draft, serving
from test_jobs import CALENDAR

from app.api.shapes import sources as shapes

SOURCES = "/api/v1/sources"


async def test_health_of_sources_is_public_and_paged(service: Service) -> None:
    for number in range(5):
        await service.store(draft("past", days=-3), draft("next"), source=f"https://host.example/{number}.ics")
    first = (await service.client.get(f"{SOURCES}?limit=3")).json()
    shapes.SourceList.model_validate(first)
    assert first["meta"]["count"] == 5
    assert {source["events"] for source in first["data"]} == {1}  # upcoming ones
    second = (await service.client.get(first["links"]["next"])).json()
    assert [source["id"] for source in (*first["data"], *second["data"])] == [1, 2, 3, 4, 5]
    assert second["links"]["next"] is None
    shown = await service.client.get(f"{SOURCES}/1")
    shapes.SourceAnswer.model_validate(shown.json())
    assert (await service.client.get(f"{SOURCES}/99")).status_code == 404


@pytest.mark.parametrize(
    ("method", "address"), [("POST", SOURCES), ("POST", f"{SOURCES}/1/collect"), ("DELETE", f"{SOURCES}/1")]
)
async def test_writing_sources_is_for_operators(service: Service, method: str, address: str) -> None:
    body = {"url": "https://host.example/a.ics"} if address == SOURCES else None
    stranger = await service.client.request(method, address, json=body)
    assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, 'Bearer realm="adjacent"')
    guest = await service.client.request(method, address, json=body, headers=await service.guest())
    assert (guest.status_code, guest.headers["content-type"]) == (403, "application/problem+json")


async def test_source_is_added_once(service: Service) -> None:
    operator = await service.operator()
    sent = {"url": "webcal://host.example/a.ics", "city": "Munich"}
    made = await service.client.post(SOURCES, json=sent, headers=operator)
    shapes.SourceAnswer.model_validate(made.json())
    assert (made.status_code, made.headers["location"]) == (201, f"{SOURCES}/1")
    data = made.json()["data"]
    assert (data["url"], data["city"], data["zone"], data["state"]) == (
        "https://host.example/a.ics",
        "Munich",
        "Europe/Berlin",
        "new",
    )
    again = await service.client.post(SOURCES, json=sent, headers=operator)
    assert (again.status_code, again.json()["data"]["id"]) == (200, 1)
    for url in ("javascript:alert(1)", "file:///etc/passwd", "https://user:pw@host.example/", "nonsense"):
        refused = await service.client.post(SOURCES, json={"url": url}, headers=operator)
        assert refused.status_code == 422
    unknown = await service.client.post(SOURCES, json={"url": "https://x.example/", "city": "Munch"}, headers=operator)
    assert "Munich, DE" in unknown.json()["candidates"]


async def test_source_is_collected_on_demand(tmp_path: Path) -> None:
    async with Origin() as origin, serving(tmp_path, ADJACENT_ALLOW_HOSTS=origin.host) as service:
        origin.serve("/a.ics", CALENDAR, content_type="text/calendar")
        operator = await service.operator()
        await service.client.post(SOURCES, json={"url": origin.url("/a.ics")}, headers=operator)
        answer = await service.client.post(f"{SOURCES}/1/collect", headers=operator)
        shapes.CollectedAnswer.model_validate(answer.json())
        assert answer.json()["data"] == {"state": "fetched", "added": 1, "changed": 0, "cancelled": 0, "merged": 0}
        again = await service.client.post(f"{SOURCES}/1/collect", headers=operator)
        assert again.json()["data"]["state"] == "unchanged"
        listed = (await service.client.get("/api/v1/events")).json()["data"]
        assert [event["title"] for event in listed] == ["An evening of letters"]


async def test_source_that_may_not_be_fetched_says_why(service: Service) -> None:
    operator = await service.operator()
    await service.client.post(SOURCES, json={"url": "http://127.0.0.1:1/a.ics"}, headers=operator)
    answer = await service.client.post(f"{SOURCES}/1/collect", headers=operator)
    assert (answer.status_code, answer.json()["type"]) == (502, "/problems/collecting-failed")
    assert answer.json()["code"]
    health = (await service.client.get(f"{SOURCES}/1")).json()["data"]
    assert (health["state"], health["error_code"]) == ("failing", answer.json()["code"])


async def test_removing_a_source_takes_along_what_only_it_told(service: Service) -> None:
    await service.store(draft("a", "Letters in the old town", venue=MUNICH), draft("b", "Only here", days=2))
    await service.store(draft("x", "Letters in the old town", venue=MUNICH), source="https://other.example/")
    operator = await service.operator()
    assert (await service.client.delete(f"{SOURCES}/1", headers=operator)).status_code == 204
    listed = (await service.client.get("/api/v1/events")).json()["data"]
    assert [event["title"] for event in listed] == ["Letters in the old town"]
    assert (await service.client.delete(f"{SOURCES}/1", headers=operator)).status_code == 404
