"""Which event stands for one that was merged into another."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select as core_select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import CHUNK
from app.queries.plain_rows import EVENTS, run


async def survivors(session: AsyncSession, ids: Iterable[int]) -> dict[int, str]:
    """Return, by the number of an event, the id of the one it stands for in the end, however often merged."""
    return {id_: key for id_, (_, key) in (await merged_into(session, ids)).items()}


async def merged_into(session: AsyncSession, ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Return, by the number of an event, number and id of the one it stands for in the end; its own where not merged."""
    keys: dict[int, str] = {}
    into: dict[int, int] = {}
    wanted = sorted(ids)
    found = list(wanted)
    while wanted:
        columns = core_select(EVENTS.c.id, EVENTS.c.key, EVENTS.c.merged_into)
        chunk, wanted = wanted[:CHUNK], wanted[CHUNK:]
        for id_, key, merged_into in await run(session, columns.where(EVENTS.c.id.in_(chunk))):
            keys[id_] = key
            if merged_into is not None:
                into[id_] = merged_into
                wanted += [merged_into] if merged_into not in keys else []

    def last(id_: int) -> int:
        return last(into[id_]) if id_ in into else id_

    return {id_: (last(id_), keys[last(id_)]) for id_ in found}
