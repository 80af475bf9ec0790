"""`recommend`: picks for somebody who is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.naming import spot_named
from app.cli.opening import run
from app.cli.printing import say

if TYPE_CHECKING:
    from app.db import Database
    from app.picking.picks import Pick
    from app.settings import Settings
    from recommender.reach import Reach

PURPOSE_NAMES = "learn|exchange|social|sell|recruit"
REACH_NAMES = "next-door|one-step|two-steps|far"  # recommender.reach.REACHES, without loading numpy for --help


def reach_named(value: str) -> Reach:
    from recommender.reach import REACHES

    for reach in REACHES:
        if value == reach:
            return reach
    raise typer.BadParameter(f"{value!r}: choose {', '.join(REACHES)}")


def recommend(
    know: Annotated[list[str], typer.Option(metavar="TOPIC[:1-5]", help="What you know; repeat it. Level 3 if none.")],
    near: Annotated[str | None, typer.Option(metavar="CITY|LAT,LON")] = None,
    within: Annotated[float, typer.Option(metavar="KM", min=1, max=20000)] = 50.0,
    online: Annotated[bool, typer.Option("--online/--no-online", help="Whether online events count.")] = True,
    reach: Annotated[str, typer.Option(metavar=REACH_NAMES)] = "one-step",
    days: Annotated[int, typer.Option(min=1, max=365)] = 21,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    purpose: Annotated[
        list[str] | None, typer.Option(metavar=PURPOSE_NAMES, help="What people may mainly come for; repeat it.")
    ] = None,
    lang: Annotated[list[str] | None, typer.Option(metavar="BCP47", help="Of events; repeat it.")] = None,
    free: Annotated[bool, typer.Option("--free", help="Only what says it is free.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Pick the events one step outside what you know, each with its reason."""
    levels, far = levels_of(know), reach_named(reach)

    async def work(chosen: Settings, database: Database) -> None:
        from app.people.wishes import Wish
        from app.picking.picks import picks_for
        from app.topic_names import resolve_known

        wish = Wish(
            known=resolve_known(levels),
            near=spot_named(near) if near else None,
            within_km=within,
            online=online,
            reach=far,
            days=days,
            limit=limit,
            languages=frozenset(lang or ()),
            free_only=free,
            purposes=_purposes(purpose or ()),
        )
        async with database.reading() as session:
            picks = await picks_for(session, wish, now=chosen.now())
        _print(picks, as_json=as_json)

    run(work)


def _purposes(asked: Sequence[str]) -> frozenset[str]:
    from app.people.wishes import USUAL_PURPOSES
    from app.queries.filters import PURPOSES

    for name in asked:
        if name not in PURPOSES:
            raise typer.BadParameter(f"{name!r}: choose {', '.join(PURPOSES)}")
    return frozenset(asked) or USUAL_PURPOSES


def levels_of(know: list[str]) -> dict[str, int]:
    """Read `TOPIC[:1-5]` values; commas separate several in one."""
    levels = {}
    for part in (part.strip() for value in know for part in value.split(",")):
        label, colon, level = part.rpartition(":")
        if colon and level.isdigit():
            if not 1 <= int(level) <= 5:
                raise typer.BadParameter(f"--know {part!r}: levels go from 1 (a little) to 5 (a master)")
            levels[label] = int(level)
        elif part:
            levels[part] = 3
    if not levels:
        raise typer.BadParameter("--know names no topic")
    return levels


def _print(picks: Sequence[Pick], *, as_json: bool) -> None:
    if as_json:
        printing.as_json(pick.as_json() for pick in picks)
    else:
        for pick in picks:
            _print_pick(pick)
    if not picks:
        say("nothing found: try --reach far, more --days, a wider --within, or add sources")


def _print_pick(pick: Pick) -> None:
    from zoneinfo import ZoneInfo

    event = pick.listed.event
    starts = event.starts_at.astimezone(ZoneInfo(event.zone))
    when = f"{starts:%a %d %b}" if event.all_day else f"{starts:%a %d %b %H:%M}"
    where = event.venue_name or event.city or ("online" if event.mode == "online" else "place not told")
    if pick.distance_km is not None and (event.venue_name or event.address):
        where += f", {pick.distance_km:.0f} km"
    print(f"{when}  {event.title}")
    if pick.listed.community:
        print(f"    {pick.listed.community.name} · {where}")
    else:
        print(f"    {where}")
    print(f"    {pick.path[0]} → {pick.path[1]} ({pick.reach}, {pick.score:.3f})")
    print(f"    {pick.reason}")
    for line in pick.evidence:
        print(f"    · {line}")
    print()
