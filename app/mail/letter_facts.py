"""What is known of a batch of people that their weekly mails tell: a dozen queries for all of them, none for each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.calendars.calendar_feed import is_off
from app.chunks import CHUNK
from app.mail.introductions import introduce
from app.models import (
    Community,
    Digest,
    Event,
    EventChange,
    Feedback,
    Hidden,
    Person,
    ShownPick,
    Subscription,
)
from app.people import takeaways
from app.people.feedback import KEEPING, REFUSING, shift
from app.picking.community_picks import CommunityPick
from app.picking.slates import Shown, iso_week
from app.queries.listing import with_topics
from recommender.catalogue import load_catalogue
from recommender.reach import Reach

UNREPEATED = timedelta(days=91)  # an event, or another date of its series, is mailed once in three months
MAILED = ("sending", "sent", "unknown", "bounced")  # a digest that may have been read
TOLD_CHANGES = ("starts_at", "ends_at", "zone", "status", "venue_name", "address", "city", "mode")
MISSED = timedelta(weeks=5)  # how far back a monthly mail looks for picks
OFF = ("cancelled", "postponed")
MOST_PICKS = 7
# Score from which one evening is worth a mail to whoever wants no other: of ten professions in a large city, the best of
# three weeks reached it 9 times in 30.
WORTHWHILE = 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """Feedback since the last mail, in what it changed."""

    refused: tuple[Event, ...] = ()
    hidden: tuple[str, ...] = ()  # topics and communities, as they are called
    reach_before: Reach = "one-step"
    reach_after: Reach = "one-step"


@dataclass(frozen=True, slots=True)
class Changed:
    """What happened to an event somebody is going to, since the last mail."""

    event: Event
    before: Mapping[str, object]  # field → what it was


@dataclass(frozen=True, slots=True)
class Facts:
    """What one person's mail is written from."""

    person: Person
    picks: tuple[Shown, ...] = ()  # the best of the slate, at most MOST_PICKS, one a topic, none mailed before
    changed: tuple[Changed, ...] = ()
    said: Said = Said()
    skipped: tuple[date, ...] = ()  # days without a mail since the last one
    question: Event | None = None  # what they went to and have not been asked about
    community: CommunityPick | None = None
    is_first: bool = True  # no mail has gone out to them so far


@dataclass(slots=True)
class _Before:
    """What earlier mails were."""

    last_at: datetime | None = None
    skipped: list[date] = field(default_factory=list)
    event_ids: set[int] = field(default_factory=set)
    series: set[str] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)  # evenings they were asked about


async def facts_of(
    session: AsyncSession, people: Sequence[Person], *, now: datetime, clock: datetime
) -> dict[int, Facts]:
    """Return, by person, what their mail is written from; slates must be up to date."""
    by_id = {person.id: person for person in people if person.id is not None}
    before = await _before(session, list(by_id), clock=clock)
    since = await _since(session, list(by_id), before)
    slates = await _slates(session, list(by_id), since, now=now)
    said = await _said(session, by_id, since)
    changed = await _changed(session, since, now=now)
    chosen = {id_: choose(slates[id_], before[id_].event_ids, before[id_].series, now=now) for id_ in by_id}
    over = await takeaways.questions(session, list(by_id), now=now)
    reaches = {id_: one.reach_after for id_, one in said.items()}
    communities = await introduce(session, by_id, reaches, chosen, now=now)
    return {
        id_: Facts(
            person,
            picks=chosen[id_],
            changed=tuple(changed[id_]),
            said=said[id_],
            skipped=tuple(before[id_].skipped),
            question=next((event for event in over.get(id_, ()) if event.id not in before[id_].asked), None),
            community=communities.get(id_),
            is_first=before[id_].last_at is None,
        )
        for id_, person in by_id.items()
    }


