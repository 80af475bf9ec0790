"""Which topics, modes and languages are the commonest among the events of a filter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Select, func, literal, union_all
from sqlalchemy import select as core_select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.queries.filters import EventFilter
from app.queries.plain_rows import EVENTS, TOPICS, run
from app.queries.plans import way_of
from app.queries.totals import COUNTED

Subject = Literal["topic", "mode", "language"]
Counted = Sequence[tuple[str, int]]  # value, number of events


async def commonest(session: AsyncSession, wanted: EventFilter, *, most: int) -> Mapping[Subject, Counted]:
    """Return up to `most` values of each subject, the commonest first; of a list that is longer, its first COUNTED tell."""
    way = await way_of(session, wanted)
    columns = core_select(EVENTS.c.id, EVENTS.c.mode, EVENTS.c.language).select_from(way.source)
    # Read once for all of them: a CTE that is read more than once is kept while the statement runs.
    found = columns.where(*way.clauses).order_by(*way.order).limit(COUNTED).cte("found")
    of_found = TOPICS.c.event_id.in_(core_select(found.c.id))
    told = union_all(
        _numbers("topic", TOPICS.c.topic).where(of_found),
        _numbers("mode", found.c.mode),
        _numbers("language", found.c.language),
    )
    counted: defaultdict[Subject, list[tuple[str, int]]] = defaultdict(list)
    for subject, value, number in await run(session, told):
        if value:
            counted[subject].append((value, number))
    return {
        subject: sorted(counted[subject], key=lambda one: (-one[1], one[0]))[:most]
        for subject in ("topic", "mode", "language")
    }


def _numbers(subject: Subject, column: Any) -> Select[Any]:
    return core_select(literal(subject), column, func.count()).group_by(column)
