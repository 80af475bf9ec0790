"""Step 7 for the weekly mail, acting: find who is due, write to them, hand the mails over, note how it went.

Any number of processes may do this at once, and each may die at any moment: what a mail went through is committed
around every step that cannot be taken back (`app.mail.digest`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from app.calendars import feeds
from app.db import Database
from app.mail import digest, introductions, letter_facts, mailer
from app.mail import subscription as subscriptions
from app.mail.digest import Claim
from app.mail.letter import Letter, message_for, write
from app.mail.letter_facts import Facts
from app.mail.mail_links import Links
from app.mail.message import Built, build
from app.models import Person, Subscription
from app.picking.slates import iso_week
from app.settings import Settings

BATCH = 100  # mails written at once: what is asked of the database once for all of them counts little then
MOST = 500  # mails a call
ENROLLED = 1000  # subscriptions looked at a transaction
HEAVIEST = 60_000  # bytes of a mail; some programs show no more than 100,000
LONGEST = 600.0  # seconds after which a call takes no further batch: a slow server must not outlast the leases

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail ready to go."""

    built: Built
    message_id: str
    letter: Letter


async def send_due(database: Database, settings: Settings, *, now: datetime, clock: datetime) -> Counter[str]:
    """Send the mails whose time has come, at most MOST of them; return how many ended how.

    `clock` is the real time, which schedules and leases follow; `now` says what is upcoming.
    """
    async with database.writing() as session:
        unknown = await digest.note_left(session, clock=clock)
        await digest.enrol(session, clock=clock, limit=ENROLLED)
    counts = Counter({"unknown": unknown} if unknown else {})
    begun = monotonic()
    async with mailer.carrier(settings) as way:
        while counts.total() < MOST and monotonic() - begun < LONGEST:
            async with database.writing() as session:
                claims = await digest.claim(session, clock=clock, limit=BATCH)
            if not claims:
                break
            ended, goes_on = await _send_batch(database, settings, way, claims, now=now, clock=clock)
            counts += ended
            if not goes_on:
                break
    if counts:
        log.info("weekly mails", **counts)
    return counts


async def send_all(database: Database, settings: Settings, *, now: datetime, clock: datetime) -> Counter[str]:
    """Send until nothing is due or the server takes no more."""
    counts: Counter[str] = Counter()
    while ended := await send_due(database, settings, now=now, clock=clock):
        counts += ended
        if ended["waiting"]:
            break
    return counts


async def _send_batch(
    database: Database,
    settings: Settings,
    way: mailer.Carrier,
    claims: Sequence[Claim],
    *,
    now: datetime,
    clock: datetime,
) -> tuple[Counter[str], bool]:
    """Return how many ended how, and whether the next batch may fare better than this one."""
    counts: Counter[str] = Counter()
    written = await _write_to_each(database, settings, claims, now=now, clock=clock)
    pause = 1 / settings.mail_rate
    for place, claim in enumerate(claims):
        outgoing = written.get(claim)
        if not isinstance(outgoing, Outgoing):
            async with database.writing() as session:
                if outgoing is None:
                    await digest.skip(session, claim, clock=clock)
                else:
                    await digest.put_off(session, claim, clock=clock, error=outgoing)
            counts["skipped" if outgoing is None else "later"] += 1
            continue
        begun = monotonic()
        try:
            counts[await _deliver(database, way, claim, outgoing, clock=clock)] += 1
        except mailer.Unreachable as error:
            log.warning("weekly mails wait", why=str(error))
            async with database.writing() as session:
                await digest.release(session, claims[place:], clock=clock, error=str(error))
            counts["waiting"] += len(claims) - place
            return counts, False
        await asyncio.sleep(max(0.0, pause - (monotonic() - begun)))
    return counts, True


async def _deliver(
    database: Database, way: mailer.Carrier, claim: Claim, outgoing: Outgoing, *, clock: datetime
) -> str:
    """Hand one mail over and return how it ended; raises Unreachable."""
    async with database.writing() as session:
        is_ours = await digest.begin(
            session,
            claim,
            message_id=outgoing.message_id,
            event_ids=outgoing.letter.event_ids,
            asked_event_id=outgoing.letter.asked_event_id,
        )
    if not is_ours:
        return "left"
    state, why = "sent", ""
    try:
        await way.carry(outgoing.built)
    except mailer.MaybeDelivered as error:
        state, why = "unknown", str(error)
    except mailer.Refused as error:
        state, why = "bounced" if error.is_recipient else "failed" if error.is_permanent else "later", str(error)
    async with database.writing() as session:
        if state == "later":
            await digest.put_off(session, claim, clock=clock, error=why)
            return state
        await digest.settle(session, claim, state, clock=clock, error=why or None)
        if state == "bounced":
            person = await session.get_one(Person, claim.person_id)
            await subscriptions.bounced(session, person, is_final=True, clock=clock)
    return state


