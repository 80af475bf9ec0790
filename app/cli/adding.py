"""`sources add`, `test` and `offered`: finding out what an address offers, and storing it once somebody says yes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.failing import ALLOWING, Failed
from app.cli.naming import city_named, source_named
from app.cli.opening import fetcher, run
from app.cli.printing import say

if TYPE_CHECKING:
    from datetime import datetime

    from app.collecting.discovery import AddressList, Found
    from app.db import Database
    from app.places import City
    from app.settings import Settings
    from scrapers.fetch import Fetcher

Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]
SHOWN = 3  # next events shown before an address is stored, and problems
MOST_ALTERNATIVES = 5


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
        from app.collecting.discovery import address_list

        place = _place(city, yes=yes)
        home = _home(zone, place)
        if address == "-" or Path(address).is_file():
            body = sys.stdin.buffer.read() if address == "-" else Path(address).read_bytes()
            await _record(database, address_list(body), place, home)
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
    from app.places import cities_called

    if name is None:
        return None
    found = cities_called(name)
    if len(found) > 1 and yes:
        others = ", ".join(city.label for city in found[1:4])
        say(f"{name}: taken for {found[0].label} (also: {others})")
        return found[0]
    return city_named(name)


def _home(zone: str | None, place: City | None) -> str:
    from scrapers.zone_names import resolve_zone

    if zone is None:
        return place.zone if place else "UTC"
    resolved = resolve_zone(zone)
    if resolved is None:
        raise typer.BadParameter(f"{zone!r} is no IANA time zone; write e.g. Europe/Berlin")
    return resolved.key


async def _record(database: Database, listed: AddressList, place: City | None, zone: str) -> None:
    """Store every address of a list; none of them is fetched yet."""
    from app.collecting.frontier import add_sources, home_in
    from app.people import audit

    for number, line in listed.unlisted:
        say(f"line {number} holds no http(s) or webcal address: {line}")
    if not listed.addresses:
        raise Failed("the list holds no http(s) address; write one a line, or OPML")
    async with database.writing() as session:
        await add_sources(session, listed.addresses, **home_in(place, zone))
        audit.note(session, None, "source.add", f"a list of {len(listed.addresses)} addresses")
    say(f"recorded {len(listed.addresses)} sources; `adjacent collect` reads them")


async def _add_address(
    database: Database, client: Fetcher, address: str, place: City | None, zone: str, now: datetime, *, yes: bool
) -> None:
    from app.collecting.collect import keep
    from app.collecting.discovery import AddressList
    from app.collecting.frontier import add_source, home_in
    from app.people import audit

    found = await _examine(client, address, zone, now)
    if isinstance(found, AddressList):
        await _record(database, found, place, zone)
        return
    _show(address, found)
    if not yes and not (sys.stdin.isatty() and typer.confirm("Collect from here?", default=True)):
        raise Failed("not stored; answer the question, or give --yes")
    async with database.writing() as session:
        source = await add_source(session, found.url, **home_in(place, zone))
        audit.note(session, None, "source.add", found.url)
    outcome = await keep(database, source, found.page, found.reading, now=now)
    say(f"stored {found.url}: {outcome.counts.added} upcoming events")


async def _examine(client: Fetcher, address: str, zone: str, now: datetime) -> Found | AddressList:
    from zoneinfo import ZoneInfo

    from app.collecting.discovery import NothingFound, examine

    try:
        return await examine(client, address, zone=ZoneInfo(zone), now=now)
    except NothingFound as error:
        is_refused = any(tried.code == "refused" for tried in error.tried)
        raise Failed(f"{error}; {ALLOWING}" if is_refused else str(error)) from error


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
    if reading.listed and not reading.events:
        say("  nothing of it is ahead within a year; it is looked at again in time")
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


def test(
    source: Annotated[str, typer.Argument(metavar="ID|URL", help="A source that is stored, or any address.")],
    zone: Annotated[str | None, typer.Option(metavar="IANA", help="Zone of times that name none.")] = None,
) -> None:
    """Say what a source or an address offers, without storing anything."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.collecting.discovery import AddressList

        address, home = source, _home(zone, None)
        if source.isdigit():
            async with database.reading() as session:
                row = await source_named(session, source)
            address, home = row.url, _home(zone, None) if zone else row.zone
        async with fetcher(chosen) as client:
            found = await _examine(client, _web_address(address), home, chosen.now())
        if not isinstance(found, AddressList):
            _show(_web_address(address), found)
            return
        for number, line in found.unlisted:
            say(f"line {number} holds no http(s) or webcal address: {line}")
        say(f"{address}: a list of {len(found.addresses)} addresses; `adjacent sources add` records them")

    run(work)


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

        from app.collecting.first_start import live_sources
        from app.collecting.frontier import add_source, home_in
        from app.people import audit
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
                    await add_source(session, one.url, **home_in(place, place.zone if place else "UTC"))
                    audit.note(session, None, "source.add", one.url)
            say(f"recorded {len(chosen)} sources; `adjacent collect` reads them")
        elif as_json:
            printing.as_json(asdict(one) for one in live)
        else:
            printing.table(
                ("field", "place", "name", "address", "seen in"),
                [(one.field, one.place, one.name, one.url, one.seen_in) for one in live],
            )

    run(work)
