"""Events and communities that people write down in a form, in the words of community files; an operator decides.

What was accepted becomes a source of its own that is never fetched: its events stand in lists, feeds and mail like any
other, and its series are expanded by the daily job.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import and_, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting import collect, frontier
from app.collecting.page_reading import within_reach
from app.community import activity
from app.db import Database
from app.events import about
from app.models import Community, Event, Proposal, Source
from scrapers import Page, Reading, Window
from scrapers.community_form import Address, CommunityFile, Line, Meeting

ADDRESS = "https://proposals.adjacent.example/{}"  # stands for what was written here; nobody fetches it
MOST_LINKS = 2  # in a text: more are an advertisement
ALIKE = 0.9  # of two names, from which on they are taken for one
SHOWN = 5  # dates of a preview
AHEAD = timedelta(days=3 * 365)  # of what happens once: nobody reads it again when it has come nearer
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)


def _few_links(text: str) -> str:
    if len(_LINK.findall(text)) > MOST_LINKS:
        raise ValueError(f"at most {MOST_LINKS} links; the address has a field of its own")
    return text


def _without_link(text: str) -> str:
    if _LINK.search(text):
        raise ValueError("no link here; the address has a field of its own")
    return text


def _few_links_in_all(lines: list[str]) -> list[str]:
    _few_links("\n".join(lines))
    return lines


Name = Annotated[Line, AfterValidator(_without_link)]


class WrittenCommunity(CommunityFile):
    name: Name
    about: Annotated[str, AfterValidator(_few_links), Field(max_length=5_000)]
    join: Annotated[list[Line], AfterValidator(_few_links_in_all)] = Field(min_length=1, max_length=10)


class WrittenEvent(Meeting):
    """One event, or with a rhythm the first of many."""

    title: Name
    url: Annotated[Address, Field(max_length=2_048)]
    about: Annotated[str, AfterValidator(_few_links), Field(max_length=5_000)] = ""
    organizer: Name | None = None
    topics: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1, max_length=20)
    city: Annotated[str, Field(max_length=200)] | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None

    def as_file(self) -> CommunityFile:
        own = self.model_dump(include=set(Meeting.model_fields), by_alias=True)
        return CommunityFile.model_validate(
            {
                "name": self.organizer or self.title,
                "kind": "group",
                "url": self.url,
                "about": self.about,
                "topics": self.topics,
                "city": self.city,
                "country": self.country,
                "online": self.online is not None and self.venue is None and self.address is None,
                "join": ["See its page."],
                "meets": [own],
            }
        )


class Contribution(BaseModel):
    """Either a community or an event."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    community: WrittenCommunity | None = None
    event: WrittenEvent | None = None

    def told(self) -> CommunityFile:
        told = self.community or (self.event.as_file() if self.event else None)
        if told is None or (self.community and self.event):
            raise ValueError("send either a `community` or an `event`")
        return told


def read_contribution(details: dict[str, Any]) -> Contribution:
    """Return what was written; raises pydantic's ValidationError, with the place of each mistake."""
    return Contribution.model_validate_json(orjson.dumps(details))


def _reading(contribution: Contribution, name: str, url: str, now: datetime) -> Reading:
    from scrapers.community_files import reading_of_file  # noqa: PLC0415 (behind it are all readers)

    window = Window.ahead(now, days=AHEAD.days)
    told = reading_of_file(contribution.told(), name, url=url, window=window, zone=ZoneInfo("UTC"))
    reading = within_reach(told, now=now)
    return reading if contribution.community else replace(reading, communities=(), kind="proposal")


def lies_ahead(contribution: Contribution, *, now: datetime) -> bool:
    """Tell whether any date of what was written is still to come."""
    return any(
        draft.starts_at > now for draft in _reading(contribution, "preview", ADDRESS.format("preview"), now).events
    )


async def known_already(session: AsyncSession, contribution: Contribution) -> str | None:
    """Return the name of what there is already under this address or a name much like it."""
    told = contribution.told()
    if contribution.community:
        # Only names of about the same length can be alike.
        shortest, longest = (round(len(told.name) * share) for share in (ALIKE / (2 - ALIKE), (2 - ALIKE) / ALIKE))
        length = func.length(Community.name)
        is_near = or_(col(Community.url) == told.url, and_(length >= shortest, length <= longest))
        known = await session.exec(select(Community.name, Community.url).where(is_near))
        return next((name for name, url in known if url == told.url or _is_alike(name, told.name)), None)
    titles = [meeting.title or told.name for meeting in told.meets]
    events = await session.exec(select(Event.title).where(Event.url == told.url))
    return next((title for title in events if any(_is_alike(title, one) for one in titles)), None)


def _is_alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one.casefold(), other.casefold())
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


async def keep(
    session: AsyncSession, contribution: Contribution, details: dict[str, Any], *, person_id: int | None, now: datetime
) -> Proposal:
    """Keep what was written until an operator decides.

    The same address again renews what is waiting, where the same person or nobody in particular wrote it.
    """
    told = contribution.told()
    proposal = (await session.exec(select(Proposal).where(Proposal.url == told.url))).one_or_none()
    if proposal is None:
        proposal = Proposal(url=told.url, person_id=person_id, proposed_at=datetime.now(UTC))
        session.add(proposal)
    if proposal.state == "proposed" and proposal.person_id in (None, person_id):
        proposal.person_id = person_id
        reading = _reading(contribution, "preview", ADDRESS.format("preview"), now)
        proposal.name, proposal.kind = told.name, "community" if contribution.community else "event"
        proposal.details, proposal.listed = details, reading.listed
        proposal.preview = [
            {"title": draft.title, "starts_at": draft.starts_at.isoformat(), "mode": draft.mode}
            for draft in reading.events[:SHOWN]
        ]
        await session.flush()
    return proposal


async def publish(database: Database, proposal_id: int, *, now: datetime) -> int:
    """Make a source of an accepted proposal, and its dates events; return the source's id."""
    async with database.reading() as session:
        proposal = await session.get_one(Proposal, proposal_id)
    assert proposal.details is not None
    url = ADDRESS.format(proposal_id)
    async with database.writing() as session:
        source = await frontier.add_source(session, url, is_bundled=True)
    page = Page(url, orjson.dumps(proposal.details))
    reading = _reading(read_contribution(proposal.details), f"proposal-{proposal_id}", url, now)
    await collect.keep(database, source, page, reading, now=now)
    await about.tag_new(database, now=now)
    await activity.renew(database, now=now)
    async with database.reading() as session:
        kept = (await session.exec(select(Source.id).where(Source.url == url))).one()
    assert kept is not None
    return kept
