"""`sources`: look at, pause and remove the addresses that events are collected from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import adding, printing
from app.cli.naming import source_named
from app.cli.opening import run
from app.cli.printing import say

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings

cli = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]
for command in (adding.add, adding.test, adding.offered):
    cli.command()(command)


# Of a page that only holds what is over, nothing is kept, however much it lists.
IN_WORDS = {"events": "events kept", "listed": "events listed in its last answer"}


@cli.command("list")
def list_(as_json: Json = False) -> None:
    """List all sources with their health."""

    async def work(_: Settings, database: Database) -> None:
        from app.collecting.source_health import source_healths

        async with database.reading() as session:
            rows = await source_healths(session)
        if as_json:
            printing.as_json(rows)
            return
        printing.table(
            ("id", "state", "events", "last good", "next", "error", "address"),
            [
                (
                    row["id"],
                    row["state"],
                    row["events"],
                    (row["last_good_at"] or "")[:16],
                    (row["next_fetch_at"] or "")[:16],
                    row["error_code"],
                    row["url"],
                )
                for row in rows
            ],
        )

    run(work)


@cli.command()
def show(source: str, as_json: Json = False) -> None:
    """Show one source, since when it fares as it does, its last error, and what was repaired or left out of it."""

    async def work(_: Settings, database: Database) -> None:
        from app.collecting.source_health import source_healths
        from app.models import FetchState

        async with database.reading() as session:
            row = await source_named(session, source)
            (facts,) = await source_healths(session, only=row.id)
            problems = (await session.get_one(FetchState, row.id)).problems
        if as_json:
            printing.as_json([facts | {"problems": problems}])
            return
        printing.facts({IN_WORDS.get(name, name): fact for name, fact in facts.items()})
        if problems:
            printing.table(
                ("problem", "subject", "what"), [(one["code"], one["subject"], one["message"]) for one in problems]
            )

    run(work)


@cli.command()
def pause(source: str) -> None:
    """Stop collecting from a source; its events stay."""
    _set_state(source, "paused")


@cli.command()
def resume(source: str) -> None:
    """Collect from a paused or failing source again, at the next round."""
    _set_state(source, "new")


def _set_state(name: str, state: str) -> None:
    async def work(_: Settings, database: Database) -> None:
        from app.collecting.frontier import set_state
        from app.models import FetchState, Host
        from app.people import audit

        async with database.writing() as session:
            source, clock = await source_named(session, name), datetime.now(UTC)
            set_state(source, state, clock)
            if state == "new":
                fetching = await session.get_one(FetchState, source.id)
                fetching.next_fetch_at, fetching.failures, fetching.error_code, fetching.error = clock, 0, None, None
                (await session.get_one(Host, source.host)).next_due = clock
            audit.note(session, None, "source.resume" if state == "new" else "source.pause", source.url)
        say(f"{source.url}: {state}")

    run(work)


@cli.command()
def remove(source: str) -> None:
    """Remove a source and the events only it told of."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.events.removal import forget_source
        from app.people import audit

        async with database.writing() as session:
            row = await source_named(session, source)
            audit.note(session, None, "source.remove", row.url)
            gone = await forget_source(session, row, now=chosen.now())
        say(f"removed {row.url} and {gone} events")

    run(work)


@cli.command()
def export() -> None:
    """Print all addresses, one a line: `sources add FILE` reads them back."""

    async def work(_: Settings, database: Database) -> None:
        from app.collecting.source_health import all_sources

        async with database.reading() as session:
            for row in await all_sources(session):
                if not row.is_bundled:
                    print(row.url)

    run(work)
