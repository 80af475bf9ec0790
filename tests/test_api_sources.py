"""Sources: health in public, writing for operators only."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from origin import Origin
from service import MUNICH, NOW, Service, draft, serving
from sqlmodel import select
from test_jobs import CALENDAR

from app.api.shapes import sources as shapes
from app.models import Source

pytest_plugins = ("databases",)

SOURCES = "/api/v1/sources"
on_both_databases = pytest.mark.usefixtures("database_url")


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


async def test_sources_are_found_by_state(service: Service) -> None:
    for number in range(3):
        await service.store(draft("next"), source=f"https://host.example/{number}.ics")
    async with service.database.writing() as session:
        for source, state in zip(await session.exec(select(Source)), ("ok", "failing", "gone"), strict=True):
            source.state, source.state_since = state, NOW + timedelta(days=source.id or 0)
    found = (await service.client.get(f"{SOURCES}?state=ok&state=failing")).json()
    shapes.SourceList.model_validate(found)
    assert [one["id"] for one in found["data"]] == [1, 2]
    assert found["meta"]["count"] == 2
    assert found["meta"]["updated_at"] == (NOW + timedelta(days=2)).isoformat()
    assert (await service.client.get(f"{SOURCES}?state=well")).status_code == 422


@on_both_databases
async def test_number_of_a_source_that_was_removed_is_given_to_no_other(service: Service) -> None:
    operator = await service.operator()
    for url in ("https://host.example/a.ics", "https://host.example/b.ics"):
        await service.client.post(SOURCES, json={"url": url}, headers=operator)
    assert (await service.client.delete(f"{SOURCES}/2", headers=operator)).status_code == 204
    again = await service.client.post(SOURCES, json={"url": "https://host.example/c.ics"}, headers=operator)
    assert again.json()["data"]["id"] == 3
    assert (await service.client.get(f"{SOURCES}/2")).status_code == 404
