"""Backups: what was saved from either database is restored into either, whole; what cannot be is refused untouched."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import stat
import tarfile
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from service import draft, settings_in
from sqlalchemy import JSON, Boolean, Column, DateTime, Float, Integer, LargeBinary, Table, insert, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select
from test_migrations import content
from typer.testing import CliRunner

from app.cli.commands import cli
from app.cli.failing import Failed
from app.collecting import frontier
from app.db import Database, current_revision, migrate, newest_revision
from app.events import ingest
from app.models import Event, Person, Setting
from app.operating.archive import BadBackup
from app.operating.backup import back_up, restore

pytest_plugins = ("databases",)

CLOCK = datetime(2026, 12, 1, 12, 0, 0, 123456, tzinfo=UTC)
ROWS = 3
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what happens before any database
to_postgresql = pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
TRANSIENT = {"worker", "revision", "rendering"}


@pytest.fixture
async def elsewhere(empty_url: str) -> AsyncIterator[Database]:
    """Another database, without a table."""
    database = Database(empty_url.replace("adjacent.sqlite3", "elsewhere.sqlite3"))
    yield database
    await database.close()


async def fill(database: Database) -> None:
    """Put rows into every table there is."""
    async with database.writing() as session:
        for table in SQLModel.metadata.sorted_tables:
            rows = [{one.name: value(table, one, number) for one in table.columns} for number in range(1, ROWS + 1)]
            await session.exec(table.delete())
            await session.exec(
                insert(table), params=[row | {name: None for name in row if name == "merged_into"} for row in rows]
            )
        await session.exec(text("UPDATE event SET merged_into = 3 WHERE id = 1"))


def value(table: Table, column: Column[Any], number: int) -> Any:
    for foreign in column.foreign_keys:
        return value(foreign.column.table, foreign.column, number)
    kind = column.type
    if isinstance(kind, DateTime) or "DateTime" in type(kind).__name__:
        return CLOCK + timedelta(microseconds=number)
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, Integer):
        return number
    if isinstance(kind, Float):
        return number / 3
    if isinstance(kind, LargeBinary):
        return bytes([0, number, 255])
    if isinstance(kind, JSON):
        return {"ä": [number, None, 0.1, "\u2028"]}
    return f"{table.name}.{column.name} {number}: „Ink & paper“ 🖋\n"


async def kept(database: Database) -> dict[str, Any]:
    return {name: rows for name, rows in (await content(database)).items() if name not in TRANSIENT}


async def test_what_was_saved_is_restored_into_either_database(
    database: Database, elsewhere: Database, tmp_path: Path
) -> None:
    await fill(database)
    before = await kept(database)
    assert {name: len(rows) for name, rows in before.items()} == dict.fromkeys(before, ROWS)
    file = tmp_path / ("all.zip" if elsewhere.is_sqlite else "all.tar.gz")
    manifest = await back_up(database, file, clock=CLOCK)
    assert (zipfile.is_zipfile(file), tarfile.is_tarfile(file)) == (elsewhere.is_sqlite, not elsewhere.is_sqlite)
    assert {name: part.rows for name, part in manifest.tables.items() if name not in TRANSIENT} == dict.fromkeys(
        before, ROWS
    )
    await restore(elsewhere, file, clock=CLOCK)
    assert await kept(elsewhere) == before
    assert await current_revision(elsewhere) == newest_revision()
    async with elsewhere.writing() as session:  # numbers go on after those that were restored
        session.add(Person(key="next", created_at=CLOCK, reach_chosen_at=CLOCK))
        await session.flush()
        assert (await session.exec(select(Person.id).where(Person.key == "next"))).one() == ROWS + 1


async def test_backup_is_of_one_moment_while_others_write(database: Database, tmp_path: Path) -> None:
    stopping = asyncio.Event()

    async def write() -> None:
        number = 0
        while not stopping.is_set():
            number += 1
            async with database.writing() as session:
                source = await frontier.add_source(session, f"https://{number}.example/a.ics")
                await ingest.store(session, source, ingest.Changes(added=(draft(f"{number}"),)), now=CLOCK)

    writing = asyncio.create_task(write())
    for _ in range(2):  # the second has rows to miss
        manifest = await back_up(database, tmp_path / "all.tar.gz", clock=CLOCK)
    stopping.set()
    await writing
    numbers = {manifest.tables[name].rows for name in ("host", "source", "fetchstate", "event", "eventversion")}
    assert len(numbers) == 1
    assert numbers != {0}


async def test_database_with_content_is_left_alone_unless_told(database: Database, tmp_path: Path) -> None:
    await back_up(database, tmp_path / "empty.tar.gz", clock=CLOCK)
    await fill(database)
    before = await content(database)
    with pytest.raises(BadBackup, match="holds a source already; restore into an empty database, or say --replace"):
        await restore(database, tmp_path / "empty.tar.gz", clock=CLOCK)
    assert await content(database) == before
    await restore(database, tmp_path / "empty.tar.gz", clock=CLOCK, replaces=True)
    assert {name for name, rows in (await kept(database)).items() if rows} == set()


async def test_revisions_rise_so_that_kept_answers_are_not_taken_for_the_restored_rows(
    database: Database, tmp_path: Path
) -> None:
    await fill(database)
    await back_up(database, tmp_path / "all.tar.gz", clock=CLOCK)
    before = {row["name"]: row["number"] for row in (await content(database))["revision"]}
    await restore(database, tmp_path / "all.tar.gz", clock=CLOCK, replaces=True)
    after = {row["name"]: row["number"] for row in (await content(database))["revision"]}
    assert all(after[name] > number + 1_000_000 for name, number in before.items())


@on_sqlite
async def test_damaged_archive_changes_nothing(database: Database, tmp_path: Path) -> None:
    await fill(database)
    before = await content(database)
    sound = tmp_path / "all.tar.gz"
    await back_up(database, sound, clock=CLOCK)
    before |= {"setting": (await content(database))["setting"]}
    for damage, told in (
        (lambda name, body: body.replace(b"Ink", b"Oil") if name == "tables/event.jsonl" else body, "event is damaged"),
        (lambda name, body: body[: len(body) // 2] if name == "tables/event.jsonl" else body, "event is damaged"),
        (lambda name, body: None if name == "tables/person.jsonl" else body, "holds no tables/person.jsonl"),
        (lambda name, body: None if name == "manifest.json" else body, "holds no manifest.json"),
        (lambda name, body: b"{}" if name == "manifest.json" else body, "its manifest is not one of ours"),
        (
            lambda name, body: body.replace(b'"schema": "', b'"schema": "9') if name == "manifest.json" else body,
            "newer",
        ),
    ):
        broken = tmp_path / "broken.tar.gz"
        rewrite(sound, broken, damage)
        with pytest.raises(BadBackup, match=told):
            await restore(database, broken, clock=CLOCK, replaces=True)
    await back_up(database, tmp_path / "all.zip", clock=CLOCK)
    before |= {"setting": (await content(database))["setting"]}
    for name in ("all.tar.gz", "all.zip"):
        whole = (tmp_path / name).read_bytes()
        for cut in (len(whole) // 2, 10, 0):
            (tmp_path / name).write_bytes(whole[:cut])
            with pytest.raises(BadBackup, match="no archive of `adjacent backup`, or a damaged one"):
                await restore(database, tmp_path / name, clock=CLOCK, replaces=True)
    assert await content(database) == before


async def test_rows_that_cannot_be_loaded_leave_what_was_there(database: Database, tmp_path: Path) -> None:
    await fill(database)
    sound, broken = tmp_path / "all.tar.gz", tmp_path / "broken.tar.gz"
    await back_up(database, sound, clock=CLOCK)
    before = await content(database)
    events = member(sound, "tables/event.jsonl") * 2  # each is there twice, and the checksum is right
    manifest = json.loads(member(sound, "manifest.json"))
    manifest["tables"]["event"] = {"rows": 2 * ROWS, "sha256": hashlib.sha256(events).hexdigest()}
    instead = {"tables/event.jsonl": events, "manifest.json": json.dumps(manifest).encode()}
    rewrite(sound, broken, instead.get)
    with pytest.raises(IntegrityError):
        await restore(database, broken, clock=CLOCK, replaces=True)
    assert await content(database) == before


def member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as whole:
        return whole.extractfile(name).read()


def rewrite(sound: Path, broken: Path, damage) -> None:
    with tarfile.open(sound) as whole, tarfile.open(broken, "w:gz") as archive:
        for member in whole.getmembers():
            body = damage(member.name, whole.extractfile(member).read())
            if body is not None:
                info = tarfile.TarInfo(member.name)
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))


@to_postgresql
async def test_backup_of_an_older_version_is_brought_up_to_date(elsewhere: Database, tmp_path: Path) -> None:
    older = Database(f"sqlite+aiosqlite:///{tmp_path / 'older.sqlite3'}")
    await migrate(older)
    async with older.writing() as session:
        source = await frontier.add_source(session, "https://reading.example/a.ics", city="Munich", country="DE")
        await ingest.store(session, source, ingest.Changes(added=(draft("a", "Reading Proust aloud"),)), now=CLOCK)
    await migrate(older, "0007")
    manifest = await back_up(older, tmp_path / "old.tar.gz", clock=CLOCK)
    await older.close()
    assert manifest.schema == "0007"
    await restore(elsewhere, tmp_path / "old.tar.gz", clock=CLOCK)
    assert await current_revision(elsewhere) == newest_revision()
    async with elsewhere.reading() as session:
        assert [event.title for event in await session.exec(select(Event))] == ["Reading Proust aloud"]


@on_sqlite
async def test_secrets_go_along_where_asked_and_never_over_those_that_are_there(
    database: Database, tmp_path: Path
) -> None:
    old, new = settings_in(tmp_path / "old"), settings_in(tmp_path / "new")
    keys = {name: old.secret(name) for name in ("codes", "cookies")}
    kept_key = new.secret("codes")
    file = tmp_path / "all.tar.gz"
    assert (await back_up(database, file, clock=CLOCK)).secrets == []
    assert (await back_up(database, file, clock=CLOCK, secrets=old.data)).secrets == ["codes.key", "cookies.key"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await restore(database, file, clock=CLOCK, secrets=new.data)
    assert (new.secret("codes"), new.secret("cookies")) == (kept_key, keys["cookies"])
    assert stat.S_IMODE((new.data / "cookies.key").stat().st_mode) == 0o600


@on_sqlite
async def test_backup_notes_when_it_was_made(database: Database, tmp_path: Path) -> None:
    await back_up(database, tmp_path / "all.tar.gz", clock=CLOCK)
    async with database.reading() as session:
        assert (await session.get_one(Setting, "last backup")).value == CLOCK.isoformat()
    assert [name for name in os.listdir(tmp_path) if name.startswith(".backup")] == []  # noqa: PTH208 (in a coroutine)


def test_commands_save_and_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, file = CliRunner().invoke, str(tmp_path / "all.tar.gz")
    monkeypatch.setenv("ADJACENT_NOW", CLOCK.isoformat())
    monkeypatch.setenv("ADJACENT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ADJACENT_DATABASE_URL", f"sqlite:///{tmp_path / 'one.sqlite3'}")
    assert run(cli, ["people", "add", "ada@example.org"]).exit_code == 0
    saved = run(cli, ["backup", file])
    assert (saved.exit_code, "saved" in saved.stderr) == (0, True)
    monkeypatch.setenv("ADJACENT_DATABASE_URL", f"sqlite:///{tmp_path / 'other.sqlite3'}")
    restored = run(cli, ["restore", file])
    assert (restored.exit_code, "no mail.key is there" in restored.stderr) == (0, True)
    assert [one["email"] for one in json.loads(run(cli, ["people", "list", "--json"]).stdout)] == ["ada@example.org"]
    assert isinstance(run(cli, ["restore", file]).exception, BadBackup)
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "mail.key").touch()
    restored = run(cli, ["restore", file, "--replace"])
    assert (restored.exit_code, "mail.key" in restored.stderr) == (0, False)


def test_nothing_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADJACENT_DATABASE_URL", f"sqlite:///{tmp_path / 'new' / 'one.sqlite3'}")
    ended = CliRunner().invoke(cli, ["backup", str(tmp_path / "all.tar.gz")])
    assert isinstance(ended.exception, Failed)
    assert str(ended.exception).startswith("nothing to save in sqlite")
    assert not (tmp_path / "all.tar.gz").exists()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700  # what is made for a database is nobody else's
