"""`rank` and `tag`: the recommender over JSON lines, without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.failing import Failed
from app.cli.printing import say
from app.cli.recommending import REACH_NAMES, reach_named


def _objects() -> Iterator[dict[str, Any] | Failed]:
    """Read standard input, a JSON object a line; of a line that is none yield what is wrong with it."""
    for number, line in enumerate(sys.stdin, 1):
        try:
            value = json.loads(line)
        except ValueError as error:
            yield Failed(f"line {number} of standard input is no JSON: {error}")
        else:
            yield value if isinstance(value, dict) else Failed(f"line {number} of standard input is no JSON object")


def _refuse(errors: Sequence[str], lines: int) -> None:
    if errors:
        raise Failed(f"{len(errors)} of {lines} lines could not be read; the first: {errors[0]}")


def _labels(file: Path) -> list[str]:
    return [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]


def rank(
    candidates: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="One label a line.")],
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 20,
    reach: Annotated[str | None, typer.Option(metavar=REACH_NAMES)] = None,
) -> None:
    """Rank candidate topics for people given as JSON lines on standard input; needs no database."""
    from recommender.catalogue import load_catalogue
    from recommender.label_ranking import LabelReader, rank_candidates

    if reach is not None:
        reach_named(reach)
    labels, people = _labels(candidates), list(_people())
    reader = LabelReader(load_catalogue())
    asked = [*reader.unknown(labels), *(label for one in people for label in reader.unknown(one.get("know", ())))]
    if unknown := list(dict.fromkeys(asked)):
        say(f"{len(unknown)} labels name no topic: {', '.join(map(_with_meaning, unknown))}")
    answers = rank_candidates(people, labels, limit=limit, reach=reach)
    for person, answer in zip(people, answers, strict=True):
        told = {"ranked": [], **person} if "error" in person else answer
        print(json.dumps(told, ensure_ascii=False))
    _refuse([person["error"] for person in people if "error" in person], len(people))


def _people() -> Iterator[dict[str, Any]]:
    """Read what people know; of a line that cannot be read yield what is wrong with it."""
    from recommender.label_ranking import NoPerson, levels_of

    for number, line in enumerate(_objects(), 1):
        try:
            yield {"error": str(line)} if isinstance(line, Failed) else {"know": levels_of(line)}
        except NoPerson as error:
            yield {"error": f"line {number} of standard input: {error}"}


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

    lines = list(_objects())
    told = [{} if isinstance(line, Failed) else line for line in lines]
    texts = [EventText(title=str(line.get("title") or ""), text=str(line.get("text") or "")) for line in told]
    if candidates is not None:
        found = tag_labels(texts, _labels(candidates), limit=limit)
    else:
        catalogue = load_catalogue()
        found = [
            [(catalogue[tag.topic].label, tag.weight) for tag in tags[:limit]] for tags in load_tagger().tag(texts)
        ]
    for line, tags, purpose in zip(lines, found, purposes(texts), strict=True):
        answer: dict[str, Any] = {
            "topics": [{"topic": label, "weight": round(weight, 4)} for label, weight in tags],
            "purpose": {name: round(share, 4) for name, share in purpose.weights.items()},
        }
        if isinstance(line, Failed):
            answer |= {"topics": [], "error": str(line)}
        print(json.dumps(answer, ensure_ascii=False))
    _refuse([str(line) for line in lines if isinstance(line, Failed)], len(lines))
