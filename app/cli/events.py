"""`events`: look at what was collected, export it, join and part by hand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run
from app.cli.printing import say

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.db import Database
    from app.models import Event
    from app.queries.listing import Listed
    from app.settings import Settings

cli = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]


async def _upcoming(chosen: Settings, database: Database) -> list[Listed]:
    from app.collecting.page_reading import HORIZON
    from app.queries.filters import EventFilter
    from app.queries.listing import events

    now = chosen.now()
    async with database.reading() as session:
        return await events(session, EventFilter(start=now, end=now + HORIZON))


@cli.command("list")
def list_(as_json: Json = False) -> None:
    """List every upcoming event by start."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.queries.event_forms import event_json

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
    """Show one event: what each source says, why they are one, and what changed since it was first seen."""

    async def work(_: Settings, database: Database) -> None:
        from app.events.history import history
        from app.queries.event_forms import event_json, versions_of
        from app.queries.listing import with_topics

        async with database.reading() as session:
            row = await _found(session, event)
            (listed,) = await with_topics(session, [row])
            facts: dict[str, Any] = event_json(listed) | {
                "provenance": row.provenance,
                "purpose_phrases": row.purpose_phrases,
                "sources": await versions_of(session, row),
                "history": await history(session, row),
            }
        if as_json:
            printing.as_json([facts])
            return
        sources, changes, provenance = facts.pop("sources"), facts.pop("history"), facts.pop("provenance")
        printing.facts(facts)
        told_by: dict[str, list[str]] = {}
        for name, source in provenance.items():
            if getattr(row, name) not in (None, ""):
                told_by.setdefault(source, []).append(name)
        if len(told_by) > 1:
            printing.table(("taken from", "what"), [(source, ", ".join(names)) for source, names in told_by.items()])
        printing.table(
            ("version", "source", "calls it", "withdrawn", "the same because"),
            [(one["version"], one["source"], one["title"], one["withdrawn_at"], one["why"]) for one in sources],
        )
        if changes:
            rows = [
                (one["at"][:16].replace("T", " "), name, before, after, one["source"] or "by hand")
                for one in changes
                for name, (before, after) in one["changed"].items()
            ]
            printing.table(("changed", "what", "before", "after", "by"), rows)

    run(work)


async def _found(session: AsyncSession, key: str) -> Event:
    from app.queries.listing import event_by_key

    event = await event_by_key(session, key)
    if event is None:
        raise Failed(f"no event has the id {key!r}; `adjacent events list` shows them")
    return event


Why = Annotated[str, typer.Option(help="The reason, for whoever looks at it later.")]


@cli.command()
def merge(event: str, duplicate: str, why: Why = "") -> None:
    """Make two events one: EVENT stays, and DUPLICATE leads there. Later crawls keep to it."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.events import by_hand
        from app.people import audit

        async with database.writing() as session:
            try:
                one, other = await _found(session, event), await _found(session, duplicate)
                kept = await by_hand.join(session, one, other, why=why, now=chosen.now())
            except by_hand.NotJoined as error:
                raise Failed(str(error)) from error
            audit.note(session, None, "event.merge", f"{duplicate} into {kept.key}")
        say(f"{duplicate} is now {kept.key}, {kept.title}")

    run(work)


@cli.command()
def split(
    event: str,
    version: Annotated[int, typer.Argument(help="The number `events show` gives to what one source says.")],
    why: Why = "",
) -> None:
    """Take what one source says out of an event: it becomes an event of its own. Later crawls keep to it."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.events import by_hand
        from app.people import audit

        async with database.writing() as session:
            try:
                own = await by_hand.part(session, await _found(session, event), version, why=why, now=chosen.now())
            except by_hand.NotParted as error:
                raise Failed(str(error)) from error
            audit.note(session, None, "event.split", f"{own.key} from {event}")
        say(f"version {version} is now {own.key}, {own.title}")

    run(work)


@cli.command()
def export(
    format_: Annotated[str, typer.Option("--format", metavar="ics|csv|json")] = "ics",
) -> None:
    """Print every upcoming event as a calendar, a table or JSON."""
    if format_ not in ("ics", "csv", "json"):
        raise typer.BadParameter(f"--format {format_!r}: choose ics, csv or json")

    async def work(chosen: Settings, database: Database) -> None:
        from app.calendars.calendar_feed import calendar, header
        from app.calendars.event_table import table
        from app.queries.event_forms import event_json

        listed = await _upcoming(chosen, database)
        if format_ == "json":
            printing.as_json(event_json(one) for one in listed)
        elif format_ == "csv":
            sys.stdout.buffer.write(table(listed, chosen.base_url))
        else:
            body = calendar(header("All upcoming events"), listed, base_url=chosen.base_url)
            sys.stdout.buffer.write(body)

    run(work)
