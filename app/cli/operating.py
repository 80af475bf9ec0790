"""`migrate`, `doctor`, `stats`, `demo`: looking after the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run, run_as_it_is
from app.cli.printing import say

if TYPE_CHECKING:
    from app.db import Database
    from app.operating.doctor import Finding
    from app.settings import Settings

demo = typer.Typer(no_args_is_help=True)


def migrate(
    revision: Annotated[str, typer.Argument(help="head, base or a revision.")] = "head",
) -> None:
    """Bring the database's schema up to date (every start does)."""

    async def work(_: Settings, database: Database) -> str | None:
        from app.db import current_revision, revisions
        from app.db import migrate as bring
        from app.queue.engine import install

        if revision not in ("head", "base", *revisions()):
            raise typer.BadParameter(f"{revision!r}: choose head, base or {revisions()[0]} to {revisions()[-1]}")
        await bring(database, revision)
        if revision == "head":
            await install(database)
        return await current_revision(database)

    say(f"schema at {run_as_it_is(work) or 'base'}")


def doctor() -> None:
    """Check database, migrations, clock, disk, mail, model files and sources, and say what to do."""

    async def work(chosen: Settings, database: Database) -> list[Finding]:
        from app.operating.doctor import examine

        return await examine(chosen, database)

    findings = run_as_it_is(work)
    printing.table(
        ("", "what", "finding"), [("ok" if one.is_fine else "!!", one.what, one.finding) for one in findings]
    )
    if bad := [one.what for one in findings if not one.is_fine]:
        raise Failed(f"needs attention: {', '.join(bad)}")


def stats(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Count what there is."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.queries.counts import count_all

        async with database.reading() as session:
            counts = await count_all(session, chosen.now())
        if as_json:
            printing.as_json([counts])
        else:
            printing.table(("what", "number"), list(counts.items()))

    run(work)


@demo.command("load")
def load() -> None:
    """Load the demonstration city (a first start without sources does)."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.collecting.first_start import load_demo

        say(f"loaded {await load_demo(database, now=chosen.now())} events of the demonstration city")

    run(work)


@demo.command("remove")
def remove() -> None:
    """Remove the demonstration city."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.collecting.first_start import remove_demo

        say(f"removed {await remove_demo(database, now=chosen.now(), by=None)} events of the demonstration city")

    run(work)
