"""Steps 1 to 4 for one source and for a round: fetch, read, compare, store; trouble stays with its source.

Two clocks: `now` says what is upcoming and can be pinned; the schedule (`clock`) is always the real one.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import adoption, audit, frontier, ingest, language, series
from app.changes import UNFINISHED, VANISH_FETCHES, VANISH_TIME, Changes, Vanishing, compare
from app.db import Database
from app.models import FetchState, Source, Token
from scrapers import Page, Reading, Unreadable, Window, read, stable_digest
from scrapers.fetch import Fetcher, FetchError, NotModified

HORIZON = series.HORIZON
READ_AGAIN = timedelta(days=30)
LANES = 4  # connections to a host the operator has allowed; the public ones get one
KEPT_PROBLEMS = 50  # per source, for `sources show`

log = structlog.get_logger()

State = Literal["fetched", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one source fared in a round."""

    url: str
    state: State
    counts: ingest.Counts = field(default_factory=ingest.Counts)
    code: str | None = None
    message: str | None = None


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
    now: datetime,
    report: Callable[[Outcome], None] = lambda _: None,
) -> Round:
    """Collect from these sources: hosts side by side, the sources of one host one after another."""
    lanes = await _lanes(database, fetcher, source_ids)

    async def walk(lane: Sequence[tuple[int, str]]) -> list[Outcome]:
        outcomes = []
        for position, (source_id, url) in enumerate(lane):
            if position and not fetcher.is_allowed(url):
                await asyncio.sleep(await fetcher.pause(url))
            try:
                outcome = await _collect(database, fetcher, source_id, now=now)
            except Exception as error:  # one of the two boundaries: one source's trouble never stops the round
                log.exception("collecting failed", url=url)
                outcome = await _note_trouble(database, source_id, url, f"{type(error).__name__}: {error}")
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
            return await _note_unchanged(database, source, state, answer)
        # Servers without validators repeat themselves, too, some with new stamps.
        if is_known and stable_digest(answer.body) == state.body_digest:
            return await _note_unchanged(database, source, state, answer)
        reading = await asyncio.to_thread(
            read,
            answer.body,
            url=answer.url,
            content_type=answer.content_type,
            window=Window.ahead(now, days=HORIZON.days),
            zone=ZoneInfo(source.zone),
        )
    except (FetchError, Unreadable) as error:
        return await _note_failure(database, source, error)
    return await keep(database, source, answer, reading, now=now)


async def keep(database: Database, source: Source, page: Page, reading: Reading, *, now: datetime) -> Outcome:
    """Store what was read from a page: one transaction for most, batches for the largest.

    The validators are written with the last batch, so that a torn round is simply repeated.
    """
    await asyncio.to_thread(language.load)  # not while others wait to write
    parts: deque[Changes] = deque()
    counts = ingest.Counts()
    changes: Changes | None = None
    while changes is None or parts:
        async with database.writing() as session:
            source = await session.get_one(Source, source.id)
            if changes is None:
                # Compared where it is written, so that two processes that collect one source do not both add.
                await ingest.take_turn(session)
                changes = await _compare(session, source, reading, now=now)
                parts.extend(changes.in_batches())
                unknown = await adoption.adopt(session, source, reading, now=now)
                reading = replace(reading, problems=(*reading.problems, *unknown))
            counts += await ingest.store(session, source, parts.popleft(), now=now)
            if not parts:
                is_whole = changes.held_back == 0 and not any(one.code in UNFINISHED for one in reading.problems)
                await series.keep(session, source, reading.series, until=now + HORIZON, forgets=is_whole)
                await ingest.touch(session, changes.seen, now)
                has_changed = counts != ingest.Counts()
                await _note_good(session, source, page, reading, changes, has_changed=has_changed, now=now)
    if changes.held_back:
        return Outcome(source.url, "failed", counts, code="vanishing", message=_held_back(changes))
    return Outcome(source.url, "fetched", counts)


async def _compare(session: AsyncSession, source: Source, reading: Reading, *, now: datetime) -> Changes:
    assert source.id is not None
    stored = await ingest.stored_versions(session, source.id)
    state = await session.get_one(FetchState, source.id)
    held = Vanishing(state.vanishing_since, state.vanishing_fetches)
    return compare(reading, stored, now=now, vanishing=held)


