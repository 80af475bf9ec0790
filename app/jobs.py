"""Step 1's clock: what is due becomes jobs, and what the jobs do. `serve` runs them, and any number of workers.

Every job is derived from a row (app.queue.leases): hosts, and chores, which the service does for itself from time to time.
So nothing is lost when a process dies, and one works on a row at a time. The schedule keeps the real clock;
`settings.now()` says what is upcoming.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import and_, delete, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from app.calendars import feeds, renderings
from app.collecting import collect, first_start, frontier, registry, series
from app.community import activity
from app.db import Database
from app.events import about
from app.mail import digest_sending, introductions
from app.models import Chore, Host
from app.operating import retention
from app.people import experience
from app.picking import slates
from app.queue import leases
from app.queue.engine import Engine
from app.queue.holder import Again, Holder
from app.settings import Settings
from scrapers.fetch import Fetcher

TICK = "* * * * * */5"  # cron with seconds: when to look for what is due
AHEAD = 1_000  # hosts put into the queue at a tick: 200 a second at most
SWEEP = "*/5 * * * *"
DAILY = timedelta(days=1)
OFTEN = timedelta(minutes=10)
HOURLY = timedelta(hours=1)
SOON = timedelta(minutes=1)

HOST, CHORE = "collect host", "do chore"  # kinds of jobs
TAG = "tag new events"
SLATES = "renew slates"
SERIES, DEMONSTRATION = "expand series", "move demonstration on"
FOLLOWING_NOW = (SERIES, DEMONSTRATION, SLATES)  # done at every start: another day may have been pinned meanwhile

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work:
    """What jobs have open."""

    database: Database
    settings: Settings
    fetcher: Fetcher
    holder: Holder


def register(queue: Engine, work: Work) -> None:
    """Let an engine do this work: look for what is due, collect from hosts, do chores."""

    async def tick() -> None:
        await enqueue_due(queue, work.database, clock=datetime.now(UTC))

    async def host(name: str) -> None:
        with structlog.contextvars.bound_contextvars(job=HOST, key=name):
            await work.holder.work(Host, name, lambda: collect_host(work, name))

    async def chore(name: str) -> None:
        with structlog.contextvars.bound_contextvars(job=CHORE, key=name):
            await work.holder.work(Chore, name, lambda: do_chore(work, name))

    queue.at(TICK, "tick", tick)
    queue.at(SWEEP, "forget log", queue.forget_log)
    queue.job(HOST, host)
    queue.job(CHORE, chore)


async def enqueue_due(queue: Engine, database: Database, *, clock: datetime) -> int:
    """Put into the queue what is due and nobody speaks for; return how many jobs are new."""
    async with database.writing() as session:
        chores = await leases.claim(session, Chore, clock=clock, limit=len(CHORES))
        hosts = await leases.claim(session, Host, clock=clock, limit=AHEAD)
    return await queue.enqueue(CHORE, chores) + await queue.enqueue(HOST, hosts)


async def prepare(database: Database) -> None:
    """Write down the chores there are; a new one is due at once, and one a wrong clock put off."""
    clock = datetime.now(UTC)
    async with database.writing() as session:
        await leases.lay(session, Chore, list(CHORES), clock=clock)
        for name, (every, _) in CHORES.items():
            is_put_off = and_(col(Chore.name) == name, col(Chore.next_due) > clock + every)
            await session.exec(update(Chore).where(is_put_off).values(next_due=clock))
        await session.exec(delete(Chore).where(col(Chore.name).not_in(CHORES)))
        for name in FOLLOWING_NOW:
            await leases.requeue(session, Chore, name, clock=clock)
        await frontier.mend(session, clock=clock)


async def collect_host(work: Work, host: str) -> Again:
    """Collect from the sources of a host that are due, one after another."""
    async with work.database.reading() as session:
        source_ids = await frontier.due_sources(session, clock=datetime.now(UTC), host=host)
    if not source_ids:  # they came with Adjacent, or rest
        return {"next_due": frontier.due_again(clock=datetime.now(UTC))}
    collected = await collect.collect(work.database, work.fetcher, source_ids, now=work.settings.now)
    if collected.counts.added or collected.counts.changed:
        async with work.database.writing() as session:
            await leases.requeue(session, Chore, TAG, clock=datetime.now(UTC))
    log.info("collected", sources=len(collected.outcomes), failed=collected.number("failed"))
    return {"next_due": frontier.due_again(clock=datetime.now(UTC))}


async def do_chore(work: Work, name: str) -> Again:
    every, run = CHORES[name]
    await run(work)
    clock = datetime.now(UTC)
    return {"next_due": clock + every, "done_at": clock}


async def renew_slates(database: Database, *, now: datetime) -> int:
    """Make this week's slates that are missing or hold what was called off, and fill calendars; return how many."""
    async with database.reading() as session:
        person_ids = await slates.due(session, now=now)
    for person_id in person_ids:
        try:
            await feeds.renew_each(database, [person_id], now=now)
        except SQLAlchemyError:
            raise  # nobody's data: all of them wait until the database is well again
        except Exception:
            log.exception("slate not renewed", person=person_id)
    return len(person_ids)


async def forget(work: Work) -> None:
    """Let go of what is long past."""
    keep = work.settings.keep
    async with work.database.writing() as session:
        records = await retention.forget_records(session, clock=datetime.now(UTC), keep=keep)
    events = await retention.forget_past(work.database, now=work.settings.now(), keep=keep)
    vectors = await about.forget_unused_vectors(work.database)
    log.info("forgot", events=events, records=records, vectors=vectors)


async def _tag(work: Work) -> None:
    now = work.settings.now()
    if await about.tag_new(work.database, now=now):
        await activity.introduce(work.database, now=now)


async def _store_renderings(work: Work) -> None:
    settings = work.settings
    await renderings.store_missing(work.database, base_url=settings.base_url, now=settings.now())


async def _send_weekly_mails(work: Work) -> None:
    now, clock = work.settings.now(), datetime.now(UTC)
    await digest_sending.send_all(work.database, work.settings, now=now, clock=clock)
    await introductions.look_ahead(work.database, now=now, clock=clock)


CHORES: dict[str, tuple[timedelta, Callable[[Work], Awaitable[object]]]] = {
    TAG: (SOON, _tag),
    "store renderings": (SOON, _store_renderings),
    SLATES: (OFTEN, lambda work: renew_slates(work.database, now=work.settings.now())),
    "renew communities": (HOURLY, lambda work: activity.renew(work.database, now=work.settings.now())),
    "send weekly mails": (SOON, _send_weekly_mails),
    SERIES: (DAILY, lambda work: series.expand_all(work.database, now=work.settings.now())),
    DEMONSTRATION: (DAILY, lambda work: first_start.move_on(work.database, now=work.settings.now())),
    "keep registry up": (DAILY, lambda work: registry.keep_up(work.database, now=work.settings.now())),
    "learn from feedback": (DAILY, lambda work: experience.learn_from_feedback(work.database, now=work.settings.now())),
    "forget what is past": (DAILY, forget),
}
