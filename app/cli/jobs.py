"""`jobs`: the work behind the requests, what of it failed for good, and how to let it be tried again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run
from app.cli.printing import say

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings

cli = typer.Typer(no_args_is_help=True)


@cli.command("list")
def list_jobs(
    everything: Annotated[bool, typer.Option("--all", help="Also what only waits for its time.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List hosts and chores that are due, worked on, failing or dead (tried in vain too often)."""

    async def work(_: Settings, database: Database) -> None:
        from app.queue.backlog import listed

        async with database.reading() as session:
            rows = await listed(session, clock=datetime.now(UTC), everything=everything)
        if as_json:
            printing.as_json(row.as_json() for row in rows)
        else:
            printing.table(
                ("kind", "name", "state", "due", "attempts", "held by", "error"),
                [
                    (
                        row.kind,
                        row.name,
                        row.state,
                        f"{row.next_due:%Y-%m-%d %H:%M}",
                        row.attempts,
                        row.holder,
                        row.error,
                    )
                    for row in rows
                ],
            )

    run(work)


@cli.command()
def requeue(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Hosts or chores.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that are dead.")] = False,
) -> None:
    """Try again now, with all attempts ahead."""
    if bool(names) == dead:
        raise typer.BadParameter("name some, or say --dead")

    async def work(_: Settings, database: Database) -> None:
        from app.queue.backlog import requeue_dead, requeue_named

        clock = datetime.now(UTC)
        async with database.writing() as session:
            if names:
                freed = {name: await requeue_named(session, name, clock=clock) for name in names}
            else:
                freed = dict.fromkeys(await requeue_dead(session, clock=clock), True)
        if missed := [name for name, is_free in freed.items() if not is_free]:
            raise Failed(f"{', '.join(missed)}: not known, or somebody is at it; `adjacent jobs list --all`")
        say(f"due now: {', '.join(freed) or 'nothing was dead'}")

    run(work)
