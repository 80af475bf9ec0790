"""/communities/propose: a group or a chat written down in a form, in the words of community files; an operator decides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.api.access import Data, Now
from app.api.limits import at_most, count
from app.api.proposals import IMPORTS_AN_HOUR
from app.collecting import contributions
from app.web.communities import KIND_WORDS
from app.web.forms import read_form
from app.web.rendering import page
from app.web.visit import UNSTORED, Visit, Visiting, led_on
from app.words.wording import mark
from scrapers.community_files import Kind

router = APIRouter(include_in_schema=False)

FIELDS: Mapping[str, str] = {
    "name": mark("Name"),
    "kind": mark("Kind"),
    "url": mark("Its address"),
    "about": mark("What happens there, for whom"),
    "topics": mark("Topics"),
    "join": mark("How to join"),
    "city": mark("City"),
    "channel": mark("Hashtag or channel"),
    "seen_in": mark("A public page that names it"),
    "first": mark("First meeting"),
    "zone": mark("Time zone"),
    "rhythm": mark("How often"),
    "minutes": mark("Minutes"),
}
RHYTHMS: Mapping[str, str] = {
    "": mark("only once"),
    "weekly": mark("every week"),
    "fortnightly": mark("every other week"),
    "monthly": mark("every month, on this weekday"),
}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONGEST = 5_000  # characters of one field
TRAP = "website"  # a field people do not see; whoever fills it in is a program


@router.get("/communities/propose")
async def how_to_propose(visit: Visiting) -> Response:
    return await _form(visit, {"zone": visit.person.zone if visit.person is not None else "UTC", "online": "yes"})


@router.post("/communities/propose", dependencies=[Depends(at_most(IMPORTS_AN_HOUR, "import"))])
async def propose(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    wording = visit.wording
    if not (visit.is_known or visit.is_operator):
        words = wording.text("Sign in with an address first: somebody should be there to ask. You keep everything.")
        return led_on(request, "/sign-in", words, is_good=False)
    form = await read_form(request)
    given = {name: values[-1].strip()[:LONGEST] for name, values in form.items()}
    thanks = wording.text("Thank you. An operator looks at it before it stands here.")
    if given.get(TRAP):
        return led_on(request, "/communities", thanks)
    person_id = visit.person.id if visit.person is not None else None
    if person_id is not None:
        count(request, "import", f"person {person_id}", an_hour=IMPORTS_AN_HOUR)
    details = {"community": written(given)}
    try:
        contribution = contributions.read_contribution(details)
    except ValidationError as error:
        return await _form(visit, given, [_mistake(one, visit) for one in error.errors(include_url=False)])
    async with database.writing() as session:
        known = await contributions.known_already(session, contribution)
        if known is None:
            await contributions.keep(session, contribution, details, person_id=person_id, now=now)
    if known is not None:
        return await _form(visit, given, [wording.text("There is something like it already: {name}", name=known)])
    return led_on(request, "/communities", thanks)


def written(given: Mapping[str, str]) -> dict[str, Any]:
    """Return a community in the words of community files; what was left empty is left out."""
    told: dict[str, Any] = {name: given[name] for name in ("name", "kind", "url", "about") if given.get(name)}
    told |= {name: given[name] for name in ("city", "channel", "seen_in") if given.get(name)}
    told["topics"] = [part.strip() for part in given.get("topics", "").replace(";", ",").split(",") if part.strip()]
    told["join"] = [line.strip() for line in given.get("join", "").splitlines() if line.strip()]
    told["online"] = given.get("online") == "yes"
    if first := given.get("first"):
        meeting: dict[str, Any] = {"first": first, "zone": given.get("zone") or "UTC"}
        if rule := rule_of(given.get("rhythm", ""), first):
            meeting["rhythm"] = rule
        if given.get("minutes", "").isdecimal():
            meeting["minutes"] = int(given["minutes"])
        if told["online"]:
            meeting["online"] = told.get("url")
        told["meets"] = [meeting]
    return told


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


def _mistake(error: Any, visit: Visit) -> str:
    """Return what is wrong with which field; the remedy is in the words of community files, which are English."""
    name = next((part for part in reversed(error["loc"]) if isinstance(part, str) and part in FIELDS), None)
    told = str(error["msg"]).removeprefix("Value error, ")
    return f"{visit.wording.text(FIELDS[name])}: {told}" if name else told


async def _form(visit: Visit, given: Mapping[str, str], mistakes: list[str] | None = None) -> Response:
    wording = visit.wording
    return await page(
        visit,
        "propose.html",
        "communities",
        status=422 if mistakes else 200,
        headers=UNSTORED,
        given=given,
        mistakes=mistakes or [],
        labels={name: wording.text(words) for name, words in FIELDS.items()},
        kinds=[(kind, wording.text(KIND_WORDS.get(kind, kind))) for kind in get_args(Kind)],
        rhythms=[(name, wording.text(words)) for name, words in RHYTHMS.items()],
        zones=sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
        trap=TRAP,
    )
