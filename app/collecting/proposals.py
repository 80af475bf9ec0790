"""Pages that people propose: fetched through the guard and read at once, collected from only when an operator says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting import source_health
from app.collecting.discovery import Found
from app.models import Proposal
from app.numbered import BEGINNING, Beside
from scrapers import Reading, as_json

SHOWN = 5  # events of a preview
TOLD = ("title", "starts_at", "ends_at", "zone", "all_day", "status", "mode", "url")


def preview_json(found: Found) -> dict[str, Any]:
    """Return what an address offers, before anything of it is kept."""
    reading = found.reading
    return {
        "url": found.url,
        "why": found.why,
        "name": reading.name,
        "kind": reading.kind,
        "listed": reading.listed,
        "upcoming": len(reading.events),
        "events": _next_events(reading),
        "problems": [asdict(problem) for problem in reading.problems[:SHOWN]],
    }


def _next_events(reading: Reading) -> list[dict[str, Any]]:
    told = map(as_json, reading.events[:SHOWN])
    return [{name: draft[name] for name in TOLD} for draft in told]


async def propose(session: AsyncSession, found: Found, *, person_id: int | None) -> tuple[Proposal | None, int | None]:
    """Keep a proposal and return it, or the one there is, and the source that is collected from already."""
    source = await source_health.source_by_url(session, found.url)
    proposal = (await session.exec(select(Proposal).where(Proposal.url == found.url))).one_or_none()
    if source is None and proposal is None:
        proposal = Proposal(url=found.url, person_id=person_id, proposed_at=datetime.now(UTC))
        session.add(proposal)
    if proposal is not None and proposal.state == "proposed":
        proposal.name, proposal.kind = found.reading.name, found.reading.kind
        proposal.listed, proposal.preview = found.reading.listed, _next_events(found.reading)
        await session.flush()
    return proposal, source.id if source is not None else None


def decide(proposal: Proposal, state: str, *, source_id: int | None = None) -> None:
    proposal.state, proposal.source_id, proposal.decided_at = state, source_id, datetime.now(UTC)


async def found(
    session: AsyncSession, *, state: str | None, beside: Beside = BEGINNING, limit: int
) -> tuple[list[Proposal], int]:
    """Return proposals in the order they were made, and how many there are in all."""
    matching = [Proposal.state == state] if state is not None else []
    rows = await session.exec(beside.page(select(Proposal).where(*matching), col(Proposal.id), limit=limit))
    count = (await session.exec(select(func.count()).select_from(Proposal).where(*matching))).one()
    return beside.in_order(list(rows)), count


async def last_change(session: AsyncSession, *, state: str | None) -> datetime | None:
    """Return when a proposal was last made or decided."""
    matching = [Proposal.state == state] if state is not None else []
    changed_at = func.max(func.coalesce(Proposal.decided_at, Proposal.proposed_at))
    return (await session.exec(select(changed_at).where(*matching))).one()


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
        "details": proposal.details,
        "proposed_at": proposal.proposed_at.isoformat(),
        "decided_at": proposal.decided_at.isoformat() if proposal.decided_at else None,
        "source": proposal.source_id,
    }
