"""A guest who signs in keeps everything; where the person they turn out to be has said something else, one word counts.

| both have | what counts |
|---|---|
| a level for one topic | the higher one |
| a place | the person's, with its distance and zone; the guest's where the person has none |
| reach, days, online | the person's |
| the same feedback on one event | the person's; the guest's note where theirs has none |
| what is hidden | all |
| a language | the person's; the guest's where theirs has none |
| picks of one week | the person's slate, made anew; what the guest was shown stays remembered |
| calendars, proposals | all; addresses go on working |
| a wish for the weekly mail | the person's; the guest's where theirs has none |

The guest's tokens and sessions end: whoever knew them knew a guest, not the person.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.mail import subscription
from app.models import Digest, Feed, Feedback, Hidden, Person, Proposal, ShownPick, Token
from app.people import people


async def merge(session: AsyncSession, guest: Person, person: Person) -> None:
    """Move everything of a guest to a person and delete the guest; the caller remakes the slate."""
    assert guest.id is not None
    assert person.id is not None
    known, told = await people.expertise_of(session, person), await people.expertise_of(session, guest)
    await people.set_expertise(
        session, person, {slug: max(known.get(slug, 0), told.get(slug, 0)) for slug in known | told}
    )
    if person.place is None and guest.place is not None:
        person.place, person.lat, person.lon, person.zone = guest.place, guest.lat, guest.lon, guest.zone
        person.within_km = guest.within_km
    person.language = person.language or guest.language
    # Stored slates are valid for one version of the profile: none of either counts any longer.
    person.profile_version = max(person.profile_version, guest.profile_version) + 1
    await _move_feedback(session, guest.id, person.id)
    await _move_picks(session, guest.id, person.id)
    await _move_hidden(session, guest.id, person.id)
    for table in (Feed, Proposal):
        await session.exec(update(table).where(col(table.person_id) == guest.id).values(person_id=person.id))
    await session.exec(
        update(Token).where(col(Token.person_id) == guest.id, col(Token.kind) == "feed").values(person_id=person.id)
    )
    mailed = select(Digest.week).where(Digest.person_id == person.id)
    await session.exec(
        update(Digest)
        .where(col(Digest.person_id) == guest.id, col(Digest.week).not_in(mailed))
        .values(person_id=person.id)
        .execution_options(synchronize_session=False)
    )
    await subscription.carry_over(session, guest, person)
    await session.flush()
    await people.delete_person(session, guest)
    await session.flush()


async def _move_feedback(session: AsyncSession, guest_id: int, person_id: int) -> None:
    rows = await session.exec(select(Feedback).where(Feedback.person_id == person_id))
    said = {(row.event_id, row.kind): row for row in rows}
    for row in list(await session.exec(select(Feedback).where(Feedback.person_id == guest_id))):
        same = said.get((row.event_id, row.kind))
        if same is None:
            row.person_id = person_id
        else:
            same.note = same.note or row.note
            await session.delete(row)
    await session.flush()


async def _move_picks(session: AsyncSession, guest_id: int, person_id: int) -> None:
    rows = await session.exec(select(ShownPick.week, ShownPick.event_id).where(ShownPick.person_id == person_id))
    shown = set(rows)
    clock = datetime.now(UTC)
    for row in list(await session.exec(select(ShownPick).where(ShownPick.person_id == guest_id))):
        if (row.week, row.event_id) not in shown:
            row.person_id, row.withdrawn_at = person_id, row.withdrawn_at or clock
    await session.flush()
    await session.exec(delete(ShownPick).where(col(ShownPick.person_id) == guest_id))


async def _move_hidden(session: AsyncSession, guest_id: int, person_id: int) -> None:
    for row in list(await session.exec(select(Hidden).where(Hidden.person_id == guest_id))):
        await session.merge(Hidden(person_id=person_id, kind=row.kind, subject=row.subject, hidden_at=row.hidden_at))
    await session.flush()


async def end_tokens(session: AsyncSession, person: Person) -> None:
    """End all sessions and API tokens of a person; calendars keep their addresses."""
    await session.exec(delete(Token).where(col(Token.person_id) == person.id, col(Token.kind).in_(("api", "session"))))
