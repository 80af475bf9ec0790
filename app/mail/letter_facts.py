"""What is known of a batch of people that their weekly mails tell: a dozen queries for all of them, none for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Column
from sqlalchemy import select as core_select
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.calendars.calendar_feed import is_off
from app.chunks import chunks
from app.mail.earlier_mails import dates_of, earlier_mails, mailed_since
from app.mail.introductions import introduced
from app.mail.since_last_mail import Changed, Said, changed_since, said_since
from app.models import Community, Event, Person, ShownPick
from app.people import takeaways
from app.picking.community_picks import CommunityPick
from app.picking.slates import Shown, iso_week
from app.queries.listing import Listed
from app.queries.plain_rows import EVENTS, run

MISSED = timedelta(weeks=5)  # how far back a monthly mail looks for picks
OFF = ("cancelled", "postponed")
MOST_PICKS = 7
# Score from which one evening is worth a mail to whoever wants no other: of ten professions in a large city, the best of
# three weeks reached it 9 times in 30.
WORTHWHILE = 0.5
TABLES = SQLModel.metadata.tables
SHOWN, PEOPLE, COMMUNITIES = TABLES["shownpick"].c, TABLES["person"].c, TABLES["community"].c
# What mails tell of an event; reading and decoding whole rows took as long as writing.
TOLD = [
    EVENTS.c[name]
    for name in (
        *("id", "key", "title", "starts_at", "ends_at", "zone", "all_day", "status", "deleted_at", "merged_into"),
        *("mode", "online_url", "venue_name", "address", "city", "language", "price", "is_free"),
        *("organizer_name", "community_id", "series_key"),
    )
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What one person's mail is written from."""

    person: Person
    picks: tuple[Shown, ...] = ()  # the best of the slate, at most MOST_PICKS, one a topic, none mailed before
    changed: tuple[Changed, ...] = ()
    said: Said = field(default_factory=Said)
    skipped: tuple[date, ...] = ()  # days without a mail since the last one
    question: Event | None = None  # what they went to and have not been asked about
    community: CommunityPick | None = None
    is_first: bool = True  # no mail has gone out to them so far


async def facts_of(
    session: AsyncSession, people: Sequence[Person], *, now: datetime, clock: datetime
) -> dict[int, Facts]:
    """Return, by person, what their mail is written from; slates and introductions must be up to date."""
    by_id = {person.id: person for person in people if person.id is not None}
    ids = list(by_id)
    earlier = await earlier_mails(session, ids, clock=clock)
    since = await mailed_since(session, ids, earlier)
    slates = await _slates(session, ids, since, now=now)
    series = {id_: {key for one in slate if (key := one.listed.event.series_key)} for id_, slate in slates.items()}
    dates = await dates_of(session, set().union(*series.values()))
    said = await said_since(session, by_id, since)
    changed = await changed_since(session, since, now=now)
    over = await takeaways.questions(session, ids, now=now)
    communities = await introduced(session, ids, now=now)
    facts = {}
    for id_, person in by_id.items():
        before, zone = earlier[id_], ZoneInfo(person.zone)
        mailed = {key for key in series.get(id_, ()) if not before.event_ids.isdisjoint(dates.get(key, frozenset()))}
        facts[id_] = Facts(
            person,
            picks=choose(slates[id_], before.event_ids, mailed, now=now),
            changed=tuple(changed[id_]),
            said=said[id_],
            skipped=tuple(at.astimezone(zone).date() for at in before.skipped),
            question=next((event for event in over.get(id_, ()) if event.id not in before.asked), None),
            community=communities.get(id_),
            is_first=before.last_at is None,
        )
    return facts


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
    rows = await run(
        session,
        core_select(SHOWN.person_id, SHOWN.week, SHOWN.event_id, SHOWN.pick)
        .join(TABLES["person"], PEOPLE.id == SHOWN.person_id)
        .where(
            SHOWN.person_id.in_(ids),
            SHOWN.week.between(iso_week(now - MISSED), iso_week(now)),
            SHOWN.profile_version == PEOPLE.profile_version,
            SHOWN.withdrawn_at.is_(None),
        )
        .order_by(SHOWN.person_id, SHOWN.week.desc(), SHOWN.rank),
    )
    week = iso_week(now)
    first = {id_: iso_week(at) for id_, at in since.items()}
    shown = [row for row in rows if row.week == week or row.week > first.get(row.person_id, row.week)]
    listed = await _listed(session, {row.event_id for row in shown})
    slates: dict[int, list[Shown]] = defaultdict(list)
    for row in shown:
        if row.event_id in listed:
            slates[row.person_id].append(Shown(listed[row.event_id], row.pick))
    return slates


async def _listed(session: AsyncSession, ids: Iterable[int]) -> dict[int, Listed]:
    """Return events, by number, with their communities: what mails tell of them, as plain rows, and none of their topics."""
    events = cast("dict[int, Event]", await _by_id(session, TOLD, ids))
    of = {event.community_id for event in events.values() if event.community_id is not None}
    communities = cast("dict[int, Community]", await _by_id(session, (COMMUNITIES.id, COMMUNITIES.name), of))
    return {id_: Listed(event, community=communities.get(event.community_id or 0)) for id_, event in events.items()}


async def _by_id(session: AsyncSession, columns: Sequence[Column[Any]], ids: Iterable[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in chunks(sorted(ids)):
        statement = core_select(*columns).where(columns[0].in_(some))
        found |= {row.id: row for row in await run(session, statement)}
    return found
