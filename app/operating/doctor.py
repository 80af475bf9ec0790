"""`doctor`: what an operator would look at first, each with what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from pathlib import Path

import aiosmtplib
from sqlalchemy import func, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from app.collecting import registry
from app.db import Database, NewerSchema, current_revision, in_short, newest_revision, refuse_newer
from app.mail.dkim import BadKey
from app.mail.mailer import server_of, signer_of
from app.models import Event, FetchState, Host, Setting, Source, Worker
from app.operating.backup import LAST_BACKUP
from app.operating.metrics import free_bytes
from app.queue import backlog, leases
from app.settings import Settings
from recommender.adjacency import ARTEFACT, load_adjacency
from recommender.catalogue import load_catalogue

LEAST_FREE = 500 * 2**20  # bytes
OLDEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before this was never set
LATE = 0.5  # share of failing sources from which something is wrong here rather than there
LATE_HOST = timedelta(hours=1)  # workers take a host up within seconds
MAIL_WAIT = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Finding:
    is_fine: bool
    what: str
    finding: str  # what was found, and what to do where it is not fine


async def examine(settings: Settings, database: Database) -> list[Finding]:
    """Look at everything the service stands on, and change nothing; the first bad finding is the one to begin with."""
    return [
        await _database(database),
        await _migrations(database),
        _clock(settings, datetime.now(UTC)),
        _disk(settings.data, free_bytes(settings.data)),
        _writable(settings.data),
        await _mail(settings),
        *_sending(settings),
        _models(),
        *[finding async for finding in _collecting(database)],
        *[finding async for finding in _working(database, datetime.now(UTC))],
    ]


async def _database(database: Database) -> Finding:
    where = database.engine.url.render_as_string(hide_password=True)
    try:
        async with database.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            check = await connection.scalar(text("PRAGMA quick_check(1)")) if database.is_sqlite else "ok"
    except (SQLAlchemyError, OSError) as error:
        told = f"{where} does not answer: {in_short(error)}"
        return Finding(False, "database", f"{told}; is ADJACENT_DATABASE_URL right, and may this user write there?")
    if check != "ok":
        return Finding(False, "database", f"{where}: {check}; put a good copy of the file in its place")
    return Finding(True, "database", where)


async def _migrations(database: Database) -> Finding:
    try:
        revision = await current_revision(database)
    except (SQLAlchemyError, OSError):
        return Finding(False, "migrations", "unknown while the database does not answer")
    if revision is None:
        return Finding(True, "migrations", "none yet; the first start lays the tables")
    try:
        refuse_newer(revision)
    except NewerSchema as error:
        return Finding(False, "migrations", str(error))
    if revision != newest_revision():
        return Finding(False, "migrations", f"at {revision}, not {newest_revision()}; run `adjacent migrate`")
    return Finding(True, "migrations", f"at {revision}")


def _clock(settings: Settings, clock: datetime) -> Finding:
    if clock < OLDEST_CLOCK:
        return Finding(False, "clock", f"says {clock:%Y-%m-%d}; set it (timedatectl set-ntp true)")
    if settings.pinned_now is not None:
        return Finding(True, "clock", f"ADJACENT_NOW pins “now” at {settings.pinned_now.isoformat()}")
    return Finding(True, "clock", clock.isoformat(timespec="seconds"))


def _disk(data: Path, free: int) -> Finding:
    told = f"{free / 2**30:.1f} GiB free at {data}"
    if free < LEAST_FREE:
        return Finding(False, "disk", f"{told}; make room, or move ADJACENT_DATA")
    return Finding(True, "disk", told)


def _writable(data: Path) -> Finding:
    probe = data / ".doctor"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding(False, "data folder", f"{data}: {error.strerror}; give it to the user the service runs as")
    if data.stat().st_mode & 0o007:  # as it was made by hand, or by versions before
        return Finding(
            True, "data folder", f"{data}, which everybody on this machine may enter; chmod 700 keeps them out"
        )
    return Finding(True, "data folder", str(data))


async def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return Finding(True, "mail", f"no ADJACENT_SMTP_URL: mails are written to {settings.data / 'outbox'}")
    server = server_of(settings.smtp_url)
    where = f"{server['hostname']}:{server['port']}"
    try:
        async with aiosmtplib.SMTP(**server, timeout=MAIL_WAIT):  # signs in, too, where there is a password
            return Finding(True, "mail", f"{where} answers")
    except (aiosmtplib.SMTPException, OSError) as error:
        return Finding(False, "mail", f"{where} does not answer: {error}; see ADJACENT_SMTP_URL")


def _sending(settings: Settings) -> Iterator[Finding]:
    """Look at what the big providers ask of whoever sends; nothing of it matters while mails stay here."""
    if settings.dkim_key is not None:
        yield _signing(settings)
    if settings.smtp_url is None:
        return
    sender = parseaddr(settings.mail_from)[1]
    host = sender.rpartition("@")[2]
    if "." in host:
        yield Finding(True, "sender", f"{sender}; mails to sign in come from {parseaddr(settings.sign_in_from)[1]}")
    else:
        yield Finding(False, "sender", f"{sender} is nobody's address; set ADJACENT_MAIL_FROM to one of your domain")
    if settings.base_url.startswith("https://"):
        yield Finding(True, "links", f"mails lead to {settings.base_url}")
    else:
        told = f"mails lead to {settings.base_url}, and one-click leaving (RFC 8058) wants https"
        yield Finding(False, "links", f"{told}; set ADJACENT_BASE_URL to where the service is reached")
    if settings.dkim_key is None:
        yield Finding(True, "signature", "none by ADJACENT_DKIM_KEY: the mail server has to sign (docs/mail.md)")
    if settings.bounces_to is None:
        told = f"to {sender}, where nobody reads them; set ADJACENT_BOUNCES_TO, and see docs/mail.md"
        yield Finding(False, "returned mails", told)
    elif settings.bounces_to.count("@") != 1:
        yield Finding(False, "returned mails", f"{settings.bounces_to!r} is no address; see ADJACENT_BOUNCES_TO")
    else:
        yield Finding(True, "returned mails", f"to {settings.bounces_to.replace('@', '+…@')}")


def _signing(settings: Settings) -> Finding:
    try:
        signer = signer_of(settings)
    except OSError as error:
        told = f"{settings.dkim_key}: {error.strerror}; see ADJACENT_DKIM_KEY"
        return Finding(False, "signature", told)
    except BadKey as error:
        return Finding(False, "signature", f"{error}; `openssl genrsa -out FILE 2048` makes one")
    assert signer is not None
    name, text = signer.record
    return Finding(True, "signature", f'DNS has to hold {name} TXT "{text}"')


def _models() -> Finding:
    for file in (ARTEFACT, *(ARTEFACT.with_name(name) for name in ("tagging.npz", "purpose.npz"))):
        if not file.is_file():
            return Finding(False, "model files", f"{file} is missing; install the package again")
    adjacency = load_adjacency()
    return Finding(
        True,
        "model files",
        f"adjacency of {len(adjacency.catalogue)} topics in {len(load_catalogue().domains)} domains",
    )


async def _collecting(database: Database) -> AsyncIterator[Finding]:
    try:
        async with database.reading() as session:
            states = dict((await session.exec(select(Source.state, func.count()).group_by(col(Source.state)))).all())
            last_good = (await session.exec(select(func.max(FetchState.last_good_at)))).one()
            untagged = (
                await session.exec(select(func.count()).select_from(Event).where(col(Event.tagged_digest).is_(None)))
            ).one()
    except (SQLAlchemyError, OSError):
        return  # said already
    yield await _registry(database)
    number = sum(states.values())
    if number == 0:
        yield Finding(True, "sources", "none yet; `adjacent sources add URL`")
        return
    failing = states.get("failing", 0) + states.get("gone", 0)
    told = f"{number} sources, {failing} failing, last good fetch {last_good or 'never'}"
    if failing > LATE * number:
        yield Finding(False, "sources", f"{told}; `adjacent sources list` says why")
    else:
        yield Finding(True, "sources", told)
    if untagged:
        yield Finding(True, "tagging", f"{untagged} events wait for it; the next `collect` does it")


async def _registry(database: Database) -> Finding:
    number = len(registry.files())
    if await registry.is_loaded(database):
        return Finding(True, "registry", f"{number} communities and recurring chats, renewed with each version")
    told = f"{number} communities and recurring chats come along; `adjacent communities registry` adds them, and asks nobody"
    return Finding(True, "registry", told)


async def _working(database: Database, clock: datetime) -> AsyncIterator[Finding]:
    try:
        async with database.reading() as session:
            seen_at = (await session.exec(select(func.max(Worker.seen_at)))).one()
            waits_since = (await session.exec(select(func.min(Host.next_due)).where(~leases.is_dead(Host)))).one()
            dead = [one.name for one in await backlog.listed(session, clock=clock) if one.state == "dead"]
            backed_up = await session.get(Setting, LAST_BACKUP)
    except (SQLAlchemyError, OSError):
        return  # said already
    if seen_at is not None and clock - seen_at <= 2 * leases.LEASE:
        yield Finding(True, "worker", f"seen {(clock - seen_at).total_seconds():.0f} s ago")
    elif waits_since is not None and clock - waits_since > LATE_HOST:
        told = f"none, and a host has been due since {waits_since:%Y-%m-%d %H:%M}"
        yield Finding(False, "worker", f"{told}; start `adjacent worker`, or `adjacent serve` without --no-worker")
    else:
        yield Finding(True, "worker", "none at the moment, and nothing waits for one")
    if dead:
        told = f"{', '.join(dead[:3])}{' …' if len(dead) > 3 else ''} failed too often"
        yield Finding(
            False, "jobs", f"{told}; `adjacent jobs list` says why, `adjacent jobs requeue --dead` tries again"
        )
    when = (
        f"last {backed_up.value}" if backed_up else "none yet; `adjacent backup FILE` makes one while the service runs"
    )
    yield Finding(True, "backup", when)
