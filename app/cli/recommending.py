"""`recommend`, `rank`, `tag`, `evaluate`: the recommender from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run
from app.cli.printing import say

if TYPE_CHECKING:
    from app.db import Database
    from app.picking.picks import Pick
    from app.settings import Settings
    from recommender.reach import Reach

PURPOSE_NAMES = "learn|exchange|social|sell|recruit"
REACH_NAMES = "next-door|one-step|two-steps|far"  # recommender.reach.REACHES, without loading numpy for --help


def _reach(value: str) -> Reach:
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
    levels, far = levels_of(know), _reach(reach)

    async def work(chosen: Settings, database: Database) -> None:
        from app.people.wishes import Wish
        from app.picking.picks import picks_for
        from app.places import find_spot
        from app.topic_names import resolve_known

        wish = Wish(
            known=resolve_known(levels),
            near=find_spot(near) if near else None,
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
        if as_json:
            printing.as_json(pick.as_json() for pick in picks)
        elif picks:
            for pick in picks:
                _print_pick(pick)
        else:
            say("nothing found: try --reach far, more --days, a wider --within, or add sources")

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


def _json_lines() -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(sys.stdin, 1):
        yield number, _json_object(number, line)


def _json_object(number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise Failed(f"line {number} of standard input is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Failed(f"line {number} of standard input is no JSON object")
    return value


def _people() -> Iterator[dict[str, Any]]:
    """Read what people know, a JSON object a line; of a line that cannot be read yield what is wrong with it."""
    from recommender.label_ranking import NoPerson, levels_of

    for number, line in enumerate(sys.stdin, 1):
        try:
            person = _json_object(number, line)
            yield {"know": levels_of(person)}
        except Failed as error:
            yield {"error": str(error)}
        except NoPerson as error:
            yield {"error": f"line {number} of standard input: {error}"}


def rank(
    candidates: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="One label a line.")],
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 20,
    reach: Annotated[str | None, typer.Option(metavar=REACH_NAMES)] = None,
) -> None:
    """Rank candidate topics for people given as JSON lines on standard input; needs no database."""
    from recommender.catalogue import load_catalogue
    from recommender.label_ranking import LabelReader, rank_candidates

    if reach is not None:
        _reach(reach)
    labels = [line.strip() for line in candidates.read_text("utf-8").splitlines() if line.strip()]
    people = list(_people())
    reader = LabelReader(load_catalogue())
    asked = [*reader.unknown(labels), *(label for one in people for label in reader.unknown(one.get("know", ())))]
    if unknown := list(dict.fromkeys(asked)):
        say(f"{len(unknown)} labels name no topic: {', '.join(map(_with_meaning, unknown))}")
    answers = rank_candidates(people, labels, limit=limit, reach=reach)
    for person, answer in zip(people, answers, strict=True):
        told = {"ranked": [], **person} if "error" in person else answer
        print(json.dumps(told, ensure_ascii=False))
    if errors := [person["error"] for person in people if "error" in person]:
        raise Failed(f"{len(errors)} of {len(people)} lines could not be read; the first: {errors[0]}")


def _with_meaning(label: str) -> str:
    """Return a label with the topics that may have been meant."""
    from recommender.catalogue import load_catalogue

    meant = load_catalogue().suggest(label, limit=2)
    return f"{label} (did you mean {' or '.join(meant)}?)" if meant else label


def tag(
    candidates: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="One label a line.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 10,
) -> None:
    """Say what texts given as JSON lines on standard input are about; needs no database."""
    from recommender.catalogue import load_catalogue
    from recommender.event_text import EventText
    from recommender.label_tagging import tag_labels
    from recommender.purpose import purposes
    from recommender.tagging import load_tagger

    texts = [
        EventText(title=str(line.get("title") or ""), text=str(line.get("text") or "")) for _, line in _json_lines()
    ]
    if candidates is not None:
        labels = [line.strip() for line in candidates.read_text("utf-8").splitlines() if line.strip()]
        found = tag_labels(texts, labels, limit=limit)
    else:
        catalogue = load_catalogue()
        found = [
            [(catalogue[tag.topic].label, tag.weight) for tag in tags[:limit]] for tags in load_tagger().tag(texts)
        ]
    for tags, purpose in zip(found, purposes(texts), strict=True):
        answer = {
            "topics": [{"topic": label, "weight": round(weight, 4)} for label, weight in tags],
            "purpose": {name: round(share, 4) for name, share in purpose.weights.items()},
        }
        print(json.dumps(answer, ensure_ascii=False))


def evaluate(
    data: Annotated[Path, typer.Option(help="Folder with the data to measure on.")] = Path("../shared/adjacency"),
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure adjacency, events, tagging, purpose and merging against their baselines."""
    if not data.is_dir():
        raise Failed(f"{data}: no such folder; --data names the one with the survey and group files")
    from app.events.measure_merging import measure_merging
    from recommender.evaluate import evaluate as measure

    results = [*measure(data), *measure_merging(data)]
    if as_json:
        printing.as_json(result.as_json() for result in results)
        return
    printing.table(
        ("part", "setting", "model", "measure", "value", "95 % interval", "n"),
        [
            (
                one.part,
                one.setting,
                one.model,
                one.measure,
                f"{one.value:.3f}",
                f"{one.low:.3f} … {one.high:.3f}",
                one.n,
            )
            for one in results
        ],
    )
