"""People: who picks are made for, what they know, and what they are told about themselves."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import tokens
from app.feedback import shifted_reach
from app.models import Digest, Event, Expertise, Feed, Feedback, FeedEntry, Person, ShownPick, Token
from app.places import Spot
from recommender.catalogue import load_catalogue


async def make_person(session: AsyncSession, email: str | None = None) -> Person:
    clock = datetime.now(UTC)
    person = Person(key=secrets.token_hex(8), email=email, created_at=clock, reach_chosen_at=clock)
    session.add(person)
    await session.flush()
    return person


async def make_guest(session: AsyncSession) -> tuple[Person, str]:
    """Make a person without an address and the token that stands for them."""
    person = await make_person(session)
    return person, await tokens.issue(session, "api", person_id=person.id, label="guest")


async def expertise_of(session: AsyncSession, person: Person) -> dict[str, int]:
    """Return slug → level."""
    rows = await session.exec(select(Expertise).where(Expertise.person_id == person.id).order_by(col(Expertise.topic)))
    return {row.topic: row.level for row in rows}


async def set_expertise(session: AsyncSession, person: Person, known: Mapping[str, int]) -> None:
    """Replace what a person knows."""
    await session.exec(delete(Expertise).where(col(Expertise.person_id) == person.id))
    assert person.id is not None
    session.add_all(Expertise(person_id=person.id, topic=topic, level=level) for topic, level in known.items())
    person.profile_version += 1
    await session.flush()


def settle(person: Person, spot: Spot | None) -> None:
    """Say where a person starts from; None forgets it."""
    person.place = spot.name if spot else None
    person.lat, person.lon = (spot.lat, spot.lon) if spot else (None, None)
    if spot is not None and spot.zone is not None:
        person.zone = spot.zone


def home_of(person: Person) -> Spot | None:
    if person.lat is None or person.lon is None:
        return None
    return Spot(person.lat, person.lon, person.place or f"{person.lat:g},{person.lon:g}", person.zone)


async def person_json(session: AsyncSession, person: Person) -> dict[str, Any]:
    """Return a person's profile as they see it. `reach` is what counts, `chosen_reach` what they chose."""
    return {
        "id": person.key,
        "email": person.email,
        "zone": person.zone,
        "near": person.place,
        "lat": person.lat,
        "lon": person.lon,
        "within_km": person.within_km,
        "online": person.online,
        "reach": await shifted_reach(session, person),
        "chosen_reach": person.reach,
        "days": person.days,
        "know": known_json(await expertise_of(session, person)),
        "created_at": person.created_at.isoformat(),
    }


def known_json(known: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return known topics with their labels, best known first; topics the catalogue has lost are left out."""
    catalogue = load_catalogue()
    return [
        {"slug": slug, "label": catalogue[slug].label, "level": level}
        for slug, level in sorted(known.items(), key=lambda item: (-item[1], item[0]))
        if slug in catalogue.index
    ]


async def export(session: AsyncSession, person: Person) -> dict[str, Any]:
    """Return everything that is kept about a person; of secrets only what stands for them in lists."""
    given = await session.exec(
        select(Feedback, Event.key, Event.title)
        .join(Event, col(Event.id) == Feedback.event_id)
        .where(Feedback.person_id == person.id)
        .order_by(col(Feedback.given_at), col(Feedback.id))
    )
    shown = await session.exec(
        select(ShownPick, Event.key)
        .join(Event, col(Event.id) == ShownPick.event_id)
        .where(ShownPick.person_id == person.id)
        .order_by(col(ShownPick.week), col(ShownPick.rank))
    )
    entries = await session.exec(
        select(Feed.key, Event.key, FeedEntry.entered_at)
        .join(FeedEntry, col(FeedEntry.feed_id) == Feed.id)
        .join(Event, col(Event.id) == FeedEntry.event_id)
        .where(Feed.person_id == person.id)
        .order_by(col(FeedEntry.entered_at), col(Event.id))
    )
    held = list(entries)
    feeds = await session.exec(select(Feed).where(Feed.person_id == person.id).order_by(col(Feed.id)))
    secrets_held = await session.exec(
        select(Token).where(Token.person_id == person.id).order_by(col(Token.created_at), col(Token.digest))
    )
    digests = await session.exec(select(Digest).where(Digest.person_id == person.id).order_by(col(Digest.week)))
    return {
        "person": await person_json(session, person),
        "feedback": [
            {
                "event": key,
                "title": title,
                "kind": row.kind,
                "topic": row.topic,
                "note": row.note,
                "given_at": row.given_at.isoformat(),
            }
            for row, key, title in given
        ],
        "picks": [
            {"week": row.week, "event": key, "rank": row.rank, "shown_at": row.shown_at.isoformat(), **row.pick}
            for row, key in shown
        ],
        "feeds": [
            feed_json(feed)
            | {
                "entries": [
                    {"event": event, "entered_at": entered.isoformat()}
                    for key, event, entered in held
                    if key == feed.key
                ]
            }
            for feed in feeds
        ],
        "tokens": [tokens.token_json(row) for row in secrets_held],
        "digests": [
            {"week": row.week, "state": row.state, "changed_at": row.changed_at.isoformat()} for row in digests
        ],
    }


def feed_json(feed: Feed) -> dict[str, Any]:
    return {
        "id": feed.key,
        "name": feed.name,
        "kind": feed.kind,
        "subject": feed.subject,
        "created_at": feed.created_at.isoformat(),
    }


async def person_called(session: AsyncSession, name: str) -> Person | None:
    """Return the person an id or an address stands for."""
    return (
        await session.exec(select(Person).where(or_(col(Person.key) == name, col(Person.email) == name)))
    ).one_or_none()


async def delete_person(session: AsyncSession, person: Person) -> None:
    """Delete a person; everything kept about them goes with the row."""
    await session.delete(person)


async def all_people(session: AsyncSession) -> list[dict[str, Any]]:
    people = list(await session.exec(select(Person).order_by(col(Person.id))))
    return [
        {
            "id": person.key,
            "email": person.email,
            "place": person.place,
            "know": sorted(await expertise_of(session, person)),
        }
        for person in people
    ]
