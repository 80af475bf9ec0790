"""What people write down of events and communities: checked at once, decided by an operator, and then like any other."""

from __future__ import annotations

from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser
from service import Service
from test_sign_in import signed_in

from app.web.proposing import STRANGERS_AN_HOUR, rule_of

PROPOSALS = "/api/v1/proposals"
CHAT: dict[str, Any] = {
    "name": "Bridge Builders",
    "kind": "hashtag chat",
    "url": "https://bridges.example/chat",
    "about": "An hour about one bridge, drawn and discussed.",
    "topics": ["UX design"],
    "online": True,
    "channel": "#bridgechat",
    "join": ["Search for #bridgechat."],
    "meets": [
        {"first": "2026-12-02T20:00:00", "zone": "Europe/London", "rhythm": "FREQ=WEEKLY;BYDAY=WE", "minutes": 60}
    ],
}
EVENING: dict[str, Any] = {
    "title": "Letters in the old town",
    "first": "2026-12-10T19:00:00",
    "zone": "Europe/Berlin",
    "url": "https://letters.example/",
    "topics": ["Calligraphy"],
    "venue": "Studio",
    "city": "Munich",
    "country": "DE",
}


async def propose(service: Service, me: dict[str, str], status: int = 201, **sent: Any) -> dict[str, Any]:
    answer = await service.client.post(PROPOSALS, json=sent, headers=me)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def accept(service: Service, proposal: dict[str, Any]) -> None:
    operator = await service.operator()
    answer = await service.client.post(f"{PROPOSALS}/{proposal['data']['id']}/accept", headers=operator)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["state"] == "accepted"


async def test_proposed_chat_ends_in_a_personal_calendar(service: Service) -> None:
    me = await signed_in(service, "ada@example.org")
    proposal = await propose(service, me, community=CHAT)
    assert proposal["data"]["events"][0] == {
        "title": "Bridge Builders",
        "starts_at": "2026-12-02T20:00:00+00:00",
        "mode": "online",
    }
    assert (await service.client.get("/api/v1/communities")).json()["data"] == []
    await accept(service, proposal)
    (community,) = (await service.client.get("/api/v1/communities")).json()["data"]
    assert (community["name"], community["cadence"]) == ("Bridge Builders", "every Wednesday")
    feed = {"name": "Bridges", "kind": "community", "community": community["id"]}
    made = await service.client.post("/api/v1/me/feeds", json=feed, headers=me)
    assert made.status_code == 201, made.text
    calendar = await service.client.get(made.json()["data"]["url"])
    assert "SUMMARY:Bridge Builders" in calendar.text


async def test_proposed_event_is_there_once_it_is_accepted(service: Service) -> None:
    me = await signed_in(service, "ada@example.org")
    await accept(service, await propose(service, me, event=EVENING))
    (event,) = (await service.client.get("/api/v1/events")).json()["data"]
    assert (event["title"], event["starts_at"], event["mode"]) == (
        "Letters in the old town",
        "2026-12-10T19:00:00+01:00",
        "in_person",
    )
    assert event["community"] is None
    assert event["venue"]["city"] == "Munich"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"kind": "cult"}, "kind"),
        ({"topics": []}, "topics"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"about": "https://a.example https://b.example https://c.example"}, "about"),
        ({"name": "Cheap chat at www.sale.example"}, "name"),
        ({"join": [f"Open https://{name}.example" for name in "abc"]}, "join"),
        ({"meets": [{"first": "2026-12-02T20:00:00", "zone": "Atlantis"}]}, "zone"),
        ({"colour": "blue"}, "colour"),
    ],
)
async def test_mistake_is_told_at_its_place(service: Service, change: dict[str, Any], place: str) -> None:
    me = await signed_in(service, "ada@example.org")
    problem = await propose(service, me, 422, community=CHAT | change)
    assert place in str(problem)


async def test_either_a_community_or_an_event_is_sent(service: Service) -> None:
    me = await signed_in(service, "ada@example.org")
    await propose(service, me, 422)
    await propose(service, me, 422, community=CHAT, event=EVENING)


