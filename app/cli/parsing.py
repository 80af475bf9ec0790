"""`parse`: reading without a database."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failing import one_line
from app.cli.opening import fetcher, settings
from app.cli.printing import say

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from app.settings import Settings
    from scrapers import EventDraft, Page, Reading, Window

YEAR = timedelta(days=366)


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
    from scrapers import as_json, read

    chosen = settings()
    home, window = _zone(zone), _window(start, end, chosen.now())

    def reading_of(path: str) -> Reading:
        page = _page(path, url, type_, chosen)
        return read(page.body, url=page.url, content_type=page.content_type, window=window, zone=home)

    parsed = _parsed(paths, reading_of)
    for draft in parsed.drafts:
        print(json.dumps(as_json(draft), ensure_ascii=False))
    sys.stdout.flush()
    say(json.dumps(parsed.summary(), ensure_ascii=False))
    if parsed.failed:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Parsed:
    """What all the files and addresses came to."""

    drafts: list[EventDraft] = field(default_factory=list)
    problems: list[dict[str, str]] = field(default_factory=list)  # code, subject, message
    failed: list[dict[str, str]] = field(default_factory=list)  # likewise, of what could not be read at all

    def summary(self) -> dict[str, object]:
        return {
            "occurrences": len(self.drafts),
            "series": len({(draft.source, draft.uid) for draft in self.drafts}),
            "problems": self.problems + self.failed,
        }


def _parsed(paths: Sequence[str], reading_of: Callable[[str], Reading]) -> _Parsed:
    """Read one after another, and go on behind what cannot be read."""
    parsed = _Parsed()
    for path in paths:
        try:
            reading = reading_of(path)
        except Exception as error:
            message = one_line(error)
            if message is None:
                raise
            code = getattr(error, "code", "unreadable")
            parsed.failed.append({"code": code, "subject": path, "message": message.removesuffix(f" [{code}]")})
            continue
        parsed.drafts += reading.events
        parsed.problems += [asdict(problem) for problem in reading.problems]
    parsed.drafts.sort(key=lambda draft: draft.starts_at)
    return parsed


def _window(start: str | None, end: str | None, now: datetime) -> Window:
    from scrapers import Window

    first = _instant(start, "--from") if start else now - timedelta(days=1)
    last = _instant(end, "--to") if end else first + YEAR
    if last < first:
        raise typer.BadParameter(f"--to {end} lies before --from")
    return Window(first, last)


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
