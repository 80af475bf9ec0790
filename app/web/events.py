"""/events: all that is known, searched with facets, as a list, a week or a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Now, Reading
from app.community.communities import community_by_key
from app.models import Event, EventTopic
from app.queries import listing
from app.queries.filters import conditions
from app.queries.listing import Listed
from app.queries.plain_rows import EVENTS
from app.queries.slices import event_slice
from app.topic_names import label_of
from app.web.distances import distances
from app.web.rendering import page
from app.web.search import (
    RADII,
    VIEWS,
    Search,
    midnight,
    month_of,
    read_position,
    read_search,
    week_of,
    write_position,
)
from app.web.visit import Visiting
from app.web.words import MODE_WORDS, PURPOSE_WORDS, card_of
from app.words.event_words import language_words
from app.words.topic_words import topic_words
from app.words.when import month_and_year, weekday_words
from app.words.wording import Wording, mark

router = APIRouter(include_in_schema=False)

SHOWN = 30  # events a page
MOST = 600  # events a week or month
FACETS = 8  # values of each
IN_A_CELL = 3  # events that a day of a month names
VIEW_WORDS: Mapping[str, str] = {"list": mark("List"), "week": mark("Week"), "month": mark("Month")}


@router.get("/events")
async def events(request: Request, visit: Visiting, session: Reading, now: Now) -> Response:
    values = parse_qs(request.url.query)
    search, wording = read_search(values), visit.wording
    zone = ZoneInfo((search.spot.zone if search.spot else None) or (visit.person.zone if visit.person else "UTC"))
    day = search.day_within(now, zone)
    spans = {"week": week_of(day), "month": [one for week in month_of(day) for one in week]}
    community = await community_by_key(session, search.community, now=now) if search.community else None
    facts: dict[str, Any] = {
        "search": search,
        "topic": topic_words(search.found_topic.label, wording) if search.found_topic else search.topic,
        "community": community.community.name if community else None,
        "radii": RADII,
        "views": [(view, wording.text(VIEW_WORDS[view]), search.address(view=view)) for view in VIEWS],
        "around": None,
        "next": None,
        "is_first": True,
    }
    if search.view == "list":
        position = read_position(values.get("after", [""])[-1])
        found = await event_slice(session, search.wanted(now), sort="start", limit=SHOWN, position=position)
        places = {number: place for place, number in enumerate(found.ids)}
        listed = await listing.listed(session, EVENTS.c.id.in_(found.ids))
        shown = sorted(listed, key=lambda one: places[one.event.id or 0])
        facts["count"] = found.total.count
        facts["is_lower_bound"], facts["is_first"] = found.total.is_lower_bound, position is None
        facts["next"] = f"{_and(search.address())}after={_quoted(write_position(found.next))}" if found.next else None
        facts["facets"] = await _facets(session, search, wording, now=now)
        if search.spot is not None and shown:
            spots = [(one.event.lat, one.event.lon) for one in shown]
            located = [(lat, lon) for lat, lon in spots if lat is not None and lon is not None]
            facts["around"] = distances(search.spot, search.within, located, wording)
        return await page(visit, "events.html", "events", cards=[card_of(one, wording) for one in shown], **facts)
    days = spans[search.view]
    start, end = midnight(days[0], zone), midnight(days[-1] + timedelta(days=1), zone)
    shown = await listing.events(session, search.wanted(start, end), limit=MOST)
    step = timedelta(weeks=1) if search.view == "week" else timedelta(days=31)
    before = (day.replace(day=1) - timedelta(days=1)).replace(day=1) if search.view == "month" else day - step
    after = (day.replace(day=1) + step).replace(day=1) if search.view == "month" else day + step
    return await page(
        visit,
        "events.html",
        "events",
        count=len(shown),
        is_lower_bound=len(shown) >= MOST,
        facets=[],
        weeks=[_week(week, shown, day, now.astimezone(zone).date(), wording) for week in _rows(search, day)],
        weekdays=[weekday_words(one, wording) for one in week_of(day)],
        title=month_and_year(days[0] if search.view == "week" else day, wording),
        before=search.address(day=before.isoformat()),
        after=search.address(day=after.isoformat()),
        **facts,
    )


def _rows(search: Search, day: date) -> list[list[date]]:
    return [week_of(day)] if search.view == "week" else month_of(day)


def _week(
    days: Sequence[date], shown: Sequence[Listed], day: date, today: date, wording: Wording
) -> list[dict[str, Any]]:
    """Return what a row of the calendar shows; an event stands on the day it begins, on its own clock."""
    by_day: defaultdict[date, list[Listed]] = defaultdict(list)
    for one in shown:
        by_day[one.event.starts_at.astimezone(ZoneInfo(one.event.zone)).date()].append(one)
    return [
        {
            "date": one,
            "weekday": weekday_words(one, wording),
            "is_today": one == today,
            "is_other": one.month != day.month,
            "count": len(by_day[one]),
            "cards": [_brief(listed, wording) for listed in sorted(by_day[one], key=_wall_clock)],
            "most": IN_A_CELL,
        }
        for one in days
    ]


def _wall_clock(listed: Listed) -> tuple[bool, datetime]:
    """Order a day as it reads: what lasts all day first, then by the hours that are shown."""
    event = listed.event
    return not event.all_day, event.starts_at.astimezone(ZoneInfo(event.zone)).replace(tzinfo=None)


def _brief(listed: Listed, wording: Wording) -> dict[str, Any]:
    event = listed.event
    start = event.starts_at.astimezone(ZoneInfo(event.zone))
    clock = f"{start:%H:%M %Z}" if event.mode == "online" else f"{start:%H:%M}"
    hour = wording.text("all day") if event.all_day else clock
    return {"id": event.key, "title": event.title, "hour": hour, "starts_at": start.isoformat()}


async def _facets(session: AsyncSession, search: Search, wording: Wording, *, now: datetime) -> list[dict[str, Any]]:
    """Return, for each facet, its commonest values among what is found, with addresses that choose or leave each.

    Around a place they count the box that holds the circle, which an index finds.
    """
    clauses = conditions(search.wanted(now), session.get_bind().dialect.name)
    ids = select(Event.id).where(*clauses)
    number = func.count()
    topics = await session.exec(
        select(EventTopic.topic, number)
        .where(col(EventTopic.event_id).in_(ids))
        .group_by(col(EventTopic.topic))
        .order_by(number.desc(), col(EventTopic.topic))
        .limit(FACETS)
    )
    modes = await session.exec(
        select(Event.mode, number).where(*clauses).group_by(col(Event.mode)).order_by(number.desc())
    )
    spoken = await session.exec(
        select(Event.language, number)
        .where(*clauses, col(Event.language).is_not(None))
        .group_by(col(Event.language))
        .order_by(number.desc())
        .limit(FACETS)
    )
    told = [
        _facet(
            "topic",
            wording.text("Topic"),
            [(slug, topic_words(label_of(slug), wording), count) for slug, count in topics],
            search,
        ),
        _facet(
            "mode",
            wording.text("How"),
            [(mode, wording.text(MODE_WORDS[mode]), count) for mode, count in modes if mode in MODE_WORDS],
            search,
        ),
        _facet(
            "language",
            wording.text("Language"),
            [(code, language_words(code, wording), count) for code, count in spoken if code],
            search,
        ),
        _facet(
            "purpose",
            wording.text("People come"),
            [(name, wording.text(words), None) for name, words in PURPOSE_WORDS.items()],
            search,
        ),
        _facet("free", wording.text("Price"), [("yes", wording.text("free"), None)], search),
    ]
    return [facet for facet in told if facet["values"]]


def _facet(name: str, label: str, values: Sequence[tuple[str, str, int | None]], search: Search) -> dict[str, Any]:
    chosen = getattr(search, name)
    return {
        "label": label,
        "values": [
            {
                "words": words,
                "count": count,
                "is_on": value == chosen,
                "href": search.address(**{name: "" if value == chosen else value}),
            }
            for value, words, count in values
        ],
    }


def _and(address: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}"


def _quoted(text: str) -> str:
    return text.replace("+", "%2B")
