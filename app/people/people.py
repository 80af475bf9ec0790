"""People: who picks are made for, what they know, and what they are told about themselves."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Expertise, Feed, Person, SignIn, Token
from app.people import tokens
from app.people.feedback import shifted_reach
from app.people.wishes import USUAL_PURPOSES
from app.places import Spot
from app.topic_names import label_of
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
    return person, await tokens.issue(session, "api", person_id=person.id, label="guest", scopes=tokens.SCOPES)


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
        "languages": person.languages,
        "purposes": person.purposes or sorted(USUAL_PURPOSES),
        "free_only": person.free_only,
        "know": known_json(await expertise_of(session, person)),
        "created_at": person.created_at.isoformat(),
    }


def known_json(known: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return known topics with their labels, best known first; topics the catalogue has lost are left out."""
    return [
        {"slug": slug, "label": label_of(slug), "level": level}
        for slug, level in sorted(known.items(), key=lambda item: (-item[1], item[0]))
        if slug in load_catalogue().index
    ]


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
    """Delete a person; everything kept about them goes with the row, and sign-ins asked for with their address."""
    if person.email is not None:
        asked = select(SignIn.digest).where(SignIn.email == person.email)
        await session.exec(
            delete(Token).where(col(Token.digest).in_(asked)).execution_options(synchronize_session=False)
        )
    await session.delete(person)


async def all_people(session: AsyncSession) -> list[dict[str, Any]]:
    known: dict[int, list[str]] = defaultdict(list)
    for person_id, topic in await session.exec(
        select(Expertise.person_id, Expertise.topic).order_by(col(Expertise.topic))
    ):
        known[person_id].append(topic)
    return [
        {"id": person.key, "email": person.email, "place": person.place, "know": known[person.id or 0]}
        for person in await session.exec(select(Person).order_by(col(Person.id)))
    ]
