"""`people` and `tokens`: those picks are made for, and the secrets that open the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run
from app.cli.printing import say

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.db import Database
    from app.models import Person
    from app.settings import Settings

people = typer.Typer(no_args_is_help=True)
tokens = typer.Typer(no_args_is_help=True)
Named = Annotated[str, typer.Argument(metavar="PERSON", help="Their id or address.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]


@people.command("list")
def list_people(as_json: Json = False) -> None:
    """List people; guests have no address."""

    async def work(_: Settings, database: Database) -> None:
        from app.people.people import all_people

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
def add(email: Annotated[str, typer.Argument(help="Their address.")]) -> None:
    """Add a person by address, so that `people link` can let them in."""

    async def work(_: Settings, database: Database) -> None:
        from app.people.people import make_person, person_called

        address = _address(email)
        async with database.writing() as session:
            if await person_called(session, address) is not None:
                raise Failed(f"{address} is known already; `adjacent people show {address}`")
            person = await make_person(session, address)
        say(f"added {address}")
        print(person.key)

    run(work)


def _address(text: str) -> str:
    from app.account.signing import BadAddress, normal_address

    try:
        return normal_address(text)
    except BadAddress as error:
        raise typer.BadParameter(str(error)) from error


async def _found(session: AsyncSession, name: str) -> Person:
    from app.people.people import person_called

    person = await person_called(session, name.strip().lower())
    if person is None:
        raise Failed(f"no person has the id or address {name!r}; `adjacent people list` names all")
    return person


@people.command()
def show(person: Named, as_json: Json = False) -> None:
    """Show a person's profile and what they know."""

    async def work(_: Settings, database: Database) -> None:
        from app.people.people import person_json

        async with database.reading() as session:
            facts = await person_json(session, await _found(session, person))
        if as_json:
            printing.as_json([facts])
        else:
            known = ", ".join(f"{one['label']}:{one['level']}" for one in facts["know"])
            rows = [(name, value) for name, value in (facts | {"know": known}).items() if value not in (None, "")]
            printing.table(("", ""), rows)

    run(work)


@people.command()
def export(person: Named) -> None:
    """Print everything kept about a person as one JSON object."""

    async def work(_: Settings, database: Database) -> None:
        import json

        from app.people.export import export as everything

        async with database.reading() as session:
            print(json.dumps(await everything(session, await _found(session, person)), ensure_ascii=False, indent=2))

    run(work)


@people.command()
def link(
    person: Named,
    operator: Annotated[bool, typer.Option("--operator", help="Let them operate this instance, too.")] = False,
) -> None:
    """Print a link that signs a person in, once, within a day: for instances without mail."""

    async def work(chosen: Settings, database: Database) -> None:
        import os

        from app.account.signing import LINK, link_for
        from app.operating import served_at
        from app.people import audit

        async with database.writing() as session:
            row = await _found(session, person)
            secret = await link_for(session, row, operates=operator)
            audit.note(session, None, "person.link-operator" if operator else "person.link", row.key)
            # Unless a setting says where the service is, it is where it was last started.
            started = None if os.environ.get("ADJACENT_BASE_URL") else await served_at.noted(session)
        say(f"works once, for {LINK.total_seconds() / 3600:.0f} hours; give it to nobody else")
        print(f"{started or chosen.base_url}/sign-in/{secret}")

    run(work)


@people.command()
def delete(person: Named) -> None:
    """Delete a person and everything kept about them."""

    async def work(chosen: Settings, database: Database) -> None:
        from app.mail import mailer
        from app.people import audit
        from app.people.people import delete_person

        async with database.writing() as session:
            row = await _found(session, person)
            await delete_person(session, row)
            audit.note(session, None, "person.delete", row.key)
        if row.email is not None:
            mailer.forget(row.email, chosen)
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
        from app.people import audit
        from app.people.tokens import digest_of, issue, shown

        async with database.writing() as session:
            secret = await issue(session, "operator", label=label)
            audit.note(session, None, "token.create", shown(digest_of(secret)))
        print(secret)

    run(work)


@tokens.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List tokens by their beginnings; the secrets themselves are not stored."""

    async def work(_: Settings, database: Database) -> None:
        from app.people.tokens import all_tokens

        async with database.reading() as session:
            rows = await all_tokens(session)
        if as_json:
            printing.as_json(rows)
        else:
            printing.table(
                ("id", "kind", "label", "scopes", "created", "last used", "expires", "revoked"),
                [
                    (
                        row["id"],
                        row["kind"],
                        row["label"],
                        " ".join(row["scopes"]),
                        row["created_at"][:16],
                        (row["last_used_at"] or "")[:10],
                        (row["expires_at"] or "")[:16],
                        (row["revoked_at"] or "")[:16],
                    )
                    for row in rows
                ],
            )

    run(work)


@tokens.command()
def revoke(token: Annotated[str, typer.Argument(help="The token, or the id that `tokens list` shows.")]) -> None:
    """Make a token useless at once."""

    async def work(_: Settings, database: Database) -> None:
        from app.people import audit
        from app.people.tokens import id_of
        from app.people.tokens import revoke as withdraw

        async with database.writing() as session:
            row = await withdraw(session, token)
            if row is None:
                raise Failed("no such token; `adjacent tokens list` shows their ids")
            audit.note(session, None, "token.revoke", id_of(row))
        say("revoked")

    run(work)