def choose(slate: Sequence[Shown], mailed: set[int], series: set[str], *, now: datetime) -> tuple[Shown, ...]:
    """Return the picks of a slate that a mail tells, best first: still to come and on, one a topic, none told before."""
    chosen: dict[str, Shown] = {}
    for shown in slate:
        event = shown.listed.event
        is_told = event.id in mailed or (event.series_key is not None and event.series_key in series)
        if is_told or event.starts_at <= now or event.status in OFF or is_off(event):
            continue
        chosen.setdefault(shown.pick["path"][-1], shown)
    return tuple(chosen.values())[:MOST_PICKS]


def is_worth_a_mail(facts: Facts, rhythm: str) -> bool:
    if rhythm == "worthwhile":
        return any(shown.pick["score"] >= WORTHWHILE for shown in facts.picks)
    return bool(facts.picks)


async def stale(session: AsyncSession, person_ids: Sequence[int], *, now: datetime) -> list[Person]:
    """Return those whose slate of this week is missing or was made for another profile."""
    current = (
        select(ShownPick.person_id)
        .where(
            ShownPick.person_id == Person.id,
            ShownPick.week == iso_week(now),
            ShownPick.profile_version == Person.profile_version,
        )
        .correlate(Person)
    )
    rows = await session.exec(select(Person).where(col(Person.id).in_(person_ids), ~current.exists()))
    return list(rows)


async def _slates(
    session: AsyncSession, ids: Sequence[int], since: Mapping[int, datetime], *, now: datetime
) -> dict[int, list[Shown]]:
    """Return the picks of this week, best first, and behind them those of the weeks nobody was mailed in."""
    rows = await session.exec(
        select(ShownPick)
        .join(Person, col(Person.id) == ShownPick.person_id)
        .where(
            col(ShownPick.person_id).in_(ids),
            col(ShownPick.week).between(iso_week(now - MISSED), iso_week(now)),
            ShownPick.profile_version == Person.profile_version,
            col(ShownPick.withdrawn_at).is_(None),
        )
        .order_by(col(ShownPick.person_id), col(ShownPick.week).desc(), col(ShownPick.rank))
    )
    first = {id_: iso_week(at) for id_, at in since.items()}
    shown = [row for row in rows if row.week == iso_week(now) or row.week > first.get(row.person_id, row.week)]
    events = await _events(session, {row.event_id for row in shown})
    listed = {one.event.id: one for one in await with_topics(session, list(events.values()))}
    slates: dict[int, list[Shown]] = defaultdict(list)
    for row in shown:
        if row.event_id in listed:
            slates[row.person_id].append(Shown(listed[row.event_id], row.pick))
    return slates


async def _events(session: AsyncSession, ids: Iterable[int]) -> dict[int, Event]:
    wanted = sorted(ids)
    found: dict[int, Event] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = await session.exec(select(Event).where(col(Event.id).in_(wanted[start : start + CHUNK])))
        found |= {event.id: event for event in rows if event.id is not None}
    return found


async def _before(session: AsyncSession, ids: Sequence[int], *, clock: datetime) -> dict[int, _Before]:
    rows = await session.exec(
        select(Digest)
        .where(col(Digest.person_id).in_(ids), col(Digest.changed_at) > clock - UNREPEATED)
        .order_by(col(Digest.person_id), col(Digest.week))
    )
    before: dict[int, _Before] = defaultdict(_Before)
    for digest in rows:
        one = before[digest.person_id]
        if digest.state in MAILED:
            one.event_ids.update(digest.event_ids)
            if digest.asked_event_id is not None:
                one.asked.add(digest.asked_event_id)
        if digest.state == "sent":
            one.last_at = digest.changed_at
            one.skipped.clear()
        elif digest.state == "skipped":
            one.skipped.append(digest.changed_at.date())
    mailed = set().union(*(one.event_ids for one in before.values())) if before else set()
    series: dict[int, str] = {}
    wanted = sorted(mailed)
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        found = await session.exec(select(Event.id, Event.series_key).where(col(Event.id).in_(chunk)))
        series |= {id_: key for id_, key in found if id_ is not None and key is not None}
    for one in before.values():
        one.series = {series[id_] for id_ in one.event_ids if id_ in series}
    return before


