"""What a person hides is picked on no channel, until they show it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import icalendar
import pytest
from service import MUNICH, NOW, Service, draft
from sqlmodel import select

from app.api.shapes import opinions as shapes
from app.jobs import renew_slates
from app.models import Community, Event, Hidden, Person, ShownPick
from app.picking import slates

ME = "/api/v1/me"
FRONT_END = {"JavaScript": 4, "React": 4}


async def a_town(service: Service) -> dict[str, str]:
    topics = {
        "letters": {"ux-design": 0.9, "graphic-design": 0.4},
        "posters": {"graphic-design": 0.9},
        "lessons": {"teaching": 0.9},
    }
    ids = await service.store(
        *(draft(uid, f"About {uid}", days=1 + day, venue=MUNICH) for day, uid in enumerate(topics)), topics=topics
    )
    async with service.database.writing() as session:
        community = Community(key="press", name="Hand Press", updated_at=NOW)
        session.add(community)
        await session.flush()
        for event in await session.exec(select(Event).where(Event.title == "About letters")):
            event.community_id = community.id
    return ids


async def titles(service: Service, me: dict[str, str]) -> set[str]:
    answer = await service.client.get(f"{ME}/recommendations", headers=me)
    return {pick["event"]["title"] for pick in answer.json()["data"]}


async def hide(service: Service, me: dict[str, str], kind: str, subject: str) -> dict[str, Any]:
    answer = await service.client.post(f"{ME}/hidden", json={"kind": kind, "subject": subject}, headers=me)
    assert answer.status_code == 200, answer.text
    shapes.HidingAnswer.model_validate(answer.json())
    return answer.json()["data"]


async def show_again(service: Service, me: dict[str, str], kind: str, subject: str) -> dict[str, Any]:
    answer = await service.client.delete(f"{ME}/hidden?kind={kind}&subject={subject}", headers=me)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_hidden_topic_leaves_picks_and_calendars_of_what_is_near_until_it_is_shown_again(
    service: Service,
) -> None:
    await a_town(service)
    me = await service.guest(know=FRONT_END, near="Munich")
    made = await service.client.post(f"{ME}/feeds", json={"name": "Near", "kind": "near"}, headers=me)
    address = made.json()["data"]["url"]

    async def in_calendar() -> set[str]:
        found = icalendar.Calendar.from_ical((await service.client.get(address)).content).walk("VEVENT")
        return {str(event["summary"]) for event in found}

    all_titles = {"About letters", "About posters", "About lessons"}
    assert await titles(service, me) == all_titles
    before = await in_calendar()
    assert "About letters" in before
    # An event that is about a hidden topic among others is about it all the same.
    assert await hide(service, me, "topic", "Graphic design") == {
        "kind": "topic",
        "subject": "graphic-design",
        "name": "Graphic design",
        "changed": [
            "No event about Graphic design will be picked for you until you show it again; calendars that hold one keep it.",
            "No longer among them: “About letters”, “About posters”.",
        ],
    }
    assert await titles(service, me) == {"About lessons"}
    assert await in_calendar() == before - {"About letters", "About posters"}
    back = await show_again(service, me, "topic", "graphic-design")
    assert back["changed"][0] == "Events about Graphic design may be picked for you again."
    assert back["changed"][1].startswith("New among this week's picks: “About ")
    assert await titles(service, me) == all_titles
    assert await in_calendar() == before


async def test_hidden_community_stays_out_of_every_later_week(service: Service) -> None:
    await a_town(service)
    me = await service.guest(know=FRONT_END, near="Munich")
    await hide(service, me, "community", "press")
    await hide(service, me, "community", "press")  # said twice, it is hidden once
    listed = await service.client.get(f"{ME}/hidden", headers=me)
    shapes.HiddenList.model_validate(listed.json())
    assert listed.json()["data"] == [
        {"kind": "community", "subject": "press", "name": "Hand Press", "hidden_at": NOW.isoformat()}
    ]
    for weeks in range(3):
        now = NOW + timedelta(weeks=weeks)
        await renew_slates(service.database, now=now)
        async with service.database.reading() as session:
            person = (await session.exec(select(Person))).one()
            shown = await slates.current(session, person, now=now)
        assert "About letters" not in {one.listed.event.title for one in shown}
    async with service.database.reading() as session:
        assert len(list(await session.exec(select(Hidden)))) == 1


async def test_what_is_hidden_comes_along_when_a_guest_signs_in_and_can_always_be_shown_again(
    service: Service,
) -> None:
    from app.account import guests
    from app.people import people

    await a_town(service)
    guest_headers = await service.guest(know=["React"])
    await hide(service, guest_headers, "topic", "chess")
    await hide(service, guest_headers, "topic", "typography")
    async with service.database.writing() as session:
        guest = (await session.exec(select(Person))).one()
        person = await people.make_person(session, "ada@example.org")
        session.add(Hidden(person_id=person.id, kind="topic", subject="chess", hidden_at=NOW))
        session.add(Hidden(person_id=person.id, kind="topic", subject="a-topic-that-was", hidden_at=NOW))
        await session.flush()
        await guests.merge(session, guest, person)
        secret = await people.tokens.issue(session, "api", person_id=person.id, scopes=people.tokens.SCOPES)
    me = {"Authorization": f"Bearer {secret}"}
    listed = (await service.client.get(f"{ME}/hidden", headers=me)).json()["data"]
    assert {one["subject"] for one in listed} == {"a-topic-that-was", "chess", "typography"}
    await show_again(service, me, "topic", "a-topic-that-was")
    assert len((await service.client.get(f"{ME}/hidden", headers=me)).json()["data"]) == 2


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        ({"kind": "topic", "subject": "Typographie und so"}, 422, "/problems/unknown-topic"),
        ({"kind": "community", "subject": "nobody"}, 422, "/problems/invalid-request"),
        ({"kind": "person", "subject": "bob"}, 422, "/problems/invalid-request"),
        ({"kind": "topic"}, 422, "/problems/invalid-request"),
    ],
)
async def test_only_what_there_is_can_be_hidden(service: Service, sent: dict[str, str], status: int, kind: str) -> None:
    me = await service.guest()
    answer = await service.client.post(f"{ME}/hidden", json=sent, headers=me)
    assert (answer.status_code, answer.json()["type"]) == (status, kind)


async def test_only_what_is_hidden_can_be_shown_again(service: Service) -> None:
    me = await service.guest()
    for query, status in (("?kind=topic&subject=chess", 404), ("?kind=topic", 422), ("", 422)):
        assert (await service.client.delete(f"{ME}/hidden{query}", headers=me)).status_code == status
    async with service.database.reading() as session:
        assert list(await session.exec(select(ShownPick))) == []
