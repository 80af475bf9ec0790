"""`adjacent digest`: what an operator sees and does about the weekly mail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import TypeVar

import pytest
from readers import add_reader, event, pick
from service import NOW, lay_database, settings_in
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from test_digest_bounces import returned
from typer.testing import CliRunner

from app.cli.commands import cli
from app.db import Database
from app.mail.digest_sending import links_of
from app.models import Digest, Subscription
from app.picking import slates

T = TypeVar("T")


def within(folder: Path, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async def inside() -> T:
        database = Database(settings_in(folder).database_url)
        async with database.writing() as session:
            done = await work(session)
        await database.close()
        return done

    return asyncio.run(inside())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with two people whose mail is due by the real clock; one has picks."""
    asyncio.run(lay_database(tmp_path))
    due = datetime.now(UTC) - timedelta(minutes=1)
    wish = {"weekday": due.isoweekday(), "hour": due.hour, "next_at": due}

    async def fill(session: AsyncSession) -> None:
        await add_reader(session, "ada", slate=[(event(2), pick())], **wish)
        await add_reader(session, "bea", **wish)

    within(tmp_path, fill)
    return tmp_path


def run(folder: Path, *arguments: str, code: int = 0, stdin: bytes | None = None) -> tuple[str, str]:
    environment = {"ADJACENT_DATA": str(folder), "ADJACENT_NOW": NOW.isoformat(), "ADJACENT_BASE_URL": "http://a.test"}
    done = CliRunner().invoke(cli, ["digest", *arguments], env=environment, input=stdin)
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout, done.stderr if code == 0 else str(done.exception)


def states(folder: Path) -> list[str]:
    async def read(session: AsyncSession) -> list[str]:
        return list(await session.exec(select(Digest.state).order_by(Digest.person_id)))

    return within(folder, read)


def test_due_lists_who_wants_mails_and_a_dry_run_sends_none(folder: Path) -> None:
    rows = json.loads(run(folder, "due", "--json")[0])
    assert [(row["address"], row["rhythm"], row["state"]) for row in rows] == [
        ("ada@example.org", "weekly", None),
        ("bea@example.org", "weekly", None),
    ]
    told, summary = run(folder, "send", "--dry-run")
    assert summary == "1 would be sent, 1 skipped\n"
    assert [line.split() for line in told.splitlines()] == [["address", "subject"], ["ada@example.org", "Evening", "2"]]
    assert states(folder) == []
    assert not (folder / "outbox").exists()


def test_a_preview_is_the_mail_and_notes_nothing(folder: Path) -> None:
    text, _ = run(folder, "preview", "ada@example.org")
    assert "1. Evening 2" in text
    html, _ = run(folder, "preview", "ada@example.org", "--html")
    assert html.startswith("<!DOCTYPE html>")
    whole, _ = run(folder, "preview", "ada@example.org", "--eml")
    assert message_from_bytes(whole.encode(), policy=default)["To"] == "ada@example.org"
    _, why = run(folder, "preview", "bea@example.org", code=1)
    assert "nothing worth a mail to bea@example.org" in why
    assert states(folder) == []


def test_a_preview_says_of_whoever_gets_no_mails_that_they_get_none(folder: Path) -> None:
    async def leave(session: AsyncSession) -> None:
        wish = await session.get_one(Subscription, 1)
        wish.rhythm = "off"

    within(folder, leave)
    text, told = run(folder, "preview", "ada@example.org")
    assert told == "ada@example.org does not want the weekly mail; this is what one would say\n"
    assert "You get this mail once a week" in text


def test_mails_of_a_week_are_sent_once_and_unknown_ones_again_by_hand(folder: Path) -> None:
    week = slates.iso_week(datetime.now(UTC))
    assert run(folder, "send", "--week", week)[1] == "1 sent, 1 skipped\n"
    assert run(folder, "send", "--week", week)[1] == "nothing is due\n"
    assert states(folder) == ["sent", "skipped"]
    assert len(list((folder / "outbox").glob("*.eml"))) == 1

    async def cut_off(session: AsyncSession) -> None:
        (await session.get_one(Digest, (1, week))).state = "unknown"

    within(folder, cut_off)
    run(folder, "resend", code=2)
    assert run(folder, "resend", "--unknown")[1].startswith("1 will be sent again")
    assert run(folder, "send")[1] == "1 sent\n"
    first, again = (message_from_bytes(path.read_bytes()) for path in (folder / "outbox").glob("*.eml"))
    assert first["Message-ID"] == again["Message-ID"]
    run(folder, "send", "--week", "2026-49", code=2)


def test_what_came_back_is_read_from_a_pipe(folder: Path) -> None:
    run(folder, "send")
    week = slates.iso_week(datetime.now(UTC))
    mark = links_of(settings_in(folder)).mark("ada" + "x" * 13, week)
    assert run(folder, "bounces", "-", stdin=returned(week=week, mark=mark))[1] == "1 ended\n"
    assert states(folder)[0] == "bounced"
    (folder / "absent.eml").write_bytes(b"Subject: On holiday\n\nBack in May\n")
    assert run(folder, "bounces", str(folder / "absent.eml"))[1] == "1 no report\n"