async def _since(session: AsyncSession, ids: Sequence[int], before: Mapping[int, _Before]) -> dict[int, datetime]:
    """Return when each person was last mailed; before the first mail, since when they want any."""
    rows = await session.exec(
        select(Subscription.person_id, Subscription.confirmed_at).where(col(Subscription.person_id).in_(ids))
    )
    confirmed = {id_: at for id_, at in rows if at is not None}
    last = {id_: one.last_at for id_, one in before.items() if one.last_at is not None}
    return {id_: at for id_ in ids if (at := last.get(id_) or confirmed.get(id_)) is not None}


async def _said(session: AsyncSession, people: Mapping[int, Person], since: Mapping[int, datetime]) -> dict[int, Said]:
    rows = await session.exec(
        select(Feedback, Event)
        .join(Event, col(Event.id) == Feedback.event_id)
        .where(col(Feedback.person_id).in_(people), col(Feedback.kind).in_(REFUSING))
        .order_by(col(Feedback.given_at), col(Feedback.id))
    )
    refused: dict[int, dict[int | None, Event]] = defaultdict(dict)
    counts: dict[int, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
    for feedback, event in rows:
        person, last = people[feedback.person_id], since.get(feedback.person_id)
        is_new = last is not None and feedback.given_at > last
        if is_new:
            refused[feedback.person_id][event.id] = event
        if feedback.given_at >= person.reach_chosen_at:
            earlier, all_of_them = counts[feedback.person_id]
            all_of_them[feedback.kind] += 1
            if not is_new:
                earlier[feedback.kind] += 1
    hidden = await _hidden(session, since)
    said = {}
    for id_, person in people.items():
        earlier, all_of_them = counts[id_]
        before, after = (
            shift(cast("Reach", person.reach), too_close=one["too_close"], too_far=one["too_far"])
            for one in (earlier, all_of_them)
        )
        said[id_] = Said(tuple(refused[id_].values()), tuple(hidden[id_]), before, after)
    return said


async def _hidden(session: AsyncSession, since: Mapping[int, datetime]) -> dict[int, list[str]]:
    rows = await session.exec(
        select(Hidden, Community.name)
        .join(Community, col(Community.key) == Hidden.subject, isouter=True)
        .where(col(Hidden.person_id).in_(since))
        .order_by(col(Hidden.hidden_at))
    )
    catalogue, named = load_catalogue(), defaultdict(list)
    for row, community in rows:
        if row.hidden_at > since[row.person_id]:
            is_topic = row.kind == "topic" and row.subject in catalogue.index
            named[row.person_id].append(catalogue[row.subject].label if is_topic else community or row.subject)
    return named


async def _changed(session: AsyncSession, since: Mapping[int, datetime], *, now: datetime) -> dict[int, list[Changed]]:
    """Return what changed about events that are still to come and that people are going to, or saved."""
    rows = await session.exec(
        select(Feedback.person_id, Feedback.given_at, Event)
        .join(Event, col(Event.id) == Feedback.event_id)
        .where(
            col(Feedback.person_id).in_(since),
            col(Feedback.kind).in_(KEEPING),
            col(Event.starts_at) > now,
            col(Event.merged_into).is_(None),
        )
        .order_by(col(Event.starts_at), col(Event.id))
    )
    kept = [(person_id, max(given_at, since[person_id]), event) for person_id, given_at, event in rows]
    history: dict[int, list[EventChange]] = defaultdict(list)
    changes = await session.exec(
        select(EventChange)
        .where(col(EventChange.event_id).in_({event.id for _, _, event in kept}))
        .order_by(col(EventChange.id))
    )
    for change in changes:
        history[change.event_id].append(change)
    changed: dict[int, dict[int | None, Changed]] = defaultdict(dict)
    for person_id, after, event in kept:
        before: dict[str, object] = {}
        for change in history[event.id or 0]:
            if change.at > after:
                for name in TOLD_CHANGES:
                    if name in change.fields:
                        before.setdefault(name, change.fields[name][0])
        is_withdrawn = event.deleted_at is not None and event.deleted_at > after
        if before or is_withdrawn:
            changed[person_id].setdefault(event.id, Changed(event, before))
    return defaultdict(list, {id_: list(events.values()) for id_, events in changed.items()})
