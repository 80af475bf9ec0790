"""How a person wants the weekly mail: whether, how often, on which day and hour of their own clock; and its end.

Nobody is mailed who did not ask for it (`ask`) and show that the address is theirs (`confirm`). `next_at` is the one
truth about when the next mail is due; whatever changes the wish plans it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Digest, Person, Subscription
from app.words.wording import SOURCE_LANGUAGE

Rhythm = Literal["weekly", "fortnightly", "monthly", "worthwhile", "off"]
EndReason = Literal["unsubscribed", "bounced", "complained"]
RHYTHMS: tuple[Rhythm, ...] = get_args(Rhythm)
THIS_WEEK, WEEK = timedelta(), timedelta(weeks=1)
LONGEST_PAUSE = 26  # weeks
BOUNCES = 3  # mails in a row that could not be delivered for now, before no more are sent


def slot_of_week(
    moment: datetime, subscription: Subscription, zone: ZoneInfo, *, later: timedelta = THIS_WEEK
) -> datetime:
    """Return when, in UTC, the mail of the ISO week around a moment is due, or of one some weeks later.

    Weeks are those of the calendar on the wall: where a zone crosses the date line, one has six days. An hour that a
    clock change leaves out is the one after it, one that comes twice the first.
    """
    on = moment.astimezone(zone).date() + later
    day = on + timedelta(days=subscription.weekday - on.isoweekday())
    return datetime.combine(day, time(subscription.hour), zone).astimezone(UTC)


def next_slot(after: datetime, subscription: Subscription, zone: ZoneInfo) -> datetime:
    """Return the first slot later than a moment."""
    slot = slot_of_week(after, subscription, zone)
    return slot if slot > after else slot_of_week(after, subscription, zone, later=WEEK)


def following(slot: datetime, subscription: Subscription, zone: ZoneInfo) -> datetime:
    """Return the slot after this one in the person's rhythm."""
    later = slot_of_week(slot, subscription, zone, later=WEEK)
    if subscription.rhythm == "fortnightly":
        return slot_of_week(slot, subscription, zone, later=2 * WEEK)
    if subscription.rhythm == "monthly":
        month = slot.astimezone(zone).month
        while later.astimezone(zone).month == month:
            later = slot_of_week(later, subscription, zone, later=WEEK)
    return later


def is_wanted(subscription: Subscription) -> bool:
    """Whether mails go out: asked for, confirmed and not ended. A pause only moves the next one."""
    return subscription.rhythm != "off" and subscription.confirmed_at is not None and subscription.ended_at is None


def unproven(subscription: Subscription, person: Person) -> str | None:
    """Return the address that has to say yes before mails go out; None where none are wanted or it has."""
    return person.email if subscription.rhythm != "off" and subscription.confirmed_at is None else None


def plan(subscription: Subscription, zone: ZoneInfo, *, clock: datetime) -> None:
    """Say when the next mail is due; after a change that is the first slot to come."""
    after = max(clock, subscription.paused_until or clock)
    subscription.next_at = next_slot(after, subscription, zone) if is_wanted(subscription) else None


async def subscription_of(session: AsyncSession, person: Person) -> Subscription:
    """Return how a person wants the mail; who never said so wants none."""
    assert person.id is not None
    return await session.get(Subscription, person.id) or Subscription(person_id=person.id, rhythm="off")


async def ask(
    session: AsyncSession, person: Person, wish: Mapping[str, Any], *, clock: datetime, pause_weeks: int | None = None
) -> Subscription:
    """Change rhythm, weekday or hour, or pause; asking for a rhythm again takes up what was ended.

    After bounces or a complaint the address has to be confirmed once more.
    """
    subscription = await subscription_of(session, person)
    for name, value in wish.items():
        setattr(subscription, name, value)
    if wish.get("rhythm", "off") != "off" and subscription.ended_at is not None:
        subscription.ended_at = subscription.end_reason = None
        subscription.bounces = 0
    if pause_weeks is not None:
        subscription.paused_until = clock + pause_weeks * WEEK if pause_weeks else None
    plan(subscription, ZoneInfo(person.zone), clock=clock)
    session.add(subscription)
    await session.flush()
    return subscription


