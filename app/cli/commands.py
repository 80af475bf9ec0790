"""All commands in one tree."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from app.cli import (
    backups,
    collecting,
    communities,
    digests,
    evaluating,
    events,
    jobs,
    operating,
    parsing,
    people,
    ranking,
    recommending,
    serving,
    sources,
    topics,
)

cli = typer.Typer(
    help="Events one step outside what you know.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"adjacent {version('adjacent')}")
        raise typer.Exit


@cli.callback()
def _global(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


cli.add_typer(sources.cli, name="sources", help="Addresses that events are collected from.")
cli.add_typer(events.cli, name="events", help="What was collected.")
cli.add_typer(communities.cli, name="communities", help="Groups, associations and chats behind the events.")
cli.add_typer(topics.cli, name="topics", help="The catalogue of topics and its neighbourhood.")
cli.add_typer(digests.cli, name="digest", help="The weekly mail.")
cli.add_typer(people.people, name="people", help="Those picks are made for.")
cli.add_typer(people.tokens, name="tokens", help="Secrets that open the API.")
cli.add_typer(jobs.cli, name="jobs", help="The work behind the requests.")
cli.add_typer(operating.demo, name="demo", help="The demonstration city.")
for command in (
    parsing.parse,
    collecting.collect,
    recommending.recommend,
    ranking.rank,
    ranking.tag,
    evaluating.evaluate,
    serving.serve,
    serving.worker,
    operating.migrate,
    operating.doctor,
    backups.backup,
    backups.restore,
    operating.stats,
):
    cli.command()(command)
