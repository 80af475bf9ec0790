"""Step 5, about: say what new and changed events are about and why people go there.

Reading is cheap, thinking is not: texts are embedded and tagged outside any transaction, and written only where the
text is still the one that was read.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import ColumnElement, delete, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.db import Database
from app.events import turns
from app.events.language import language_of
from app.models import Community, Embedding, Event, EventTopic
from recommender.embedding import Embedder, Vectors, load_embedder
from recommender.event_text import EventText, embedded_text
from recommender.purpose import Purpose, Purposer, load_purposer
from recommender.tagging import Tag, Tagger, load_tagger

OTHERS = 8  # other titles of its community that an event's purpose is judged by
BATCH = 200  # events a transaction: requests get through between two batches
SWEPT = 2_000  # rows looked at in one go, where little is written
SHARE_DIGITS = 3  # of a share or weight: finer differences between two models are no change


@dataclass(frozen=True, slots=True)
class Untold:
    """An event as it was read, before anybody said what it is about."""

    event_id: int
    text_digest: str
    text: EventText


@dataclass(frozen=True)
class Reader:
    """The models, and the mark they leave on an event they were asked about."""

    tagger: Tagger
    purposer: Purposer
    embedder: Embedder

    @property
    def mark(self) -> str:
        return f":{self.tagger.id}-{self.purposer.id}"


def load_reader() -> Reader:
    return Reader(load_tagger(), load_purposer(), load_embedder())


@dataclass(frozen=True, slots=True)
class Labelled:
    untold: Untold
    tags: Sequence[Tag]
    purpose: Purpose
    language: str | None  # of the text


async def tag_new(database: Database, *, now: datetime) -> int:
    """Tag the events whose text or whose model changed since they were tagged; return how many."""
    # Loading the model takes seconds of computing, which must not hold up requests.
    reader = await asyncio.to_thread(load_reader)
    tagged = 0
    last_id = 0
    while True:
        async with database.reading() as session:
            batch = await _untold(session, reader, after=last_id)
            vectors = await _stored_vectors(session, [one.text for one in batch], reader.embedder)
        if not batch:
            return tagged
        last_id = batch[-1].event_id
        told, made = await asyncio.to_thread(_tell, batch, vectors, reader)
        async with database.writing() as session:
            tagged += await _write(session, told, reader, now=now)
            await _keep_vectors(session, made)


def _is_stale(reader: Reader) -> ColumnElement[bool]:
    current = col(Event.text_digest) + reader.mark
    return or_(col(Event.tagged_digest).is_(None), col(Event.tagged_digest) != current)


async def _untold(session: AsyncSession, reader: Reader, *, after: int) -> list[Untold]:
    rows = await session.exec(
        select(Event, Community.name)
        .join(Community, col(Community.id) == Event.community_id, isouter=True)
        .where(_is_stale(reader), col(Event.id) > after)
        .order_by(col(Event.id))
        .limit(BATCH)
    )
    batch = list(rows)
    titles = await _titles(session, {event.community_id for event, _ in batch if event.community_id is not None})
    return [_untold_of(event, group, titles.get(event.community_id or 0, ())) for event, group in batch]


async def _titles(session: AsyncSession, community_ids: set[int]) -> dict[int, list[str]]:
    """Return different titles of what communities announce, the latest first: they tell why people come to a bare one."""
    latest = func.max(Event.starts_at)
    rows = await session.exec(
        select(Event.community_id, Event.title)
        .where(col(Event.community_id).in_(community_ids), col(Event.deleted_at).is_(None))
        .group_by(col(Event.community_id), col(Event.title))
        .order_by(latest.desc(), col(Event.title))
    )
    titles: dict[int, list[str]] = {}
    for community_id, title in rows:
        titles.setdefault(community_id or 0, []).append(title)
    return titles


def _untold_of(event: Event, group: str | None, titles: Sequence[str]) -> Untold:
    assert event.id is not None
    others = tuple(title for title in titles if title != event.title)[:OTHERS]
    text = EventText(
        event.title, event.description, group=group or "", categories=tuple(event.categories), others=others
    )
    return Untold(event.id, event.text_digest, text)


def _vector_digest(embedder: Embedder, text: str) -> str:
    return hashlib.sha256(f"{embedder.id}\x1f{text}".encode("utf-8", "replace")).hexdigest()


async def _stored_vectors(session: AsyncSession, texts: Sequence[EventText], embedder: Embedder) -> dict[str, bytes]:
    wanted = {_vector_digest(embedder, embedded_text(text)) for text in texts}
    rows = await session.exec(select(Embedding).where(col(Embedding.digest).in_(wanted)))
    return {row.digest: row.vector for row in rows}


def _tell(batch: Sequence[Untold], stored: dict[str, bytes], reader: Reader) -> tuple[list[Labelled], dict[str, bytes]]:
    """Return what is to be said of each event, and the vectors that had to be made, by digest."""
    texts = [one.text for one in batch]
    sentences = [embedded_text(text) for text in texts]
    digests = [_vector_digest(reader.embedder, sentence) for sentence in sentences]
    missing = {digest: sentence for digest, sentence in zip(digests, sentences, strict=True) if digest not in stored}
    fresh = reader.embedder.embed(list(missing.values())).astype(np.float16)
    made = {digest: vector.tobytes() for digest, vector in zip(missing, fresh, strict=True)}
    known = stored | made
    vectors: Vectors = np.stack([np.frombuffer(known[digest], np.float16) for digest in digests]).astype(np.float32)
    languages = [language_of(text.title, text.text) for text in texts]
    purposes = reader.purposer.purposes(texts, vectors)
    told = zip(batch, reader.tagger.tag(texts, vectors), purposes, languages, strict=True)
    return [Labelled(one, tags, purpose, language) for one, tags, purpose, language in told], made


async def _write(session: AsyncSession, told: Sequence[Labelled], reader: Reader, *, now: datetime) -> int:
    """Write what was found out about the events whose text is still the one it was found in; return how many."""
    stamp = await turns.next_stamp(session, now=now)
    ids = [one.untold.event_id for one in told]
    rows = await session.exec(select(Event).where(col(Event.id).in_(ids), _is_stale(reader)))
    events = {event.id: event for event in rows}
    current = [
        (event, one)
        for one in told
        if (event := events.get(one.untold.event_id)) and event.text_digest == one.untold.text_digest
    ]
    written = [event.id for event, _ in current]
    before: dict[int, dict[str, float]] = {}
    for topic in await session.exec(select(EventTopic).where(col(EventTopic.event_id).in_(written))):
        before.setdefault(topic.event_id, {})[topic.topic] = topic.weight
    await session.exec(delete(EventTopic).where(col(EventTopic.event_id).in_(written)))
    for event, one in current:
        assert event.id is not None
        topics = {tag.topic: round(tag.weight, SHARE_DIGITS) for tag in one.tags}
        purpose = {name: round(share, SHARE_DIGITS) for name, share in one.purpose.weights.items()}
        phrases = list(one.purpose.phrases)
        known = (before.get(event.id, {}), event.purpose, event.purpose_phrases, event.welcomes)
        if (topics, purpose, phrases, one.purpose.welcomes) != known:
            event.updated_at = stamp
        if event.language is None and one.language is not None:  # stored before languages were told apart
            event.language, event.updated_at = one.language, stamp
        event.purpose, event.purpose_phrases, event.welcomes = purpose, phrases, one.purpose.welcomes
        event.tagged_digest = event.text_digest + reader.mark
        session.add_all(EventTopic(event_id=event.id, topic=slug, weight=weight) for slug, weight in topics.items())
    return len(current)


async def correct_purpose(session: AsyncSession, event: Event, purpose: str, *, now: datetime) -> None:
    """Let somebody's word say why people come to an event; it holds until its text changes."""
    # The turn before the row: whoever has the one may be about to write the other.
    event.updated_at = await turns.next_stamp(session, now=now)
    event.purpose, event.purpose_phrases = {purpose: 1.0}, []
    session.add(event)


