"""/communities/propose and /events/propose: a group, a chat or an evening written down in a form, in the words of
community files; an operator decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.api.access import Data, Now
from app.api.limits import address_of, at_most, count
from app.api.proposals import IMPORTS_AN_HOUR
from app.collecting import contributions
from app.web.communities import KIND_WORDS
from app.web.forms import read_form
from app.web.proposal_mistakes import mistakes_in
from app.web.rendering import page
from app.web.visit import UNSTORED, Visit, Visiting, led_on
from app.words.wording import mark
from scrapers.community_form import Kind

router = APIRouter(include_in_schema=False)

What = Literal["community", "event"]

FIELDS: Mapping[str, str] = {
    "name": mark("Name"),
    "title": mark("Title"),
    "kind": mark("Kind"),
    "url": mark("Its address"),
    "about": mark("What happens there, for whom"),
    "topics": mark("Topics"),
    "join": mark("How to join"),
    "organizer": mark("Who holds it"),
    "city": mark("City"),
    "venue": mark("Venue"),
    "address": mark("Street and number"),
    "online": mark("Address to join at"),
    "price": mark("Price"),
    "channel": mark("Hashtag or channel"),
    "seen_in": mark("A public page that names it"),
    "first": mark("First meeting"),
    "zone": mark("Time zone"),
    "rhythm": mark("How often"),
    "minutes": mark("Length in minutes"),
}
LABELS: Mapping[What, Mapping[str, str]] = {"community": FIELDS, "event": {**FIELDS, "first": mark("It begins")}}
RHYTHMS: Mapping[str, str] = {
    "": mark("only once"),
    "weekly": mark("every week"),
    "fortnightly": mark("every other week"),
    "monthly": mark("every month, on this weekday"),
}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONGEST = 5_000  # characters of one field
STRANGERS_AN_HOUR = 5  # proposals from one address by whoever did not sign in
TRAP = "website"  # a field people do not see; whoever fills it in is a program
LISTS: Mapping[What, str] = {"community": "/communities", "event": "/events"}


@router.get("/communities/propose")
async def how_to_propose_a_community(visit: Visiting) -> Response:
    return await _form(visit, "community", {"zone": _own_zone(visit), "online": "yes"})


@router.get("/events/propose")
async def how_to_propose_an_event(visit: Visiting) -> Response:
    return await _form(visit, "event", {"zone": _own_zone(visit)})


@router.post("/communities/propose", dependencies=[Depends(at_most(IMPORTS_AN_HOUR, "import"))])
async def propose_a_community(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    return await _propose(request, visit, database, "community", now=now)


@router.post("/events/propose", dependencies=[Depends(at_most(IMPORTS_AN_HOUR, "import"))])
async def propose_an_event(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    return await _propose(request, visit, database, "event", now=now)


async def _propose(request: Request, visit: Visit, database: Data, what: What, *, now: datetime) -> Response:
    wording = visit.wording
    form = await read_form(request)
    given = {name: values[-1].strip()[:LONGEST] for name, values in form.items()}
    thanks = wording.text("Thank you. An operator looks at it before it stands here.")
    if given.get(TRAP):
        return led_on(request, LISTS[what], thanks)
    person_id = visit.person.id if visit.person is not None else None
    details: dict[str, Any] = {what: written_community(given) if what == "community" else written_event(given)}
    try:
        contribution = contributions.read_contribution(details)
        contribution.told()
    except ValidationError as error:
        return await _form(visit, what, given, mistakes_in(error, LABELS[what], wording))
    if what == "event" and not contributions.lies_ahead(contribution, now=now):
        return await _form(visit, what, given, [wording.text("No date of it lies ahead.")])
    if visit.is_known:
        count(request, "import", f"person {person_id}", an_hour=IMPORTS_AN_HOUR)
    elif not visit.is_operator:
        count(request, "propose", address_of(request), an_hour=STRANGERS_AN_HOUR)
    async with database.writing() as session:
        known = await contributions.known_already(session, contribution)
        if known is None:
            await contributions.keep(session, contribution, details, person_id=person_id, now=now)
    if known is not None:
        told = wording.text("There is something like it already: {name}", name=known)
        return await _form(visit, what, given, [told])
    return led_on(request, LISTS[what], thanks)


def written_community(given: Mapping[str, str]) -> dict[str, Any]:
    """Return a community in the words of community files; what was left empty is left out."""
    told: dict[str, Any] = _filled_in(given, "name", "kind", "url", "about", "city", "channel", "seen_in")
    told["topics"] = _topics(given)
    told["join"] = [line.strip() for line in given.get("join", "").splitlines() if line.strip()]
    told["online"] = given.get("online") == "yes"
    if given.get("first"):
        told["meets"] = [_meeting(given) | ({"online": told.get("url")} if told["online"] else {})]
    return told


def written_event(given: Mapping[str, str]) -> dict[str, Any]:
    """Return an event in the words of a community file's meetings; what was left empty is left out."""
    own = ("title", "url", "about", "organizer", "city", "venue", "address", "online", "price")
    return {**_filled_in(given, *own), **_meeting(given), "topics": _topics(given)}


def _filled_in(given: Mapping[str, str], *names: str) -> dict[str, Any]:
    return {name: given[name] for name in names if given.get(name)}


def _topics(given: Mapping[str, str]) -> list[str]:
    return [part.strip() for part in given.get("topics", "").replace(";", ",").split(",") if part.strip()]


def _meeting(given: Mapping[str, str]) -> dict[str, Any]:
    meeting: dict[str, Any] = {**_filled_in(given, "first"), "zone": given.get("zone") or "UTC"}
    if rule := rule_of(given.get("rhythm", ""), given.get("first", "")):
        meeting["rhythm"] = rule
    if given.get("minutes", "").isdecimal():
        meeting["minutes"] = int(given["minutes"])
    return meeting


def rule_of(rhythm: str, first: str) -> str | None:
    """Return the RFC 5545 rule of a rhythm that begins with a first meeting; None for one that meets once."""
    try:
        day = datetime.fromisoformat(first)
    except ValueError:
        return None  # the file's own reader says what is wrong with it
    weekday, nth = DAYS[day.weekday()], (day.day - 1) // 7 + 1
    return {
        "weekly": f"FREQ=WEEKLY;BYDAY={weekday}",
        "fortnightly": f"FREQ=WEEKLY;INTERVAL=2;BYDAY={weekday}",
        "monthly": f"FREQ=MONTHLY;BYDAY={nth if nth < 5 else -1}{weekday}",
    }.get(rhythm)


def _own_zone(visit: Visit) -> str:
    return visit.person.zone if visit.person is not None else "UTC"


async def _form(visit: Visit, what: What, given: Mapping[str, str], mistakes: list[str] | None = None) -> Response:
    wording = visit.wording
    return await page(
        visit,
        "propose.html",
        "communities" if what == "community" else "events",
        status=422 if mistakes else 200,
        headers=UNSTORED,
        what=what,
        given=given,
        mistakes=mistakes or [],
        labels={name: wording.text(words) for name, words in LABELS[what].items()},
        kinds=[(kind, wording.text(KIND_WORDS.get(kind, kind))) for kind in get_args(Kind)],
        rhythms=[(name, wording.text(words)) for name, words in RHYTHMS.items()],
        zones=sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
        trap=TRAP,
        guesses_zone=visit.person is None and mistakes is None,
    )
