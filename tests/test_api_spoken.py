"""Sentences of answers come in the language that is asked for: reasons, what feedback changed, rhythms, the widget."""

from __future__ import annotations

from typing import Any

from selectolax.lexbor import LexborHTMLParser
from service import MUNICH, NOW, Service, draft

from app.api.shapes import topics as shapes
from app.models import Community

ME = "/api/v1/me"
GERMAN = {"Accept-Language": "fr, de-AT;q=0.9, en;q=0.1"}
ASKED = {"know": {"JavaScript": 4}, "near": "Munich"}


def language_of(answer: Any) -> tuple[str, str]:
    assert answer.status_code == 200, answer.text
    return answer.headers["content-language"], answer.headers["vary"].split(",")[0]


async def an_evening(service: Service) -> str:
    stored = await service.store(draft("a", "Serifs", venue=MUNICH), topics={"a": {"typography": 0.9}})
    return stored["a"]


async def test_reasons_are_told_in_the_language_of_the_request(service: Service) -> None:
    await an_evening(service)
    english = await service.client.post("/api/v1/recommendations", json=ASKED)
    german = await service.client.post("/api/v1/recommendations", json=ASKED, headers=GERMAN)
    assert language_of(english) == ("en", "Accept-Language")
    assert language_of(german) == ("de", "Accept-Language")
    (one,), (other,) = english.json()["data"], german.json()["data"]
    assert one["reason"].startswith("You know JavaScript.")
    assert other["reason"].startswith("Du kennst „JavaScript“.")
    assert all(told != said for told, said in zip(one["evidence"], other["evidence"], strict=True))
    words = ("reason", "evidence")
    assert {name: one[name] for name in one if name not in words} == {
        name: other[name] for name in other if name not in words
    }


async def test_what_somebody_chose_counts_where_the_request_names_no_language(service: Service) -> None:
    event = await an_evening(service)
    me = await service.guest(**ASKED)
    picks = f"{ME}/recommendations"
    assert language_of(await service.client.get(picks, headers=me)) == ("en", "Accept-Language")
    await service.client.patch(f"{ME}/digest", json={"language": "de"}, headers=me)
    chosen = await service.client.get(picks, headers=me)
    asked = await service.client.get(picks, headers=me | {"Accept-Language": "en"})
    assert [language_of(chosen)[0], language_of(asked)[0]] == ["de", "en"]
    assert chosen.headers["etag"] != asked.headers["etag"]
    standing = await service.client.get(f"{picks}/{event}", headers=me)
    assert language_of(standing)[0] == "de"
    assert standing.json()["data"]["pick"]["reason"] == chosen.json()["data"][0]["reason"]


async def test_what_keeps_an_event_out_and_what_feedback_changed_is_told_in_german(service: Service) -> None:
    event = await an_evening(service)
    me = await service.guest(**ASKED) | GERMAN
    sent = {"event": event, "kind": "dismissed"}
    said = await service.client.post(f"{ME}/feedback", json=sent, headers=me)
    assert said.json()["data"]["changed"][0].startswith("„Serifs“ wird nicht mehr für dich ausgesucht")
    left_out = await service.client.get(f"{ME}/recommendations/{event}", headers=me)
    assert left_out.json()["data"]["left_out"]["sentence"] == "Du hast gesagt, dass sie nichts für dich ist."
    back = await service.client.request("DELETE", f"{ME}/feedback", params=sent, headers=me)
    hidden = await service.client.post(f"{ME}/hidden", json={"kind": "topic", "subject": "Typography"}, headers=me)
    shown = await service.client.delete(f"{ME}/hidden?kind=topic&subject=typography", headers=me)
    told = await service.client.put(f"{ME}/takeaways/{event}", json={"learned": "Fonts"}, headers=me)
    forgot = await service.client.delete(f"{ME}/takeaways/{event}", headers=me)
    for answer in (said, left_out, back, hidden, shown, told, forgot):
        assert language_of(answer) == ("de", "Accept-Language")
    assert hidden.json()["data"]["name"] == "Typography"  # names are data


