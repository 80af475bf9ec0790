"""Step 3, communities: who is behind a source: what its calendar calls itself, or what its community files tell."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.chunks import chunks
from app.events import turns
from app.events.inventories import FILES, read_files, unread_files
from app.models import Community, CommunityTopic, Event, Source
from recommender.catalogue import load_catalogue
from scrapers import CommunityDraft, Problem, Reading

# Lists of many organisers' events have no one community behind them.
LISTS = frozenset({"conferences", "proposal", "plain_list", "meetings", "dice", "resident_advisor"})
HASHTAG = re.compile(r"#\w+(?: chat)?", re.IGNORECASE)  # of "#Resist: Antioch" one does not know where it meets
TOLD = "told"  # the mark of topics a community named itself: nothing that is inferred replaces them
COPIED = (
    "name",
    "kind",
    "url",
    "description",
    "city",
    "country",
    "lat",
    "lon",
    "is_online",
    "language",
    "channel",
    "code_of_conduct",
    "cost",
    "openness",
    "rhythm",
    "seen_in",
)


def community_name(name: str) -> str:
    """Return a group's name without what calendar exports put around it ("Events - Book Club" → "Book Club")."""
    text = re.sub(r"^(?:upcoming )?(?:events?|calendar|termine)\s*[-–—:|]\s*", "", name.strip(), flags=re.IGNORECASE)
    text = re.sub(r"\s*[-–—:|]\s*(?:upcoming )?(?:events?|calendar|termine)$", "", text, flags=re.IGNORECASE)
    return text.strip() or name.strip()


