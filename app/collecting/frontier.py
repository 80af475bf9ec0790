"""Step 1, the frontier: which addresses are collected from, and when each is due: the frontier is rows, never a queue's memory.

A host is the unit of politeness; it is due when the first of its sources is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypedDict, Unpack
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, ScalarSelect, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.collecting.source_health import RESTING
from app.events import verdicts
from app.models import FetchState, Host, Source
from app.places import City
from app.queue import leases

SOONEST, LATEST = timedelta(hours=4), timedelta(days=7)  # polling interval
FIRST_RETRY, LAST_RETRY = timedelta(hours=1), timedelta(hours=24)
WORKING = (col(Source.state).not_in(RESTING), col(Source.is_bundled).is_(False))
WELL = {"ok", "unchanged"}  # one state as far as its beginning goes: feeds change back and forth between them


def host_of(url: str) -> str:
    """Return `host:port` of an address."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port or (80 if parts.scheme == 'http' else 443)}"


class Home(TypedDict, total=False):
    """Where the events of a source are that name no place or zone, and whether they are only a demonstration."""

    zone: str  # IANA name
    city: str
    country: str
    lat: float
    lon: float
    is_demo: bool
    is_bundled: bool


def home_in(city: City | None, zone: str) -> Home:
    """Return the home of sources whose events are in this city where they do not say."""
    if city is None:
        return {"zone": zone}
    return {"zone": zone, "city": city.name, "country": city.country, "lat": city.lat, "lon": city.lon}


async def add_source(session: AsyncSession, url: str, **home: Unpack[Home]) -> Source:
    """Record an address to collect from; one that is known already is returned as it is."""
    return (await add_sources(session, [url], **home))[0]


async def add_sources(session: AsyncSession, urls: Sequence[str], **home: Unpack[Home]) -> list[Source]:
    """Record addresses that share a home, due now; known ones are returned as they are."""
    wanted = list(dict.fromkeys(urls))
    known: dict[str, Source] = {}
    for chunk in chunks(wanted):
        known |= {row.url: row for row in await session.exec(select(Source).where(col(Source.url).in_(chunk)))}
    fresh = [url for url in wanted if url not in known]
    clock = datetime.now(UTC)
    await leases.lay(session, Host, {host_of(url) for url in fresh}, clock=clock)
    rows = [Source(url=url, host=host_of(url), added_at=clock, **home) for url in fresh]
    session.add_all(rows)
    await session.flush()
    ids = [row.id for row in rows if row.id is not None]
    session.add_all(FetchState(source_id=source_id, next_fetch_at=clock) for source_id in ids)
    await session.flush()
    await schedule_hosts(session, ids)
    known |= {row.url: row for row in rows}
    return [known[url] for url in wanted]


async def move_source(session: AsyncSession, source: Source, url: str) -> None:
    """Follow a permanent redirect, unless the new address is a source of its own already."""
    if (await session.exec(select(Source.id).where(Source.url == url))).first() is not None:
        return
    await leases.lay(session, Host, {host_of(url)}, clock=datetime.now(UTC))
    await verdicts.rename_source(session, source.url, url)
    source.url, source.host = url, host_of(url)


def set_state(source: Source, state: str, clock: datetime) -> None:
    """Say how a source fares, and since when."""
    if source.state != state and not {source.state, state} <= WELL:
        source.state_since = clock
    source.state = state


async def due_sources(
    session: AsyncSession, *, clock: datetime, host: str | None = None, limit: int = 10_000
) -> list[int]:
    """Return the sources whose time has come, of one host or of all, longest overdue first."""
    rows = await session.exec(
        select(Source.id)
        .join(FetchState, col(FetchState.source_id) == Source.id)
        .where(
            FetchState.next_fetch_at <= clock,
            *WORKING,
            *([col(Source.host) == host] if host is not None else []),
        )
        .order_by(col(FetchState.next_fetch_at), col(Source.id))
        .limit(limit)
    )
    return [source_id for source_id in rows if source_id is not None]


def _first_fetch() -> ScalarSelect[datetime]:
    """Return when the first source of a host of the statement around it is due; NULL where all of them rest."""
    return (
        select(func.min(FetchState.next_fetch_at))
        .join(Source, col(Source.id) == FetchState.source_id)
        .where(Source.host == Host.name, *WORKING)
        .scalar_subquery()
    )


async def schedule_hosts(session: AsyncSession, source_ids: Sequence[int]) -> None:
    """Make the hosts of these sources due when the first of their sources is."""
    for chunk in chunks(source_ids):
        names = select(Source.host).where(col(Source.id).in_(chunk))
        await session.exec(
            update(Host).where(col(Host.name).in_(names)).values(next_due=func.coalesce(_first_fetch(), Host.next_due))
        )


def due_again(*, clock: datetime) -> ColumnElement[datetime]:
    """Return when a host that was walked is due again: with the first of its sources."""
    resting = clock + timedelta(days=365)  # a source that comes back makes its host due
    return func.coalesce(_first_fetch(), resting)


async def mend(session: AsyncSession, *, clock: datetime) -> int:
    """Make due what a clock that was wrong for a while put off further than any schedule does; return how many sources."""
    latest = clock + LATEST + timedelta(days=1)
    put_off = update(FetchState).where(col(FetchState.next_fetch_at) > latest).values(next_fetch_at=clock)
    mended = await session.exec(put_off)
    await session.exec(update(Host).where(col(Host.next_due) > latest).values(next_due=due_again(clock=clock)))
    return mended.rowcount


def polling_interval(unchanged_for: timedelta) -> timedelta:
    """Return when to look again: after half the time a source has stayed as it is, 4 hours to 7 days.

    The same idea as heuristic freshness (RFC 9111 §4.2.2), bolder since a late look costs little here.
    """
    return min(max(unchanged_for / 2, SOONEST), LATEST)


def back_off(failures: int, chance: float) -> timedelta:
    """Return the pause after the nth failure in a row: doubling, with jitter over its upper half (0 ≤ chance < 1)."""
    longest: timedelta = min(FIRST_RETRY * 2 ** min(failures - 1, 10), LAST_RETRY)
    return longest * (0.5 + chance / 2)
