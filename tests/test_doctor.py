"""`doctor`: a healthy instance is fine throughout, and each trouble is named with its remedy."""

from __future__ import annotations

import asyncio
import dataclasses
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from service import lay_database, serving, settings_in
from sqlalchemy import text
from typer.testing import CliRunner

from app.cli.commands import cli
from app.collecting.frontier import add_source
from app.db import Database, NewerSchema, current_revision, migrate, newest_revision
from app.mail.mailer import _signer as signer_kept
from app.models import Chore, Host, Worker
from app.operating import doctor
from app.queue import leases
from app.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    await lay_database(settings.data)
    database = Database(settings.database_url)
    yield database
    await database.close()


async def findings(settings: Settings, database: Database) -> dict[str, doctor.Finding]:
    return {finding.what: finding for finding in await doctor.examine(settings, database)}


async def test_healthy_instance_is_fine(settings: Settings, database: Database) -> None:
    found = await findings(settings, database)
    assert {what: one.is_fine for what, one in found.items()} == dict.fromkeys(
        (
            *("database", "migrations", "clock", "disk", "data folder", "mail", "model files"),
            *("registry", "sources", "worker", "backup"),
        ),
        True,
    )
    assert found["sources"].finding == "none yet; `adjacent sources add URL`"


async def test_old_schema_is_found_with_its_remedy(settings: Settings, database: Database) -> None:
    await migrate(database, "0001")
    found = (await findings(settings, database))["migrations"]
    assert (found.is_fine, found.finding) == (False, f"at 0001, not {newest_revision()}; run `adjacent migrate`")


async def test_newer_schema_is_found_and_nothing_is_done_to_it(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.writing() as session:
        await session.exec(text("UPDATE alembic_version SET version_num = '9999'"))
    found = (await findings(settings, database))["migrations"]
    assert not found.is_fine
    with pytest.raises(
        NewerSchema, match=r"at schema 9999, and this version knows .* at most: start the newer version"
    ):
        await migrate(database)
    monkeypatch.setenv("ADJACENT_DATA", str(settings.data))
    told = await asyncio.to_thread(CliRunner().invoke, cli, ["doctor"])
    assert (told.exit_code, str(told.exception)) == (1, "needs attention: migrations")
    assert await current_revision(database) == "9999"


async def test_database_that_is_to_be_made_is_fine(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "new")
    database = Database(settings.database_url)
    found = await findings(settings, database)
    await database.close()
    assert all(one.is_fine for one in found.values())
    assert found["migrations"].finding == "none yet; the first start lays the tables"


async def test_unreachable_database_is_found_and_its_password_is_not_told(settings: Settings) -> None:
    database = Database("postgresql+asyncpg://ada:secret@127.0.0.1:1/adjacent")
    try:
        found = await findings(settings, database)
    finally:
        await database.close()
    assert [what for what, one in found.items() if not one.is_fine] == ["database", "migrations"]
    assert "secret" not in found["database"].finding
    assert "ADJACENT_DATABASE_URL" in found["database"].finding


async def test_mail_server_that_does_not_answer_is_found(settings: Settings, database: Database) -> None:
    broken = dataclasses.replace(settings, smtp_url="smtp://127.0.0.1:1")
    found = (await findings(broken, database))["mail"]
    assert not found.is_fine
    assert "ADJACENT_SMTP_URL" in found.finding


async def test_sources_that_mostly_fail_are_found(settings: Settings, database: Database) -> None:
    async with database.writing() as session:
        for number in range(4):
            source = await add_source(session, f"https://host.example/{number}.ics")
            source.state = "failing" if number else "ok"
    found = (await findings(settings, database))["sources"]
    assert (found.is_fine, found.finding) == (
        False,
        "4 sources, 3 failing, last good fetch never; `adjacent sources list` says why",
    )


def test_clock_that_was_never_set_and_full_disk_are_found(settings: Settings) -> None:
    assert not doctor._clock(settings, datetime(1970, 1, 1, tzinfo=UTC)).is_fine
    assert not doctor._disk(settings.data, 10 * 2**20).is_fine


async def test_doctor_asks_a_running_service_nothing_it_would_not_answer(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        assert all(one.is_fine for one in await doctor.examine(service.settings, service.database))


async def test_host_that_nobody_comes_for_and_dead_letters_are_found(settings: Settings, database: Database) -> None:
    clock = datetime.now(UTC)
    async with database.writing() as session:
        session.add(Host(name="late.example:443", next_due=clock - timedelta(hours=2)))
        session.add(Chore(name="sweep", next_due=clock, attempts=leases.MOST_ATTEMPTS))
    found = await findings(settings, database)
    assert not found["worker"].is_fine
    assert "start `adjacent worker`" in found["worker"].finding
    assert (found["jobs"].is_fine, found["jobs"].finding.partition(";")[0]) == (False, "sweep failed too often")
    async with database.writing() as session:
        session.add(Worker(name="one", started_at=clock, seen_at=clock))
    assert (await findings(settings, database))["worker"].is_fine


async def test_what_providers_ask_of_senders_is_looked_at_where_mails_leave(tmp_path: Path) -> None:
    pem = tmp_path / "dkim.pem"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    good = {
        "ADJACENT_SMTP_URL": "smtp://127.0.0.1:1",
        "ADJACENT_MAIL_FROM": "Adjacent <weekly@adjacent.example>",
        "ADJACENT_BASE_URL": "https://adjacent.example",
        "ADJACENT_BOUNCES_TO": "bounces@adjacent.example",
        "ADJACENT_DKIM_KEY": str(pem),
    }
    assert told_of_sending(tmp_path, good) == {
        "sender": (True, "weekly@adjacent.example; mails to sign in come from sign-in@adjacent.example"),
        "links": (True, "mails lead to https://adjacent.example"),
        "returned mails": (True, "to bounces+…@adjacent.example"),
        "signature": (True, f'DNS has to hold adjacent._domainkey.adjacent.example TXT "v=DKIM1; k=rsa; p={public}"'),
    }
    none = told_of_sending(tmp_path, {"ADJACENT_SMTP_URL": "smtp://127.0.0.1:1"})
    assert {what: is_fine for what, (is_fine, _) in none.items()} == {
        "sender": False,
        "links": False,
        "signature": True,
        "returned mails": False,
    }
    assert told_of_sending(tmp_path, {}) == {}  # mails stay here
    pem.write_text("no key")
    assert not told_of_sending(tmp_path, good)["signature"][0]
    pem.unlink()
    assert "No such file" in told_of_sending(tmp_path, good)["signature"][1]


def told_of_sending(folder: Path, environment: dict[str, str]) -> dict[str, tuple[bool, str]]:
    signer_kept.cache_clear()  # a key is read once a process
    settings = settings_in(folder, **environment)
    return {one.what: (one.is_fine, one.finding) for one in doctor._sending(settings)}


async def test_data_folder_others_may_enter_is_told(settings: Settings, database: Database) -> None:
    told = []
    for mode in (0o700, 0o755):
        settings.data.chmod(mode)
        told.append((await findings(settings, database))["data folder"].finding)
    kept = str(settings.data)
    assert told == [kept, f"{kept}, which everybody on this machine may enter; chmod 700 keeps them out"]
