"""How long requests wait while something is wrong: the database locked by somebody else, the mail server away.

100 requests a second at fixed times, to a service that also works behind them; p50 and p99 beside the same without fault.
While mails find no server the service finds out what its 4,000 events are about, too.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.collecting.first_start import DEMO_SETTING
from app.db import Database, migrate
from app.models import Setting
from benchmarks import mailing, stock
from benchmarks.measure import Row, table
from benchmarks.processes import lay
from benchmarks.servers import ADJACENT, environment_of, free_port, running
from benchmarks.under_load import A_SECOND, waits

EVENTS, SECONDS = mailing.EVENTS, 10
MAILS = 200  # that are due while no server takes them


def rows() -> Iterator[Row]:
    with TemporaryDirectory() as name:
        idle, locked = _idle_and_locked(Path(name))
    with TemporaryDirectory() as name:
        without_mail = _without_mail(Path(name))
    for what, waited in (("the database is locked", locked), (f"{MAILS} mails find no server", without_mail)):
        for share in (50, 99):
            before, during = (sorted(each)[len(each) * share // 100] * 1000 for each in (idle, waited))
            yield Row(
                f"p{share} at {A_SECOND} requests/s while {what}",
                f"{during:.1f} ms",
                f"without {before:.1f} ms",
                f"{during / before:.1f}",
            )


def _idle_and_locked(folder: Path) -> tuple[list[float], list[float]]:
    lay(folder, EVENTS)
    asyncio.run(_leave_empty(folder))
    with _serving(folder) as port:
        waits(port, SECONDS)  # whatever it does once
        idle = waits(port, SECONDS)
        with _locked(folder / "adjacent.sqlite3"):
            return idle, waits(port, SECONDS)


def _without_mail(folder: Path) -> list[float]:
    asyncio.run(_lay_mails(folder))
    asyncio.run(_leave_empty(folder))
    with _serving(folder, ADJACENT_SMTP_URL=f"smtp://127.0.0.1:{free_port()}") as port:
        waits(port, SECONDS)
        return waits(port, SECONDS)


@contextmanager
def _serving(folder: Path, **more: str) -> Iterator[int]:
    port = free_port()
    environment = environment_of(folder, port, ADJACENT_NOW=stock.NOW.isoformat(), **more)
    with running([ADJACENT, "serve", "--port", str(port)], port, environment):
        yield port


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold SQLite's one write lock, as a process that hangs does."""
    with closing(sqlite3.connect(file, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def _leave_empty(folder: Path) -> None:
    """Let no demonstration be loaded: it was removed."""
    database = Database(f"sqlite+aiosqlite:///{folder}/adjacent.sqlite3")
    async with database.writing() as session:
        session.add(Setting(name=DEMO_SETTING, value="removed"))
    await database.close()


async def _lay_mails(folder: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{folder}/adjacent.sqlite3")
    await migrate(database)
    await mailing.lay(database, MAILS)
    await database.close()


if __name__ == "__main__":
    print(table(rows()))
