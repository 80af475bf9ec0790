"""Backups: all rows as JSON lines in one archive, so that what SQLite held can be restored into PostgreSQL, and back.

The secrets of the data folder go in where that is asked for. What is derived is left out: search indexes, renderings, the
queue's own tables.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import Column, Connection, DateTime, LargeBinary, MetaData, Table, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import Database, bring_schema, current_revision, newest_revision
from app.models import Setting
from app.operating.archive import Archive, BadBackup, Manifest, Part, opened, pack

BATCH = 1_000  # rows
DERIVED = ("alembic_version", "event_search", "pgqueuer", "rendering", "worker")  # and what begins so
COUNTED = "revision"  # filled by triggers while the others are loaded; its rows come last and as they were
CONTENT = ("source", "person", "event")  # a database with a row of these is not empty
LAST_BACKUP = "last backup"  # the setting that says when

T = TypeVar("T")


async def back_up(database: Database, file: Path, *, clock: datetime, secrets: Path | None = None) -> Manifest:
    """Write all rows as they are at one moment into a file only its owner can read; others may go on writing.

    `secrets` is the data folder whose keys go in, too.
    """
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backup-") as folder:
        async with _at_one_moment(database) as connection:
            schema = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            tables = await connection.run_sync(_tables)
            parts = {str(one.name): await _write_rows(connection, one, Path(folder) / one.name) for one in tables}
        keys = await asyncio.to_thread(_keys, secrets) if secrets else {}
        manifest = Manifest(str(schema), clock.isoformat(), parts, list(keys))
        await asyncio.to_thread(pack, Path(folder), manifest, keys, file)
    async with database.writing() as session:
        await session.merge(Setting(name=LAST_BACKUP, value=clock.isoformat()))
    return manifest


async def restore(
    database: Database, file: Path, *, clock: datetime, replaces: bool = False, secrets: Path | None = None
) -> Manifest:
    """Load an archive into a database without content, or in the place of its content, and bring it up to date.

    Everything is checked first and happens in one transaction: afterwards all of it is there, or nothing changed.
    `secrets` is the data folder that the archive's keys are put into; those that are there stay.
    """
    with opened(file) as archive:
        manifest = archive.manifest
        archive.check()
        there = await current_revision(database)
        if not replaces and there is not None:
            await _refuse_content(database)
        async with database.at_edge() as connection:
            if not database.is_sqlite:  # a table whose triggers wait for the commit cannot be altered
                await connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            if there != manifest.schema:
                await connection.run_sync(bring_schema, "base")
                await connection.run_sync(bring_schema, manifest.schema)
            await connection.run_sync(_load, archive)
            if manifest.schema != newest_revision():
                await connection.run_sync(bring_schema, "head")
            # Answers that were kept, here or by whoever asked, must not be taken for those of the restored rows.
            await connection.run_sync(_jump, int(clock.timestamp()))
        if secrets is not None:
            await asyncio.to_thread(_put_keys, secrets, archive.keys())
    return manifest


@asynccontextmanager
async def _at_one_moment(database: Database) -> AsyncIterator[AsyncConnection]:
    """Lend a connection that sees the database as it is now until the block ends."""
    async with database.engine.connect() as connection:
        if not database.is_sqlite:  # which does so in any transaction
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


def _tables(connection: Connection) -> list[Table]:
    """Return the tables that hold content, those that others refer to first, as the database describes them."""
    described = MetaData()
    described.reflect(connection, only=lambda name, _: not name.startswith(DERIVED))
    return sorted(described.sorted_tables, key=lambda table: table.name == COUNTED)


async def _write_rows(connection: AsyncConnection, table: Table, path: Path) -> Part:
    digest, number = hashlib.sha256(), 0
    columns = [column for column in table.columns if column.computed is None]  # the database computes those again
    names = [str(column.name) for column in columns]
    rows = await connection.stream(
        select(*columns).order_by(*table.primary_key), execution_options={"yield_per": BATCH}
    )
    with path.open("wb") as file:
        async for row in rows:
            told = dict(zip(names, map(_told, row), strict=True))
            line = orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
            file.write(line)
            digest.update(line)
            number += 1
    return Part(number, digest.hexdigest())


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _load(connection: Connection, archive: Archive) -> None:
    tables, manifest = _tables(connection), archive.manifest
    if unknown := manifest.tables.keys() - {table.name for table in tables}:
        raise BadBackup(f"the archive holds {', '.join(sorted(unknown))}, which schema {manifest.schema} does not have")
    for table in reversed(tables):
        connection.execute(table.delete())
    for table in tables:
        if table.name not in manifest.tables:
            continue
        if table.name == COUNTED:
            connection.execute(table.delete())  # what was counted while the others were loaded
        own = {foreign.parent.name for foreign in table.foreign_keys if foreign.column.table is table}
        with archive.rows(table.name) as lines:
            rows = (_read(table, orjson.loads(line), connection) for line in lines)
            for batch in _batches(rows, BATCH):
                # Rows may refer to later ones of their table: those references are written in a second round.
                connection.execute(insert(table), [row | dict.fromkeys(own) for row in batch])
        if own:
            with archive.rows(table.name) as lines:
                _refer(connection, table, own, (_read(table, orjson.loads(line), connection) for line in lines))
        if connection.dialect.name == "postgresql":
            _move_sequence(connection, table)


def _jump(connection: Connection, numbers: int) -> None:
    revisions = next(table for table in _tables(connection) if table.name == COUNTED)
    connection.execute(update(revisions).values(number=revisions.columns["number"] + numbers))


def _refer(connection: Connection, table: Table, own: set[str], rows: Iterable[dict[str, Any]]) -> None:
    key = table.primary_key.columns.values()[0]
    for row in rows:
        if any(row[name] is not None for name in own):
            connection.execute(update(table).where(key == row[key.name]).values({name: row[name] for name in own}))


def _read(table: Table, row: Mapping[str, Any], connection: Connection) -> dict[str, Any]:
    is_naive = connection.dialect.name == "sqlite"
    return {name: _value(table.columns[name], value, is_naive=is_naive) for name, value in row.items()}


def _value(column: Column[Any], value: Any, *, is_naive: bool) -> Any:
    if value is None:
        return None
    if isinstance(column.type, DateTime):
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=None) if is_naive else instant
    return base64.b64decode(value) if isinstance(column.type, LargeBinary) else value


def _move_sequence(connection: Connection, table: Table) -> None:
    """Let the next row get a number after those that were loaded."""
    key = table.primary_key.columns.values()[0]
    sequence = connection.scalar(select(func.pg_get_serial_sequence(f'"{table.name}"', key.name)))
    if sequence is not None:
        top = connection.scalar(select(func.max(key)))
        connection.execute(select(func.setval(sequence, top or 1, top is not None)))


async def _refuse_content(database: Database) -> None:
    async with database.engine.connect() as connection:
        for table in CONTENT:
            if await connection.scalar(text(f"SELECT 1 FROM {table} LIMIT 1")):  # noqa: S608
                where = database.engine.url.render_as_string(hide_password=True)
                raise BadBackup(f"{where} holds a {table} already; restore into an empty database, or say --replace")


def _keys(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(data.glob("*.key"))}


def _put_keys(data: Path, keys: Mapping[str, bytes]) -> None:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, key in keys.items():
        path = data / Path(name).name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(key)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
