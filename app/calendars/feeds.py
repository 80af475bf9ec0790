"""Step 7, personal calendars: addresses that programs subscribe to, made, filled, replaced and opened.

Reading a calendar writes nothing. A calendar of picks is filled when it is made and whenever its owner's slate is made
or changes (`renew`); what has entered stays.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.calendars.feed_reasons import reason_text
from app.db import Database
from app.models import Feed, FeedEntry, Person, Token
from app.people import tokens
from app.picking import slates

MOST = 20  # calendars a person


async def make_feed(
    session: AsyncSession, person: Person, name: str, *, kind: str = "picks", subject: str | None = None, now: datetime
) -> tuple[Feed, str]:
    """Make a personal calendar, filled, and return it with the token of its address."""
    assert person.id is not None
    feed = Feed(
        key=secrets.token_hex(8),
        person_id=person.id,
        name=name,
        kind=kind,
        subject=subject,
        created_at=datetime.now(UTC),
    )
    session.add(feed)
    await session.flush()
    await renew(session, person, now=now)
    return feed, await _issue(session, feed)


async def rotate(session: AsyncSession, feed: Feed) -> str:
    """Give a calendar a new address and return its token; the old ones say for a while that they were replaced."""
    clock = datetime.now(UTC)
    rows = await session.exec(select(Token).where(Token.feed_id == feed.id, col(Token.revoked_at).is_(None)))
    for token in rows:
        token.revoked_at = clock
    return await _issue(session, feed)


async def _issue(session: AsyncSession, feed: Feed) -> str:
    return await tokens.issue(session, "feed", person_id=feed.person_id, feed_id=feed.id, label=feed.name)


async def feeds_of(session: AsyncSession, person: Person) -> list[Feed]:
    return list(await session.exec(select(Feed).where(Feed.person_id == person.id).order_by(col(Feed.id))))


async def feed_called(session: AsyncSession, person: Person, key: str) -> Feed | None:
    """Return a person's calendar by its id; another person's is none."""
    rows = await session.exec(select(Feed).where(Feed.person_id == person.id, Feed.key == key))
    return rows.one_or_none()


async def count_of(session: AsyncSession, person: Person) -> int:
    counted = await session.exec(select(func.count()).select_from(Feed).where(Feed.person_id == person.id))
    return counted.one()


async def renew(session: AsyncSession, person: Person, *, now: datetime) -> list[slates.Shown]:
    """Bring a person's slate up to date, let it enter their calendars, and return it; the caller writes."""
    shown = await slates.refresh(session, person, now=now)
    await _fill(session, person, shown, now=now)
    return shown


async def renew_each(database: Database, person_ids: Sequence[int | None], *, now: datetime) -> None:
    """Renew people's slates and calendars, each in a transaction of its own, so that requests get through."""
    for person_id in person_ids:
        async with database.writing() as session:
            person = await session.get(Person, person_id)
            if person is not None:  # they may have left meanwhile
                await renew(session, person, now=now)


async def _fill(session: AsyncSession, person: Person, shown: Sequence[slates.Shown], *, now: datetime) -> None:
    """Let a slate enter the person's calendars of picks; what is in them stays."""
    for feed in await feeds_of(session, person):
        if feed.kind != "picks" or feed.id is None:
            continue
        held = set(await session.exec(select(FeedEntry.event_id).where(FeedEntry.feed_id == feed.id)))
        for one in shown:
            event_id = one.listed.event.id
            if event_id is not None and event_id not in held:
                session.add(FeedEntry(feed_id=feed.id, event_id=event_id, reason=reason_text(one.pick), entered_at=now))
    await session.flush()


@dataclass(frozen=True, slots=True)
class Opened:
    """What an address leads to: a calendar, or, where it was replaced, since when."""

    feed: Feed
    replaced_at: datetime | None


async def open_feed(session: AsyncSession, secret: str) -> Opened | None:
    """Return what a calendar's token opens, or None where it opens nothing."""
    token = await tokens.find_any(session, secret, "feed")
    if token is None or token.feed_id is None:
        return None
    feed = await session.get(Feed, token.feed_id)
    return Opened(feed, token.revoked_at) if feed is not None else None