async def _keep_vectors(session: AsyncSession, made: dict[str, bytes]) -> None:
    known = set(await session.exec(select(Embedding.digest).where(col(Embedding.digest).in_(made))))
    session.add_all(Embedding(digest=digest, vector=vector) for digest, vector in made.items() if digest not in known)


async def forget_unused_vectors(database: Database) -> int:
    """Delete the vectors of texts that no event has any more; return how many.

    One that is made meanwhile may go, too: it is only made again when its text is asked about again.
    """
    embedder = await asyncio.to_thread(load_embedder)
    used = await _used_vectors(database, embedder)
    forgotten, last_digest = 0, ""
    while True:
        async with database.writing() as session:
            after = select(Embedding.digest).where(col(Embedding.digest) > last_digest)
            digests = list(await session.exec(after.order_by(col(Embedding.digest)).limit(SWEPT)))
            unused = [digest for digest in digests if digest not in used]
            for chunk in chunks(unused):
                await session.exec(delete(Embedding).where(col(Embedding.digest).in_(chunk)))
        if not digests:
            return forgotten
        forgotten, last_digest = forgotten + len(unused), digests[-1]


async def _used_vectors(database: Database, embedder: Embedder) -> set[str]:
    """Return the digests of what is embedded of all events."""
    used: set[str] = set()
    last_id = 0
    while True:
        async with database.reading() as session:
            rows = await session.exec(
                select(Event.id, Event.title, Event.description, Event.categories, Community.name)  # type: ignore[call-overload]
                .join(Community, col(Community.id) == Event.community_id, isouter=True)
                .where(col(Event.id) > last_id)
                .order_by(col(Event.id))
                .limit(SWEPT)
            )
            batch = list(rows)
        if not batch:
            return used
        last_id = batch[-1][0]
        used |= await asyncio.to_thread(_digests, [tuple(row[1:]) for row in batch], embedder)


def _digests(texts: Sequence[tuple[str, str, Sequence[str], str | None]], embedder: Embedder) -> set[str]:
    told = (EventText(title, body, group=group or "", categories=tuple(names)) for title, body, names, group in texts)
    return {_vector_digest(embedder, embedded_text(text)) for text in told}
