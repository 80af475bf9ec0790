"""`digest`: the weekly mail, from who is due to what came back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import printing
from app.cli.failing import Failed
from app.cli.opening import run
from app.cli.printing import say

if TYPE_CHECKING:
    from app.db import Database
    from app.settings import Settings

cli = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON array.")]
NOT_MAILED = {
    "paused": "takes a break from the weekly mail",
    "off": "does not want the weekly mail",
    "no-address": "has no address to send it to",
    "unconfirmed": "has not confirmed the address yet",
    "unsubscribed": "has left the weekly mail",
    "bounced": "gets no more mails, since some came back",
    "complained": "gets no more mails after a complaint",
}
WEEK = re.compile(r"\d{4}-W(0[1-9]|[1-4]\d|5[0-3])")


@cli.command()
def due(as_json: Json = False) -> None:
    """List who wants the mail, when the next one is due, and how the last one went."""

    async def work(_: Settings, database: Database) -> None:
        from app.mail.digest import standing

        async with database.reading() as session:
            rows = await standing(session)
        if as_json:
            printing.as_json(rows)
        else:
            names = ("next", "address", "rhythm", "last", "state", "error")
            printing.table(names, [[row[name] for name in names] for row in rows])

    run(work)


@cli.command()
def preview(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Their id or address.")],
    html: Annotated[bool, typer.Option("--html", help="The HTML part instead of the text.")] = False,
    eml: Annotated[bool, typer.Option("--eml", help="The whole mail, as it would be sent.")] = False,
) -> None:
    """Print the mail a person would get now; nothing is sent and nothing noted."""

    async def work(chosen: Settings, database: Database) -> None:
        from datetime import UTC, datetime
        from email.message import EmailMessage
        from email.parser import BytesParser
        from email.policy import default

        from app.mail.digest_sending import preview_for
        from app.mail.subscription import state_of, subscription_of
        from app.people.people import person_called

        async with database.reading() as session:
            found = await person_called(session, person.strip().lower())
            if found is None or found.id is None:
                raise Failed(f"no person has the id or address {person!r}; `adjacent people list` names all")
            state = state_of(await subscription_of(session, found), found, clock=datetime.now(UTC))
        outgoing = await preview_for(database, chosen, found.id, now=chosen.now())
        if state != "on":
            say(f"{person} {NOT_MAILED[state]}" + ("; this is what one would say" if outgoing is not None else ""))
        if outgoing is None:
            raise Failed(
                f"there is nothing worth a mail to {person} that none told before;"
                f" `adjacent people show {person}` says what they know"
            )
        if eml:
            print(outgoing.built.content.decode(), end="")
            return
        mail = BytesParser(policy=default).parsebytes(outgoing.built.content)
        part = mail.get_body(("html",) if html else ("plain",)) if isinstance(mail, EmailMessage) else None
        if part is not None:
            print(part.get_content(), end="")

    run(work)


@cli.command()
def send(
    week: Annotated[
        str | None, typer.Option(help="Send the mails of this ISO week to all who have none of it, e.g. 2026-W48.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say who would get what.")] = False,
) -> None:
    """Send the mails whose time has come; `serve` and workers do so by themselves."""
    if week is not None and not WEEK.fullmatch(week):
        raise typer.BadParameter(f"{week!r} is no ISO week, e.g. 2026-W48", param_hint="--week")

    async def work(chosen: Settings, database: Database) -> None:
        from datetime import UTC, datetime

        from app.mail import digest
        from app.mail.digest_sending import send_all, would_send

        clock = datetime.now(UTC)
        if dry_run:
            rows = await would_send(database, chosen, week, now=chosen.now(), clock=clock)
            written = [(address, subject) for address, subject in rows if subject is not None]
            if written:
                printing.table(("address", "subject"), written)
            say(f"{len(written)} would be sent, {len(rows) - len(written)} skipped" if rows else "nothing is due")
            return
        if week is not None:
            async with database.writing() as session:
                await digest.enrol_week(session, week, clock=clock)
        counts = await send_all(database, chosen, now=chosen.now(), clock=clock)
        say(", ".join(f"{number} {state}" for state, number in sorted(counts.items())) or "nothing is due")
        if counts["waiting"]:
            raise Failed("the mail server takes none now; they are tried again, and `adjacent doctor` says more")

    run(work)


@cli.command()
def resend(
    unknown: Annotated[bool, typer.Option("--unknown", help="Those that may not have arrived.")] = False,
) -> None:
    """Send mails again, under the same Message-ID, whose sending was cut off: some will arrive twice."""
    if not unknown:
        raise typer.BadParameter("say --unknown: nothing else is ever sent twice")

    async def work(_: Settings, database: Database) -> None:
        from datetime import UTC, datetime

        from app.mail import digest

        async with database.writing() as session:
            number = await digest.resend_unknown(session, clock=datetime.now(UTC))
        say(f"{number} will be sent again; `adjacent digest send` does so at once")

    run(work)


@cli.command()
def bounces(
    file: Annotated[Path, typer.Argument(help="A maildir, an mbox, one mail; - reads one from standard input.")],
) -> None:
    """Read what came back: undeliverable mails and complaints, and stop writing to whom that asks for."""

    async def work(_: Settings, database: Database) -> None:
        import sys
        from datetime import UTC, datetime

        from app.mail.bounces import mails_in, note_each

        mails = iter([sys.stdin.buffer.read()]) if str(file) == "-" else mails_in(file)
        async with database.writing() as session:
            counts = await note_each(session, mails, clock=datetime.now(UTC))
        say(", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "no mail in there")

    run(work)
