"""Everything kept about a person, as one JSON object for them to take along. Of secrets it holds what lists show."""

from __future__ import annotations

from typing import Any

from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import (
    Community,
    Digest,
    Event,
    Expertise,
    Feed,
    Feedback,
    FeedEntry,
    Hidden,
    Person,
    Proposal,
    ShownCommunity,
    ShownPick,
    SignIn,
    Subscription,
    Takeaway,
    Token,
)
from app.people import people, tokens

UNTOLD = ("id", "key")  # numbers of rows; `key` is told as `id`


async def export(session: AsyncSession, person: Person) -> dict[str, Any]:
    return {
        "person": await _person(session, person),
        "feedback": await _feedback(session, person),
        "picks": await _picks(session, person),
        "introductions": await _introductions(session, person),
        "feeds": await _feeds(session, person),
        "tokens": await _tokens(session, person),
        "hidden": await _hidden(session, person),
        "takeaways": await _takeaways(session, person),
        "subscription": await _subscription(session, person),
        "digests": await _digests(session, person),
        "sign_ins": await _sign_ins(session, person),
        "proposals": await _proposals(session, person),
    }


async def _person(session: AsyncSession, person: Person) -> dict[str, Any]:
    """Return the profile as its owner sees it, what else its row holds, and topics the catalogue has lost since."""
    seen = await people.person_json(session, person)
    kept = {name: value for name, value in person.model_dump(mode="json").items() if name not in UNTOLD}
    rows = await session.exec(select(Expertise).where(Expertise.person_id == person.id).order_by(col(Expertise.topic)))
    return kept | seen | {"expertise": [{"topic": row.topic, "level": row.level} for row in rows]}


async def _feedback(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    given = await session.exec(
        select(Feedback, Event.key, Event.title)
        .join(Event, col(Event.id) == Feedback.event_id)
        .where(Feedback.person_id == person.id)
        .order_by(col(Feedback.given_at), col(Feedback.id))
    )
    return [
        {
            "event": key,
            "title": title,
            "kind": row.kind,
            "topic": row.topic,
            "note": row.note,
            "given_at": row.given_at.isoformat(),
        }
        for row, key, title in given
    ]


async def _picks(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    shown = await session.exec(
        select(ShownPick, Event.key)
        .join(Event, col(Event.id) == ShownPick.event_id)
        .where(ShownPick.person_id == person.id)
        .order_by(col(ShownPick.week), col(ShownPick.rank), col(ShownPick.event_id))
    )
    return [
        {
            "week": row.week,
            "event": key,
            "rank": row.rank,
            "shown_at": row.shown_at.isoformat(),
            "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
            **row.pick,
        }
        for row, key in shown
    ]


async def _introductions(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    shown = await session.exec(
        select(ShownCommunity, Community.key)
        .join(Community, col(Community.id) == ShownCommunity.community_id)
        .where(ShownCommunity.person_id == person.id)
        .order_by(col(ShownCommunity.week))
    )
    return [
        {"week": row.week, "community": key, "shown_at": row.shown_at.isoformat(), **row.pick} for row, key in shown
    ]


async def _feeds(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    entered = await session.exec(
        select(FeedEntry, Event.key)
        .join(Feed, col(Feed.id) == FeedEntry.feed_id)
        .join(Event, col(Event.id) == FeedEntry.event_id)
        .where(Feed.person_id == person.id)
        .order_by(col(FeedEntry.entered_at), col(Event.id))
    )
    held = list(entered)
    feeds = await session.exec(select(Feed).where(Feed.person_id == person.id).order_by(col(Feed.id)))
    return [
        people.feed_json(feed)
        | {
            "entries": [
                {"event": key, "reason": row.reason, "entered_at": row.entered_at.isoformat()}
                for row, key in held
                if row.feed_id == feed.id
            ]
        }
        for feed in feeds
    ]


async def _tokens(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    held = await session.exec(
        select(Token).where(Token.person_id == person.id).order_by(col(Token.created_at), col(Token.digest))
    )
    return [tokens.token_json(row) for row in held]


async def _hidden(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    rows = await session.exec(
        select(Hidden).where(Hidden.person_id == person.id).order_by(col(Hidden.kind), col(Hidden.subject))
    )
    return [_without_person(row) for row in rows]


async def _takeaways(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    told = await session.exec(
        select(Takeaway, Event.key, Event.title)
        .join(Event, col(Event.id) == Takeaway.event_id)
        .where(Takeaway.person_id == person.id)
        .order_by(col(Takeaway.event_id))
    )
    return [_without_person(row) | {"event": key, "title": title} for row, key, title in told]


async def _subscription(session: AsyncSession, person: Person) -> dict[str, Any] | None:
    row = await session.get(Subscription, person.id)
    return _without_person(row) if row is not None else None


async def _digests(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    mailed = await session.exec(select(Digest).where(Digest.person_id == person.id).order_by(col(Digest.week)))
    return [_without_person(row) for row in mailed]


async def _sign_ins(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    if person.email is None:
        return []
    asked = await session.exec(select(SignIn).where(SignIn.email == person.email).order_by(col(SignIn.asked_at)))
    return [{"asked_at": row.asked_at.isoformat(), "attempts": row.attempts} for row in asked]


async def _proposals(session: AsyncSession, person: Person) -> list[dict[str, Any]]:
    made = await session.exec(select(Proposal).where(Proposal.person_id == person.id).order_by(col(Proposal.id)))
    return [{"url": row.url, "state": row.state, "proposed_at": row.proposed_at.isoformat()} for row in made]


def _without_person(row: SQLModel) -> dict[str, Any]:
    """Return a row without the numbers of other rows."""
    return {name: value for name, value in row.model_dump(mode="json").items() if name not in ("person_id", "event_id")}
