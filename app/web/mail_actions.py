"""Where the links of mails lead: leave or pause the weekly one, say something of a pick, confirm an address.

The link is the proof of who acts; nobody need be signed in. A GET only shows a button, since scanners follow links.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, cast, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app import opinions
from app.account import address_change
from app.api.access import Chosen, Data, Now, Reading
from app.api.limits import at_most
from app.calendars import feeds
from app.mail import subscription as subscriptions
from app.mail.digest_sending import links_of
from app.models import Event, Person
from app.people import feedback, takeaways
from app.queries.listing import event_by_key
from app.web.forms import read_form
from app.web.rendering import page
from app.web.visit import UNSTORED, Visit, Visiting
from app.words.retelling import all_retold
from app.words.wording import wording_for

router = APIRouter(include_in_schema=False)

ACTS_AN_HOUR = 600  # from one address: providers press the button of RFC 8058 for many
KINDS: tuple[feedback.Kind, ...] = ("going", "dismissed", "too_close", "too_far")
PAUSES = (2, 4, 8)  # weeks
LONGEST_NOTE = 2000  # characters


async def _person(session: AsyncSession, key: str | None) -> Person | None:
    if key is None:
        return None
    return (await session.exec(select(Person).where(Person.key == key))).one_or_none()


def _as_theirs(visit: Visit, person: Person) -> Visit:
    """Return a visit in the language the mail spoke, whatever browser its link was opened in."""
    return replace(visit, wording=wording_for(person.language)) if person.language else visit


async def _spent(visit: Visit) -> HTMLResponse:
    return await page(visit, "mail_spent.html", status=410, headers=UNSTORED)


async def _subscription_page(visit: Visit, session: AsyncSession, person: Person, **facts: Any) -> HTMLResponse:
    shown = await subscriptions.subscription_json(session, person, clock=datetime.now(UTC))
    return await page(
        _as_theirs(visit, person),
        "unsubscribe.html",
        headers=UNSTORED,
        wish=shown,
        pauses=PAUSES,
        **{"did": "", "said": "", **facts},
    )


@router.get("/unsubscribe/{token}")
async def ask_to_unsubscribe(visit: Visiting, token: str, session: Reading, chosen: Chosen) -> HTMLResponse:
    person = await _person(session, links_of(chosen).who_leaves(token))
    return await _spent(visit) if person is None else await _subscription_page(visit, session, person)


@router.post("/unsubscribe/{token}", dependencies=[Depends(at_most(ACTS_AN_HOUR, "unsubscribe"))])
async def unsubscribe(request: Request, visit: Visiting, token: str, database: Data, chosen: Chosen) -> HTMLResponse:
    """End the mail, unless the page's own form asks for less.

    Providers send `List-Unsubscribe=One-Click` in whatever form, without a cookie, and again (RFC 8058 §3.2).
    """
    do = (await read_form(request)).get("do", ["stop"])[-1]
    clock = datetime.now(UTC)
    async with database.writing() as session:
        person = await _person(session, links_of(chosen).who_leaves(token))
        if person is None:
            return await _spent(visit)
        action, _, value = do.partition(" ")
        if action == "pause" and value in map(str, PAUSES):
            await subscriptions.ask(session, person, {}, clock=clock, pause_weeks=int(value))
        elif action == "resume":
            await subscriptions.ask(session, person, {}, clock=clock, pause_weeks=0)
        elif action == "rhythm" and value in subscriptions.RHYTHMS:
            await subscriptions.ask(session, person, {"rhythm": value}, clock=clock)
        elif action == "undo":
            await subscriptions.take_up(session, person, clock=clock)
        else:
            action = "stop"
            await subscriptions.end(session, person, "unsubscribed", clock=clock)
        return await _subscription_page(visit, session, person, did=action)


@dataclass(frozen=True, slots=True)
class Linked:
    """Whom a link to say something is for, and which event; nobody where it was not made here."""

    person_key: str | None
    event_key: str


def _linked(event_key: str, token: str, chosen: Chosen) -> Linked:
    return Linked(links_of(chosen).who_says(token, event_key), event_key)


@router.get("/m/{event_key}/{token}")
async def ask_what_to_say(
    visit: Visiting, link: Annotated[Linked, Depends(_linked)], session: Reading, kind: str = ""
) -> HTMLResponse:
    found = await _pick(session, link)
    if found is None:
        return await _spent(visit)
    return await _say_page(_as_theirs(visit, found[0]), found[1], kind if kind in KINDS else "")


@router.post("/m/{event_key}/{token}", dependencies=[Depends(at_most(ACTS_AN_HOUR, "say"))])
async def say(
    request: Request, visit: Visiting, link: Annotated[Linked, Depends(_linked)], database: Data, now: Now
) -> HTMLResponse:
    form = await read_form(request)
    kind, is_undone = form.get("kind", [""])[-1], "undo" in form
    async with database.writing() as session:
        found = await _pick(session, link)
        if found is None:
            return await _spent(visit)
        person, event = found
        visit = _as_theirs(visit, person)
        if kind not in get_args(feedback.Kind):
            return await _say_page(visit, event, "", status=422)
        said = cast("feedback.Kind", kind)
        if is_undone:
            told = await opinions.take_back(session, person, event, said, now=now)
        else:
            told = await opinions.say(session, person, event, said, now=now)
    told = all_retold(told or (), visit.wording)
    return await _say_page(visit, event, "" if is_undone else kind, told=told, is_undone=is_undone)


@router.get("/m/{event_key}/{token}/learned")
async def ask_what_was_learned(
    visit: Visiting, link: Annotated[Linked, Depends(_linked)], session: Reading
) -> HTMLResponse:
    """Show an empty form: a mail may be passed on, and what was told before is nobody else's."""
    found = await _pick(session, link)
    if found is None:
        return await _spent(visit)
    is_told = await takeaways.is_told(session, *found)
    return await _learned_page(_as_theirs(visit, found[0]), session, found[1], is_told=is_told)