async def test_rhythm_of_a_community_is_told_in_the_language_of_the_request(service: Service) -> None:
    activity = {"label": "regular", "words": "every Tuesday"}
    async with service.database.writing() as session:
        session.add(Community(key="guild-1", name="Guild", activity=activity, updated_at=NOW))
    for address in ("/api/v1/communities", "/api/v1/communities/guild-1"):
        answer = await service.client.get(address, headers=GERMAN)
        assert language_of(answer) == ("de", "Accept-Language")
        data = answer.json()["data"]
        (one,) = data if isinstance(data, list) else [data]
        assert (one["cadence"], one["activity"]["words"]) == ("jeden Dienstag", "jeden Dienstag")
    assert (await service.client.get(address)).json()["data"]["cadence"] == "every Tuesday"


async def test_widget_speaks_as_its_reader_unless_the_site_chose(service: Service) -> None:
    await service.store(
        draft("a", "Serifs", venue=MUNICH, zone="Europe/Berlin"),
        draft("b", "Chess", days=2, status="cancelled", language="de"),
        draft("c", days=3),
    )
    seen = {}
    for address, headers, language in (
        ("/embed?limit=2", {}, "en"),
        ("/embed?limit=2", GERMAN, "de"),
        ("/embed?limit=2", {}, "en"),  # kept answers are kept apart
        ("/embed?limit=2&language=de", {"Accept-Language": "en"}, "de"),
        ("/embed?limit=2&language=en", GERMAN, "en"),
    ):
        answer = await service.client.get(address, headers=headers)
        assert language_of(answer) == (language, "Accept-Language")
        page = LexborHTMLParser(answer.text)
        assert page.css_first("html").attributes["lang"] == language
        seen[language] = [" ".join(one.text().split()) for one in page.css("li p, footer")]
        known = {**headers, "If-None-Match": answer.headers["etag"]}
        assert (await service.client.get(address, headers=known)).status_code == 304
    assert seen == {
        "en": [
            "Wed 2 Dec 2026, 13:00",
            "Studio, Hof 3, Munich",
            "Thu 3 Dec 2026, 12:00 (UTC) · Cancelled",
            "Adjacent · and 1 more",
        ],
        "de": [
            "Mi., 2. Dez. 2026, 13:00 Uhr",
            "Studio, Hof 3, Munich",
            "Do., 3. Dez. 2026, 12:00 Uhr (UTC) · Abgesagt",
            "Adjacent · und 1 mehr",
        ],
    }
    assert (await service.client.get("/embed?language=xx")).status_code == 422


async def test_topics_are_understood_by_their_names_in_every_language(service: Service) -> None:
    event = await an_evening(service)
    await service.store(draft("b", "Ink"), topics={"b": {"calligraphy": 0.9}})
    found = await service.client.get("/api/v1/events", params={"topic": "Kalligrafie und Lettering"})
    assert [one["title"] for one in found.json()["data"]] == ["Ink"]
    asked = {"know": {"Kalligrafie und Lettering": 2, "Calligraphy": 4, "React": 3}}
    me = await service.guest(**asked)
    known = (await service.client.get(ME, headers=me)).json()["data"]["know"]
    assert [(one["slug"], one["level"]) for one in known] == [("calligraphy", 4), ("react", 3)]
    told = {"topic": "Kunsttagebuch"}
    assert (await service.client.put(f"{ME}/takeaways/{event}", json=told, headers=me)).status_code == 200
    known = (await service.client.get(ME, headers=me)).json()["data"]["know"]
    assert "art-journaling" in [one["slug"] for one in known]
    shown = await service.client.get("/api/v1/topics/Kunsttagebuch")
    assert shown.json()["data"]["slug"] == "art-journaling"


async def test_topics_are_named_and_found_in_the_language_of_the_request(service: Service) -> None:
    german = await service.client.get("/api/v1/topics?q=kunsttage", headers=GERMAN)
    assert language_of(german) == ("de", "Accept-Language")
    shapes.TopicList.model_validate(german.json())
    assert [(one["label"], one["name"]) for one in german.json()["data"]] == [("Art journaling", "Kunsttagebuch")]
    english = await service.client.get("/api/v1/topics?q=kunsttage")
    assert (language_of(english)[0], english.json()["data"]) == ("en", [])
    for address in ("/api/v1/topics/art-journaling", "/api/v1/topics/drawing/adjacent?limit=100"):
        names = [(await service.client.get(address, headers=headers)).json()["data"] for headers in (GERMAN, {})]
        assert names[0] != names[1]
