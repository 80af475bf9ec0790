"""`people` and `tokens`: those picks are made for, and the secrets that open the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run
from app.cli.printing import say

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings

people = typer.Typer(no_args_is_help=True)
tokens = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]


@people.command("list")
def list_people(as_json: Json = False) -> None:
    """List people; guests have no address."""

    async def work(_: Settings, database: Database) -> None:
        from app.people import all_people

        async with database.reading() as session:
            rows = await all_people(session)
        if as_json:
            printing.as_json(rows)
        else:
            printing.table(
                ("id", "address", "place", "knows"),
                [(row["id"], row["email"], row["place"], ", ".join(row["know"])) for row in rows],
            )

    run(work)


@people.command()
def delete(person: str) -> None:
    """Delete a person and everything kept about them."""

    async def work(_: Settings, database: Database) -> None:
        from app.people import delete_person, person_called

        async with database.writing() as session:
            row = await person_called(session, person)
            if row is None:
                raise Failed(f"no person has the id or address {person!r}")
            await delete_person(session, row)
        say(f"deleted {person}")

    run(work)


@tokens.command()
def create(
    kind: Annotated[str, typer.Argument(metavar="operator")] = "operator",
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Make an operator token; it is shown once."""
    if kind != "operator":
        raise typer.BadParameter(f"{kind!r}: only operator tokens are made here; people make theirs in the API")

    async def work(_: Settings, database: Database) -> None:
        from app.tokens import issue

        async with database.writing() as session:
            print(await issue(session, "operator", label=label))

    run(work)


@tokens.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List tokens by their beginnings; the secrets themselves are not stored."""

    async def work(_: Settings, database: Database) -> None:
        from app.tokens import all_tokens

        async with database.reading() as session:
            rows = await all_tokens(session)
        if as_json:
            printing.as_json(rows)
        else:
            printing.table(
                ("id", "kind", "label", "created", "revoked"),
                [(row["id"], row["kind"], row["label"], row["created_at"], row["revoked_at"]) for row in rows],
            )

    run(work)


@tokens.command()
def revoke(token: Annotated[str, typer.Argument(help="The token, or the id that `tokens list` shows.")]) -> None:
    """Make a token useless at once."""

    async def work(_: Settings, database: Database) -> None:
        from app.tokens import revoke as withdraw

        async with database.writing() as session:
            if not await withdraw(session, token):
                raise Failed("no such token")
        say("revoked")

    run(work)
