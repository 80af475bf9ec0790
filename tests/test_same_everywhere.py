"""A slate is one and the same on every channel and in every process; what people say moves it in all of them at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import icalendar
import pytest
from service import MUNICH, NOW, Service, draft, serving
from sqlmodel import select

from app.mail import letter_facts
from app.models import Community, Event, Person

pytest_plugins = ("databases",)

ME = "/api/v1/me"
TOPICS = ("ux-design", "teaching", "data-visualisation", "graphic-design")
REFUSALS = ("dismissed", "too_close", "too_far")


@pytest.fixture
async def processes(tmp_path: Path, database_url: str) -> AsyncIterator[list[Service]]:
    """Two processes at one database, and somebody who is signed in at both."""
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(serving(tmp_path, ADJACENT_DATABASE_URL=database_url)) for _ in range(2)
        ]
        await one.store(
            *(draft(topic, f"On {topic}", days=1 + day, venue=MUNICH) for day, topic in enumerate(TOPICS)),
            topics={topic: {topic: 0.9} for topic in TOPICS},
        )
        async with one.database.writing() as session:
            group = Community(key="press", name="Hand Press", updated_at=NOW)
            session.add(group)
            await session.flush()
            (event,) = await session.exec(select(Event).where(Event.title == "On teaching"))
            event.community_id = group.id
        await one.client.post("/start", data={"know": ["JavaScript", "React"], "near": "Munich"})
        other.client.cookies = one.client.cookies
        yield [one, other]


async def titles(service: Service) -> set[str]:
    picks = (await service.client.get(f"{ME}/recommendations")).json()["data"]
    return {pick["event"]["title"] for pick in picks}


async def ids(service: Service) -> dict[str, str]:
    return {event["title"]: event["id"] for event in (await service.client.get("/api/v1/events")).json()["data"]}


async def change(service: Service, method: str, path: str, said: dict[str, Any]) -> list[str]:
    answer = await service.client.request(method, f"{ME}/{path}", json=said)
    assert answer.status_code == 200, answer.text
    changed: list[str] = answer.json()["data"]["changed"]
    return changed


async def test_slate_is_the_same_on_every_channel(processes: list[Service]) -> None:
    one, other = processes
    made = await one.client.post(f"{ME}/feeds", json={"name": "mine", "kind": "picks"})
    picks = (await other.client.get(f"{ME}/recommendations")).json()["data"]
    assert len(picks) == len(TOPICS)
    page = (await other.client.get("/", headers={"Accept": "text/html"})).text
    calendar = icalendar.Calendar.from_ical((await other.client.get(made.json()["data"]["url"])).content)
    async with one.database.reading() as session:
        person = (await session.exec(select(Person))).one()
        assert person.id is not None
        told = (await letter_facts.facts_of(session, [person], now=NOW, clock=NOW))[person.id].picks
    assert {str(event["summary"]) for event in calendar.walk("VEVENT")} == {pick["event"]["title"] for pick in picks}
    assert {shown.listed.event.title: shown.pick["reason"] for shown in told} == {
        pick["event"]["title"]: pick["reason"] for pick in picks
    }
    assert all(pick["event"]["title"] in page for pick in picks)


@pytest.mark.parametrize("kind", REFUSALS)
async def test_refusal_given_to_one_process_holds_in_the_other_until_it_is_taken_back(
    processes: list[Service], kind: str
) -> None:
    one, other = processes
    before = await titles(one)
    said = {"event": (await ids(one))["On ux-design"], "kind": kind}
    assert await titles(other) == before
    changed = await change(other, "POST", "feedback", said)
    assert changed[0] == "“On ux-design” will not be picked for you again; calendars that hold it keep it."
    assert [await titles(each) for each in processes] == [before - {"On ux-design"}] * 2
    async with other.database.writing() as session:  # a change makes what was seen new, never what was refused
        (event,) = await session.exec(select(Event).where(Event.title == "On ux-design"))
        event.sequence += 1
    assert [await titles(each) for each in processes] == [before - {"On ux-design"}] * 2
    assert (await change(one, "DELETE", "feedback", said))[0] == "“On ux-design” may be picked for you again."
    assert [await titles(each) for each in processes] == [before] * 2


@pytest.mark.parametrize(
    ("kind", "subject", "gone"), [("topic", "ux-design", "On ux-design"), ("community", "press", "On teaching")]
)
async def test_hiding_in_one_process_holds_in_the_other_until_it_is_shown_again(
    processes: list[Service], kind: str, subject: str, gone: str
) -> None:
    one, other = processes
    before = await titles(one)
    hidden = {"kind": kind, "subject": subject}
    assert await change(other, "POST", "hidden", hidden)
    assert [await titles(each) for each in processes] == [before - {gone}] * 2
    assert await change(one, "DELETE", "hidden", hidden)
    assert [await titles(each) for each in processes] == [before] * 2


async def test_welcome_given_to_one_process_is_seen_in_the_other(processes: list[Service]) -> None:
    one, other = processes
    before = await titles(one)
    url = (await one.client.post(f"{ME}/feeds", json={"name": "mine", "kind": "saved"})).json()["data"]["url"]

    async def kept(service: Service) -> list[str]:
        calendar = icalendar.Calendar.from_ical((await service.client.get(url)).content)
        return [str(event["summary"]) for event in calendar.walk("VEVENT") if event["status"] != "CANCELLED"]

    assert await kept(one) == []
    for kind in ("saved", "going", "attended"):
        said = {"event": (await ids(one))["On ux-design"], "kind": kind}
        changed = await change(other, "POST", "feedback", said)
        assert changed[1] == "UX design and what is close to it count more in your next picks."
        assert [await titles(each) for each in processes] == [before] * 2
        assert await kept(one) == ([] if kind == "attended" else ["On ux-design"])
        assert await change(one, "DELETE", "feedback", said)
        assert [await kept(each) for each in processes] == [[]] * 2
