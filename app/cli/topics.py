"""`topics`: the catalogue and its neighbourhood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing

if TYPE_CHECKING:
    from recommender.catalogue import Topic

cli = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]


@cli.command()
def search(words: str, limit: int = 20, as_json: Json = False) -> None:
    """Find topics by label, alias or gloss."""
    from recommender.catalogue import load_catalogue

    _print(load_catalogue().search(words, limit=limit), as_json=as_json)


@cli.command()
def show(topic: str, as_json: Json = False) -> None:
    """Show one topic."""
    from app.topic_names import topic_called

    _print([topic_called(topic)], as_json=as_json)


@cli.command()
def near(topic: str, limit: int = 20, as_json: Json = False) -> None:
    """Show the topics next door: those most worth showing to somebody who knows this one."""
    from app.topic_names import topic_called
    from recommender.catalogue import load_catalogue
    from recommender.topic_worth import next_topics

    rows = next_topics({topic_called(topic).slug: 3})[:limit]
    if as_json:
        printing.as_json(
            {"slug": one.slug, "label": one.label, "domain": one.domain, "score": round(score, 4)}
            for one, score in rows
        )
        return
    printing.table(
        ("topic", "domain", "score"),
        [(one.label, load_catalogue().domains[one.domain], f"{score:.3f}") for one, score in rows],
    )


def _print(topics: list[Topic], *, as_json: bool) -> None:
    from app.queries.topic_forms import topic_json
    from recommender.catalogue import load_catalogue

    catalogue = load_catalogue()
    if as_json:
        printing.as_json(topic_json(topic) for topic in topics)
        return
    printing.table(
        ("slug", "topic", "domain", "also called", "next to"),
        [
            (
                topic.slug,
                topic.label,
                catalogue.domains[topic.domain],
                ", ".join(topic.aliases),
                ", ".join(catalogue[slug].label for slug in topic.neighbours),
            )
            for topic in topics
        ],
    )
