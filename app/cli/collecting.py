"""`parse` and `collect`: reading without a database, and a round of all that is due."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from app.cli.failing import Failed, one_line
from app.cli.opening import fetcher, run, settings
from app.cli.printing import say

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from app.collecting.collect import Round
    from app.db import Database
    from app.settings import Settings
    from scrapers import EventDraft, Page


def parse(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH|URL|- …", help="Files, addresses, or - for standard input.")
    ],
    url: Annotated[str | None, typer.Option(help="Address the bytes came from, for relative links.")] = None,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="MIME", help="Content type, where it is known.")
    ] = None,
    zone: Annotated[str, typer.Option(metavar="IANA", help="Zone of times that name none.")] = "UTC",
    start: Annotated[str | None, typer.Option("--from", metavar="T", help="First start, RFC 3339 or a date.")] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="T", help="Starts before this; a year later if not given.")
    ] = None,
) -> None:
    """Read events without storing them: one JSON object a line, by start; a summary on stderr."""
    from scrapers import Window, as_json, read

    chosen = settings()
    home = _zone(zone)
    first = _instant(start, "--from") if start else chosen.now() - timedelta(days=1)
    last = _instant(end, "--to") if end else first + timedelta(days=366)
    if last < first:
        raise typer.BadParameter(f"--to {end} lies before --from")
    drafts: list[EventDraft] = []
    problems: list[dict[str, str]] = []
    failed: list[dict[str, str]] = []
    for path in paths:
        try:
            page = _page(path, url, type_, chosen)
            reading = read(
                page.body, url=page.url, content_type=page.content_type, window=Window(first, last), zone=home
            )
        except Exception as error:
            message = one_line(error)
            if message is None:
                raise
            code = getattr(error, "code", "unreadable")
            failed.append({"code": code, "subject": path, "message": message.removesuffix(f" [{code}]")})
            continue
        drafts += reading.events
        problems += [
            {"code": problem.code, "subject": problem.subject, "message": problem.message}
            for problem in reading.problems
        ]
    drafts.sort(key=lambda draft: draft.starts_at)
    for draft in drafts:
        print(json.dumps(as_json(draft), ensure_ascii=False))
    summary = {
        "occurrences": len(drafts),
        "series": len({(draft.source, draft.uid) for draft in drafts}),
        "problems": problems + failed,
    }
    sys.stdout.flush()
    say(json.dumps(summary, ensure_ascii=False))
    if failed:
        raise typer.Exit(1)


def _zone(name: str) -> ZoneInfo:
    from scrapers.zone_names import resolve_zone

    zone = resolve_zone(name)
    if zone is None:
        raise typer.BadParameter(f"{name!r} is no IANA time zone; write e.g. Europe/Berlin")
    return zone


def _instant(text: str, option: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{option} {text!r} is no RFC 3339 time, e.g. 2026-12-01 or 2026-12-01T18:00:00Z"
        ) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _page(path: str, url: str | None, content_type: str | None, chosen: Settings) -> Page:
    from scrapers import Page
    from scrapers.fetch import NotModified

    if path == "-":
        return Page(url or "", sys.stdin.buffer.read(), content_type)
    if path.startswith(("http://", "https://", "webcal://")):

        async def get() -> Page:
            async with fetcher(chosen) as client:
                answer = await client.fetch(path)
            assert not isinstance(answer, NotModified)  # nothing conditional was asked
            return answer

        page = asyncio.run(get())
        return Page(url or page.url, page.body, content_type or page.content_type)
    return Page(url or Path(path).resolve().as_uri(), Path(path).read_bytes(), content_type)


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
