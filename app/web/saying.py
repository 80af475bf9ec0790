"""What somebody says of a pick: one button each, told at once what it changed, and taken back as easily."""

from __future__ import annotations

from typing import cast, get_args
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel.ext.asyncio.session import AsyncSession

from app import opinions
from app.api.access import Data, Now
from app.api.problems import Problem
from app.models import Event, Person
from app.people import feedback, hiding, takeaways
from app.queries.listing import event_by_key
from app.web import keeping
from app.web.forms import read_form
from app.web.question import read_question
from app.web.visit import Visit, Visiting, led_on, own_path
from app.words.retelling import all_retold

router = APIRouter(include_in_schema=False)

KINDS = get_args(feedback.Kind)


@router.post("/say")
async def say(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    """Record feedback; who has no session becomes a guest who asks what the page asked."""
    event_key, kind, back = await _sent(request)
    async with database.writing() as session:
        event = await _event(session, event_key)
        person, secret = await _somebody(session, visit, back)
        told = await opinions.say(session, person, event, kind, now=now)
        asked = await takeaways.question(session, person, now=now) if kind == "attended" else None
    undo = [("event", event.key), ("kind", kind)]
    said = all_retold(told, visit.wording)
    if asked is not None and asked.event.id == event.id:
        said.append(visit.wording.text("Your page asks what you brought back from it."))
    answer = led_on(request, "/" if secret is not None else back, *said, undo=undo)
    keeping.remember(request, answer, secret)
    return answer


@router.post("/say/back")
async def take_back(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    event_key, kind, back = await _sent(request)
    if visit.person is None:
        raise Problem(403, "only who said it can take it back")
    async with database.writing() as session:
        event = await _event(session, event_key)
        person = await session.get_one(Person, visit.person.id)
        told = await opinions.take_back(session, person, event, kind, now=now)
    if told is None:
        raise Problem(404, "nothing like this was said of this event")
    return led_on(request, back, *all_retold(told, visit.wording))


@router.post("/say/hide")
async def hide(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    """Never pick a topic or a community again, until it is shown again on /me."""
    form = await read_form(request)
    kind, subject, back = (form.get(name, [""])[-1] for name in ("kind", "subject", "back"))
    async with database.writing() as session:
        hidden = cast("hiding.Kind", kind)
        name = await hiding.name_of(session, hidden, subject) if kind in get_args(hiding.Kind) else None
        if name is None:
            raise Problem(422, "name the `kind`, topic or community, and a `subject` there is")
        person, secret = await _somebody(session, visit, own_path(back))
        told = await opinions.hide(session, person, hidden, subject, name, now=now)
    answer = led_on(request, own_path(back), *all_retold(told, visit.wording))
    keeping.remember(request, answer, secret)
    return answer


async def _sent(request: Request) -> tuple[str, feedback.Kind, str]:
    form = await read_form(request)
    event, kind, back = (form.get(name, [""])[-1] for name in ("event", "kind", "back"))
    if kind not in KINDS:
        raise Problem(422, f"`kind` is one of {', '.join(KINDS)}")
    return event, cast("feedback.Kind", kind), own_path(back)


async def _event(session: AsyncSession, key: str) -> Event:
    event = await event_by_key(session, key)
    if event is None:
        raise Problem(404, "there is no such event")
    return event


async def _somebody(session: AsyncSession, visit: Visit, back: str) -> tuple[Person, str | None]:
    person, secret = await keeping.somebody(session, visit)
    if secret is not None:
        question = read_question(parse_qs(urlsplit(back).query))
        if question.known:
            await keeping.learn(session, person, question)
    return person, secret
