"""Step 7, in store: each version of an event is rendered once; lists and calendars put together what is there.

Triggers delete a rendering with anything it was made from. Reading never writes: what is missing is made where it is
needed, and stored by the worker.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import orjson
from sqlalchemy import ColumnElement, and_, delete, insert, select
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from app import links, revisions
from app.calendars import calendar_feed, content_lines, whole_days
from app.chunks import chunks
from app.db import Database
from app.events import turns
from app.models import Revision, Setting
from app.queries import event_forms, listing, plain_rows
from app.queries.filters import EventFilter
from app.queries.listing import Listed
from app.queries.plans import clauses_of
from app.words import event_words
from recommender.catalogue import load_catalogue
from scrapers import text

Form = Literal["item", "component"]  # as JSON in lists, as VEVENT in calendars

BATCH = 200  # events a transaction: requests get through between two batches
EVENTS, RENDERINGS = (SQLModel.metadata.tables[name] for name in ("event", "rendering"))
# The modules that decide what a rendering looks like.
MADE_BY = (calendar_feed, content_lines, event_forms, event_words, links, listing, text, whole_days)
STORED = "renderings stored"  # the setting that says of what


class Found(NamedTuple):
    """The events that a filter found, by start, as they are shown."""

    earliest: datetime | None  # the first start
    bodies: list[bytes]


@cache
def mark_of(base_url: str) -> str:
    """Return what stands for all that decides how an event is rendered, but the event."""
    digest = hashlib.sha256(base_url.encode())
    for module in MADE_BY:
        digest.update(Path(module.__file__ or "").read_bytes())
    for topic in load_catalogue().topics:
        digest.update(f"\n{topic.slug}\t{topic.label}".encode())
    return digest.hexdigest()[:16]


def render(listed: Listed, form: Form, *, base_url: str) -> bytes:
    if form == "component":
        return calendar_feed.component(listed, base_url=base_url)
    return orjson.dumps(event_forms.event_json(listed))


async def found(
    session: AsyncSession, wanted: EventFilter, form: Form, *, base_url: str, limit: int | None = None
) -> Found:
    """Return the events of a filter in a form: all of them, or the first ones."""
    statement = (
        select(EVENTS.c.id, RENDERINGS.c[form].label("body"))
        .select_from(EVENTS.outerjoin(RENDERINGS, _is_current(base_url)))
        .where(*await clauses_of(session, wanted))
        .order_by(EVENTS.c.starts_at, EVENTS.c.id)
        .limit(limit)
    )
    rows = await plain_rows.run(session, statement)
    if not rows:
        return Found(None, [])
    # Unpacked rather than by name, which spares a tenth of the time of 5,000 events.
    missing = await _rendered(session, [id_ for id_, body in rows if body is None], form, base_url=base_url)
    # Asked for apart: making times of all 5,000 starts takes as long as reading them.
    first = select(EVENTS.c.starts_at).where(EVENTS.c.id == rows[0].id)
    ((earliest,),) = await plain_rows.run(session, first)
    return Found(earliest, [body or missing[id_] for id_, body in rows])


async def bodies(session: AsyncSession, ids: Sequence[int], form: Form, *, base_url: str) -> list[bytes]:
    """Return the events with these numbers, in their order, in a form."""
    columns = select(RENDERINGS.c.event_id, RENDERINGS.c[form]).where(RENDERINGS.c.mark == mark_of(base_url))
    stored = dict(await plain_rows.run(session, columns.where(RENDERINGS.c.event_id.in_(ids))))
    made = await _rendered(session, [id_ for id_ in ids if id_ not in stored], form, base_url=base_url)
    return [stored[id_] if id_ in stored else made[id_] for id_ in ids]


async def _rendered(session: AsyncSession, ids: Sequence[int], form: Form, *, base_url: str) -> Mapping[int, bytes]:
    listed = [one for chunk in chunks(ids) for one in await listing.listed(session, EVENTS.c.id.in_(chunk))]

    def made() -> dict[int, bytes]:
        return {one.event.id or 0: render(one, form, base_url=base_url) for one in listed}

    return await asyncio.to_thread(made) if len(listed) > BATCH else made()


def _is_current(base_url: str) -> ColumnElement[bool]:
    return and_(RENDERINGS.c.event_id == EVENTS.c.id, RENDERINGS.c.mark == mark_of(base_url))


async def store_missing(database: Database, *, base_url: str, now: datetime) -> int:
    """Render the events of today's calendars that changed since they were rendered; return how many."""
    async with database.reading() as session:
        counted = await session.get(Revision, revisions.EVENTS)
        before = await session.get(Setting, STORED)
    told = f"{mark_of(base_url)}/{counted.number if counted else 0}"
    if before is not None and before.value == told:
        return 0
    stored = last = 0
    while True:
        async with database.writing() as session:
            await turns.take_turn(session)  # who writes events locks their rows in any order
            wanted = (
                select(EVENTS.c.id)
                .select_from(EVENTS.outerjoin(RENDERINGS, _is_current(base_url)))
                .where(
                    RENDERINGS.c.event_id.is_(None),
                    EVENTS.c.merged_into.is_(None),  # shown by another event, in lists by a name that may change
                    EVENTS.c.starts_at >= calendar_feed.oldest(now),
                    EVENTS.c.id > last,
                )
                .order_by(EVENTS.c.id)
                .limit(BATCH)
                # As the triggers do, so that no change falls between reading and storing; feedback refers to it meanwhile.
                .with_for_update(of=EVENTS, key_share=True)
            )
            ids = [row.id for row in await plain_rows.run(session, wanted)]
            if not ids:
                await session.merge(Setting(name=STORED, value=told))
                return stored
            listed = await listing.listed(session, EVENTS.c.id.in_(ids))
            rows = await asyncio.to_thread(_rows, listed, base_url)
            connection = await session.connection()
            await connection.execute(delete(RENDERINGS).where(RENDERINGS.c.event_id.in_(ids)))  # of another mark
            await connection.execute(insert(RENDERINGS), rows)
        stored, last = stored + len(ids), ids[-1]


def _rows(listed: Sequence[Listed], base_url: str) -> list[dict[str, object]]:
    forms: tuple[Form, ...] = ("item", "component")
    return [
        {"event_id": one.event.id, "mark": mark_of(base_url)}
        | {form: render(one, form, base_url=base_url) for form in forms}
        for one in listed
    ]
