"""What people decided about versions: that two are one event, or are not. Merging asks here before it compares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, or_, update
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events.changes import Key
from app.models import EventVersion, Source, Verdict


class Name(NamedTuple):
    """What a version is called for good."""

    source: str  # its address
    uid: str
    recurrence_id: str


Side = tuple[Mapped[str], ...]  # the columns that hold a Name
SIDES: tuple[Side, Side] = (
    (col(Verdict.source), col(Verdict.uid), col(Verdict.recurrence_id)),
    (col(Verdict.other_source), col(Verdict.other_uid), col(Verdict.other_recurrence_id)),
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was decided about one source's versions, as far as the other side is stored."""

    one: Mapping[Key, int] = field(default_factory=dict)  # the event a version belongs to
    apart: Mapping[Key, Collection[int]] = field(default_factory=dict)  # the events it does not belong to
    why: Mapping[Key, str] = field(default_factory=dict)


async def decide(
    session: AsyncSession, names: Iterable[Name], others: Iterable[Name], *, is_one: bool, why: str, now: datetime
) -> None:
    """Write down that each of `names` is, or is not, one event with each of `others`; the last word counts."""
    others = list(others)
    for a in names:
        for b in others:
            await session.exec(delete(Verdict).where(or_(_is_pair(a, b), _is_pair(b, a))))
            session.add(
                Verdict(
                    source=a.source,
                    uid=a.uid,
                    recurrence_id=a.recurrence_id,
                    other_source=b.source,
                    other_uid=b.uid,
                    other_recurrence_id=b.recurrence_id,
                    is_one=is_one,
                    why=why,
                    at=now,
                )
            )
    await session.flush()


def _is_pair(a: Name, b: Name) -> ColumnElement[bool]:
    one, other = SIDES
    return and_(_is_named(one, a), _is_named(other, b))


def _is_named(side: Side, name: Name) -> ColumnElement[bool]:
    return and_(*(column == told for column, told in zip(side, name, strict=True)))


async def ruling(session: AsyncSession, source: Source, keys: Collection[Key]) -> Ruling:
    """Return what was decided about these versions of a source. Decisions are few: most sources have none."""
    rows = await session.exec(
        select(Verdict)
        .where(or_(col(Verdict.source) == source.url, col(Verdict.other_source) == source.url))
        .order_by(col(Verdict.id))
    )
    one: dict[Key, int] = {}
    why: dict[Key, str] = {}
    apart: dict[Key, set[int]] = defaultdict(set)
    for row in rows.all():
        a = Name(row.source, row.uid, row.recurrence_id)
        b = Name(row.other_source, row.other_uid, row.other_recurrence_id)
        for ours, theirs in ((a, b), (b, a)):
            key = (ours.uid, ours.recurrence_id)
            if ours.source != source.url or key not in keys:
                continue
            event_id = await _event_of(session, theirs)
            if event_id is None:
                continue
            if row.is_one:
                one[key], why[key] = event_id, row.why
            else:
                apart[key].add(event_id)
    return Ruling(one, apart, why)


async def _event_of(session: AsyncSession, name: Name) -> int | None:
    rows = await session.exec(
        select(EventVersion.event_id)
        .join(Source, col(Source.id) == EventVersion.source_id)
        .where(
            Source.url == name.source, EventVersion.uid == name.uid, EventVersion.recurrence_id == name.recurrence_id
        )
    )
    return rows.first()


async def rename_source(session: AsyncSession, old: str, new: str) -> None:
    """Follow a source that moved to another address."""
    for source, *_ in SIDES:
        await session.exec(update(Verdict).where(source == old).values({source: new}))


async def rename_version(session: AsyncSession, old: Name, new: Name) -> None:
    """Follow a version whose source calls it by another uid now."""
    for side in SIDES:
        renamed = dict(zip(side, new, strict=True))
        await session.exec(update(Verdict).where(_is_named(side, old)).values(renamed))
