"""Pages that people propose: looked at through the guard, kept for operators, collected from once accepted; the audit."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from origin import Origin
from service import Service, serving
from sqlmodel import select
from test_jobs import CALENDAR

from app.api.proposals import IMPORTS_AN_HOUR
from app.api.shapes import proposals as shapes
from app.models import Audit, Source
from app.people import people, tokens

IMPORT, PROPOSALS, AUDIT = "/api/v1/events/import", "/api/v1/proposals", "/api/v1/audit"


@dataclass
class Town:
    service: Service
    origin: Origin
    ada: dict[str, str]  # headers of somebody who signed in
    operator: dict[str, str]

    async def propose(self, path: str = "/a.ics", **headers: str) -> dict[str, Any]:
        sent = {"url": self.origin.url(path)}
        answer = await self.service.client.post(IMPORT, json=sent, headers=headers or self.ada)
        assert answer.status_code == 200, answer.text
        shapes.PreviewAnswer.model_validate(answer.json())
        return answer.json()["data"]

    async def decide(self, proposal: int, decision: str, **sent: Any) -> tuple[int, dict[str, Any]]:
        answer = await self.service.client.post(
            f"{PROPOSALS}/{proposal}/{decision}", json=sent or None, headers=self.operator
        )
        return answer.status_code, answer.json().get("data", answer.json())

    async def actions(self) -> list[tuple[str, str]]:
        answer = await self.service.client.get(AUDIT, headers=self.operator)
        shapes.ActionList.model_validate(answer.json())
        return [(one["action"], one["subject"]) for one in answer.json()["data"]]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with Origin() as origin, serving(tmp_path, ADJACENT_ALLOW_HOSTS=origin.host) as service:
        origin.serve("/a.ics", CALENDAR, content_type="text/calendar")
        async with service.database.writing() as session:
            person = await people.make_person(session, "ada@example.org")
            secret = await tokens.issue(session, "session", person_id=person.id)
        yield Town(service, origin, {"Authorization": f"Bearer {secret}"}, await service.operator())


async def test_page_is_shown_kept_and_collected_from_once_an_operator_accepts(town: Town) -> None:
    shown = await town.propose()
    url = town.origin.url("/a.ics")
    assert (shown["url"], shown["listed"], shown["upcoming"], shown["source"]) == (url, 1, 1, None)
    assert [event["title"] for event in shown["events"]] == ["An evening of letters"]
    assert shown["proposal"] == {"id": 1, "state": "proposed"}
    assert (await town.propose())["proposal"] == shown["proposal"]  # once is enough
    waiting = await town.service.client.get(f"{PROPOSALS}?state=proposed", headers=town.operator)
    shapes.ProposalList.model_validate(waiting.json())
    (one,) = waiting.json()["data"]
    assert (one["url"], one["events"], one["decided_at"]) == (url, shown["events"], None)
    assert "ada" not in waiting.text
    async with town.service.database.reading() as session:
        assert list(await session.exec(select(Source))) == []
    status, accepted = await town.decide(1, "accept", city="Munich")
    shapes.Proposal.model_validate(accepted)
    assert (status, accepted["state"], accepted["source"]) == (200, "accepted", 1)
    source = (await town.service.client.get("/api/v1/sources/1")).json()["data"]
    assert (source["url"], source["city"], source["zone"], source["state"]) == (url, "Munich", "Europe/Berlin", "new")
    again = await town.propose()
    assert (again["proposal"], again["source"]) == ({"id": 1, "state": "accepted"}, 1)
    assert (await town.decide(1, "refuse"))[0] == 409
    assert await town.actions() == [("proposal.accept", url)]


async def test_calendar_behind_a_page_is_what_is_proposed(town: Town) -> None:
    home = '<html><head><link rel="alternate" type="text/calendar" href="/a.ics"></head><body>Welcome</body></html>'
    town.origin.serve("/", home, content_type="text/html")
    shown = await town.propose("/")
    assert (shown["url"], shown["why"]) == (town.origin.url("/a.ics"), "calendar the page declares")
    assert await town.propose("/a.ics") == {**shown, "why": ""}


async def test_list_of_addresses_is_not_proposed_at_once(town: Town) -> None:
    town.origin.serve("/list.txt", town.origin.url("/a.ics"), content_type="text/plain")
    sent = {"url": town.origin.url("/list.txt")}
    answer = await town.service.client.post(IMPORT, json=sent, headers=town.ada)
    assert (answer.status_code, "propose them one by one" in answer.json()["detail"]) == (422, True)


async def test_refused_page_stays_refused(town: Town) -> None:
    await town.propose()
    assert (await town.decide(1, "refuse"))[1]["state"] == "refused"
    assert (await town.propose())["proposal"]["state"] == "refused"
    assert (await town.decide(1, "accept"))[0] == 409
    listed = await town.service.client.get(f"{PROPOSALS}?state=proposed", headers=town.operator)
    assert listed.json()["data"] == []


async def test_known_source_is_not_proposed(town: Town) -> None:
    sent = {"url": town.origin.url("/a.ics")}
    await town.service.client.post("/api/v1/sources", json=sent, headers=town.operator)
    shown = await town.propose()
    assert (shown["proposal"], shown["source"]) == (None, 1)


async def test_operator_may_look_without_being_anybody(town: Town) -> None:
    assert (await town.propose(**town.operator))["proposal"]["state"] == "proposed"


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("http://127.0.0.1:1/", 502, "refused"),
        ("http://169.254.169.254/latest/meta-data/", 502, "refused"),
        ("http://[::1]/", 502, "refused"),
        ("http://localhost/", 502, "refused"),
        ("{origin}/away", 502, "refused"),
        ("{origin}/missing", 502, "not_found"),
        ("{origin}/nothing.png", 422, None),
    ],
)
async def test_page_that_cannot_be_fetched_or_read_is_refused(
    town: Town, url: str, status: int, code: str | None
) -> None:
    town.origin.redirect("/away", "http://127.0.0.1:1/")
    town.origin.serve("/nothing.png", b"\x89PNG\r\n\x1a\n", content_type="image/png")
    sent = {"url": url.format(origin=f"http://{town.origin.host}")}
    answer = await town.service.client.post(IMPORT, json=sent, headers=town.ada)
    assert (answer.status_code, answer.json()["type"]) == (status, "/problems/unreadable-page"), answer.text
    assert code is None or answer.json()["code"] == code
    assert (await town.service.client.get(PROPOSALS, headers=town.operator)).json()["data"] == []


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "https://user:pw@host.example/", "x", ""])
async def test_what_is_no_web_address_is_refused(town: Town, url: str) -> None:
    assert (await town.service.client.post(IMPORT, json={"url": url}, headers=town.ada)).status_code == 422


async def test_guest_is_asked_to_sign_in(town: Town) -> None:
    sent = {"url": town.origin.url("/a.ics")}
    answer = await town.service.client.post(IMPORT, json=sent, headers=await town.service.guest())
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/needs-sign-in")
    assert town.origin.requests == []


async def test_imports_are_limited_by_address_and_by_person(town: Town) -> None:
    sent = {"url": "x"}
    told = [(await town.service.client.post(IMPORT, json=sent, headers=town.ada)).status_code for _ in range(3)]
    assert told == [422] * 3
    limiter, clock = town.service.app.state.limiter, time.monotonic()
    for _ in range(IMPORTS_AN_HOUR):
        limiter.take("person 1", "import", an_hour=IMPORTS_AN_HOUR, clock=clock)
    by_person = await town.service.client.post(IMPORT, json=sent, headers=town.ada)
    assert (by_person.status_code, int(by_person.headers["retry-after"]) > 0) == (429, True)
    for _ in range(IMPORTS_AN_HOUR):
        limiter.take("127.0.0.1", "import", an_hour=IMPORTS_AN_HOUR, clock=clock)
    assert (await town.service.client.post(IMPORT, json=sent, headers=town.operator)).status_code == 429
    # Who may not is told so, and not counted.
    assert (await town.service.client.post(IMPORT, json=sent)).status_code == 401


async def test_what_operators_do_is_written_down_with_their_token(town: Town) -> None:
    client, operator = town.service.client, town.operator
    url = town.origin.url("/a.ics")
    for _ in range(2):
        await client.post("/api/v1/sources", json={"url": url}, headers=operator)  # the second adds nothing
    await client.post("/api/v1/sources/1/collect", headers=operator)
    await client.delete("/api/v1/sources/1", headers=operator)
    assert await town.actions() == [("source.remove", url), ("source.collect", url), ("source.add", url)]
    page = (await client.get(f"{AUDIT}?limit=2", headers=operator)).json()
    rest = (await client.get(page["links"]["next"], headers=operator)).json()
    assert ([one["id"] for one in page["data"]], [one["id"] for one in rest["data"]]) == ([3, 2], [1])
    digest = tokens.digest_of(operator["Authorization"].removeprefix("Bearer "))
    assert {one["token"] for one in page["data"]} == {tokens.shown(digest)}


async def test_action_that_fails_is_not_written_down(town: Town) -> None:
    refused = await town.service.client.post(
        "/api/v1/sources", json={"url": "https://x.example/", "city": "Munch"}, headers=town.operator
    )
    assert refused.status_code == 422
    await town.service.client.delete("/api/v1/sources/99", headers=town.operator)
    async with town.service.database.reading() as session:
        assert list(await session.exec(select(Audit))) == []


async def test_proposals_are_paged_and_go_with_who_made_them(town: Town) -> None:
    for number in range(3):
        town.origin.serve(f"/{number}.ics", CALENDAR, content_type="text/calendar")
        await town.propose(f"/{number}.ics")
    client = town.service.client
    first = (await client.get(f"{PROPOSALS}?limit=2", headers=town.operator)).json()
    second = (await client.get(first["links"]["next"], headers=town.operator)).json()
    assert [one["id"] for one in (*first["data"], *second["data"])] == [1, 2, 3]
    assert (first["meta"]["count"], second["links"]["next"]) == (3, None)
    assert (await client.delete("/api/v1/me", headers=town.ada)).status_code == 204
    assert (await client.get(PROPOSALS, headers=town.operator)).json()["data"] == []