async def _write_to_each(
    database: Database, settings: Settings, claims: Sequence[Claim], *, now: datetime, clock: datetime
) -> Mapping[Claim, Outgoing | str]:
    """Write to all at once, or one by one where what is stored about one of them is broken; raises SQLAlchemyError."""
    try:
        return await write_to(database, settings, claims, now=now, clock=clock)
    except SQLAlchemyError:
        raise  # nobody's data: all of them wait until the database is well again
    except Exception as error:
        if len(claims) == 1:
            log.exception("weekly mail not written", person=claims[0].person_id)
            return {claims[0]: f"not written: {type(error).__name__}"}
    written: dict[Claim, Outgoing | str] = {}
    for claim in claims:
        written |= await _write_to_each(database, settings, [claim], now=now, clock=clock)
    return written


async def write_to(
    database: Database, settings: Settings, claims: Sequence[Claim], *, now: datetime, clock: datetime
) -> Mapping[Claim, Outgoing | str]:
    """Return a mail for each person there is something to tell, or what went wrong; the others are left out."""
    ids = [claim.person_id for claim in claims]
    await _renew_slates(database, ids, now=now)
    await introductions.choose_missing(database, ids, now=now)
    async with database.reading() as session:
        people = list(await session.exec(select(Person).where(col(Person.id).in_(ids))))
        wishes = {
            row.person_id: row
            for row in await session.exec(select(Subscription).where(col(Subscription.person_id).in_(ids)))
        }
        facts = await letter_facts.facts_of(session, people, now=now, clock=clock)
    # Writing and signing is arithmetic: beside the event loop, so that requests get through.
    return await asyncio.to_thread(_written, claims, facts, wishes, settings, clock)


async def _renew_slates(database: Database, ids: Sequence[int], *, now: datetime) -> None:
    async with database.reading() as session:
        stale = [person.id for person in await letter_facts.stale(session, ids, now=now)]
    await feeds.renew_each(database, stale, now=now)


def _written(
    claims: Sequence[Claim],
    facts: Mapping[int, Facts],
    wishes: Mapping[int, Subscription],
    settings: Settings,
    clock: datetime,
) -> dict[Claim, Outgoing | str]:
    links = links_of(settings)
    written: dict[Claim, Outgoing | str] = {}
    for claim in claims:
        known, wish = facts.get(claim.person_id), wishes.get(claim.person_id)
        if known is None or wish is None or not letter_facts.is_worth_a_mail(known, wish.rhythm):
            continue
        try:
            written[claim] = built_for(known, wish, claim.week, settings, links, clock=clock)
        except Exception as error:
            # One person's data must not keep the mail from everybody behind them.
            log.exception("weekly mail not written", person=claim.person_id)
            written[claim] = f"not written: {type(error).__name__}"
    return written


async def preview_for(database: Database, settings: Settings, person_id: int, *, now: datetime) -> Outgoing | None:
    """Return the mail a person would get now, subscribed or not; None where there is nothing to tell them."""
    clock = datetime.now(UTC)
    async with database.writing() as session:
        person = await session.get_one(Person, person_id)
        wish = await subscriptions.subscription_of(session, person)
        await feeds.renew(session, person, now=now)
        await introductions.keep(session, await introductions.choose(session, [person], now=now))
        facts = (await letter_facts.facts_of(session, [person], now=now, clock=clock))[person_id]
        outgoing = None
        if wish.rhythm == "off":
            wish = Subscription(person_id=person_id)  # as they would begin
        if letter_facts.is_worth_a_mail(facts, wish.rhythm):
            week = iso_week(clock.astimezone(ZoneInfo(person.zone)))
            outgoing = built_for(facts, wish, week, settings, links_of(settings), clock=clock)
        await session.rollback()  # a slate made for looking is not one they were shown
    return outgoing


async def would_send(
    database: Database, settings: Settings, week: str | None, *, now: datetime, clock: datetime
) -> list[tuple[str, str | None]]:
    """Return the addresses whose mail would be written now, and its subject; None where nothing is worth a mail."""
    async with database.writing() as session:  # rolled back
        await (
            digest.enrol_week(session, week, clock=clock) if week else digest.enrol(session, clock=clock, limit=MOST)
        )
        claims = await digest.claim(session, clock=clock, limit=MOST)
        ids = [claim.person_id for claim in claims]
        named = await session.exec(select(Person.id, Person.email).where(col(Person.id).in_(ids)))
        addresses = {id_: email or "" for id_, email in named}
        await session.rollback()
    rows = []
    for person_id in ids:
        outgoing = await preview_for(database, settings, person_id, now=now)
        rows.append((addresses[person_id], outgoing.letter.subject if outgoing is not None else None))
    return rows


def built_for(
    facts: Facts, wish: Subscription, week: str, settings: Settings, links: Links, *, clock: datetime
) -> Outgoing:
    """Return a person's mail, with as many of their picks as make a light one."""
    letter = write(facts, rhythm=wish.rhythm, links=links)
    message = message_for(
        letter, facts, week=week, sender=settings.mail_from, bounces_to=settings.bounces_to, links=links
    )
    built = build(message, now=clock, signer=mailer.signer_of(settings))
    if len(built.content) > HEAVIEST and len(facts.picks) > 1:  # picks with very long words of their organisers
        fewer = replace(facts, picks=facts.picks[:-1])
        return built_for(fewer, wish, week, settings, links, clock=clock)
    return Outgoing(built, message.headers["Message-ID"], letter)


def links_of(settings: Settings) -> Links:
    return Links(settings.base_url, settings.secret("mail"))
