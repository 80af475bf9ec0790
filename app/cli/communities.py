"""`communities`: groups, user groups, associations and chats, and the bundled registry of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.naming import spot_named
from app.cli.opening import fetcher, run
from app.cli.printing import say
from app.cli.recommending import levels_of

if TYPE_CHECKING:
    from app.community.communities import Active
    from app.db import Database
    from app.settings import Settings

cli = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]


@cli.command("list")
def list_(
    topic: Annotated[str | None, typer.Option(help="What they are about.")] = None,
    kind: Annotated[str | None, typer.Option(help="group, slack, hashtag chat …")] = None,
    resting: Annotated[bool, typer.Option("--resting", help="Also what is dormant or has ended.")] = False,
    as_json: Json = False,
) -> None:
    """List communities by name."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.collecting import registry
        from app.community.communities import find
        from app.community.community_filter import CommunityFilter
        from app.topic_names import topic_called

        wanted = CommunityFilter(
            topics=(topic_called(topic).slug,) if topic else (),
            kinds=(kind,) if kind else (),
            is_resting=None if resting else False,
        )
        async with database.reading() as session:
            found = (await find(session, wanted, now=chosen.now(), limit=1_000_000)).communities
        if as_json:
            printing.as_json(one.as_json() for one in found)
            return
        printing.table(("id", "name", "kind", "meets", "alive", "next"), [_row(one) for one in found])
        if not await registry.is_loaded(database):
            say(f"{len(registry.files())} more come along; `adjacent communities registry` adds them, and asks nobody")

    run(work)


def _row(one: Active) -> tuple[str, ...]:
    label = one.community.activity.get("label")
    is_unchecked = one.community.file is not None and one.community.checked_at is None
    return (
        one.community.key,
        one.community.name,
        one.community.kind,
        one.cadence or "",
        ", ".join(filter(None, (label, "unchecked" if is_unchecked else None))),
        _next_day(one),
    )


def _next_day(one: Active) -> str:
    """Return the day on which it meets next, by the clocks there."""
    event = one.next_event
    return f"{event.starts_at.astimezone(ZoneInfo(event.zone)):%Y-%m-%d}" if event else ""


@cli.command()
def show(key: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show everything known of one community, as JSON."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.community.communities import community_by_key

        async with database.reading() as session:
            found = await community_by_key(session, key, now=chosen.now())
        if found is None:
            raise Failed(f"no community has the id {key!r}; `adjacent communities list` shows them")
        printing.as_json([found.as_json()])

    run(work)


@cli.command()
def recommend(
    know: Annotated[list[str], typer.Option(metavar="TOPIC[:1-5]", help="What you know; repeat it. Level 3 if none.")],
    near: Annotated[str | None, typer.Option(metavar="CITY|LAT,LON")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    as_json: Json = False,
) -> None:
    """Pick communities one step outside what you know, each with its reason."""
    levels = levels_of(know)

    async def work(chosen: Settings, database: Database) -> None:
        from app.people.wishes import Wish
        from app.picking.community_picks import communities_for
        from app.topic_names import resolve_known

        wish = Wish(known=resolve_known(levels), near=spot_named(near) if near else None, limit=limit)
        async with database.reading() as session:
            picks = await communities_for(session, wish, now=chosen.now())
        if as_json:
            printing.as_json(pick.as_json() for pick in picks)
            return
        for pick in picks:
            one: dict[str, Any] = pick.active.as_json()
            typer.echo(f"{one['name']}  ({one['kind']}{', ' + one['city'] if one['city'] else ''})")
            day = _next_day(pick.active)
            when = f"meets {one['cadence']}" if one["cadence"] else f"next on {day}" if day else ""
            typer.echo("  " + " · ".join(filter(None, (" → ".join(pick.path), when, one["join"]))))
            typer.echo(f"  {pick.reason}")
            for told in pick.evidence:
                typer.echo(f"  {told}")

    run(work)


@cli.command()
def check() -> None:
    """Fetch the addresses of the registry and of community files, and say which answer."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.collecting import registry

        async with fetcher(chosen) as client:
            checked = await registry.check(database, client, now=chosen.now())
        printing.table(("community", "address", ""), [(one.name, one.url, one.error or "answers") for one in checked])

    run(work)


@cli.command()
def registry() -> None:
    """Load the bundled registry of communities, or bring it up to date."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.collecting import registry as bundled

        added = await bundled.load(database, now=chosen.now())
        typer.echo(f"the registry is loaded; {added} dates are new")

    run(work)
