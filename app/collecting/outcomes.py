"""Steps 1 to 3, how it went: each fetch leaves word on its source of its state, and when it is due again."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting import frontier, tallies
from app.db import Database
from app.events.changes import VANISH_FETCHES, VANISH_TIME, Changes
from app.events.ingest import Counts
from app.models import FetchState, Source
from scrapers import Page, Reading, Unreadable, stable_digest
from scrapers.fetch import FetchError, NotModified

KEPT_PROBLEMS = 50  # per source, for `sources show`

State = Literal["fetched", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one source fared in a round."""

    url: str
    state: State
    counts: Counts = field(default_factory=Counts)
    code: str | None = None
    message: str | None = None


async def note_good(
    session: AsyncSession,
    source: Source,
    page: Page,
    reading: Reading,
    changes: Changes,
    *,
    counts: Counts,
    now: datetime,
) -> Outcome:
    """Note that an answer was read and stored. One whose shrinking is held back has failed for now."""
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
    if counts != Counts() or state.last_changed_at is None:
        state.last_changed_at = clock
    interval = frontier.polling_interval(clock - state.last_changed_at)
    state.next_fetch_at = clock + (min(interval, VANISH_TIME / 2) if is_held else interval)
    source.kind, source.name = reading.kind, reading.name or source.name
    _settle(source, "failing" if is_held else "ok" if state.listed else "quiet", clock)
    if page.moved_to is not None:
        await frontier.move_source(session, source, page.moved_to)
    if is_held:
        await tallies.count(session, "failed", clock.date())
    return Outcome(source.url, "failed" if is_held else "fetched", counts, state.error_code, state.error)


def _held_back(changes: Changes) -> str:
    number = changes.held_back
    return (
        f"{number} upcoming event{'s are' if number > 1 else ' is'} no longer listed, and kept until {VANISH_FETCHES} answers "
        f"over {VANISH_TIME.total_seconds() / 3600:.0f} hours say the same ({changes.vanishing.fetches} so far)"
    )


async def note_unchanged(database: Database, source: Source, state: FetchState, answer: Page | NotModified) -> Outcome:
    """Note that there is nothing new, in one small write for most."""
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


async def note_failure(database: Database, source: Source, error: FetchError | Unreadable) -> Outcome:
    """Note that a page could not be fetched or read, and why."""
    retry_after = error.retry_after if isinstance(error, FetchError) else None
    assert source.id is not None
    return await note_trouble(database, source.id, source.url, error.message, code=error.code, retry_after=retry_after)


async def note_trouble(
    database: Database,
    source_id: int,
    url: str,
    message: str,
    *,
    code: str = "internal",
    retry_after: timedelta | None = None,
) -> Outcome:
    """Note what went wrong; the pause until the next attempt grows, and is as long as the server asks at least."""
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
        await tallies.count(session, "failed", clock.date())
    return Outcome(url, "failed", code=code, message=message)


def _settle(source: Source, state: str, clock: datetime) -> None:
    """Say how a source fares, unless somebody paused it meanwhile."""
    if source.state != "paused":
        frontier.set_state(source, state, clock)
