"""`backup` and `restore`: all there is in one file, from either database into either."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failing import Failed
from app.cli.opening import run_as_it_is
from app.cli.printing import say

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings


def backup(
    file: Annotated[
        Path, typer.Argument(help="The archive to write: adjacent.tar.gz, or adjacent.zip.", dir_okay=False)
    ],
    secrets: Annotated[
        bool,
        typer.Option("--secrets", help="Also the keys of the data folder, without which codes and links in mails end."),
    ] = False,
) -> None:
    """Save all rows as they are at this moment, while the service runs: as .zip where the name ends so, else as tar.gz."""
    if not file.parent.is_dir():
        raise Failed(f"{file.parent} is no folder; make it first")

    async def work(chosen: Settings, database: Database) -> None:
        from app.db import current_revision, migrate
        from app.operating.backup import back_up

        # Where a cron job lacks the service's settings there would be a good archive of nothing, day after day.
        if await current_revision(database) is None:
            where = database.engine.url.render_as_string(hide_password=True)
            raise Failed(f"nothing to save in {where}: are the settings those of the service (ADJACENT_DATA)?")
        await migrate(database)
        made = await back_up(database, file, clock=datetime.now(UTC), secrets=chosen.data if secrets else None)
        rows = sum(part.rows for part in made.tables.values())
        say(f"saved {rows:,} rows of schema {made.schema} in {file}; keep it where no stranger reads it")

    run_as_it_is(work)


def restore(
    file: Annotated[Path, typer.Argument(help="What `adjacent backup` wrote.", exists=True, dir_okay=False)],
    replace: Annotated[bool, typer.Option("--replace", help="In the place of what the database holds.")] = False,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Also the keys it holds, where there are none yet.")
    ] = False,
) -> None:
    """Load a backup into the database of ADJACENT_DATABASE_URL, and bring it up to date; stop the service first."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.operating.backup import restore as load

        folder = chosen.data if secrets else None
        made = await load(database, file, clock=datetime.now(UTC), replaces=replace, secrets=folder)
        rows = sum(part.rows for part in made.tables.values())
        say(f"restored {rows:,} rows as they were on {made.made_at}")
        if not (chosen.data / "mail.key").exists():
            say(
                "no mail.key is there: links in all mails sent so far, those to unsubscribe too, work once that of the "
                f"old data folder is in {chosen.data}, or with a backup --secrets and restore --secrets"
            )

    run_as_it_is(work)  # a restore brings its own schema
