"""What people were mailed before: whatever was told is not told again for three months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select as core_select
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.models import Subscription
from app.queries.plain_rows import EVENTS, run

UNREPEATED = timedelta(days=91)  # an event, or another date of its series, is mailed once in three months
MAILED = ("sending", "sent", "unknown", "bounced")  # a digest that may have been read
DIGESTS = SQLModel.metadata.tables["digest"].c


@dataclass(slots=True)
class Earlier:
    """What a person's earlier mails were."""

    last_at: datetime | None = None
    skipped: list[datetime] = field(default_factory=list)  # when there was none since the last one
    event_ids: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)  # evenings they were asked about


async def earlier_mails(session: AsyncSession, ids: Sequence[int], *, clock: datetime) -> dict[int, Earlier]:
    """Return what each of these people was mailed within UNREPEATED; it is empty for whoever was not."""
    rows = await run(
        session,
        core_select(DIGESTS.person_id, DIGESTS.state, DIGESTS.changed_at, DIGESTS.event_ids, DIGESTS.asked_event_id)
        .where(DIGESTS.person_id.in_(ids), DIGESTS.changed_at > clock - UNREPEATED)
        .order_by(DIGESTS.person_id, DIGESTS.week),
    )
    earlier: dict[int, Earlier] = defaultdict(Earlier)
    for row in rows:
        one = earlier[row.person_id]
        if row.state in MAILED:
            one.event_ids.update(row.event_ids)
            if row.asked_event_id is not None:
                one.asked.add(row.asked_event_id)
        if row.state == "sent":
            one.last_at = row.changed_at
            one.skipped.clear()
        elif row.state == "skipped":
            one.skipped.append(row.changed_at)
    return earlier


async def dates_of(session: AsyncSession, series: Collection[str]) -> dict[str, frozenset[int]]:
    """Return the events of each series: who was mailed one was mailed all."""
    dates: dict[str, set[int]] = defaultdict(set)
    for some in chunks(sorted(series)):
        found = await run(session, core_select(EVENTS.c.series_key, EVENTS.c.id).where(EVENTS.c.series_key.in_(some)))
        for key, event_id in found:
            dates[key].add(event_id)
    return {key: frozenset(ids) for key, ids in dates.items()}


async def mailed_since(
    session: AsyncSession, ids: Sequence[int], earlier: Mapping[int, Earlier]
) -> dict[int, datetime]:
    """Return when each person was last mailed; before the first mail, since when they want any."""
    rows = await session.exec(
        select(Subscription.person_id, Subscription.confirmed_at).where(col(Subscription.person_id).in_(ids))
    )
    confirmed = {id_: at for id_, at in rows if at is not None}
    last = {id_: one.last_at for id_, one in earlier.items() if one.last_at is not None}
    return {id_: at for id_ in ids if (at := last.get(id_) or confirmed.get(id_)) is not None}
