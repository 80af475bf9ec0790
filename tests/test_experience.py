"""What an instance learns from its own feedback: the prior drifts, and those who go where others go are led by them."""

from __future__ import annotations

from pathlib import Path

import pytest
from service import MUNICH, NOW, draft, serving
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import Database
from app.models import Community, Event, Feedback
from app.people import experience, people
from app.people.experience import count_answers, experience_of, learn_from_feedback
from recommender.catalogue import load_catalogue
from recommender.topic_worth import score_topics

pytest_plugins = ("databases",)

REACT = {"react": 4, "javascript": 4}


def test_answers_are_counted_beside_what_was_expected_and_what_is_known_by_now_counts_no_longer() -> None:
    want = score_topics(REACT, "one-step").want[load_catalogue().index["ux-design"]]
    said = {(1, "ux-design"): True, (2, "ux-design"): False, (1, "react"): True, (1, "a-topic-that-was"): True}
    counted = count_answers(said, {1: REACT, 2: REACT})
    assert counted == {"ux-design": (2, pytest.approx(2 * want), 1)}


async def some_events(session: AsyncSession, *keys: str) -> dict[str, int]:
    """Store an event, each of a community of its own, and return their ids."""
    ids = {}
    for key in keys:
        community = Community(key=key, name=key, updated_at=NOW)
        session.add(community)
        await session.flush()
        event = Event(key=key, title=key, starts_at=NOW, created_at=NOW, updated_at=NOW, community_id=community.id)
        session.add(event)
        await session.flush()
        ids[key] = event.id or 0
    return ids


async def test_prior_follows_what_people_here_welcome_and_dismiss(database: Database) -> None:
    async with database.reading() as session:
        assert not (await experience_of(session)).drift.any()
    async with database.writing() as session:
        events = await some_events(session, "letters", "maps", "charts")
        for _ in range(20):
            person = await people.make_person(session)
            await people.set_expertise(session, person, REACT)
            for event, topic, kind in (
                ("letters", "typography", "saved"),
                ("maps", "ux-design", "saved"),
                ("charts", "ux-design", "dismissed"),  # the last word on a topic counts, and only that
                ("charts", "data-visualisation", "too_far"),  # about the distance, not about the topic
            ):
                row = {"person_id": person.id, "event_id": events[event], "topic": topic, "given_at": NOW}
                session.add(Feedback(**row, kind=kind))
                await session.flush()
    assert await learn_from_feedback(database, now=NOW) == 40
    async with database.reading() as session:
        drift = (await experience_of(session)).drift
    index = load_catalogue().index
    assert drift[index["typography"]] > 0.5
    assert drift[index["ux-design"]] < -0.05
    assert (drift != 0).sum() == 2


async def test_company_tells_once_enough_people_went_to_several_groups(database: Database) -> None:
    async with database.writing() as session:
        events = await some_events(session, "press", "type", "chess", "go")
        for number in range(experience.FEWEST):
            person = await people.make_person(session)
            for key in ("press", "type") if number % 2 else ("chess", "go"):
                session.add(Feedback(person_id=person.id, event_id=events[key], kind="attended", given_at=NOW))
    await learn_from_feedback(database, now=NOW)
    async with database.reading() as session:
        company = (await experience_of(session)).company
    assert company is not None
    together = company.together({"press"})
    assert together["type"] > 1.0 > together["go"]


async def test_what_was_learned_counts_for_people_without_an_account(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        topics = {"ux": {"ux-design": 0.9}, "viz": {"data-visualisation": 0.9}}
        ids = await service.store(
            *(draft(uid, uid, days=1 + day, venue=MUNICH) for day, uid in enumerate(topics)), topics=topics
        )
        asked = {"know": ["JavaScript", "React"], "near": "Munich"}

        async def first() -> str:
            answer = await service.client.post("/api/v1/recommendations", json=asked)
            return str(answer.json()["data"][0]["event"]["id"])

        assert await first() == ids["ux"]
        async with service.database.writing() as session:
            numbers = {event.key: event.id for event in await session.exec(select(Event))}
            for _ in range(100):
                person = await people.make_person(session)
                await people.set_expertise(session, person, REACT)
                for uid, topic, kind in (("ux", "ux-design", "dismissed"), ("viz", "data-visualisation", "going")):
                    row = {"person_id": person.id, "event_id": numbers[ids[uid]], "topic": topic, "given_at": NOW}
                    session.add(Feedback(**row, kind=kind))
        await learn_from_feedback(service.database, now=NOW)
        assert await first() == ids["viz"]
