"""`sources`: add, look at, pause and remove addresses."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import fetcher, run, settings
from app.cli.printing import say

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.db import Database
    from app.discovery import AddressList, Found
    from app.frontier import Home
    from app.models import Source
    from app.places import City
    from app.settings import Settings
    from scrapers.fetch import Fetcher

cli = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]
SHOWN = 3  # next events shown before an address is stored, and problems
MOST_ALTERNATIVES = 5


@cli.command()
def add(
    address: Annotated[str, typer.Argument(metavar="URL|FILE|-", help="An address, or a list of addresses.")],
    city: Annotated[
        str | None, typer.Option(metavar="NAME[, REGION][, COUNTRY]", help="Place of events without one.")
    ] = None,
    zone: Annotated[str | None, typer.Option(metavar="IANA", help="Zone of times that name none.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Store without asking.")] = False,
) -> None:
    """Find out what an address offers, show its next events, and store it. Lists are recorded at once."""

    async def work(chosen: Settings, database: Database) -> None:
        from scrapers.discover import parse_source_list

        place = _place(city, yes=yes)
        home = _home(zone, place)
        if address == "-" or Path(address).is_file():
            body = sys.stdin.buffer.read() if address == "-" else Path(address).read_bytes()
            await _record(database, parse_source_list(body), place, home)
            return
        async with fetcher(chosen) as client:
            await _add_address(database, client, _web_address(address), place, home, chosen.now(), yes=yes)

    run(work)


def _web_address(address: str) -> str:
    if address.startswith(("http://", "https://", "webcal://")):
        return address
    if "://" in address or "." not in address or " " in address:
        raise Failed(f"{address}: neither a file here nor an http(s) or webcal address")
    return f"https://{address}"


def _place(name: str | None, *, yes: bool) -> City | None:
    from app.places import UnknownPlace, cities_called, find_city

    if name is None:
        return None
    found = cities_called(name)
    if len(found) > 1 and yes:
        others = ", ".join(city.label for city in found[1:4])
        say(f"{name}: taken for {found[0].label} (also: {others})")
        return found[0]
    try:
        return find_city(name)
    except UnknownPlace as error:
        raise Failed(f"--city: {error}") from error


def _home(zone: str | None, place: City | None) -> str:
    from scrapers.times import resolve_zone

    if zone is None:
        return place.zone if place else "UTC"
    resolved = resolve_zone(zone)
    if resolved is None:
        raise typer.BadParameter(f"{zone!r} is no IANA time zone; write e.g. Europe/Berlin")
    return resolved.key


async def _record(database: Database, addresses: Sequence[str], place: City | None, zone: str) -> None:
    """Store every address of a list; none of them is fetched yet."""
    from app.frontier import add_sources

    if not addresses:
        raise Failed("the list holds no http(s) address; write one a line, or OPML")
    async with database.writing() as session:
        await add_sources(session, addresses, **_home_of(place, zone))
    say(f"recorded {len(addresses)} sources; `adjacent collect` reads them")


def _home_of(place: City | None, zone: str) -> Home:
    if place is None:
        return {"zone": zone}
    return {"zone": zone, "city": place.name, "country": place.country, "lat": place.lat, "lon": place.lon}


async def _add_address(
    database: Database, client: Fetcher, address: str, place: City | None, zone: str, now: datetime, *, yes: bool
) -> None:
    from app.collect import keep
    from app.discovery import AddressList
    from app.frontier import add_source

    found = await _examine(client, address, zone, now)
    if isinstance(found, AddressList):
        await _record(database, found.addresses, place, zone)
        return
    _show(address, found)
    if not yes and not (sys.stdin.isatty() and typer.confirm("Collect from here?", default=True)):
        raise Failed("not stored; answer the question, or give --yes")
    async with database.writing() as session:
        source = await add_source(session, found.url, **_home_of(place, zone))
    outcome = await keep(database, source, found.page, found.reading, now=now)
    say(f"stored {found.url}: {outcome.counts.added} upcoming events")


async def _examine(client: Fetcher, address: str, zone: str, now: datetime) -> Found | AddressList:
    from zoneinfo import ZoneInfo

    from app.discovery import NothingFound, examine

    try:
        return await examine(client, address, zone=ZoneInfo(zone), now=now)
    except NothingFound as error:
        raise Failed(str(error)) from error


def _show(address: str, found: Found) -> None:
    """Say what would be collected, and what else there is."""
    reading = found.reading
    if found.url != address:
        reason = next((each.message for each in found.tried if each.url == address), "it lists no event")
        say(f"{address}: {reason}")
        say(f"taken instead: {found.url} ({found.why})")
    name = f"“{reading.name}”, " if reading.name else ""
    say(
        f"{found.url}: {name}{reading.kind}, {reading.listed} events listed, {len(reading.events)} upcoming occurrences"
    )
    for draft in reading.events[:SHOWN]:
        when = f"{draft.starts_at:%a %d %b %Y}" if draft.all_day else f"{draft.starts_at:%a %d %b %Y %H:%M}"
        remark = "" if draft.status == "confirmed" else f"  ({draft.status})"
        say(f"  {when} {draft.zone}  {draft.title}{remark}")
    for problem in reading.problems[:SHOWN]:
        say(f"  note: {problem.subject}: {problem.message}")
    if len(reading.problems) > SHOWN:
        say(f"  note: {len(reading.problems) - SHOWN} more problems")
    for other in found.alternatives[:MOST_ALTERNATIVES]:
        say(f"  also there: {other.url} ({other.why})")
    for tried in found.tried:
        if tried.url != address:
            say(f"  not taken: {tried.url}: {tried.message} [{tried.code}]")


@cli.command("list")
def list_(as_json: Json = False) -> None:
    """List all sources with their health."""

    async def work(_: Settings, database: Database) -> None:
        from app.queries import source_healths

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
        from app.models import FetchState
        from app.queries import source_healths

        async with database.reading() as session:
            row = await found(session, source)
            (facts,) = await source_healths(session, only=row.id)
            facts["state_since"] = row.state_since.isoformat() if row.state_since else None
            problems = (await session.get_one(FetchState, row.id)).problems
        if as_json:
            printing.as_json([facts | {"problems": problems}])
            return
        printing.table(("", ""), [(name, value) for name, value in facts.items() if value not in (None, "")])
        if problems:
            printing.table(
                ("problem", "subject", "what"), [(one["code"], one["subject"], one["message"]) for one in problems]
            )

    run(work)


@cli.command()
def test(
    address: str,
    zone: Annotated[str, typer.Option(metavar="IANA")] = "UTC",
) -> None:
    """Say what an address offers, without storing anything."""

    async def work(chosen: Settings) -> None:
        from app.discovery import AddressList

        async with fetcher(chosen) as client:
            found = await _examine(client, _web_address(address), _home(zone, None), chosen.now())
        if isinstance(found, AddressList):
            say(f"{address}: a list of {len(found.addresses)} addresses; `adjacent sources add` records them")
        else:
            _show(_web_address(address), found)

    asyncio.run(work(settings()))


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
        from app.frontier import set_state
        from app.models import FetchState, Host

        async with database.writing() as session:
            source, clock = await found(session, name), datetime.now(UTC)
            set_state(source, state, clock)
            if state == "new":
                fetching = await session.get_one(FetchState, source.id)
                fetching.next_fetch_at, fetching.failures, fetching.error_code, fetching.error = clock, 0, None, None
                (await session.get_one(Host, source.host)).next_due = clock
        say(f"{source.url}: {state}")

    run(work)


@cli.command()
def remove(source: str) -> None:
    """Remove a source and the events only it told of."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.ingest import forget_source

        async with database.writing() as session:
            row = await found(session, source)
            gone = await forget_source(session, row, now=chosen.now())
        say(f"removed {row.url} and {gone} events")

    run(work)


