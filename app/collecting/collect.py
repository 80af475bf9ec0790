"""Steps 1 to 4 for one source and for a round: fetch, read, compare, store; trouble stays with its source.

Two clocks: `now` says what is upcoming and can be pinned; the schedule (`clock`) is always the real one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting import frontier, series
from app.collecting.outcomes import Outcome, State, note_failure, note_good, note_trouble, note_unchanged
from app.collecting.page_reading import HORIZON, READ_AGAIN, read_page
from app.db import Database
from app.events import adoption, ingest, language, turns
from app.events.changes import UNFINISHED, Changes, Vanishing, compare
from app.models import FetchState, Source, Token
from app.people import audit
from scrapers import Page, Reading, Unreadable, stable_digest
from scrapers.discover import candidates
from scrapers.fetch import Fetcher, FetchError, NotModified

LANES = 4  # connections to a host the operator has allowed; the public ones get one

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Round:
    """How all of them fared."""

    outcomes: tuple[Outcome, ...] = ()
    counts: ingest.Counts = field(default_factory=ingest.Counts)

    def number(self, state: State) -> int:
        return sum(outcome.state == state for outcome in self.outcomes)


async def collect(
    database: Database,
    fetcher: Fetcher,
    source_ids: Sequence[int],
    *,
    now: Callable[[], datetime],
    report: Callable[[Outcome], None] = lambda _: None,
) -> Round:
    """Collect from these sources: hosts side by side, the sources of one host one after another.

    `now` is asked anew for each source, since a host with many of them is walked for hours.
    """
    lanes = await _lanes(database, fetcher, source_ids)

    async def walk(lane: Sequence[tuple[int, str]]) -> list[Outcome]:
        outcomes = []
        for position, (source_id, url) in enumerate(lane):
            if position and not fetcher.is_allowed(url):
                await asyncio.sleep(await fetcher.pause(url))
            try:
                outcome = await _collect(database, fetcher, source_id, now=now())
            except Exception as error:  # one of the two boundaries: one source's trouble never stops the round
                log.exception("collecting failed", url=url)
                outcome = await note_trouble(database, source_id, url, f"{type(error).__name__}: {error}")
            report(outcome)
            outcomes.append(outcome)
        return outcomes

    walked = await asyncio.gather(*(walk(lane) for lane in lanes), return_exceptions=True)
    async with database.writing() as session:
        await frontier.schedule_hosts(session, source_ids)
    for lane in walked:
        if isinstance(lane, BaseException):  # not even the trouble could be written; the other lanes went on
            raise lane
    outcomes = tuple(outcome for lane in walked if not isinstance(lane, BaseException) for outcome in lane)
    return Round(outcomes, sum((outcome.counts for outcome in outcomes), ingest.Counts()))


async def _lanes(database: Database, fetcher: Fetcher, ids: Sequence[int]) -> list[list[tuple[int, str]]]:
    async with database.reading() as session:
        rows = await session.exec(select(Source.id, Source.url, Source.host).where(col(Source.id).in_(ids)))
        hosts: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for source_id, url, host in rows:
            if source_id is not None:
                hosts[host].append((source_id, url))
    lanes = []
    for sources in hosts.values():
        width = LANES if fetcher.is_allowed(sources[0][1]) else 1
        lanes += [sources[first::width] for first in range(min(width, len(sources)))]
    return lanes


async def collect_source(
    database: Database, fetcher: Fetcher, source_id: int, *, now: datetime, asked_by: Token | None = None
) -> Outcome:
    """Fetch, read and store one source. Whatever goes wrong is written on the source, and no event is lost by it.

    Where an operator asked for it, that is written down with what is written at the end.
    """
    outcome = await _collect(database, fetcher, source_id, now=now)
    async with database.writing() as session:
        await frontier.schedule_hosts(session, [source_id])
        if asked_by is not None:
            audit.note(session, asked_by, "source.collect", (await session.get_one(Source, source_id)).url)
    return outcome


async def _collect(database: Database, fetcher: Fetcher, source_id: int, *, now: datetime) -> Outcome:
    async with database.reading() as session:
        rows = await session.exec(
            select(Source, FetchState)
            .join(FetchState, col(FetchState.source_id) == Source.id)
            .where(Source.id == source_id)
        )
        source, state = rows.one()
    # Now and then an unchanged answer is read again: what it lists beyond the horizon has come nearer.
    is_known = state.listed == 0 or (state.read_at is not None and now - state.read_at < READ_AGAIN)
    validators = {"etag": state.etag, "last_modified": state.last_modified} if is_known else {}
    try:
        answer = await fetcher.fetch(source.url, **validators)
        if isinstance(answer, NotModified):
            return await note_unchanged(database, source, state, answer)
        # Servers without validators repeat themselves, too, some with new stamps.
        if is_known and stable_digest(answer.body) == state.body_digest:
            return await note_unchanged(database, source, state, answer)
    except FetchError as error:
        return await note_failure(database, source, error)
    try:
        reading = await read_page(answer, zone=ZoneInfo(source.zone), now=now)
    except Unreadable as error:
        return await note_failure(database, source, Unreadable(error.code, f"{error.message}{_way_on(answer)}"))
    return await keep(database, source, answer, reading, now=now)


def _way_on(page: Page) -> str:
    """Return where the events of a page that lists none may stand: such an address was added unseen, or has changed."""
    feeds = [each for each in candidates(page) if each.kind == "feed" and not each.is_elsewhere]
    return f"; it leads to {feeds[0].url} ({feeds[0].why}): try that address" if feeds else ""


async def keep(database: Database, source: Source, page: Page, reading: Reading, *, now: datetime) -> Outcome:
    """Store what was read from a page: one transaction for most, batches for the largest.

    The validators are written with the last batch, so that a torn round is simply repeated.
    """
    await asyncio.to_thread(language.load)  # not while others wait to write
    parts: deque[Changes] = deque()
    counts = ingest.Counts()
    changes: Changes | None = None
    is_whole = False
    outcome: Outcome | None = None
    while outcome is None:
        async with database.writing() as session:
            source = await session.get_one(Source, source.id)
            if changes is None:
                # Compared where it is written, so that two processes that collect one source do not both add.
                await turns.take_turn(session)
                changes = await _compare(session, source, reading, now=now)
                parts.extend(changes.in_batches())
                is_whole = changes.held_back == 0 and not any(one.code in UNFINISHED for one in reading.problems)
                unknown = await adoption.adopt(session, source, reading, forgets=is_whole, now=now)
                reading = replace(reading, problems=(*reading.problems, *unknown))
            counts += await ingest.store(session, source, parts.popleft(), now=now)
            if not parts:
                await series.keep(session, source, reading.series, until=now + HORIZON, forgets=is_whole)
                await ingest.touch(session, changes.seen, now)
                outcome = await note_good(session, source, page, reading, changes, counts=counts, now=now)
    return outcome


async def _compare(session: AsyncSession, source: Source, reading: Reading, *, now: datetime) -> Changes:
    assert source.id is not None
    stored = await ingest.stored_versions(session, source.id)
    state = await session.get_one(FetchState, source.id)
    held = Vanishing(state.vanishing_since, state.vanishing_fetches)
    return compare(reading, stored, now=now, vanishing=held)
