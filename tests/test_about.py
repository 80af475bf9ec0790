"""Step 5: events get their topics and purpose once, and again when text or model change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from service import NOW, draft
from sqlmodel import col, select

from app.collecting.frontier import add_source
from app.db import Database, migrate
from app.events import about, ingest
from app.models import Community, Embedding, Event, EventTopic
from scrapers import EventDraft

LATER = NOW + timedelta(hours=1)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'adjacent.sqlite'}")
    await migrate(made)
    yield made
    await made.close()


async def store(database: Database, *drafts: EventDraft, community: str | None = None) -> None:
    async with database.writing() as session:
        source = await add_source(session, "https://calendar.example/a.ics")
        if community and source.community_id is None:
            group = Community(key=community, name=community, updated_at=NOW)
            session.add(group)
            await session.flush()
            source.community_id = group.id
        assert source.id is not None
        known = await ingest.stored_versions(session, source.id)
        added = tuple(one for one in drafts if one.key not in known)
        changed = tuple((known[one.key].id, one) for one in drafts if one.key in known)
        await ingest.store(session, source, ingest.Changes(added=added, changed=changed), now=NOW)


async def events(database: Database) -> dict[str, Event]:
    async with database.reading() as session:
        return {event.title: event for event in await session.exec(select(Event))}


async def topics(database: Database) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    async with database.reading() as session:
        for topic, title in await session.exec(
            select(EventTopic, Event.title).join(Event, col(Event.id) == EventTopic.event_id)
        ):
            found.setdefault(title, set()).add(topic.topic)
    return found


async def test_new_events_get_topics_and_purpose_once(database: Database) -> None:
    await store(
        database,
        draft("a", "Haskell for beginners: a hands-on workshop"),
        draft("b", "Sourdough bread baking class"),
    )
    assert await about.tag_new(database, now=LATER) == 2
    assert await about.tag_new(database, now=LATER + timedelta(hours=1)) == 0
    found = await topics(database)
    assert "haskell" in found["Haskell for beginners: a hands-on workshop"]
    haskell = (await events(database))["Haskell for beginners: a hands-on workshop"]
    assert max(haskell.purpose, key=haskell.purpose.__getitem__) == "learn"
    assert haskell.purpose_phrases
    assert haskell.welcomes > 0
    assert haskell.updated_at == LATER
    assert haskell.sequence == 0


async def test_community_tells_what_a_bare_title_is_about(database: Database) -> None:
    await store(database, draft("a", "October meeting"), community="Nashville UX")
    await about.tag_new(database, now=LATER)
    assert (await topics(database))["October meeting"] >= {"ux-design"}


async def test_changed_text_is_tagged_anew_and_old_topics_go(database: Database) -> None:
    first = draft("a", "Kubernetes evening")
    await store(database, first)
    await about.tag_new(database, now=NOW)
    await store(database, replace(first, title="Watercolour evening"))
    assert await about.tag_new(database, now=LATER) == 1
    found = await topics(database)
    assert found.keys() == {"Watercolour evening"}
    assert "kubernetes" not in found["Watercolour evening"]


async def test_new_model_that_finds_the_same_leaves_updated_at_alone(database: Database) -> None:
    await store(database, draft("a", "Kubernetes evening"))
    await about.tag_new(database, now=NOW)
    async with database.writing() as session:
        event = (await session.exec(select(Event))).one()
        tagged_at, event.tagged_digest = event.updated_at, "of an older model"
    assert await about.tag_new(database, now=LATER) == 1
    event = (await events(database))["Kubernetes evening"]
    assert event.updated_at == tagged_at
    assert event.tagged_digest is not None
    assert event.tagged_digest.startswith(event.text_digest)


async def test_whoever_follows_changes_hears_that_beginners_are_welcome(database: Database) -> None:
    await store(database, draft("a", "Haskell for beginners"))
    await about.tag_new(database, now=NOW)
    async with database.writing() as session:  # as a version before found it
        event = (await session.exec(select(Event))).one()
        event.welcomes, event.tagged_digest = 0.0, "of an older model"
    await about.tag_new(database, now=LATER)
    (event,) = (await events(database)).values()
    assert (event.welcomes > 0, event.updated_at) == (True, LATER)


async def test_equal_texts_are_embedded_once(database: Database) -> None:
    await store(database, *(draft(f"week-{week}", "Weekly Go game evening", days=7 * week) for week in range(1, 5)))
    assert await about.tag_new(database, now=LATER) == 4
    async with database.reading() as session:
        assert len((await session.exec(select(Embedding))).all()) == 1


async def test_more_events_than_a_batch_are_all_tagged(database: Database) -> None:
    await store(
        database, *(draft(f"n{number}", "Chess club", days=1 + number / 1000) for number in range(about.BATCH + 5))
    )
    assert await about.tag_new(database, now=LATER) == about.BATCH + 5


async def test_language_of_an_event_stored_before_it_was_told_is_found_out(database: Database) -> None:
    words = "Wir treffen uns jeden Monat im Hinterhaus und drucken gemeinsam mit alten Lettern."
    await store(database, draft("a", "Abend der alten Lettern", description=words))
    async with database.writing() as session:
        (event,) = await session.exec(select(Event))
        event.language = None
    await about.tag_new(database, now=LATER)
    (event,) = (await events(database)).values()
    assert (event.language, event.updated_at) == ("de", LATER)
