"""One event on a page of its own: all that is known of it, who said so, why it may be for you, and what lies beside it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Now, Reading, settings_of
from app.events import history
from app.models import Event
from app.picking import picks, slates
from app.picking.barriers import STILL_ON, barrier
from app.places import Spot
from app.queries import listing
from app.queries.event_forms import event_json, versions_of
from app.queries.filters import EventFilter
from app.queries.listing import Listed, event_by_key, with_topics
from app.topic_names import PLAIN_LEVEL
from app.web import looking
from app.web.calendar_links import event_links
from app.web.cards import card_of, facts_of, host_of, pick_card
from app.web.question import Question, read_question
from app.web.rendering import page, trouble
from app.web.structured import structured
from app.web.visit import Visit, Visiting
from app.words.event_words import status_words, where_words
from app.words.retelling import retold
from app.words.when import when_words
from app.words.wording import Wording, mark
from recommender.topic_worth import next_topics

router = APIRouter(include_in_schema=False)

# Fields that are told together or not at all, in the order and words of the page.
TOLD: Mapping[str, str] = {
    "title": mark("title"),
    "starts_at": mark("time"),
    "ends_at": mark("end"),
    "all_day": mark("all day"),
    "status": mark("status"),
    "venue_name": mark("place"),
    "address": mark("street"),
    "city": mark("city"),
    "mode": mark("how"),
    "url": mark("address"),
    "online_url": mark("online address"),
    "organizer_name": mark("organizer"),
    "price": mark("price"),
    "language": mark("language"),
    "description": mark("description"),
}
SHOWN_PARTS = ("title", "starts_at", "status", "venue_name", "mode", "url", "online_url", "organizer_name", "price")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LONGEST_SUMMARY = 200  # characters of a description that previews show
LONGEST_VALUE = 80  # characters of a value before and after a change
BESIDE = 3  # events of each list below
AROUND_KM = 50.0
NEXT = 12  # topics next door that are looked for


@router.get("/e/{key}")
async def event_page(request: Request, visit: Visiting, key: str, session: Reading, now: Now) -> Response:
    event, wording = await event_by_key(session, key), visit.wording
    if event is None:
        words = wording.text("The address is wrong, or the event was removed for good.")
        return await trouble(visit, 404, wording.text("No such event"), words)
    (listed,) = await with_topics(session, [event])
    if listed.merged_into is not None:
        return RedirectResponse(f"/e/{listed.merged_into}", 301)
    profile = await looking.profile_question(session, visit.person)
    question = read_question(parse_qs(request.url.query), profile)
    address = f"{settings_of(request).base_url}/e/{event.key}"
    when = when_words(event, wording, with_year=True)
    why = await _why(session, visit, listed, question, now=now) if question.known else None
    return await page(
        visit,
        "event.html",
        event=event_json(listed),
        address=address,
        language=event.language if event.language and LANGUAGE.fullmatch(event.language) else None,
        community=listed.community,
        when=when,
        facts=facts_of(listed, wording),
        is_gone=event.deleted_at is not None,
        is_past=(event.ends_at or event.starts_at) < now,
        status_words=status_words(event, wording),
        host=host_of(event.url),
        paragraphs=[part for part in event.description.split("\n\n") if part.strip()],
        summary=_summary(event, when, wording),
        structured=structured(listed, address=address),
        links=event_links(event, address),
        why=why,
        back=question.address("/"),
        versions=await versions_of(session, event),
        told=_told(event, wording),
        changes=_changes(await history.history(session, event), wording),
        **await _beside(session, listed, wording, now=now),
    )


async def _why(
    session: AsyncSession, visit: Visit, listed: Listed, question: Question, *, now: datetime
) -> Mapping[str, Any]:
    """Return the reason this event may be for who asks, or what speaks against it."""
    person = visit.person if question.home is not None else None
    wish = question.wish(await slates.wish_of(session, person, now=now) if person is not None else None)
    found = await picks.picks_among(session, [listed], wish, now=now)
    against = barrier(listed, wish)
    said = await looking.said_of(session, visit.person, [listed]) if visit.person is not None else {}
    if found:
        card = pick_card(listed, slates.told(found[0]), visit.wording, said=said.get(listed.event.id or 0, ()))
    else:
        card = card_of(listed, visit.wording) | {"said": said.get(listed.event.id or 0, ()), "reason": ""}
    return card | {"against": retold(against.sentence, visit.wording) if against is not None else ""}


async def _beside(session: AsyncSession, listed: Listed, wording: Wording, *, now: datetime) -> dict[str, Any]:
    """Return cards of upcoming events about the same, about what lies next to it, and of other dates of its series."""
    event = listed.event
    similar: list[Listed] = []
    adjacent: list[Listed] = []
    if listed.topics:
        main = listed.topics[0][0]
        near = tuple(topic.slug for topic, _ in next_topics({main: PLAIN_LEVEL})[:NEXT])
        wanted = EventFilter(start=now, statuses=STILL_ON)
        similar = _different(await _reachable(session, replace(wanted, topics=(main,)), event), [listed])
        adjacent = _different(await _reachable(session, replace(wanted, topics=near), event), [listed, *similar])
    found = {"similar": similar, "adjacent": adjacent, "dates": await _dates(session, event, now=now)}
    return {name: [card_of(one, wording) for one in some] for name, some in found.items()}


async def _reachable(session: AsyncSession, wanted: EventFilter, event: Event) -> list[Listed]:
    """Return events that who can go to this one can go to as well: around it, then those online."""
    online = replace(wanted, modes=("online", "hybrid"))
    if event.mode == "online" or event.lat is None or event.lon is None:
        return await listing.events(session, online, limit=8 * BESIDE)
    around = replace(wanted, near=Spot(event.lat, event.lon, ""), radius_km=AROUND_KM)
    return [
        *await listing.events(session, around, limit=8 * BESIDE),
        *await listing.events(session, online, limit=8 * BESIDE),
    ]


def _different(found: Sequence[Listed], beside: Sequence[Listed]) -> list[Listed]:
    """Return the first few events, one of a series, that are not shown already."""
    keys = {one.event.key for one in beside}
    series = {one.event.series_key for one in beside} - {None}
    titles = {one.event.title for one in beside}
    different: list[Listed] = []
    for one in found:
        event = one.event
        if event.key in keys or event.series_key in series or event.title in titles:
            continue
        different.append(one)
        titles.add(event.title)
        if event.series_key is not None:
            series.add(event.series_key)
    return different[:BESIDE]


async def _dates(session: AsyncSession, event: Event, *, now: datetime) -> list[Listed]:
    if event.series_key is None:
        return []
    rows = await session.exec(
        select(Event)
        .where(
            Event.series_key == event.series_key,
            Event.id != event.id,
            Event.starts_at >= now,
            col(Event.deleted_at).is_(None),
            col(Event.merged_into).is_(None),
        )
        .order_by(col(Event.starts_at), col(Event.id))
        .limit(BESIDE)
    )
    return await with_topics(session, list(rows))


def _told(event: Event, wording: Wording) -> Mapping[str, str]:
    """Return for each source which fields the page takes from it; "" for one that adds nothing."""
    told: defaultdict[str, list[str]] = defaultdict(list)
    for name in (*SHOWN_PARTS, "language", "description"):
        if getattr(event, name) not in (None, "", "unknown"):
            told[event.provenance.get(name, "")].append(wording.text(TOLD[name]))
    return defaultdict(str, {source: ", ".join(words) for source, words in told.items()})


def _changes(rows: Sequence[Mapping[str, Any]], wording: Wording) -> list[dict[str, Any]]:
    """Return what changed since the event was first seen, the latest first."""
    return [
        {
            "at": datetime.fromisoformat(row["at"]),
            "source": row["source"],
            "fields": [
                (wording.text(TOLD[name]), _value(before, wording), _value(after, wording))
                for name, (before, after) in row["changed"].items()
                if name in TOLD
            ],
        }
        for row in reversed(rows)
        if any(name in TOLD for name in row["changed"])
    ]


def _value(value: Any, wording: Wording) -> str:
    if value in (None, ""):
        return wording.text("nothing")
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _summary(event: Event, when: str, wording: Wording) -> str:
    words = " ".join(event.description.split())
    if len(words) > LONGEST_SUMMARY:
        words = words[:LONGEST_SUMMARY].rsplit(" ", 1)[0] + " …"
    return " · ".join(filter(None, (when, where_words(event, wording), words)))
