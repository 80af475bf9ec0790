"""Step 7 for the weekly mail, its state: who is due, and that nobody gets two in an ISO week however processes die.

    due ──▶ sending ──▶ sent ──▶ bounced        due: enrolled; a claim hides it from other processes for LEASE
     ▲         │  └───▶ unknown                 sending: committed before the mail is handed over
     └─────────┤        (left behind)           unknown: it may have arrived; sent again by hand only
   (later)     └──────▶ failed                  skipped: nothing was worth a mail; said in the next one

A week is the ISO week of the local day the mail is due, and the primary key: that is what makes it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.mail import subscription as subscriptions
from app.models import Digest, Person, Subscription
from app.picking.slates import iso_week

LEASE = timedelta(hours=1)  # after this a claimed digest counts as abandoned by a process that died
LATEST = timedelta(days=3)  # how late a mail may be; picks of last week serve nobody
# After how long a mail that could not be sent is tried again: a mail server that restarts, one that is repaired.
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 360, 720, 1440))

WANTED: tuple[ColumnElement[bool], ...] = (
    col(Subscription.rhythm) != "off",
    col(Subscription.confirmed_at).is_not(None),
    col(Subscription.ended_at).is_(None),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A digest that this process may send until its lease is over."""

    person_id: int
    week: str
    attempts: int
    lease_until: datetime