@cli.command()
def export() -> None:
    """Print all addresses, one a line: `sources add FILE` reads them back."""

    async def work(_: Settings, database: Database) -> None:
        from app.queries import sources

        async with database.reading() as session:
            for row in await sources(session):
                if not row.is_bundled:
                    print(row.url)

    run(work)


async def found(session: AsyncSession, name: str) -> Source:
    """Return the source an id or an address stands for."""
    from sqlmodel import select

    from app.models import Source

    row = None
    if name.isdigit():
        row = await session.get(Source, int(name))
    if row is None:
        row = (await session.exec(select(Source).where(Source.url == name))).one_or_none()
    if row is None:
        raise Failed(f"no source has the id or address {name!r}; `adjacent sources list` shows them")
    return row


@cli.command()
def offered(
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD|URL|all", help="Say yes to these: they are collected from now on."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the bundled public sources; none is fetched before you say yes to it with --accept."""

    async def work(_: Settings, database: Database) -> None:
        from dataclasses import asdict

        from app.first_start import live_sources
        from app.frontier import add_source
        from app.places import locate

        live = live_sources()
        if accept:
            chosen = [one for one in live if "all" in accept or one.field in accept or one.url in accept]
            if not chosen:
                fields = ", ".join(sorted({one.field for one in live}))
                raise Failed(f"nothing offered is called {' or '.join(accept)}; fields are: {fields}")
            async with database.writing() as session:
                for one in chosen:
                    place = locate(one.place, None)
                    await add_source(session, one.url, **_home_of(place, place.zone if place else "UTC"))
            say(f"recorded {len(chosen)} sources; `adjacent collect` reads them")
        elif as_json:
            printing.as_json(asdict(one) for one in live)
        else:
            printing.table(
                ("field", "place", "name", "address", "seen in"),
                [(one.field, one.place, one.name, one.url, one.seen_in) for one in live],
            )

    run(work)
