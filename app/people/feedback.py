"""Feedback: what people say of picks, and what that changes; taking it back changes it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Community, Event, EventTopic, Feedback, Person, ShownPick
from app.numbered import Beside
from app.words.reach_words import REACH_WORDS
from recommender.reach import REACHES, Reach

Kind = Literal["going", "saved", "dismissed", "too_close", "too_far", "attended"]
REFUSING: tuple[Kind, ...] = ("dismissed", "too_close", "too_far")  # such an event does not come back
KEEPING: tuple[Kind, ...] = ("going", "saved")  # such an event stands in calendars of saved events
WELCOMING: tuple[Kind, ...] = ("going", "saved", "attended")  # more about its topic is welcome
GOING: tuple[Kind, ...] = ("going", "attended")  # such an event tells when somebody goes out
REPEATED = 2  # one "too close" may be the event's fault; two are about the distance


class Visit(NamedTuple):
    """An event somebody went to or goes to."""

    starts_at: datetime  # on the clock there
    community: str | None  # its key


def shift(chosen: Reach, *, too_close: int, too_far: int) -> Reach:
    """Return the reach that counts: one step out or in from the chosen one when feedback asks for it repeatedly."""
    place = REACHES.index(chosen)
    if too_close - too_far >= REPEATED:
        place = min(place + 1, len(REACHES) - 1)
    elif too_far - too_close >= REPEATED:
        place = max(place - 1, 0)
    return REACHES[place]


async def shifted_reach(session: AsyncSession, person: Person) -> Reach:
    """Return the reach that counts for a person: the chosen one, shifted by what they said since they chose it."""
    rows = await session.exec(
        select(Feedback.kind).where(
            Feedback.person_id == person.id,
            col(Feedback.kind).in_(("too_close", "too_far")),
            col(Feedback.given_at) >= person.reach_chosen_at,
        )
    )
    said = Counter(rows)
    return shift(cast("Reach", person.reach), too_close=said["too_close"], too_far=said["too_far"])


async def said_of(session: AsyncSession, person: Person, kinds: Sequence[Kind]) -> list[tuple[int, str | None]]:
    """Return the events, and their series, of which a person said one of these."""
    rows = await session.exec(
        select(Feedback.event_id, Event.series_key)
        .join(Event, col(Event.id) == Feedback.event_id)
        .where(Feedback.person_id == person.id, col(Feedback.kind).in_(kinds))
    )
    return list(rows)


async def given(
    session: AsyncSession, person: Person, *, kind: Kind | None, beside: Beside, limit: int
) -> list[tuple[Feedback, Event]]:
    """Return what a person said, newest first, up to `limit` that stand beside something they said."""
    clauses = [col(Feedback.person_id) == person.id]
    if kind is not None:
        clauses.append(col(Feedback.kind) == kind)
    statement = select(Feedback, Event).join(Event, col(Event.id) == Feedback.event_id).where(*clauses)
    rows = await session.exec(beside.page(statement, col(Feedback.id), limit=limit, newest_first=True))
    return beside.in_order(list(rows))


async def all_given(session: AsyncSession, person: Person, *, kind: Kind | None) -> tuple[int, datetime | None]:
    """Return how much a person said, and when they last did."""
    clauses = [col(Feedback.person_id) == person.id] + ([col(Feedback.kind) == kind] if kind is not None else [])
    return (await session.exec(select(func.count(), func.max(Feedback.given_at)).where(*clauses))).one()


async def visited(session: AsyncSession, person: Person) -> tuple[Visit, ...]:
    """Return the events that a person went or goes to, by start."""
    rows = await session.exec(
        select(Event.starts_at, Event.zone, Community.key)
        .outerjoin(Community, col(Community.id) == Event.community_id)
        .where(
            col(Event.id).in_(
                select(Feedback.event_id).where(Feedback.person_id == person.id, col(Feedback.kind).in_(GOING))
            )
        )
        .order_by(col(Event.starts_at), col(Event.id))
    )
    return tuple(Visit(starts_at.astimezone(ZoneInfo(zone)), community) for starts_at, zone, community in rows)


async def give(session: AsyncSession, person: Person, event: Event, kind: Kind, note: str | None) -> Feedback:
    """Record what a person says of an event; saying it again only renews the note. The caller remakes the slate."""
    assert person.id is not None
    assert event.id is not None
    row = await _said(session, person, event, kind)
    if row is None:
        topic = await _topic_of(session, person, event)
        row = Feedback(person_id=person.id, event_id=event.id, kind=kind, topic=topic, given_at=datetime.now(UTC))
        if kind in REFUSING:
            person.profile_version += 1
    row.note = note or row.note
    session.add(row)
    await session.flush()
    return row


async def _topic_of(session: AsyncSession, person: Person, event: Event) -> str | None:
    """Return the topic an event was last picked for, or what it is mainly about where the person came upon it otherwise."""
    shown = await session.exec(
        select(ShownPick)
        .where(ShownPick.person_id == person.id, ShownPick.event_id == event.id)
        .order_by(col(ShownPick.week).desc())
    )
    pick = shown.first()
    if pick is not None:
        return cast("str | None", pick.pick["topic"])
    topics = await session.exec(
        select(EventTopic.topic)
        .where(EventTopic.event_id == event.id)
        .order_by(col(EventTopic.weight).desc(), col(EventTopic.topic))
    )
    return topics.first()


async def take_back(session: AsyncSession, person: Person, event: Event, kind: Kind) -> Feedback | None:
    """Forget what a person said of an event and return it; None if they had not said it. The caller remakes the slate."""
    row = await _said(session, person, event, kind)
    if row is None:
        return None
    await session.delete(row)
    if kind in REFUSING:
        person.profile_version += 1
    await session.flush()
    return row


async def is_refused(session: AsyncSession, person: Person, event: Event) -> bool:
    """Whether something a person said of an event keeps it from coming back."""
    rows = await session.exec(
        select(Feedback.id).where(
            Feedback.person_id == person.id, Feedback.event_id == event.id, col(Feedback.kind).in_(REFUSING)
        )
    )
    return rows.first() is not None


async def _said(session: AsyncSession, person: Person, event: Event, kind: Kind) -> Feedback | None:
    rows = await session.exec(
        select(Feedback).where(Feedback.person_id == person.id, Feedback.event_id == event.id, Feedback.kind == kind)
    )
    return rows.one_or_none()


def given_sentences(
    event: Event, kind: Kind, note: str | None, reach_before: Reach, reach_after: Reach, *, topic: str | None = None
) -> list[str]:
    """Say to a person what their feedback changed; `topic` is the label of what the event was picked for."""
    title = f"“{event.title}”"
    sentences = {
        "going": [f"{title} is marked as going and stands in your calendars of saved events."],
        "saved": [f"{title} is saved and stands in your calendars of saved events."],
        "dismissed": [_gone(event)],
        "too_close": [_gone(event), _moved("too close", reach_before, reach_after, REACHES[-1])],
        "too_far": [_gone(event), _moved("too far", reach_before, reach_after, REACHES[0])],
        "attended": [f"{title} is marked as attended."],
    }[kind]
    if topic is not None and kind in WELCOMING:
        sentences.append(f"{topic} and what is close to it count more in your next picks.")
    elif topic is not None and kind == "dismissed":
        sentences.append(f"{topic} and what is close to it count less in your picks.")
    if kind in GOING:
        sentences.append("Its day and hour tell when you go out.")
    return [*sentences, "Your note is kept with it."] if note else sentences


def _gone(event: Event) -> str:
    others = " and other dates of its series" if event.series_key else ""
    return f"“{event.title}”{others} will not be picked for you again; calendars that hold it keep it."


def _moved(word: str, before: Reach, after: Reach, last: Reach) -> str:
    if before != after:
        return f"Your reach moved from {_quoted(before)} to {_quoted(after)}."
    if after == last:
        return f"Your reach stays {_quoted(after)}: there is no step beyond it."
    return f"Your reach stays {_quoted(after)}; said again, “{word}” moves it by at most one step from what you chose."


def _quoted(reach: Reach) -> str:
    return f"“{REACH_WORDS[reach]}”"


def taken_back_sentences(
    event: Event,
    kind: Kind,
    reach_before: Reach,
    reach_after: Reach,
    *,
    topic: str | None = None,
    still_refused: bool = False,
) -> list[str]:
    title = f"“{event.title}”"
    sentences = {
        "going": [f"{title} is no longer marked as going."],
        "saved": [f"{title} is no longer saved."],
        "attended": [f"{title} is no longer marked as attended."],
    }.get(kind, [_gone(event) if still_refused else f"{title} may be picked for you again."])
    if topic is not None and kind in (*WELCOMING, "dismissed"):
        sentences.append(f"{topic} counts as it did before.")
    if reach_before != reach_after:
        sentences.append(f"Your reach moved back from {_quoted(reach_before)} to {_quoted(reach_after)}.")
    return sentences