async def test_what_is_there_already_is_not_proposed_again(service: Service) -> None:
    me = await signed_in(service, "ada@example.org")
    first = await propose(service, me, community=CHAT)
    assert (await propose(service, me, community=CHAT))["data"]["id"] == first["data"]["id"]
    await accept(service, first)
    problem = await propose(
        service, me, 409, community=CHAT | {"url": "https://else.example/", "name": "Bridge builders"}
    )
    assert "Bridge Builders" in problem["detail"]


async def test_strangers_and_guests_cannot_propose(service: Service) -> None:
    await propose(service, {}, 401, community=CHAT)
    await propose(service, await service.guest(), 403, community=CHAT)


FORM = {
    "name": "Harbour Crossword Chat",
    "kind": "hashtag chat",
    "url": "https://crosswords.example/chat",
    "about": "An hour about one clue.",
    "topics": "Languages, Writing",
    "join": "Search for #clues.\r\nAnswer.",
    "online": "yes",
    "channel": "#clues",
    "first": "2026-12-03T20:00",
    "zone": "Europe/Berlin",
    "rhythm": "weekly",
    "minutes": "60",
}


async def test_a_form_an_operators_press_and_a_subscription_bring_a_chat_into_a_calendar(service: Service) -> None:
    me = await signed_in(service, "ada@example.org")
    form, ops = "/communities/propose", await service.operator()
    wrong = await service.client.post(form, data=FORM | {"zone": "Europe/Nowhere"}, headers=me)
    assert (wrong.status_code, "Time zone: " in wrong.text, 'value="#clues"' in wrong.text) == (422, True, True)
    program = await service.client.post(form, data=FORM | {"website": "x"}, headers=me)
    assert program.status_code == 303  # thanked, and nothing is kept
    kept = await service.client.post(form, data=FORM, headers=me)
    assert (kept.status_code, kept.headers["Location"]) == (303, "/communities")
    (waiting,) = (await service.client.get(PROPOSALS, headers=ops)).json()["data"]
    assert waiting["details"]["community"]["join"] == ["Search for #clues.", "Answer."]
    shown = LexborHTMLParser((await service.client.get("/ops", headers=ops)).text).css_first("#proposals li div")
    assert shown is not None
    assert [node.text() for node in shown.css("strong, .address, p")] == [
        "Harbour Crossword Chat",
        "https://crosswords.example/chat",
        "An hour about one clue.",
        "1. Search for #clues.",
        "2. Answer.",
        "Languages, Writing · Thu 3 Dec, 20:00; Thu 10 Dec, 20:00",
    ]
    pressed = await service.client.post(f"/ops/proposals/{waiting['id']}/accept", headers=ops)
    assert pressed.status_code == 303
    (community,) = (await service.client.get("/api/v1/communities")).json()["data"]
    assert (community["name"], community["cadence"], community["state"]) == (
        FORM["name"],
        "every Thursday",
        "unchecked",
    )
    feed = {"name": "Clues", "kind": "community", "community": community["id"]}
    made = await service.client.post("/api/v1/me/feeds", json=feed, headers=me)
    calendar = await service.client.get(made.json()["data"]["url"])
    assert "DTSTART;TZID=Europe/Berlin:20261203T200000" in calendar.text or "DTSTART:20261203T190000Z" in calendar.text
    again = await service.client.post(form, data=FORM, headers=me)
    assert (again.status_code, "There is something like it already" in again.text) == (422, True)


EVENT_FORM = {
    "title": "Lanterns over the old harbour",
    "url": "https://lanterns.example/walk",
    "topics": "Photography",
    "venue": "Harbour gate",
    "city": "Munich",
    "first": "2026-12-10T19:00",
    "zone": "Europe/Berlin",
    "minutes": "90",
}


