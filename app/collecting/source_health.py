"""Sources as they are listed: how each fares, how many events it tells of, when it is fetched again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import EventVersion, FetchState, Source
from app.numbered import BEGINNING, Beside

RESTING = ("paused", "gone")  # states of sources that are not fetched


async def all_sources(session: AsyncSession) -> list[Source]:
    return list(await session.exec(select(Source).order_by(col(Source.id))))


async def source_by_url(session: AsyncSession, url: str) -> Source | None:
    return (await session.exec(select(Source).where(Source.url == url))).one_or_none()


async def count_sources(session: AsyncSession, states: Sequence[str] = ()) -> int:
    return (await session.exec(select(func.count()).select_from(Source).where(*_in_one_of(states)))).one()


async def last_change(session: AsyncSession, states: Sequence[str] = ()) -> datetime | None:
    """Return when a source last was added, came to be in another state or was fetched."""
    moments = (
        select(func.max(Source.added_at), func.max(Source.state_since), func.max(FetchState.last_fetch_at))
        .join(FetchState, col(FetchState.source_id) == Source.id)
        .where(*_in_one_of(states))
    )
    return max((moment for moment in (await session.exec(moments)).one() if moment is not None), default=None)


def _in_one_of(states: Sequence[str]) -> list[ColumnElement[bool]]:
    return [col(Source.state).in_(states)] if states else []


async def source_healths(
    session: AsyncSession,
    *,
    now: datetime | None = None,
    only: int | None = None,
    states: Sequence[str] = (),
    beside: Beside = BEGINNING,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Return what is shown of sources: state, last good and next fetch, events from `now` on (all if None), last error.

    They are all, or those in these states, up to `limit` that stand beside one.
    """
    still_told: list[ColumnElement[bool]] = [col(EventVersion.withdrawn_at).is_(None)]
    if now is not None:
        still_told.append(col(EventVersion.starts_at) >= now)
    if only is not None:
        still_told.append(col(EventVersion.source_id) == only)
    told = (
        select(EventVersion.source_id, func.count().label("events"))
        .where(*still_told)
        .group_by(col(EventVersion.source_id))
        .subquery()
    )
    statement = (
        select(Source, FetchState, func.coalesce(told.c.events, 0))
        .join(FetchState, col(FetchState.source_id) == Source.id)
        .outerjoin(told, told.c.source_id == Source.id)
        .where(*_in_one_of(states))
    )
    if only is not None:
        statement = statement.where(Source.id == only)
    rows = await session.exec(beside.page(statement, col(Source.id), limit=limit))
    return [_health(source, state, events) for source, state, events in beside.in_order(list(rows))]


def _health(source: Source, state: FetchState, events: int) -> dict[str, Any]:
    return {
        "id": source.id,
        "url": source.url,
        "name": source.name,
        "kind": source.kind,
        "state": source.state,
        "state_since": source.state_since.isoformat() if source.state_since else None,
        "city": source.city,
        "zone": source.zone,
        "events": events,
        "listed": state.listed,
        "last_good_at": state.last_good_at.isoformat() if state.last_good_at else None,
        "last_fetch_at": state.last_fetch_at.isoformat() if state.last_fetch_at else None,
        "next_fetch_at": None if rests(source) else state.next_fetch_at.isoformat(),
        "failures": state.failures,
        "error_code": state.error_code,
        "error": state.error,
        "is_demo": source.is_demo,
    }


def rests(source: Source) -> bool:
    """Whether a source is left alone until somebody asks for it."""
    return source.state in RESTING or source.is_bundled