def _held_back(changes: Changes) -> str:
    return (
        f"{changes.held_back} upcoming events are no longer listed; they stay until {VANISH_FETCHES} answers "
        f"over {VANISH_TIME.total_seconds() / 3600:.0f} hours say the same ({changes.vanishing.fetches} so far)"
    )


async def _note_good(
    session: AsyncSession,
    source: Source,
    page: Page,
    reading: Reading,
    changes: Changes,
    *,
    has_changed: bool,
    now: datetime,
) -> None:
    clock = datetime.now(UTC)
    state = await session.get_one(FetchState, source.id)
    state.read_at = now
    state.etag, state.last_modified = page.etag, page.last_modified
    state.body_digest = stable_digest(page.body)
    state.last_fetch_at = state.last_good_at = clock
    state.listed = reading.listed or len(reading.communities)  # a chat without dates is no empty calendar
    state.failures, state.error_code, state.error = 0, None, None
    state.vanishing_since, state.vanishing_fetches = changes.vanishing.since, changes.vanishing.fetches
    is_held = changes.held_back > 0
    if is_held:
        state.error_code, state.error = "vanishing", _held_back(changes)
    if is_held or any(problem.code == "truncated" for problem in reading.problems):
        # Such an answer must be looked at again, not skipped as unchanged.
        state.etag = state.last_modified = state.body_digest = None
    state.problems = [asdict(problem) for problem in reading.problems[:KEPT_PROBLEMS]]
    if has_changed or state.last_changed_at is None:
        state.last_changed_at = clock
    interval = frontier.polling_interval(clock - state.last_changed_at)
    state.next_fetch_at = clock + (min(interval, VANISH_TIME / 2) if is_held else interval)
    source.kind, source.name = reading.kind, reading.name or source.name
    _settle(source, "failing" if is_held else "ok" if state.listed else "quiet", clock)
    if page.moved_to is not None:
        await frontier.move_source(session, source, page.moved_to)


def _settle(source: Source, state: str, clock: datetime) -> None:
    """Say how a source fares, unless somebody paused it meanwhile."""
    if source.state != "paused":
        frontier.set_state(source, state, clock)


async def _note_unchanged(database: Database, source: Source, state: FetchState, answer: Page | NotModified) -> Outcome:
    clock = datetime.now(UTC)
    facts: dict[str, Any] = {
        "last_fetch_at": clock,
        "last_good_at": clock,
        "failures": 0,
        "error_code": None,
        "error": None,
        "next_fetch_at": clock + frontier.polling_interval(clock - (state.last_changed_at or clock)),
    }
    if isinstance(answer, Page):
        facts |= {"etag": answer.etag, "last_modified": answer.last_modified}
    settled = "unchanged" if state.listed else "quiet"
    async with database.writing() as session:
        await session.exec(update(FetchState).where(col(FetchState.source_id) == source.id).values(facts))
        if source.state != settled or answer.moved_to is not None:
            current = await session.get_one(Source, source.id)
            _settle(current, settled, clock)
            if answer.moved_to is not None:
                await frontier.move_source(session, current, answer.moved_to)
    return Outcome(source.url, "unchanged")


async def _note_failure(database: Database, source: Source, error: FetchError | Unreadable) -> Outcome:
    retry_after = error.retry_after if isinstance(error, FetchError) else None
    assert source.id is not None
    return await _note_trouble(database, source.id, source.url, error.message, code=error.code, retry_after=retry_after)


async def _note_trouble(
    database: Database,
    source_id: int,
    url: str,
    message: str,
    *,
    code: str = "internal",
    retry_after: timedelta | None = None,
) -> Outcome:
    clock = datetime.now(UTC)
    async with database.writing() as session:
        source = await session.get(Source, source_id)
        if source is None:
            return Outcome(url, "failed", code="removed", message="the source was removed meanwhile")
        state = await session.get_one(FetchState, source_id)
        state.last_fetch_at = clock
        state.failures += 1
        state.error_code, state.error = code, message
        chance = random.random()  # noqa: S311 (jitter, no secret)
        state.next_fetch_at = clock + max(frontier.back_off(state.failures, chance), retry_after or timedelta())
        _settle(source, "gone" if code == "gone" else "failing", clock)
    return Outcome(url, "failed", code=code, message=message)