async def test_an_evening_proposed_by_form_stands_in_the_list_once_accepted(service: Service) -> None:
    me, form, ops = await signed_in(service, "ada@example.org"), "/events/propose", await service.operator()
    program = await service.client.post(form, data=EVENT_FORM | {"website": "x"}, headers=me)
    over = await service.client.post(form, data=EVENT_FORM | {"first": "2026-11-10T19:00"}, headers=me)
    assert (program.status_code, over.status_code) == (303, 422)  # thanked, and nothing is kept; over already
    assert "No date of it lies ahead." in over.text
    kept = await service.client.post(form, data=EVENT_FORM, headers=me)
    assert (kept.status_code, kept.headers["Location"]) == (303, "/events")
    (waiting,) = (await service.client.get(PROPOSALS, headers=ops)).json()["data"]
    await service.client.post(f"/ops/proposals/{waiting['id']}/accept", headers=ops)
    (event,) = (await service.client.get("/api/v1/events")).json()["data"]
    assert (event["title"], event["starts_at"], event["ends_at"], event["mode"]) == (
        EVENT_FORM["title"],
        "2026-12-10T19:00:00+01:00",
        "2026-12-10T20:30:00+01:00",
        "in_person",
    )
    again = await service.client.post(form, data=EVENT_FORM, headers=me)
    assert (again.status_code, "There is something like it already" in again.text) == (422, True)


async def test_strangers_propose_by_form_and_only_so_often(service: Service) -> None:
    form, ops = "/communities/propose", await service.operator()
    assert "data-own-zone" in (await service.client.get(form)).text  # a script fills it in
    assert "data-own-zone" not in (await service.client.post(form, data=FORM | {"url": "x"})).text
    for number in range(STRANGERS_AN_HOUR):
        kept = await service.client.post(form, data=FORM | {"url": f"https://crosswords.example/{number}"})
        assert (kept.status_code, kept.headers["Location"]) == (303, "/communities")
    assert (await service.client.post(form, data=FORM | {"url": "https://crosswords.example/x"})).status_code == 429
    waiting = (await service.client.get(PROPOSALS, headers=ops)).json()
    assert [one["url"][-1] for one in waiting["data"]] == [str(number) for number in range(STRANGERS_AN_HOUR)]


async def test_what_somebody_wrote_is_changed_by_nobody_else(service: Service) -> None:
    ada, bob = [await signed_in(service, f"{name}@example.org") for name in ("ada", "bob")]
    form, ops = "/communities/propose", await service.operator()

    async def waiting() -> list[str]:
        return [one["name"] for one in (await service.client.get(PROPOSALS, headers=ops)).json()["data"]]

    await service.client.post(form, data=FORM | {"name": "Anybody's words"})
    await service.client.post(form, data=FORM | {"name": "Ada's words"}, headers=ada)
    assert await waiting() == ["Ada's words"]  # nobody stood behind the first ones
    for others in (bob, {}):
        kept = await service.client.post(form, data=FORM | {"name": "Other words"}, headers=others)
        assert (kept.status_code, await waiting()) == (303, ["Ada's words"])


async def test_mistakes_in_a_form_are_told_in_the_language_of_the_page(service: Service) -> None:
    me = await signed_in(service, "ada@example.org") | {"Accept-Language": "de"}
    wrong = {"url": "x", "zone": "Nowhere", "first": "morgen", "minutes": "1", "topics": "", "title": ""}
    told = await service.client.post("/events/propose", data=EVENT_FORM | wrong, headers=me)
    notice = LexborHTMLParser(told.text).css_first("[role=alert]")
    assert notice is not None
    assert [line.text() for line in notice.css("p")] == [
        "Beginn: ein Tag und eine Uhrzeit, etwa 2026-12-03 20:00.",
        "Zeitzone: schreib einen IANA-Namen wie Europe/Berlin",
        "Titel: hier muss etwas stehen.",
        "Dauer in Minuten: mindestens 5.",
        "Adresse im Netz: schreib eine Adresse, die mit https:// beginnt",
        "Themen: hier muss etwas stehen.",
    ]


@pytest.mark.parametrize(
    ("rhythm", "first", "rule"),
    [
        ("weekly", "2026-12-03T20:00", "FREQ=WEEKLY;BYDAY=TH"),
        ("fortnightly", "2026-12-03T20:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH"),
        ("monthly", "2026-12-10T20:00", "FREQ=MONTHLY;BYDAY=2TH"),
        ("monthly", "2026-12-31T20:00", "FREQ=MONTHLY;BYDAY=-1TH"),
        ("", "2026-12-03T20:00", None),
        ("weekly", "tomorrow", None),
    ],
)
def test_a_rhythm_begins_with_its_first_meeting(rhythm: str, first: str, rule: str | None) -> None:
    assert rule_of(rhythm, first) == rule
