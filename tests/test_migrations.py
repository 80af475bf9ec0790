"""The schema goes up, down and up again on both databases, and is what the models say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from service import NOW, draft
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel, select

from app.collecting import frontier
from app.db import Database, current_revision, migrate, newest_revision
from app.events import ingest
from app.models import Community, Event, EventVersion, Feedback, FetchState, Host, ShownPick, Source
from app.people import people

pytest_plugins = ("databases",)

FIRST = "0001"


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Database]:
    database = Database(empty_url)
    yield database
    await database.close()


async def test_schema_with_data_goes_up_down_and_up_again(empty: Database) -> None:
    await migrate(empty)
    async with empty.writing() as session:
        source = await frontier.add_source(session, "https://reading.example/a.ics", city="Munich", country="DE")
        drafts = (draft("a", "Reading Proust aloud – für alle"), draft("b", "Ink & paper", days=2, status="cancelled"))
        await ingest.store(session, source, ingest.Changes(added=drafts), now=NOW)
        community = Community(key="readers", name="Readers", join_steps=["Come in."], updated_at=NOW)
        session.add(community)
        await session.flush()
        source.community_id = community.id
    before = await content(empty)
    assert [len(before[table]) for table in ("host", "source", "fetchstate", "event", "eventversion")] == [
        1,
        1,
        1,
        2,
        2,
    ]
    await migrate(empty, FIRST)
    assert await current_revision(empty) == FIRST
    at_first = await content(empty)
    assert at_first == narrowed(before, at_first)
    await migrate(empty)
    assert await current_revision(empty) == newest_revision()
    again = await content(empty)
    assert narrowed(again, at_first) == at_first
    assert set(again) == set(before)
    assert await found(empty, "proust") == 1  # the search index was made again from what was there


async def test_schema_goes_down_to_nothing(empty: Database) -> None:
    await migrate(empty)
    await migrate(empty, "base")
    async with empty.engine.connect() as connection:
        left = await connection.run_sync(lambda one: one.dialect.get_table_names(one))
    assert left == ["alembic_version"]
    await migrate(empty)
    assert await content(empty) == {table.name: [] for table in SQLModel.metadata.sorted_tables}


async def test_models_are_what_the_migrations_make(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_both_databases_give_back_what_was_stored(database: Database) -> None:
    clock = datetime(2026, 10, 25, 0, 59, 59, 123456, tzinfo=UTC)
    async with database.writing() as session:
        session.add(Host(name="host.example:443", next_due=clock))
        await session.flush()
        session.add(Source(id=7, url="https://host.example/a", host="host.example:443", added_at=clock))
        await session.flush()
        session.add(FetchState(source_id=7, next_fetch_at=clock, problems=[{"code": "ä", "n": [1, None]}]))
    async with database.reading() as session:
        row = (await session.exec(select(FetchState))).one()
    assert (row.next_fetch_at, row.problems) == (clock, [{"code": "ä", "n": [1, None]}])


async def test_topics_of_picks_and_feedback_stood_as_labels_before_they_were_slugs(empty: Database) -> None:
    await migrate(empty)
    pick = {"topic": "ux-design", "topics": ["ux-design"], "path": ["React", "UX design"]}
    async with empty.writing() as session:
        source = await frontier.add_source(session, "https://reading.example/a.ics")
        await ingest.store(session, source, ingest.Changes(added=(draft("a"),)), now=NOW)
        person = await people.make_person(session)
        event = (await session.exec(select(Event))).one()
        event.sequence = 4
        row = {"person_id": person.id, "event_id": event.id}
        session.add(Feedback(**row, kind="saved", topic="ux-design", given_at=NOW))
        session.add(ShownPick(**row, week="2026-W49", rank=0, pick=pick, profile_version=0, shown_at=NOW))
    await migrate(empty, "0010")
    before = await content(empty)
    assert before["feedback"][0]["topic"] == "UX design"
    assert before["shownpick"][0]["pick"] == {"topics": ["ux-design"], "path": ["React", "UX design"]}
    await migrate(empty)
    after = await content(empty)
    assert after["feedback"][0]["topic"] == "ux-design"
    assert (after["shownpick"][0]["pick"], after["shownpick"][0]["sequence"]) == (pick, 4)


async def content(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of all tables there are, with the columns there are."""
    async with database.engine.connect() as connection:
        there = await connection.run_sync(columns)
        return {
            table.name: [
                dict(row)
                for row in (
                    await connection.execute(
                        select(*(one for one in table.columns if one.name in there[table.name])).order_by(
                            *table.primary_key.columns
                        )
                    )
                ).mappings()
            ]
            for table in SQLModel.metadata.sorted_tables
            if table.name in there
        }


def columns(connection: Connection) -> dict[str, set[str]]:
    looking = inspect(connection)
    return {table: {one["name"] for one in looking.get_columns(table)} for table in looking.get_table_names()}


def narrowed(tables: dict[str, list[dict[str, Any]]], like: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return of these tables what those of an older schema hold, too."""
    return {
        name: [{column: row[column] for column in old} for row, old in zip(tables[name], rows, strict=True)]
        for name, rows in like.items()
    }


async def found(database: Database, word: str) -> int:
    query = (
        "SELECT count(*) FROM event_search WHERE event_search MATCH :word"
        if database.is_sqlite
        else "SELECT count(*) FROM event WHERE to_tsvector('simple', title || ' ' || description) @@ to_tsquery(:word)"
    )
    async with database.engine.connect() as connection:
        return int(await connection.scalar(text(query), {"word": word}) or 0)


def differences(connection: Connection) -> list[Any]:
    def is_ours(name: str | None, kind: str, _: Any) -> bool:
        # What is searched is SQL of its own on each database, unknown to the models.
        is_searched = (name or "").startswith(("event_search", "ix_event_search", "search_document"))
        return kind not in ("table", "index", "column") or not is_searched

    return list(
        compare_metadata(
            MigrationContext.configure(connection, opts={"include_name": is_ours, "compare_type": True}),
            SQLModel.metadata,
        )
    )


def test_versions_cannot_double() -> None:
    columns = EventVersion.__table__.columns  # type: ignore[attr-defined]
    assert not columns["recurrence_id"].nullable
    assert Event.__table__.columns["key"].unique  # type: ignore[attr-defined]
