"""What is long past goes, with all that hangs on it; what somebody said something about stays."""

from __future__ import annotations

from datetime import timedelta

from service import NOW, draft
from sqlalchemy import func
from sqlmodel import select

from app.collecting import frontier
from app.db import Database
from app.events import about, ingest
from app.models import (
    Audit,
    Embedding,
    Event,
    EventVersion,
    Feed,
    Feedback,
    FeedEntry,
    Person,
    Proposal,
    ShownPick,
    Token,
)
from app.operating import retention

pytest_plugins = ("databases",)

KEEP = timedelta(days=400)
DAY = timedelta(days=1)


async def store(database: Database, *drafts, url: str = "https://calendar.example/a.ics") -> dict[str, int]:
    async with database.writing() as session:
        source = await frontier.add_source(session, url)
        await ingest.store(session, source, ingest.Changes(added=drafts), now=NOW)
        told = await session.exec(
            select(EventVersion.uid, EventVersion.event_id).where(EventVersion.source_id == source.id)
        )
        return dict(told.all())


async def left(database: Database) -> set[str]:
    async with database.reading() as session:
        return set(await session.exec(select(Event.title)))


async def count(database: Database, table: type) -> int:
    async with database.reading() as session:
        return (await session.exec(select(func.count()).select_from(table))).one()


async def add_person(database: Database) -> int:
    async with database.writing() as session:
        person = Person(key="ada", created_at=NOW, reach_chosen_at=NOW)
        session.add(person)
        await session.flush()
        return person.id


async def test_events_long_over_go_with_all_that_hangs_on_them(database: Database) -> None:
    ids = await store(
        database,
        draft("old", "Long over", days=-401),
        draft("long", "Began long ago, ended just now", days=-401, ends_at=NOW - DAY),
        draft("recent", "Over", days=-399),
        draft("next", "Ahead", days=1),
    )
    person_id = await add_person(database)
    async with database.writing() as session:
        feed = Feed(key="f", person_id=person_id, name="Mine", created_at=NOW)
        session.add(feed)
        await session.flush()
        session.add(FeedEntry(feed_id=feed.id, event_id=ids["old"], entered_at=NOW))
        session.add(
            ShownPick(
                person_id=person_id,
                week="2025-W40",
                event_id=ids["old"],
                rank=1,
                pick={},
                profile_version=0,
                shown_at=NOW - 401 * DAY,
            )
        )
    assert await retention.forget_past(database, now=NOW, keep=KEEP) == 1
    assert await left(database) == {"Began long ago, ended just now", "Over", "Ahead"}
    assert [await count(database, table) for table in (EventVersion, FeedEntry, ShownPick)] == [3, 0, 0]
    assert await retention.forget_past(database, now=NOW, keep=KEEP) == 0


async def test_event_somebody_said_something_about_stays(database: Database) -> None:
    ids = await store(database, draft("old", "Remembered", days=-500), draft("other", "Forgotten", days=-500))
    person_id = await add_person(database)
    async with database.writing() as session:
        session.add(Feedback(person_id=person_id, event_id=ids["old"], kind="attended", given_at=NOW - 500 * DAY))
    assert await retention.forget_past(database, now=NOW, keep=KEEP) == 1
    assert await left(database) == {"Remembered"}


async def test_event_that_a_kept_one_was_merged_into_stays(database: Database) -> None:
    ids = await store(database, draft("a", "Target", days=-500), draft("b", "Merged", days=-500))
    person_id = await add_person(database)
    async with database.writing() as session:
        (await session.get_one(Event, ids["b"])).merged_into = ids["a"]
        session.add(Feedback(person_id=person_id, event_id=ids["b"], kind="saved", given_at=NOW))
    assert await retention.forget_past(database, now=NOW, keep=KEEP) == 0
    async with database.writing() as session:
        await session.delete((await session.exec(select(Feedback))).one())
    assert await retention.forget_past(database, now=NOW, keep=KEEP) == 2


async def test_vectors_of_texts_that_no_event_has_any_more_go(database: Database) -> None:
    await store(database, draft("a", "Weekly", days=-500), draft("b", "Weekly", days=7), draft("c", "Monthly", days=7))
    await store(database, draft("d", "Yearly", days=-500), url="https://calendar.example/b.ics")
    await about.tag_new(database, now=NOW)
    assert await about.forget_unused_vectors(database) == 0
    async with database.writing() as session:
        (await session.exec(select(Event).where(Event.title == "Monthly"))).one().title = "Fortnightly"
    assert await retention.forget_past(database, now=NOW, keep=KEEP) == 2
    assert await about.forget_unused_vectors(database) == 2  # of what was said before, and of what is past
    assert await count(database, Embedding) == 1


async def test_records_go_after_their_time(database: Database) -> None:
    long_ago = NOW - 401 * DAY
    async with database.writing() as session:
        session.add_all(
            [
                Token(digest="expired", kind="session", created_at=NOW, expires_at=NOW - DAY),
                Token(digest="revoked long ago", kind="feed", created_at=long_ago, revoked_at=long_ago),
                Token(digest="revoked", kind="feed", created_at=NOW, revoked_at=NOW - DAY),
                Token(digest="good", kind="api", created_at=long_ago),
                Proposal(url="https://a.example/", state="refused", proposed_at=long_ago, decided_at=long_ago),
                Proposal(url="https://b.example/", proposed_at=long_ago),
                Audit(at=NOW - 731 * DAY, action="source.add", subject="a"),
                Audit(at=long_ago, action="source.add", subject="b"),
            ]
        )
    async with database.writing() as session:
        assert await retention.forget_records(session, clock=NOW, keep=KEEP) == 3
    async with database.reading() as session:
        assert set(await session.exec(select(Token.digest))) == {"revoked", "good"}
        assert list(await session.exec(select(Proposal.url))) == ["https://b.example/"]
        assert list(await session.exec(select(Audit.subject))) == ["b"]
