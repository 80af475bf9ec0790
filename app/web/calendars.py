"""Personal calendars made on the page: their addresses are secrets and are shown once, right after they were made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Data, Now, settings_of
from app.api.problems import Problem
from app.calendars import calendar_feed, feeds
from app.calendars.feed_contents import feed_events
from app.community.communities import community_by_key
from app.models import Feed, Person
from app.people import people
from app.web import keeping
from app.web.forms import read_form
from app.web.rendering import page
from app.web.visit import UNSTORED, Visit, Visiting, led_on
from app.words.topic_words import topic_words
from app.words.wording import Wording
from recommender.catalogue import load_catalogue

router = APIRouter(include_in_schema=False)

Key = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]


@router.post("/me/feeds")
async def make_calendar(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    form = await read_form(request)
    kind, subject = (form.get(name, [""])[-1] for name in ("kind", "subject"))
    async with database.writing() as session:
        person, guest_secret = await keeping.somebody(session, visit)
        person.language = person.language or visit.wording.language  # calendars are read where no browser says it
        feed, secret = await make(session, person, kind, subject, visit.wording, now=now)
        answer = await shown_once(session, visit, feed, secret, now=now)
    keeping.remember(request, answer, guest_secret)
    return answer


async def make(
    session: AsyncSession, person: Person, kind: str, subject: str, wording: Wording, *, now: datetime
) -> tuple[Feed, str]:
    """Make a calendar of a kind, about a topic (slug) or community (key) where the kind asks for one."""
    if await feeds.count_of(session, person) >= feeds.MOST:
        raise Problem(409, f"a person has at most {feeds.MOST} calendars; delete one first")
    name = {
        "picks": wording.text("Adjacent"),
        "saved": wording.text("Adjacent: saved"),
        "near": wording.text("Adjacent: all that is near"),
    }.get(kind)
    if kind == "topic" and subject in load_catalogue().index:
        name = topic_words(load_catalogue()[subject].label, wording)
    elif kind == "community" and (found := await community_by_key(session, subject, now=now)) is not None:
        name = found.community.name
    if name is None:
        raise Problem(422, "there is no such calendar to make")
    return await feeds.make_feed(
        session, person, name, kind=kind, subject=subject if kind in ("topic", "community") else None, now=now
    )


async def shown_once(session: AsyncSession, visit: Visit, feed: Feed, secret: str, *, now: datetime) -> HTMLResponse:
    """Return the page that shows a calendar's address, which cannot be shown again."""
    listed, _ = await feed_events(session, feed, visit.wording, now=now)
    catalogue = load_catalogue()
    expertise = await people.expertise_of(session, await session.get_one(Person, feed.person_id))
    known = [topic_words(catalogue[slug].label, visit.wording) for slug in expertise if slug in catalogue.index]
    base_url = settings_of(visit.request).base_url
    return await page(
        visit,
        "calendar.html",
        "me",
        headers=UNSTORED,
        feed=feed,
        number=len(listed),
        known=visit.wording.listed(known[:6]),
        links=calendar_feed.subscribe_links(f"{base_url}/f/{secret}.ics", feed.name),
    )


@router.post("/me/feeds/{key}/rotate")
async def rotate_calendar(key: Key, visit: Visiting, database: Data, now: Now) -> Response:
    async with database.writing() as session:
        _, feed = await _mine(session, visit, key)
        secret = await feeds.rotate(session, feed)
        return await shown_once(session, visit, feed, secret, now=now)


@router.post("/me/feeds/{key}/delete")
async def delete_calendar(request: Request, key: Key, visit: Visiting, database: Data) -> Response:
    async with database.writing() as session:
        _, feed = await _mine(session, visit, key)
        name = feed.name
        await session.delete(feed)
    return led_on(request, "/me#feeds", visit.wording.text("The calendar “{name}” is gone.", name=name))


async def _mine(session: AsyncSession, visit: Visit, key: str) -> tuple[Person, Feed]:
    if visit.person is None:
        raise Problem(401, "this belongs to somebody")
    person = await session.get_one(Person, visit.person.id)
    feed = await feeds.feed_called(session, person, key)
    if feed is None:
        raise Problem(404, "you have no such calendar")
    return person, feed
