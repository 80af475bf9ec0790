"""/sources: where events come from and how each source fares; propose an address and see at once what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.access import Data, Now, OperatorToken, Reading
from app.api.limits import at_most, count
from app.api.naming import web_address
from app.api.problems import Problem
from app.api.proposals import IMPORTS_AN_HOUR
from app.api.sources import add
from app.collecting import contributions, proposals, source_health
from app.collecting.discovery import AddressList, Found, NothingFound, examine
from app.models import Proposal
from app.numbered import Beside
from app.people import audit
from app.web.forms import read_form
from app.web.rendering import page
from app.web.visit import UNSTORED, Visit, Visiting, led_on
from app.words.when import day_words
from app.words.wording import Wording, mark
from scrapers import EventDraft

router = APIRouter(include_in_schema=False)

SHOWN = 200  # sources a page
PREVIEWED = 5  # events of a proposed address
STATE_WORDS: Mapping[str, str] = {
    "new": mark("new"),
    "ok": mark("fine"),
    "unchanged": mark("fine, nothing new"),
    "quiet": mark("quiet"),
    "failing": mark("failing"),
    "gone": mark("gone"),
    "paused": mark("paused"),
}


@router.get("/sources")
async def sources_page(visit: Visiting, session: Reading, now: Now, after: int = 0) -> Response:
    beside = Beside(max(0, min(after, 2**62)))
    shown = await source_health.source_healths(session, now=now, beside=beside, limit=SHOWN + 1)
    return await page(
        visit,
        "sources.html",
        "sources",
        total=await source_health.count_sources(session),
        healths=[
            one | {"words": visit.wording.text(STATE_WORDS.get(one["state"], one["state"]))} for one in shown[:SHOWN]
        ],
        is_first=after <= 0,
        next=f"/sources?after={shown[SHOWN - 1]['id']}" if len(shown) > SHOWN else None,
    )


@router.post("/sources/propose", dependencies=[Depends(at_most(IMPORTS_AN_HOUR, "import"))])
async def propose(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    """Show what an address offers, and keep the wish until an operator decides. For people who signed in."""
    wording = visit.wording
    if not (visit.is_known or visit.is_operator):
        words = wording.text("Sign in with an address first: somebody should be there to ask. You keep everything.")
        return led_on(request, "/sign-in", words, is_good=False)
    person_id = visit.person.id if visit.person is not None else None
    if person_id is not None:
        count(request, "import", f"person {person_id}", an_hour=IMPORTS_AN_HOUR)
    try:
        url = web_address((await read_form(request)).get("url", [""])[-1][:2048].strip())
    except Problem:
        return led_on(request, "/sources", wording.text("This is no web address."), is_good=False)
    try:
        found = await examine(request.app.state.fetcher, url, zone=ZoneInfo("UTC"), now=now)
    except NothingFound as nothing:
        return await _shown(visit, url, None, [(tried.url, tried.message) for tried in nothing.tried], 422)
    if isinstance(found, AddressList):
        words = wording.text("This is a list of addresses; propose them one by one.")
        return led_on(request, "/sources", words, is_good=False)
    async with database.writing() as session:
        proposal, source_id = await proposals.propose(session, found, person_id=person_id)
    tried = [(one.url, one.message) for one in found.tried]
    return await _shown(visit, url, found, tried, 200, proposal=proposal, source_id=source_id)


async def _shown(
    visit: Visit, url: str, found: Found | None, tried: list[tuple[str, str]], status: int, **facts: Any
) -> Response:
    return await page(
        visit,
        "proposal.html",
        "sources",
        status=status,
        headers=UNSTORED,
        url=url,
        found=found,
        events=[_told(draft, visit.wording) for draft in found.reading.events[:PREVIEWED]] if found else [],
        tried=tried,
        **{"proposal": None, "source_id": None, **facts},
    )


def _told(draft: EventDraft, wording: Wording) -> tuple[str, str]:
    start = draft.starts_at
    hour = "" if draft.all_day else f", {start:%H:%M}"
    return draft.title, f"{day_words(start, wording, with_year=True)}{hour} ({draft.zone})"


@router.post("/ops/proposals/{proposal_id}/{verdict}")
async def decide(
    *,
    operator: OperatorToken,
    request: Request,
    visit: Visiting,
    proposal_id: int,
    verdict: str,
    database: Data,
    now: Now,
) -> Response:
    """Collect from a proposed page, let what was written down stand, or leave it alone."""
    if verdict not in ("accept", "refuse"):
        raise Problem(404, "a proposal is accepted or refused")
    form = await read_form(request)
    city = form.get("city", [""])[-1].strip()[:200] or None
    async with database.reading() as session:
        waiting = await session.get(Proposal, proposal_id)
        is_written = waiting is not None and waiting.state == "proposed" and waiting.details is not None
    written = None
    if verdict == "accept" and is_written:
        written = await contributions.publish(database, proposal_id, now=now)
    async with database.writing() as session:
        proposal = await session.get(Proposal, proposal_id, with_for_update=True)
        if proposal is None or proposal.state != "proposed":
            raise Problem(409, "somebody has decided already")
        if verdict == "accept":
            source_id = written or (await add(session, proposal.url, city=city, zone=None)).id
            proposals.decide(proposal, "accepted", source_id=source_id)
        else:
            proposals.decide(proposal, "refused")
        audit.note(session, operator, f"proposal.{verdict}", proposal.url)
    if verdict == "refuse":
        words = mark("Refused.")
    elif is_written:
        words = mark("It stands in lists, calendars and mails from now on.")
    else:
        words = mark("It is read within a minute.")
    return led_on(request, "/ops#proposals", visit.wording.text(words))
