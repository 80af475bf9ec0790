"""A person's weeks: what was shown leaves later slates, unless it changed or was saved; preferences hold on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pace import within
from service import MUNICH, NOW, Service, draft
from sqlmodel import col, select

from app.api.shapes import picks as shapes
from app.jobs import renew_slates
from app.models import Event, Person
from app.people.wishes import Wish
from app.picking import slates
from app.picking.barriers import MUTUAL_HELP
from app.picking.picks import is_everywhere
from recommender.catalogue import load_catalogue

ME = "/api/v1/me"
TOPICS = ("ux-design", "teaching", "data-visualisation", "graphic-design", "agile", "digital-rights", "aws")
WEEK = timedelta(weeks=1)


async def a_season(service: Service, **fields: Any) -> dict[str, str]:
    """Store one event a topic, all of them a fortnight ahead and still to come for two weeks."""
    return await service.store(
        *(
            draft(topic, f"An evening of {topic}", days=16 + day, venue=MUNICH, **fields)
            for day, topic in enumerate(TOPICS)
        ),
        topics={topic: {topic: 0.9} for topic in TOPICS},
    )


async def week_of(service: Service, weeks: int) -> list[str]:
    """Return the titles of the slate that is made in a later week."""
    now = NOW + weeks * WEEK
    await renew_slates(service.database, now=now)
    async with service.database.reading() as session:
        person = (await session.exec(select(Person))).one()
        return [one.listed.event.title for one in await slates.current(session, person, now=now)]


async def change(service: Service, title: str, **changes: Any) -> None:
    async with service.database.writing() as session:
        event = (await session.exec(select(Event).where(Event.title == title))).one()
        for name, value in changes.items():
            setattr(event, name, value)


async def test_nothing_is_picked_anew_in_a_later_week_unless_it_changed_or_was_saved(service: Service) -> None:
    ids = await a_season(service)
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich", days=30)
    first = await week_of(service, 0)
    assert 3 <= len(first) <= slates.SLATE
    assert set(await week_of(service, 1)).isdisjoint(first)
    moved, saved, *_ = first
    await change(service, moved, sequence=1)
    saved_id = ids[saved.removeprefix("An evening of ")]
    await service.client.post(f"{ME}/feedback", json={"event": saved_id, "kind": "saved"}, headers=me)
    assert set(await week_of(service, 2)) == {moved, saved}
    assert moved not in await week_of(service, 3)  # shown as it stands now


async def test_other_dates_of_a_series_count_as_shown(service: Service) -> None:
    await service.store(
        *(
            draft(
                "weekly", "Letters on Monday", days=2 + 7 * week, venue=MUNICH, recurrence_id=f"2026120{week}T120000Z"
            )
            for week in range(3)
        ),
        topics={"weekly": {"ux-design": 0.9}},
    )
    async with service.database.writing() as session:
        from app.models import EventTopic

        for event in await session.exec(select(Event)):
            await session.merge(EventTopic(event_id=event.id, topic="ux-design", weight=0.9))
    await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich", days=30)
    assert [await week_of(service, weeks) for weeks in range(2)] == [["Letters on Monday"], []]


async def test_what_is_stored_about_one_person_stops_no_other(service: Service) -> None:
    for topic in ("JavaScript", "React"):
        await service.guest(know={topic: 4}, near="Munich", days=30)
    await a_season(service)
    async with service.database.writing() as session:
        (first, second) = await session.exec(select(Person).order_by(col(Person.id)))
        first.reach = "sideways"
    assert await renew_slates(service.database, now=NOW) == 2
    async with service.database.reading() as session:
        assert len(await slates.current(session, second, now=NOW)) >= 3


async def test_memory_ends_after_three_months(service: Service) -> None:
    await service.store(draft("a", "A festival", days=100, venue=MUNICH), topics={"a": {"ux-design": 0.9}})
    await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich", days=120)
    assert [bool(await week_of(service, weeks)) for weeks in (0, 1, 13, 14)] == [True, False, False, True]


async def test_person_is_asked_once_for_language_price_and_purpose(service: Service) -> None:
    await service.store(
        draft("free", "Free letters", venue=MUNICH, price="free", language="de-AT"),
        draft("paid", "Paid letters", days=2, venue=MUNICH, price="12 EUR", language="en"),
        draft("pitch", "Letters that sell", days=3, venue=MUNICH, language="de"),
        topics={"free": {"ux-design": 0.9}, "paid": {"teaching": 0.9}, "pitch": {"data-visualisation": 0.9}},
    )
    await change(service, "Letters that sell", purpose={"sell": 0.9, "learn": 0.1}, purpose_phrases=["book a demo"])
    await change(service, "Free letters", is_free=True)
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")

    async def with_profile(**sent: Any) -> set[str]:
        answer = await service.client.patch(ME, json=sent, headers=me)
        assert answer.status_code == 200, answer.text
        picks = await service.client.get(f"{ME}/recommendations", headers=me)
        return {pick["event"]["title"] for pick in picks.json()["data"]}

    assert await with_profile() == {"Free letters", "Paid letters"}
    assert await with_profile(languages=["de"]) == {"Free letters"}
    assert await with_profile(languages=[], free_only=True) == {"Free letters"}
    assert await with_profile(free_only=False, purposes=["learn", "sell"]) == {
        "Free letters",
        "Paid letters",
        "Letters that sell",
    }
    mine = (await service.client.get(ME, headers=me)).json()["data"]
    assert (mine["languages"], mine["free_only"], mine["purposes"]) == ([], False, ["learn", "sell"])
    assert await with_profile(purposes=[]) == {"Free letters", "Paid letters"}
    mine = (await service.client.get(ME, headers=me)).json()["data"]
    assert mine["purposes"] == ["exchange", "learn", "social"]
    for refused in ({"languages": ["klingon!"]}, {"purposes": ["fun"]}, {"free_only": 1}):
        assert (await service.client.patch(ME, json=refused, headers=me)).status_code == 422


@pytest.mark.parametrize(
    ("asked", "titles"),
    [
        ({}, {"In a room", "Online"}),
        ({"mode": "online"}, {"Online"}),
        ({"mode": ["in_person"]}, {"In a room"}),
        ({"lang": "fr"}, {"In a room"}),
        ({"lang": ["fr", "en"]}, {"In a room", "Online"}),
        ({"free": True}, {"In a room"}),
        ({"purpose": "social"}, {"Online"}),
        ({"purpose": ["learn"]}, {"In a room"}),
    ],
)
async def test_recommendations_are_narrowed_by_what_is_asked(
    service: Service, asked: dict[str, Any], titles: set[str]
) -> None:
    await service.store(
        draft("room", "In a room", venue=MUNICH, mode="in_person", language="fr"),
        draft("screen", "Online", days=2, mode="online", language="en"),
        topics={"room": {"ux-design": 0.9}, "screen": {"teaching": 0.9}},
    )
    await change(service, "In a room", is_free=True, purpose={"learn": 0.6, "social": 0.4})
    await change(service, "Online", purpose={"learn": 0.3, "social": 0.7})
    answer = await service.client.post(
        "/api/v1/recommendations", json={"know": ["JavaScript", "React"], "near": "Munich", **asked}
    )
    assert {pick["event"]["title"] for pick in answer.json()["data"]} == titles


async def test_what_is_left_out_says_why(service: Service) -> None:
    ids = await service.store(
        draft("pick", "Letters", venue=MUNICH),
        draft("known", "Hooks in depth", days=2, venue=MUNICH),
        draft("pitch", "A demo", days=3, venue=MUNICH),
        draft("hidden", "Openings", days=4, venue=MUNICH),
        draft("far", "Letters abroad", days=5, venue=replace(MUNICH, city="Hamburg", lat=53.55, lon=9.99)),
        draft("plain", "A meeting", days=6, venue=MUNICH),
        draft("other", "Stars", days=7, venue=MUNICH),
        topics={
            "pick": {"ux-design": 0.9},
            "known": {"react": 0.9},
            "pitch": {"teaching": 0.9},
            "hidden": {"chess": 0.9},
            "far": {"ux-design": 0.9},
            "other": {"astronomy": 0.9},
        },
    )
    await change(service, "A demo", purpose={"sell": 0.9, "learn": 0.1}, purpose_phrases=["book a demo"])
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich")
    await service.client.post(f"{ME}/hidden", json={"kind": "topic", "subject": "chess"}, headers=me)
    answer = await service.client.get(f"{ME}/recommendations?left_out=true", headers=me)
    shapes.Slate.model_validate(answer.json())
    assert [pick["event"]["title"] for pick in answer.json()["data"]] == ["Letters"]
    left_out = {one["event"]["title"]: (one["code"], one["sentence"]) for one in answer.json()["meta"]["left_out"]}
    assert left_out == {
        "Hooks in depth": ("inside", "It is about React, which you know."),
        "A demo": ("purpose", "People seem to come there to sell (“book a demo”), which you did not ask for."),
        "Openings": ("hidden-topic", "It is about Chess, which you hid."),
        "A meeting": ("no-topic", "Its texts do not say clearly enough what it is about."),
        "Stars": (
            "no-path",
            "It is about Astronomy, and nothing that you know leads there at the reach you chose.",
        ),
    }
    for uid, code in (("pick", None), ("known", "inside"), ("far", "distance")):
        told = await service.client.get(f"{ME}/recommendations/{ids[uid]}", headers=me)
        shapes.StandingAnswer.model_validate(told.json())
        data = told.json()["data"]
        assert (data["week"], data["left_out"] and data["left_out"]["code"]) == (None if code else "2026-W49", code)
        assert (data["pick"] is None) == (code is not None)
    plain = await service.client.get(f"{ME}/recommendations", headers=me)
    assert "left_out" not in plain.json()["meta"]


async def test_feedback_on_a_topic_moves_later_weeks(service: Service) -> None:
    topics = {"ux": {"ux-design": 0.9}, "data": {"data-visualisation": 0.9}}
    await service.store(
        *(
            draft(f"{uid}{week}", f"{uid} in week {week}", days=2 + 7 * week, venue=MUNICH)
            for week in range(6)
            for uid in topics
        ),
        topics={f"{uid}{week}": told for week in range(6) for uid, told in topics.items()},
    )
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich", days=7)
    order = []
    for week in range(6):
        titles = await week_of(service, week)
        order.append([title.split()[0] for title in titles])
        async with service.database.reading() as session:
            ids = {event.title: event.key for event in await session.exec(select(Event))}
        for title in titles:
            kind = "dismissed" if title.startswith("ux") else "attended"
            said = {"event": ids[title], "kind": kind}
            assert (await service.client.post(f"{ME}/feedback", json=said, headers=me)).status_code == 200
    assert order[0] == ["ux", "data"]
    assert order[-1][0] == "data"


async def test_without_a_profile_picks_are_popular_and_say_so(service: Service) -> None:
    await a_season(service)
    me = await service.guest()
    await service.client.patch(ME, json={"near": "Munich", "days": 30}, headers=me)
    mine = (await service.client.get(f"{ME}/recommendations", headers=me)).json()["data"]
    anonymous = await service.client.post("/api/v1/recommendations", json={"near": "Munich", "days": 30})
    for picks in (mine, anonymous.json()["data"]):
        assert len(picks) >= 4
        assert {pick["reason"].split(":")[0] for pick in picks} == {"Picked without knowing you"}


async def test_who_knows_hundreds_of_topics_is_answered_and_told_so(service: Service) -> None:
    await a_season(service)
    know = [topic.label for topic in load_catalogue().topics[::3] if topic.slug not in TOPICS]
    assert len(know) > 500
    asked = {"know": know, "near": "Munich", "days": 30}
    with within(5):
        answer = await service.client.post("/api/v1/recommendations", json=asked)
    picks = answer.json()["data"]
    assert picks
    assert all(pick["reason"].startswith("You know something of nearly every field; ") for pick in picks)


def test_who_knows_one_small_field_does_not_count_as_knowing_everything() -> None:
    lone = [topic.slug for topic in load_catalogue().topics[::60]]
    assert [slug for slug in ["golf", *lone] if is_everywhere(Wish(known={slug: 3}))] == []


async def test_all_unknown_topics_are_named_at_once(service: Service) -> None:
    answer = await service.client.post("/api/v1/recommendations", json={"know": ["Reactt", "React", "Typografy"]})
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["label"]) == (422, "/problems/unknown-topic", "Reactt")
    assert [one["label"] for one in problem["unknown"]] == ["Reactt", "Typografy"]
    assert [one["suggestions"][0] for one in problem["unknown"]] == ["React", "Typography"]


async def test_what_was_refused_stays_out_when_it_is_merged_into_another(service: Service) -> None:
    ids = await a_season(service)
    me = await service.guest(know={"JavaScript": 4, "React": 4}, near="Munich", days=30)
    said = {"event": ids["ux-design"], "kind": "dismissed"}
    await service.client.post(f"{ME}/feedback", json=said, headers=me)
    twin = await service.store(
        draft("twin", "The same evening elsewhere", days=16, venue=MUNICH), topics={"twin": {"ux-design": 0.9}}
    )
    async with service.database.writing() as session:
        by_key = {event.key: event for event in await session.exec(select(Event))}
        by_key[ids["ux-design"]].merged_into = by_key[twin["twin"]].id
    assert not {"An evening of ux-design", "The same evening elsewhere"} & set(await week_of(service, 1))


async def test_groups_of_mutual_help_are_picked_for_those_concerned_alone(service: Service) -> None:
    ids = await service.store(
        draft("help", "Tuesday circle", venue=MUNICH), topics={"help": {"addiction-recovery": 0.9}}
    )
    asked = {"near": "Munich", "reach": "next-door"}
    answer = await service.client.post("/api/v1/recommendations", json={"know": ["Nursing"], **asked})
    assert answer.json()["data"] == []
    me = await service.guest(know=["Nursing"], near="Munich")
    told = (await service.client.get(f"{ME}/recommendations/{ids['help']}", headers=me)).json()["data"]["left_out"]
    assert told == {
        "code": "for-those-concerned",
        "sentence": "It is for those concerned by Addiction recovery; say that you know it if you are.",
    }


def test_topics_of_mutual_help_are_in_the_catalogue() -> None:
    assert set(load_catalogue().index) >= MUTUAL_HELP
