"""What an operator is shown: how much there is, what is wrong, what waits for a decision. Reads only."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup
from sqlalchemy import func, or_
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting import proposals, tallies
from app.models import Chore, Event, EventChange, EventVersion, FetchState, Proposal, Report, Source, Verdict
from app.people import audit
from app.queries.counts import count_all
from app.queue import backlog
from app.web.charts import Series, chart
from app.words.event_words import PURPOSE_WORDS
from app.words.when import day_words, when_words
from app.words.wording import Wording, mark

CHARTED = 30  # days
LISTED = 12  # of each list
UNSURE = 0.25  # lead of the strongest purpose over the next below which somebody should look
LOOKED_AT = 400  # upcoming events whose purpose is weighed
TROUBLED = ("failing", "gone", "paused")

COUNT_WORDS: Mapping[str, str] = {
    "sources": mark("sources"),
    "failing sources": mark("failing sources"),
    "communities": mark("communities"),
    "events": mark("events"),
    "upcoming events": mark("upcoming events"),
    "events with topics": mark("events with topics"),
    "people": mark("people"),
    "people with an address": mark("people with an address"),
    "calendars": mark("calendars"),
}
CHORE_WORDS: Mapping[str, str] = {
    "expand series": mark("expand series"),
    "forget what is past": mark("forget what is past"),
    "keep registry up": mark("keep registry up"),
    "learn from feedback": mark("learn from feedback"),
    "move demonstration on": mark("move demonstration on"),
    "renew communities": mark("renew communities"),
    "renew slates": mark("renew slates"),
    "send weekly mails": mark("send weekly mails"),
    "store renderings": mark("store renderings"),
    "tag new events": mark("tag new events"),
}
WORK_WORDS: Mapping[str, str] = {
    "waiting": mark("waiting"),
    "due": mark("due"),
    "running": mark("running"),
    "failing": mark("failing"),
    "dead": mark("given up"),
}
CHART_WORDS: Mapping[str, str] = {
    "added": mark("new events a day"),
    "changed": mark("changes of events"),
    "failed": mark("fetches that failed"),
}
REPORT_WORDS: Mapping[str, str] = {
    "time": mark("the time or the place"),
    "off": mark("it does not take place"),
    "twice": mark("it is listed twice"),
    "topic": mark("what it is about"),
    "purpose": mark("people come for something else"),
    "other": mark("something else"),
}


@dataclass(frozen=True, slots=True)
class Room:
    """How much the data folder takes, and how much is left beside it, in MB."""

    taken: int
    free: int


def room_at(data: Path) -> Room:
    taken = sum(file.stat().st_size for file in data.glob("adjacent.sqlite3*"))
    return Room(taken // 2**20, shutil.disk_usage(data if data.exists() else data.parent).free // 2**20)


async def overview(session: AsyncSession, wording: Wording, *, now: datetime, clock: datetime) -> dict[str, Any]:
    counts = await count_all(session, now)
    states = select(Source.state, func.count()).group_by(col(Source.state)).order_by(col(Source.state))
    waiting, waiting_count = await proposals.found(session, state="proposed", limit=LISTED)
    return {
        "counts": [(wording.text(COUNT_WORDS.get(name, name)), number) for name, number in counts.items()],
        "states": list(await session.exec(states)),
        "newest": list(await session.exec(select(Source).order_by(col(Source.id).desc()).limit(5))),
        "chart": await _chart(session, wording, clock=clock),
        "troubled": await _troubled(session),
        "queue": [one for one in await backlog.listed(session, clock=clock) if one.kind == "host"][:LISTED],
        "chores": await _chores(session, wording, clock=clock),
        "work_words": {state: wording.text(words) for state, words in WORK_WORDS.items()},
        "merges": await _merges(session, wording, now=now),
        "unsure": await _unsure(session, wording, now=now),
        "proposals": [_proposal(one, wording) for one in waiting],
        "proposals_count": waiting_count,
        "reports": await _reports(session, wording),
        "actions": await audit.newest(session, limit=LISTED),
    }


async def _chart(session: AsyncSession, wording: Wording, *, clock: datetime) -> Markup:
    """Return new and changed events, and fetches that failed, by day."""
    first = clock.date() - timedelta(days=CHARTED - 1)
    start = datetime.combine(first, datetime.min.time(), UTC)
    days = [first + timedelta(days=place) for place in range(CHARTED)]
    counted = {
        "added": await _by_day(session, col(Event.created_at), start),
        "changed": await _by_day(session, col(EventChange.at), start),
        "failed": await tallies.by_day(session, "failed", since=first),
    }
    told = wording.text(
        "In {days} days {events} new events and {changes} changes; {failures} fetches failed.",
        days=CHARTED,
        events=wording.number(sum(counted["added"].values())),
        changes=wording.number(sum(counted["changed"].values())),
        failures=wording.number(sum(counted["failed"].values())),
    )
    series = [
        Series(name, wording.text(words), [counted[name].get(day, 0) for day in days])
        for name, words in CHART_WORDS.items()
    ]
    return chart([day_words(day, wording) for day in days], series, told, wording.number)


async def _by_day(session: AsyncSession, moment: Mapped[Any], start: datetime) -> Mapping[date, int]:
    """Return how many rows have their moment on each day, counted by the database."""
    day = func.date(moment)
    rows = await session.exec(select(day, func.count()).where(moment >= start).group_by(day))
    return {date.fromisoformat(str(when)): number for when, number in rows}


async def _troubled(session: AsyncSession) -> list[tuple[Source, FetchState]]:
    rows = await session.exec(
        select(Source, FetchState)
        .join(FetchState, col(FetchState.source_id) == Source.id)
        .where(or_(col(Source.state).in_(TROUBLED), col(FetchState.failures) > 0))
        .order_by(col(FetchState.failures).desc(), col(Source.id))
        .limit(4 * LISTED)
    )
    return list(rows)


async def _chores(session: AsyncSession, wording: Wording, *, clock: datetime) -> list[dict[str, Any]]:
    rows = await session.exec(select(Chore).order_by(col(Chore.name)))
    return [
        {
            "name": wording.text(CHORE_WORDS.get(row.name, row.name)),
            "state": backlog.state_of(row, clock),
            "done_at": row.done_at,
            "next_due": row.next_due,
            "error": row.error,
        }
        for row in rows
    ]


async def _merges(session: AsyncSession, wording: Wording, *, now: datetime) -> list[dict[str, Any]]:
    """Return what was joined by comparing, the latest first, until somebody said that it is right."""
    decided = select(Verdict.id).where(
        or_(
            (col(Verdict.source) == Source.url) & (col(Verdict.uid) == EventVersion.uid),
            (col(Verdict.other_source) == Source.url) & (col(Verdict.other_uid) == EventVersion.uid),
        )
    )
    rows = await session.exec(
        select(EventVersion, Event, Source.url)
        .join(Event, col(Event.id) == EventVersion.event_id)
        .join(Source, col(Source.id) == EventVersion.source_id)
        .where(
            col(EventVersion.why).is_not(None),
            col(EventVersion.starts_at) >= now,
            col(EventVersion.withdrawn_at).is_(None),
            ~decided.exists(),
        )
        .order_by(col(EventVersion.id).desc())
        .limit(LISTED)
    )
    return [
        {
            "version": version.id,
            "event": event.key,
            "title": event.title,
            "other_title": version.draft["title"],
            "when": when_words(event, wording),
            "source": urlsplit(url).hostname,
            "why": version.why,
        }
        for version, event, url in rows
    ]


def _proposal(proposal: Proposal, wording: Wording) -> dict[str, Any]:
    """Return a proposal with its next two events, and of what was written down the words."""
    days = []
    for event in proposal.preview[:2]:
        start = datetime.fromisoformat(event["starts_at"])
        days.append(day_words(start, wording) + ("" if event.get("all_day") else f", {start:%H:%M}"))
    written: dict[str, Any] = next(iter((proposal.details or {}).values()), {})
    return {
        **proposals.proposal_json(proposal),
        "about": written.get("about"),
        "steps": written.get("join", []),
        "facts": [*filter(None, (written.get("city"), ", ".join(written.get("topics", [])), "; ".join(days)))],
        "next": [(event["title"], day) for event, day in zip(proposal.preview, days, strict=False)],
    }


async def _unsure(session: AsyncSession, wording: Wording, *, now: datetime) -> list[dict[str, Any]]:
    """Return upcoming events of which two purposes are about as likely, the closest first; of a series only the next."""
    rows = await session.exec(
        select(Event)
        .where(Event.starts_at >= now, col(Event.deleted_at).is_(None), col(Event.merged_into).is_(None))
        .order_by(col(Event.starts_at), col(Event.id))
        .limit(LOOKED_AT)
    )
    next_of = {event.series_key or event.key: event for event in reversed(list(rows))}
    weighed = sorted(
        ((_lead(event.purpose), event.starts_at, event) for event in next_of.values() if event.purpose), key=_first_two
    )
    return [
        {
            "event": event.key,
            "title": event.title,
            "when": when_words(event, wording),
            "purposes": sorted(event.purpose.items(), key=lambda item: -item[1])[:2],
            "phrases": event.purpose_phrases[:3],
        }
        for lead, _, event in weighed[:LISTED]
        if lead < UNSURE
    ]


def _first_two(weighed: tuple[float, datetime, Event]) -> tuple[float, datetime]:
    return weighed[0], weighed[1]


def _lead(purpose: Mapping[str, float]) -> float:
    shares = sorted((purpose.get(name, 0.0) for name in PURPOSE_WORDS), reverse=True)
    return shares[0] - shares[1]


async def _reports(session: AsyncSession, wording: Wording) -> list[dict[str, Any]]:
    rows = await session.exec(
        select(Report, Event)
        .join(Event, col(Event.id) == Report.event_id)
        .where(col(Report.looked_at).is_(None))
        .order_by(col(Report.id).desc())
        .limit(LISTED)
    )
    return [
        {
            "id": row.id,
            "event": event.key,
            "title": event.title,
            "kind": wording.text(REPORT_WORDS[row.kind]),
            "words": row.words,
            "at": row.reported_at,
        }
        for row, event in rows
    ]
