"""Processes that die while they send: nobody is left out, nobody gets two, but for one mail a kill that is nobody's to know."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest
from postbox import Postbox, smtp_server
from readers import add_reader, event, pick
from service import NOW, settings_in
from sqlmodel import select

from app.db import Database
from app.mail import digest
from app.mail.digest_sending import send_all
from app.models import Digest

pytest_plugins = ("databases",)

SENDER = """
import asyncio, os
from datetime import datetime
from app.db import Database
from app.mail.digest_sending import send_all
from app.settings import Settings

async def main():
    settings = Settings.from_environment(os.environ)
    database = Database(settings.database_url)
    clock = datetime.fromisoformat(os.environ["CLOCK"])
    await send_all(database, settings, now=settings.now(), clock=clock)
    print("done")

asyncio.run(main())
"""


async def kill_while_sending(
    database: Database, folder: Path, *, people: int, kills: int, postbox: Postbox
) -> tuple[int, int]:
    """Send to that many people by processes that are killed that often; return how many kills hit a mail on its way,
    and how many mails went out twice before anybody asked for them again."""
    async with database.writing() as session:
        evening = event(2)
        for number in range(people):
            await add_reader(session, f"reader{number}", slate=[(evening, pick())])
    clock, dice = NOW, random.Random(7)
    async with smtp_server(postbox) as url:
        environment = os.environ | {
            "ADJACENT_DATA": str(folder),
            "ADJACENT_DATABASE_URL": database.url,
            "ADJACENT_NOW": NOW.isoformat(),
            "ADJACENT_SMTP_URL": url,
            "ADJACENT_MAIL_RATE": "100000",
        }
        for _ in range(kills):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                SENDER,
                env=environment | {"CLOCK": clock.isoformat()},
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            enough = len(postbox.taken) + dice.randint(1, people // kills)
            ends = [asyncio.create_task(process.wait()), asyncio.create_task(postbox.holds(enough))]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(dice.random() * 0.01)  # anywhere in a mail, not always at its end
            assert process.returncode is None, "it ended before it was killed; the moments are badly chosen"
            process.kill()
            await asyncio.gather(ends[0])
            ends[1].cancel()
            clock += digest.LEASE  # the next one finds what this one left behind
        settings = settings_in(folder, ADJACENT_SMTP_URL=url, ADJACENT_MAIL_RATE="100000")
        for _ in range(2):
            clock += digest.LEASE
            await send_all(database, settings, now=NOW, clock=clock)
        twice = sum(number - 1 for number in Counter(taken.to for taken in postbox.taken).values())
        async with database.writing() as session:
            unknown = await digest.resend_unknown(session, clock=clock)
        await send_all(database, settings, now=NOW, clock=clock)
    return unknown, twice


async def check(database: Database, folder: Path, *, people: int, kills: int) -> None:
    postbox = Postbox()
    unknown, twice = await kill_while_sending(database, folder, people=people, kills=kills, postbox=postbox)
    got = Counter(taken.to for taken in postbox.taken)
    assert set(got) == {f"reader{number}@example.org" for number in range(people)}  # none lost
    assert twice == 0  # until somebody asked for the unknown ones again
    assert unknown <= kills
    assert sum(got.values()) - people <= kills
    assert len({taken.mail["Message-ID"] for taken in postbox.taken}) == people  # who got two can tell
    async with database.reading() as session:
        assert set(await session.exec(select(Digest.state))) == {"sent"}


@pytest.mark.long
async def test_eight_hundred_people_and_fifteen_kills(database: Database, tmp_path: Path) -> None:
    await check(database, tmp_path, people=800, kills=15)
