"""`collect`: a round of all that is due, and what changed by it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Self

import typer

from app.cli.failing import Failed
from app.cli.opening import fetcher, run
from app.cli.printing import say

if TYPE_CHECKING:
    from app.collecting.collect import Round
    from app.db import Database
    from app.settings import Settings


def collect(
    names: Annotated[list[str] | None, typer.Argument(metavar="[SOURCE …]", help="Ids or addresses.")] = None,
    due: Annotated[bool, typer.Option("--due", help="What is due by its schedule (the default).")] = False,
    every: Annotated[bool, typer.Option("--all", help="Everything that is not paused.")] = False,
) -> None:
    """Fetch, read, store, merge and tag; ends with a table of what changed."""
    if sum((due, every, bool(names))) > 1:
        raise typer.BadParameter("choose one of --due, --all and SOURCE …")

    async def work(chosen: Settings, database: Database) -> None:
        from app.cli.naming import source_named
        from app.collecting import collect as rounds
        from app.collecting import frontier, series
        from app.collecting.source_health import all_sources, rests
        from app.community import activity
        from app.events import about

        async with database.reading() as session:
            if names:
                ids = [(await source_named(session, name)).id for name in names]
            elif every:
                rows = await all_sources(session)
                ids = [row.id for row in rows if not rests(row)]
            else:
                ids = await frontier.due_sources(session, clock=datetime.now(UTC))  # type: ignore[assignment]
        with _Progress(len(ids)) as progress:
            async with fetcher(chosen) as client:
                round_ = await rounds.collect(
                    database, client, [id_ for id_ in ids if id_ is not None], now=chosen.now, report=progress.step
                )
            await series.expand_all(database, now=chosen.now())
            progress.say("tagging …")
            tagged = await about.tag_new(database, now=chosen.now())
            await activity.renew(database, now=chosen.now())
        _print_round(round_, tagged)
        if round_.outcomes and round_.number("failed") == len(round_.outcomes):
            raise Failed(f"all {len(round_.outcomes)} sources failed; `adjacent sources list` shows why")

    run(work)


def _print_round(round_: Round, tagged: int) -> None:
    from collections import Counter

    from app.cli.printing import table

    counts = round_.counts
    table(
        ("fetched", "unchanged", "failed", "added", "changed", "cancelled", "merged", "tagged"),
        [
            (
                round_.number("fetched"),
                round_.number("unchanged"),
                round_.number("failed"),
                counts.added,
                counts.changed,
                counts.cancelled,
                counts.merged,
                tagged,
            )
        ],
    )
    codes = Counter(outcome.code for outcome in round_.outcomes if outcome.code)
    if codes:
        say("failed: " + ", ".join(f"{number} × {code}" for code, number in codes.most_common()))


class _Progress:
    """A bar on a terminal, silence elsewhere."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._task = self._bar.add_task("collecting", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def step(self, _outcome: object) -> None:
        self._bar.advance(self._task)

    def say(self, text: str) -> None:
        self._bar.update(self._task, description=text)