async def enrol(session: AsyncSession, *, clock: datetime, limit: int) -> int:
    """Make digests for those whose time has come, and plan their next; return how many subscriptions were looked at."""
    rows = await session.exec(
        select(Subscription, Person.zone)
        .join(Person, col(Person.id) == Subscription.person_id)
        .where(col(Subscription.next_at) <= clock, *WANTED, col(Person.email).is_not(None))
        .order_by(col(Subscription.next_at), col(Subscription.person_id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=Subscription)  # SQLite has one writer and needs none
    )
    due: dict[int, str] = {}
    looked_at = 0
    for subscription, zone_name in list(rows):
        looked_at += 1
        zone = ZoneInfo(zone_name)
        assert subscription.next_at is not None
        # The person may have moved since it was planned: the same hour of the same week on the clock they live by now.
        slot = subscriptions.slot_of_week(subscription.next_at, subscription, zone)
        subscription.next_at = slot
        if slot > clock:
            continue
        if clock - slot <= LATEST:
            due[subscription.person_id] = iso_week(slot.astimezone(zone))
        while subscription.next_at <= clock:
            subscription.next_at = subscriptions.following(subscription.next_at, subscription, zone)
    await _add_missing(session, due, clock=clock)
    return looked_at


async def enrol_week(session: AsyncSession, week: str, *, clock: datetime) -> int:
    """Make digests of a week for everybody who wants mails and has none of it yet; return how many."""
    rows = await session.exec(
        select(Subscription.person_id)
        .join(Person, col(Person.id) == Subscription.person_id)
        .where(*WANTED, col(Person.email).is_not(None))
        .order_by(col(Subscription.person_id))
        .with_for_update(of=Subscription)
    )
    return await _add_missing(session, dict.fromkeys(rows, week), clock=clock)


async def _add_missing(session: AsyncSession, due: dict[int, str], *, clock: datetime) -> int:
    """Add those digests that are not there; their subscriptions are locked, so that nobody else adds them meanwhile."""
    held = await session.exec(
        select(Digest.person_id, Digest.week).where(
            col(Digest.person_id).in_(due), col(Digest.week).in_(set(due.values()))
        )
    )
    missing = set(due.items()) - set(held)
    session.add_all(
        Digest(person_id=person_id, week=week, state="due", changed_at=clock, next_attempt_at=clock)
        for person_id, week in sorted(missing)
    )
    await session.flush()
    return len(missing)


async def claim(session: AsyncSession, *, clock: datetime, limit: int) -> list[Claim]:
    """Take up to `limit` due digests for oneself; those nobody wants any longer, or that are too late, are dropped."""
    rows = await session.exec(
        select(Digest)
        .where(col(Digest.state) == "due", col(Digest.next_attempt_at) <= clock)
        .order_by(col(Digest.next_attempt_at), col(Digest.person_id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    digests = list(rows)
    wanted = set(
        await session.exec(
            select(Subscription.person_id).where(
                col(Subscription.person_id).in_([digest.person_id for digest in digests]), *WANTED
            )
        )
    )
    claims = []
    for digest in digests:
        if digest.person_id not in wanted:
            await session.delete(digest)
        elif clock - digest.changed_at > LATEST:
            digest.state, digest.error, digest.changed_at = "failed", digest.error or "too late", clock
        else:
            digest.next_attempt_at = clock + LEASE
            claims.append(Claim(digest.person_id, digest.week, digest.attempts, digest.next_attempt_at))
    await session.flush()
    return claims


async def begin(
    session: AsyncSession, claim: Claim, *, message_id: str, event_ids: Sequence[int], asked_event_id: int | None
) -> bool:
    """Say that a mail is about to be handed over; commit before it is. False: it is no longer ours, or unwanted."""
    begun = await session.exec(
        update(Digest)
        .where(
            *_is(claim),
            col(Digest.state) == "due",
            col(Digest.next_attempt_at) == claim.lease_until,
            exists().where(col(Subscription.person_id) == Digest.person_id, *WANTED),
        )
        .values(
            state="sending",
            attempts=claim.attempts + 1,
            message_id=message_id,
            event_ids=list(event_ids),
            asked_event_id=asked_event_id,
            error=None,
        )
        .execution_options(synchronize_session=False)
    )
    return begun.rowcount == 1


async def settle(session: AsyncSession, claim: Claim, state: str, *, clock: datetime, error: str | None = None) -> None:
    """Say how it ended."""
    await session.exec(
        update(Digest)
        .where(*_is(claim), col(Digest.state).in_(("due", "sending", "unknown")))
        .values(state=state, changed_at=clock, next_attempt_at=None, error=error)
        .execution_options(synchronize_session=False)
    )


async def put_off(session: AsyncSession, claim: Claim, *, clock: datetime, error: str) -> None:
    """Try one mail again later; after the last retry it has failed."""
    if claim.attempts >= len(RETRIES):
        await settle(session, claim, "failed", clock=clock, error=error)
        return
    await session.exec(
        update(Digest)
        .where(*_is(claim), col(Digest.state).in_(("due", "sending")))
        .values(
            state="due",
            attempts=claim.attempts + 1,
            next_attempt_at=clock + RETRIES[claim.attempts],
            error=error,
        )
        .execution_options(synchronize_session=False)
    )


async def release(session: AsyncSession, claims: Sequence[Claim], *, clock: datetime, error: str) -> None:
    """Give digests back that could not be sent for a reason that is none of theirs; no attempt is counted."""
    for claim in claims:
        await session.exec(
            update(Digest)
            .where(*_is(claim), col(Digest.state).in_(("due", "sending")))
            .values(state="due", attempts=claim.attempts, next_attempt_at=clock + RETRIES[0], error=error)
            .execution_options(synchronize_session=False)
        )


async def skip(session: AsyncSession, claim: Claim, *, clock: datetime) -> None:
    """Note that there was nothing worth a mail; whoever hears less often than weekly is asked for again next week."""
    await settle(session, claim, "skipped", clock=clock)
    subscription = await session.get(Subscription, claim.person_id)
    if subscription is not None and subscription.next_at is not None:
        person = await session.get_one(Person, claim.person_id)
        sooner = subscriptions.next_slot(clock, subscription, ZoneInfo(person.zone))
        subscription.next_at = min(subscription.next_at, sooner)
        await session.flush()


async def note_left(session: AsyncSession, *, clock: datetime) -> int:
    """Mark what processes that died left in sending as unknown; return how many."""
    left = await session.exec(
        update(Digest)
        .where(col(Digest.state) == "sending", col(Digest.next_attempt_at) <= clock)
        .values(state="unknown", changed_at=clock, next_attempt_at=None, error="the process ended while sending")
        .execution_options(synchronize_session=False)
    )
    return left.rowcount


async def resend_unknown(session: AsyncSession, *, clock: datetime) -> int:
    """Let the mails that may not have arrived be sent again, under the same Message-ID; return how many."""
    again = await session.exec(
        update(Digest)
        .where(col(Digest.state) == "unknown")
        .values(state="due", changed_at=clock, next_attempt_at=clock, attempts=0)
        .execution_options(synchronize_session=False)
    )
    return again.rowcount


async def standing(session: AsyncSession) -> list[dict[str, str | None]]:
    """Return everybody who wants mails, the next one due first, and how the last one of each went."""
    latest = (
        select(Digest.person_id, func.max(Digest.week).label("week")).group_by(col(Digest.person_id)).subquery("latest")
    )
    rows = await session.exec(
        select(Subscription, Person.email, Digest)
        .join(Person, col(Person.id) == Subscription.person_id)
        .join(latest, latest.c.person_id == Subscription.person_id, isouter=True)
        .join(
            Digest,
            and_(col(Digest.person_id) == latest.c.person_id, col(Digest.week) == latest.c.week),
            isouter=True,
        )
        .where(*WANTED)
        .order_by(col(Subscription.next_at), col(Subscription.person_id))
    )
    return [
        {
            "next": subscription.next_at.isoformat() if subscription.next_at else None,
            "address": email,
            "rhythm": subscription.rhythm,
            "last": digest.week if digest else None,
            "state": digest.state if digest else None,
            "error": digest.error if digest else None,
        }
        for subscription, email, digest in rows
    ]


def _is(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return col(Digest.person_id) == claim.person_id, col(Digest.week) == claim.week
