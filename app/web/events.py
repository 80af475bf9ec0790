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
from markupsafe import Markup
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Now, Reading, settings_of
from app.api.list_names import list_name
from app.calendars.calendar_feed import subscribe_links
from app.community.communities import community_by_key
from app.queries import listing
from app.queries.listing import Listed
from app.queries.plain_rows import EVENTS
from app.queries.slices import Position, event_slice
from app.web.cards import card_of
from app.web.distances import distances
from app.web.facets import facets
from app.web.rendering import page
from app.web.search import (
    RADII,
    VIEWS,
    Search,
    View,
    midnight,
    month_of,
    read_position,
    read_search,
    week_of,
    write_position,
)
from app.web.visit import Visiting
from app.words.topic_words import topic_words
from app.words.when import month_and_year, weekday_words
from app.words.wording import Wording, mark

router = APIRouter(include_in_schema=False)

SHOWN = 30  # events a page
MOST = 600  # events a week or month
IN_A_CELL = 3  # events that a day of a month names
READERS = (
    ("RSS", "application/rss+xml", "events.rss"),
    ("Atom", "application/atom+xml", "events.atom"),
    ("JSON Feed", "application/feed+json", "feed.json"),
    ("CSV", "text/csv", "events.csv"),
)
VIEW_WORDS: Mapping[str, str] = {"list": mark("List"), "week": mark("Week"), "month": mark("Month")}


@router.get("/events")
async def events(request: Request, visit: Visiting, session: Reading, now: Now) -> Response:
    values = parse_qs(request.url.query)
    search, wording = read_search(values), visit.wording
    shown_of = await community_by_key(session, search.community, now=now) if search.community else None
    community = shown_of.community.name if shown_of else None
    if search.view == "list":
        found = await _list(session, search, read_position(values.get("after", [""])[-1]), wording, now=now)
    else:
        zone = ZoneInfo((search.spot.zone if search.spot else None) or (visit.person.zone if visit.person else "UTC"))
        found = await _calendar(session, search, zone, wording, now=now)
    return await page(
        visit,
        "events.html",
        "events",
        search=search,
        topic=topic_words(search.found_topic.label, wording) if search.found_topic else search.topic,
        community=community,
        radii=RADII,
        feed=_feed(search, community, settings_of(request).base_url, now),
        views=[(view, wording.text(VIEW_WORDS[view]), search.address(view=view)) for view in VIEWS],
        **found,
    )


def _feed(search: Search, community: str | None, base_url: str, now: datetime) -> dict[str, Any] | None:
    """Return the addresses at which programs find what a search does."""
    query = search.feed_query
    if query is None:
        return None
    name, tail = list_name(search.wanted(now), community), f"?{query}" if query else ""
    # What has begun stays in calendars; readers and tables are for what is still to come.
    calendar = f"{base_url}/api/v1/events.ics?start=-30d{f'&{query}' if query else ''}"
    readers = [(words, media_type, f"/api/v1/{form}{tail}") for words, media_type, form in READERS]
    return {"name": name, "calendar": subscribe_links(calendar, name), "readers": readers}


async def _list(
    session: AsyncSession, search: Search, position: Position | None, wording: Wording, *, now: datetime
) -> dict[str, Any]:
    """Return a page of the list, what narrows it down, and where its events lie."""
    found = await event_slice(session, search.wanted(now), sort="start", limit=SHOWN, position=position)
    places = {number: place for place, number in enumerate(found.ids)}
    listed = await listing.listed(session, EVENTS.c.id.in_(found.ids))
    shown = sorted(listed, key=lambda one: places[one.event.id or 0])
    return {
        "cards": [card_of(one, wording) for one in shown],
        "count": found.total.count,
        "is_lower_bound": found.total.is_lower_bound,
        "is_first": position is None,
        "next": f"{_and(search.address())}after={_quoted(write_position(found.next))}" if found.next else None,
        "facets": await facets(session, search, wording, now=now, is_counted=not found.total.is_lower_bound),
        "around": _around(search, shown, wording),
    }


def _around(search: Search, shown: Sequence[Listed], wording: Wording) -> Markup | None:
    if search.spot is None or not shown:
        return None
    spots = [(one.event.lat, one.event.lon) for one in shown]
    located = [(lat, lon) for lat, lon in spots if lat is not None and lon is not None]
    return distances(search.spot, search.within, located, wording)


async def _calendar(
    session: AsyncSession, search: Search, zone: ZoneInfo, wording: Wording, *, now: datetime
) -> dict[str, Any]:
    """Return the days of a week or a month with what begins on them, and where those before and after are."""
    day, today = search.day_within(now, zone), now.astimezone(zone).date()
    weeks = [week_of(day)] if search.view == "week" else month_of(day)
    first, last = weeks[0][0], weeks[-1][-1]
    wanted = search.wanted(midnight(first, zone), midnight(last + timedelta(days=1), zone))
    shown = await listing.events(session, wanted, limit=MOST)
    before, after = _beside(day, search.view)
    return {
        "count": len(shown),
        "is_lower_bound": len(shown) >= MOST,
        "weeks": [_week(week, shown, day, today, wording) for week in weeks],
        "weekdays": [weekday_words(one, wording) for one in weeks[0]],
        "title": month_and_year(first if search.view == "week" else day, wording),
        "before": search.address(day=before.isoformat()),
        "after": search.address(day=after.isoformat()),
    }


def _beside(day: date, view: View) -> tuple[date, date]:
    """Return a day of the week or month before and one of that after."""
    if view == "week":
        return day - timedelta(weeks=1), day + timedelta(weeks=1)
    first = day.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(day=1)


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


def _and(address: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}"


def _quoted(text: str) -> str:
    return text.replace("+", "%2B")
