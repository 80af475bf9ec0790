"""Pages that people propose: fetched through the guard and read at once, collected from only when an operator says so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import queries
from app.collect import HORIZON
from app.models import Proposal
from scrapers import Reading, Window, as_json, read
from scrapers.fetch import Fetcher, NotModified

SHOWN = 5  # events of a preview
TOLD = ("title", "starts_at", "ends_at", "zone", "all_day", "status", "mode", "url")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a page offers, before anything of it is kept."""

    url: str  # where redirects led
    reading: Reading

    def as_json(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "name": self.reading.name,
            "kind": self.reading.kind,
            "listed": self.reading.listed,
            "upcoming": len(self.reading.events),
            "events": self.events(),
            "problems": [asdict(problem) for problem in self.reading.problems[:SHOWN]],
        }

    def events(self) -> list[dict[str, Any]]:
        told = map(as_json, self.reading.events[:SHOWN])
        return [{name: draft[name] for name in TOLD} for draft in told]


async def look_at(url: str, fetcher: Fetcher, *, now: datetime) -> Preview:
    """Fetch and read a page; raises FetchError and Unreadable."""
    page = await fetcher.fetch(url)
    assert not isinstance(page, NotModified)  # nothing conditional was asked
    window = Window.ahead(now, days=HORIZON.days)
    reading = await asyncio.to_thread(
        read, page.body, url=page.url, content_type=page.content_type, window=window, zone=ZoneInfo("UTC")
    )
    return Preview(page.url, reading)


async def propose(
    session: AsyncSession, url: str, preview: Preview, *, person_id: int | None
) -> tuple[Proposal | None, int | None]:
    """Keep a proposal and return it, or the one there is, and the source that is collected from already."""
    source = await queries.source_by_url(session, url)
    proposal = (await session.exec(select(Proposal).where(Proposal.url == url))).one_or_none()
    if source is None and proposal is None:
        proposal = Proposal(url=url, person_id=person_id, proposed_at=datetime.now(UTC))
        session.add(proposal)
    if proposal is not None and proposal.state == "proposed":
        proposal.name, proposal.kind = preview.reading.name, preview.reading.kind
        proposal.listed, proposal.preview = preview.reading.listed, preview.events()
        await session.flush()
    return proposal, source.id if source is not None else None


def decide(proposal: Proposal, state: str, *, source_id: int | None = None) -> None:
    proposal.state, proposal.source_id, proposal.decided_at = state, source_id, datetime.now(UTC)


async def found(session: AsyncSession, *, state: str | None, after: int, limit: int) -> tuple[list[Proposal], int]:
    """Return proposals in the order they were made, and how many there are in all."""
    matching = [Proposal.state == state] if state is not None else []
    rows = await session.exec(
        select(Proposal).where(col(Proposal.id) > after, *matching).order_by(col(Proposal.id)).limit(limit)
    )
    count = (await session.exec(select(func.count()).select_from(Proposal).where(*matching))).one()
    return list(rows), count


def proposal_json(proposal: Proposal) -> Mapping[str, Any]:
    """Return a proposal as operators see it; who made it is not theirs to know."""
    return {
        "id": proposal.id,
        "url": proposal.url,
        "state": proposal.state,
        "name": proposal.name,
        "kind": proposal.kind,
        "listed": proposal.listed,
        "events": proposal.preview,
        "proposed_at": proposal.proposed_at.isoformat(),
        "decided_at": proposal.decided_at.isoformat() if proposal.decided_at else None,
        "source": proposal.source_id,
    }
