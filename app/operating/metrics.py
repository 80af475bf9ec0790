"""How the instance fares, as numbers: read from the rows, so that any one process tells of all workers on all machines."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import func, text
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.db import Database
from app.models import Chore, Digest, Event, FetchState, Host, Leased, Person, Setting, Source, Subscription, Worker
from app.operating.backup import LAST_BACKUP
from app.queue import leases

HOUR = timedelta(hours=1)
# States of weekly mails, told also while there are none: a rise from nothing is seen as one only where there was a zero.
FATES = ("due", "sending", "sent", "unknown", "failed", "skipped", "bounced")

Samples = list[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class Gauge:
    name: str  # without the product's prefix
    says: str
    samples: Samples
    labels: tuple[str, ...] = ()


async def measure(database: Database, data: Path, *, now: datetime, clock: datetime) -> list[Gauge]:
    """Read all gauges."""
    free = await asyncio.to_thread(free_bytes, data)
    async with database.reading() as session:
        return [
            *await _collecting(session, clock),
            *await _working(session, clock),
            *await _events(session, now),
            *await _people(session),
            Gauge("disk_free_bytes", "Room left for the data folder.", [((), free)]),
            Gauge("database_bytes", "Size of the database.", [((), await _size(session, database))]),
            Gauge("backup_age_seconds", "Since the last `adjacent backup`.", await _backup_age(session, clock)),
        ]


def free_bytes(folder: Path) -> int:
    """Return how much room there is where a folder is, or will be."""
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


def as_text(gauges: Iterable[Gauge]) -> bytes:
    """Write gauges as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Told(gauges))
    return generate_latest(registry)


class _Told:
    """What prometheus_client calls a collector."""

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in self._gauges:
            family = GaugeMetricFamily(f"adjacent_{gauge.name}", gauge.says, labels=gauge.labels)
            for labels, value in gauge.samples:
                family.add_metric(labels, value)
            yield family


async def _collecting(session: AsyncSession, clock: datetime) -> list[Gauge]:
    states = select(Source.state, func.count()).group_by(col(Source.state))
    codes = select(FetchState.error_code, func.count()).where(col(FetchState.error_code).is_not(None))
    fetched = select(func.count()).select_from(FetchState).where(col(FetchState.last_fetch_at) > clock - HOUR)
    is_free = or_(col(Host.lease_until).is_(None), col(Host.lease_until) <= clock)
    due = (col(Host.next_due) <= clock, ~leases.is_dead(Host), is_free)
    number, oldest = (await session.exec(select(func.count(), func.min(Host.next_due)).where(*due))).one()
    late = (clock - oldest).total_seconds() if oldest else 0.0
    return [
        Gauge("sources", "Sources by how they fare.", await _by(session, states), ("state",)),
        Gauge(
            "source_errors",
            "Sources whose last fetch failed, by what was wrong.",
            await _by(session, codes.group_by(col(FetchState.error_code))),
            ("code",),
        ),
        Gauge("sources_fetched_last_hour", "Sources that were asked within an hour.", await _one(session, fetched)),
        Gauge("hosts_due", "Hosts whose time has come and that nobody is at.", [((), number)]),
        Gauge("host_lateness_seconds", "How long the host that waits longest has been due.", [((), late)]),
    ]


async def _working(session: AsyncSession, clock: datetime) -> list[Gauge]:
    seen = list(await session.exec(select(Worker.seen_at)))
    live = [one for one in seen if clock - one <= 2 * leases.LEASE]
    silence: Samples = [((), (clock - max(seen)).total_seconds())] if seen else []
    kinds: tuple[tuple[str, type[Leased]], ...] = (("host", Host), ("chore", Chore))
    jobs: Samples = []
    for kind, table in kinds:
        running = col(table.holder).is_not(None) & (col(table.lease_until) > clock)
        for state, condition in (
            ("running", running),
            ("failing", (col(table.attempts) > 0) & ~leases.is_dead(table) & col(table.holder).is_(None)),
            ("dead", leases.is_dead(table) & col(table.holder).is_(None)),
        ):
            count = select(func.count()).select_from(table).where(condition)
            jobs.append(((kind, state), (await session.exec(count)).one()))
    return [
        Gauge("workers", "Processes that work behind the requests.", [((), len(live))]),
        Gauge("worker_silence_seconds", "Since any worker gave a sign of life.", silence),
        Gauge(
            "jobs", "Hosts and chores somebody is at, that failed, or that failed too often.", jobs, ("kind", "state")
        ),
    ]


async def _events(session: AsyncSession, now: datetime) -> list[Gauge]:
    there = (col(Event.deleted_at).is_(None), col(Event.merged_into).is_(None))
    upcoming = select(func.count()).select_from(Event).where(*there, col(Event.starts_at) >= now)
    untagged = upcoming.where(col(Event.tagged_digest).is_(None))
    return [
        Gauge("events_upcoming", "Events people may be told of.", await _one(session, upcoming)),
        Gauge("events_untagged", "Upcoming events whose topics are not known yet.", await _one(session, untagged)),
    ]


async def _people(session: AsyncSession) -> list[Gauge]:
    digests = select(Digest.state, func.count()).group_by(col(Digest.state))
    subscribed = select(func.count()).select_from(Subscription).where(col(Subscription.next_at).is_not(None))
    return [
        Gauge("people", "People and guests.", await _one(session, select(func.count()).select_from(Person))),
        Gauge("subscriptions", "People who get the weekly mail.", await _one(session, subscribed)),
        Gauge("digests", "Weekly mails by what became of them.", await _by(session, digests, FATES), ("state",)),
    ]


async def _size(session: AsyncSession, database: Database) -> float:
    sizes = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    query = sizes if database.is_sqlite else "SELECT pg_database_size(current_database())"
    return float((await (await session.connection()).execute(text(query))).scalar_one())


async def _backup_age(session: AsyncSession, clock: datetime) -> Samples:
    row = await session.get(Setting, LAST_BACKUP)
    return [((), (clock - datetime.fromisoformat(row.value)).total_seconds())] if row else []


async def _one(session: AsyncSession, statement: Any) -> Samples:
    return [((), (await session.exec(statement)).one())]


async def _by(session: AsyncSession, statement: Any, known: Sequence[str] = ()) -> Samples:
    counts = dict.fromkeys(known, 0.0) | {str(label): number for label, number in await session.exec(statement)}
    return [((label,), number) for label, number in sorted(counts.items())]