@router.post("/m/{event_key}/{token}/learned", dependencies=[Depends(at_most(ACTS_AN_HOUR, "learned"))])
async def tell_what_was_learned(
    request: Request, visit: Visiting, link: Annotated[Linked, Depends(_linked)], database: Data, now: Now
) -> HTMLResponse:
    form = await read_form(request)
    learned, to_tell, topic, again = (
        form.get(name, [""])[-1].strip()[:LONGEST_NOTE] for name in ("learned", "to_tell", "topic", "again")
    )
    async with database.writing() as session:
        found = await _pick(session, link)
        if found is None:
            return await _spent(visit)
        person, event = found
        visit = _as_theirs(visit, person)
        if await takeaways.is_told(session, person, event):
            return await _learned_page(visit, session, event, is_told=True)
        topics = await takeaways.offered(session, event)
        told = await takeaways.tell(
            session,
            person,
            event,
            learned=learned,
            to_tell=to_tell,
            would_go_again={"yes": True, "no": False}.get(again),
            topic=topic if topic in topics else None,
        )
        await feeds.renew(session, person, now=now)
        said = all_retold(told, visit.wording) or [visit.wording.text("Kept.")]
        return await _learned_page(visit, session, event, told=said)


async def _learned_page(
    visit: Visit, session: AsyncSession, event: Event, *, is_told: bool = False, told: list[str] | None = None
) -> HTMLResponse:
    return await page(
        visit,
        "mail_learned.html",
        headers=UNSTORED,
        event=event,
        topics=await takeaways.offered(session, event),
        is_told=is_told,
        told=told,
    )


async def _pick(session: AsyncSession, link: Linked) -> tuple[Person, Event] | None:
    """Return who a link is for and what about, or None where one of them is gone."""
    person = await _person(session, link.person_key)
    event = await event_by_key(session, link.event_key) if person is not None else None
    return (person, event) if person is not None and event is not None else None


async def _say_page(
    visit: Visit, event: Event, kind: str, *, told: list[str] | None = None, is_undone: bool = False, status: int = 200
) -> HTMLResponse:
    return await page(
        visit,
        "mail_say.html",
        status=status,
        headers=UNSTORED,
        event=event,
        kind=kind,
        kinds=KINDS,
        told=told,
        is_undone=is_undone,
    )


@router.get("/confirm/{secret}")
async def ask_to_confirm(visit: Visiting, secret: str, session: Reading) -> HTMLResponse:
    email = await address_change.asked_with(session, secret)
    if email is None:
        return await _spent(visit)
    return await page(visit, "confirm.html", headers=UNSTORED, email=email, step="ask")


@router.post("/confirm/{secret}", dependencies=[Depends(at_most(ACTS_AN_HOUR, "confirm"))])
async def confirm(visit: Visiting, secret: str, database: Data) -> HTMLResponse:
    try:
        async with database.writing() as session:
            person = await address_change.confirm(session, secret)
    except address_change.Taken:
        return await page(visit, "confirm.html", status=409, headers=UNSTORED, email="", step="taken")
    if person is None:
        return await _spent(visit)
    return await page(_as_theirs(visit, person), "confirm.html", headers=UNSTORED, email=person.email, step="done")