async def confirm(session: AsyncSession, person: Person, *, clock: datetime) -> Subscription:
    """Note that somebody proved to read the mail of a person's address: what was asked for holds from now on."""
    subscription = await subscription_of(session, person)
    subscription.confirmed_at = clock
    subscription.bounces, subscription.bounced_at = 0, None
    if subscription.next_at is None:
        plan(subscription, ZoneInfo(person.zone), clock=clock)
    session.add(subscription)
    await session.flush()
    return subscription


async def end(session: AsyncSession, person: Person, reason: EndReason, *, clock: datetime) -> Subscription:
    """Send no more. A bounced or complaining address counts as unconfirmed; ending twice is ending once."""
    subscription = await subscription_of(session, person)
    if subscription.ended_at is None:
        subscription.ended_at, subscription.end_reason = clock, reason
    if reason != "unsubscribed":
        subscription.end_reason, subscription.confirmed_at = reason, None
    subscription.next_at = None
    session.add(subscription)
    await session.flush()
    return subscription


async def take_up(session: AsyncSession, person: Person, *, clock: datetime) -> Subscription:
    """Undo an unsubscribing. What ended for another reason stays ended."""
    subscription = await subscription_of(session, person)
    if subscription.end_reason == "unsubscribed":
        subscription.ended_at = subscription.end_reason = None
        plan(subscription, ZoneInfo(person.zone), clock=clock)
    await session.flush()
    return subscription


async def bounced(session: AsyncSession, person: Person, *, is_final: bool, clock: datetime) -> Subscription:
    """Note that a mail could not be delivered: no mailbox ends it at once, other trouble after BOUNCES in a row."""
    subscription = await subscription_of(session, person)
    latest = await session.exec(
        select(Digest.state)
        .where(Digest.person_id == person.id, col(Digest.state).in_(("sent", "bounced")))
        .order_by(col(Digest.week).desc())
        .limit(BOUNCES)
    )
    states = list(latest)
    subscription.bounces = next((place for place, state in enumerate(states) if state != "bounced"), len(states))
    subscription.bounced_at = clock
    session.add(subscription)
    if is_final or subscription.bounces >= BOUNCES:
        return await end(session, person, "bounced", clock=clock)
    await session.flush()
    return subscription


async def carry_over(session: AsyncSession, guest: Person, person: Person) -> None:
    """Let what a guest asked for hold for the person they turn out to be, where that person never said anything."""
    asked, told = await session.get(Subscription, guest.id), await session.get(Subscription, person.id)
    if asked is None or (told is not None and (told.rhythm != "off" or told.ended_at is not None)):
        return
    assert person.id is not None
    told = told or Subscription(person_id=person.id)
    told.rhythm, told.weekday, told.hour = asked.rhythm, asked.weekday, asked.hour
    plan(told, ZoneInfo(person.zone), clock=datetime.now(UTC))
    session.add(told)
    await session.flush()


State = Literal["on", "paused", "off", "no-address", "unconfirmed", "unsubscribed", "bounced", "complained"]


def state_of(subscription: Subscription, person: Person, *, clock: datetime) -> str:
    if subscription.end_reason is not None:
        return subscription.end_reason
    if subscription.rhythm == "off":
        return "off"
    if person.email is None:
        return "no-address"
    if subscription.confirmed_at is None:
        return "unconfirmed"
    return "paused" if subscription.paused_until is not None and subscription.paused_until > clock else "on"


async def subscription_json(session: AsyncSession, person: Person, *, clock: datetime) -> dict[str, Any]:
    subscription = await subscription_of(session, person)
    rows = await session.exec(
        select(Digest).where(Digest.person_id == person.id).order_by(col(Digest.week).desc()).limit(1)
    )
    last = rows.one_or_none()
    zone = ZoneInfo(person.zone)  # days are those of the person's calendar
    paused_until = subscription.paused_until
    return {
        "state": state_of(subscription, person, clock=clock),
        "rhythm": subscription.rhythm,
        "weekday": subscription.weekday,
        "hour": subscription.hour,
        "zone": person.zone,
        "language": person.language or SOURCE_LANGUAGE,
        "next_at": subscription.next_at.astimezone(zone).isoformat() if subscription.next_at else None,
        "paused_until": paused_until.astimezone(zone).isoformat() if paused_until and paused_until > clock else None,
        "email": person.email,
        "last": {"week": last.week, "state": last.state, "at": last.changed_at.isoformat()} if last else None,
    }
