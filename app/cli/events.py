"""`events`: look at what was collected, export it, join and part by hand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run

if TYPE_CHECKING:
    from app.db import Database
    from app.queries import Listed
    from app.settings import Settings

cli = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]


async def _upcoming(chosen: Settings, database: Database) -> list[Listed]:
    from app.collect import HORIZON
    from app.queries import EventFilter, events

    now = chosen.now()
    async with database.reading() as session:
        return await events(session, EventFilter(start=now, end=now + HORIZON))


@cli.command("list")
def list_(as_json: Json = False) -> None:
    """List every upcoming event by start."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.queries import event_json

        rows = [event_json(listed) for listed in await _upcoming(chosen, database)]
        if as_json:
            printing.as_json(rows)
            return
        printing.table(
            ("id", "starts", "title", "community", "where", "topics"),
            [
                (
                    row["id"],
                    row["starts_at"][:16].replace("T", " "),
                    row["title"],
                    row["community"]["name"] if row["community"] else "",
                    row["venue"]["city"] or row["mode"],
                    ", ".join(topic["label"] for topic in row["topics"][:3]),
                )
                for row in rows
            ],
        )

    run(work)


@cli.command()
def show(event: str, as_json: Json = False) -> None:
    """Show one event with all its sources."""

    async def work(_: Settings, database: Database) -> None:
        from app.queries import event_by_key, event_json, versions_of, with_topics

        async with database.reading() as session:
            row = await event_by_key(session, event)
            if row is None:
                raise Failed(f"no event has the id {event!r}; `adjacent events list` shows them")
            (listed,) = await with_topics(session, [row])
            facts: dict[str, Any] = event_json(listed) | {
                "provenance": row.provenance,
                "purpose_phrases": row.purpose_phrases,
                "sources": await versions_of(session, row),
            }
        if as_json:
            printing.as_json([facts])
            return
        printing.table(("", ""), [(name, value) for name, value in facts.items() if value not in (None, "", [], {})])

    run(work)


@cli.command()
def export(
    format_: Annotated[str, typer.Option("--format", metavar="ics|csv|json")] = "ics",
) -> None:
    """Print every upcoming event as a calendar, a table or JSON."""
    if format_ not in ("ics", "csv", "json"):
        raise typer.BadParameter(f"--format {format_!r}: choose ics, csv or json")

    async def work(chosen: Settings, database: Database) -> None:
        from app.calendar_feed import calendar, header
        from app.queries import event_json
        from app.syndication import table

        listed = await _upcoming(chosen, database)
        if format_ == "json":
            printing.as_json(event_json(one) for one in listed)
        elif format_ == "csv":
            sys.stdout.buffer.write(table(listed, chosen.base_url))
        else:
            body = calendar(header("All upcoming events"), listed, base_url=chosen.base_url)
            sys.stdout.buffer.write(body)

    run(work)