def community_key(name: str, url: str) -> str:
    """Return the community's permanent name in addresses: readable, and unique by its source."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "community"
    return f"{slug}-{hashlib.sha256(url.encode()).hexdigest()[:6]}"


async def adopt(
    session: AsyncSession, source: Source, reading: Reading, *, forgets: bool, now: datetime
) -> tuple[Problem, ...]:
    """Make or update the communities behind a source, where the reading says who they are.

    With `forgets`, those whose files are gone are deleted. Returns what in it names nothing known, for whoever keeps
    the source.
    """
    if reading.kind == FILES:
        return await _adopt_files(session, source, reading, forgets=forgets, now=now)
    told = (reading.organizer.name if reading.organizer else None) or reading.name
    if told and reading.kind not in LISTS:
        await _adopt_organizer(session, source, reading, community_name(told), now=now)
    return ()


async def _adopt_organizer(
    session: AsyncSession, source: Source, reading: Reading, name: str, *, now: datetime
) -> None:
    community = await session.get(Community, source.community_id) if source.community_id else None
    if community is None:
        key = community_key(name, source.url)
        community = (await session.exec(select(Community).where(Community.key == key))).one_or_none() or Community(
            key=key, name=name, updated_at=now
        )
    organizer_url = reading.organizer.url if reading.organizer else None
    facts: dict[str, Any] = {
        "name": name,
        "kind": "hashtag chat" if HASHTAG.fullmatch(name) else community.kind,
        "url": organizer_url or community.url,
        "description": reading.description or community.description,
        "city": source.city or community.city,
        "country": source.country or community.country,
        "lat": source.lat,
        "lon": source.lon,
    }
    if reading.events:
        facts["is_online"] = all(draft.mode == "online" for draft in reading.events)
    await _tell(session, community, facts, now=now)
    source.community_id = community.id


async def _adopt_files(
    session: AsyncSession, source: Source, reading: Reading, *, forgets: bool, now: datetime
) -> tuple[Problem, ...]:
    """Make, update and end communities as their files say."""
    assert source.id is not None
    known = {row.file: row for row in await session.exec(select(Community).where(Community.source_id == source.id))}
    problems: list[Problem] = []
    for draft in reading.communities:
        community = known.get(draft.key)
        if community is None:
            key = community_key(draft.name, f"{source.url}#{draft.key}")
            community = Community(key=key, name=draft.name, source_id=source.id, file=draft.key, updated_at=now)
        problems += await _adopt_file(session, community, draft, now=now)
    if forgets:
        gone = known.keys() - read_files(reading) - unread_files(reading)
        await forget(session, [id_ for file in gone if (id_ := known[file].id) is not None], now=now)
    return tuple(problems)


async def _adopt_file(
    session: AsyncSession, community: Community, draft: CommunityDraft, *, now: datetime
) -> list[Problem]:
    catalogue = load_catalogue()
    topics: dict[str, float] = {}
    problems = []
    for label in draft.topics:
        topic = catalogue.resolve(label)
        if topic is not None:
            topics.setdefault(topic.slug, 1.0)
            continue
        meant = catalogue.suggest(label)
        remedy = f"did you mean {', '.join(meant)}?" if meant else "`topics search` finds what there is"
        problems.append(Problem("unknown_topic", draft.key, f"no topic is called {label!r}; {remedy}"))
    await _tell(
        session,
        community,
        {
            **{name: getattr(draft, name) for name in COPIED},
            "join_steps": list(draft.join_steps),
            "join": draft.join_steps[0] if draft.join_steps else None,
            "links": [{"label": link.label, "url": link.url} for link in draft.links],
            "purpose": {draft.purpose: 1.0},
            "tagged_digest": TOLD if topics else None,
        },
        now=now,
    )
    assert community.id is not None
    rows = await session.exec(select(CommunityTopic).where(CommunityTopic.community_id == community.id))
    if topics and {row.topic: row.weight for row in rows} != topics:
        await session.exec(delete(CommunityTopic).where(col(CommunityTopic.community_id) == community.id))
        session.add_all(
            CommunityTopic(community_id=community.id, topic=slug, weight=weight) for slug, weight in topics.items()
        )
        community.updated_at = now
        await session.flush()
    return problems


async def _tell(session: AsyncSession, community: Community, facts: dict[str, Any], *, now: datetime) -> None:
    """Write down what is told of a community, where it is anything new."""
    called = community.name
    if any(getattr(community, field) != fact for field, fact in facts.items()):
        for field, fact in facts.items():
            setattr(community, field, fact)
        community.updated_at = now
    session.add(community)
    await session.flush()
    if community.name != called:
        # Whoever follows changes of events holds the name with each of them.
        stamp = await turns.next_stamp(session, now=now)
        await session.exec(update(Event).where(col(Event.community_id) == community.id).values(updated_at=stamp))


async def communities_of(session: AsyncSession, source_ids: Iterable[int]) -> dict[tuple[int, str], int]:
    """Return the communities of sources of FILES, by source and file."""
    rows = await session.exec(
        select(Community.source_id, Community.file, Community.id).where(col(Community.source_id).in_(set(source_ids)))
    )
    return {(source_id or 0, file or ""): id_ for source_id, file, id_ in rows if id_ is not None}


async def forget(session: AsyncSession, community_ids: Sequence[int], *, now: datetime) -> None:
    """Delete communities; their events stay, with nobody behind them."""
    stamp = await turns.next_stamp(session, now=now)
    for chunk in chunks(sorted(community_ids)):
        theirs = update(Event).where(col(Event.community_id).in_(chunk))
        await session.exec(theirs.values(community_id=None, updated_at=stamp))
        await session.exec(delete(Community).where(col(Community.id).in_(chunk)))


async def forget_behind(session: AsyncSession, source_id: int, community_id: int | None, *, now: datetime) -> None:
    """Delete the communities that nothing tells of once a source is gone."""
    rows = await session.exec(select(Community.id).where(Community.source_id == source_id))
    orphans = [one for one in rows if one is not None]
    if community_id is not None:
        others = await session.exec(select(Source.id).where(Source.community_id == community_id).limit(1))
        if others.first() is None:
            orphans.append(community_id)
    await forget(session, orphans, now=now)
