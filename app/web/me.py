"""/me: what is kept about somebody, all of it, with a button to change or end each thing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.background import BackgroundTask

from app.account import address_change
from app.api.access import Chosen, Data, Now, Reading, settings_of
from app.api.my_tokens import KINDS as TOKEN_KINDS
from app.api.my_tokens import MOST as MOST_TOKENS
from app.api.problems import Problem
from app.api.sign_in import deliver, forget_session
from app.calendars import feeds
from app.mail import mailer, subscription
from app.models import Event, Feedback, Person
from app.people import export, hiding, people, takeaways, tokens
from app.people.wishes import USUAL_PURPOSES
from app.topic_names import label_of
from app.web import looking
from app.web.forms import read_form
from app.web.question import LONGEST
from app.web.rendering import page
from app.web.visit import UNSTORED, Visit, Visiting, led_on
from app.words.event_words import PURPOSE_WORDS, language_words
from app.words.reach_words import REACH_WORDS
from app.words.retelling import all_retold
from app.words.when import when_words
from app.words.wording import mark

router = APIRouter(include_in_schema=False)

KIND_WORDS: Mapping[str, str] = {
    "going": mark("going"),
    "saved": mark("saved"),
    "dismissed": mark("not for me"),
    "too_close": mark("too close"),
    "too_far": mark("too far"),
    "attended": mark("was there"),
}
FEED_WORDS: Mapping[str, str] = {
    "picks": mark("your picks"),
    "saved": mark("what you saved"),
    "near": mark("all that lies near what you know"),
    "topic": mark("one topic"),
    "community": mark("one community"),
}
RHYTHM_WORDS: Mapping[str, str] = {
    "weekly": mark("every week"),
    "fortnightly": mark("every other week"),
    "monthly": mark("once a month"),
    "worthwhile": mark("only when it is worth it"),
    "off": mark("never"),
}
STATE_WORDS: Mapping[str, str] = {
    "on": mark("It is on."),
    "paused": mark("It is paused."),
    "off": mark("You get no mail."),
    "no-address": mark("It needs an address: sign in with one first."),
    "unconfirmed": mark("Confirm your address by the link in the mail; nothing is sent before."),
    "unsubscribed": mark("You ended it. Choose a rhythm to take it up again."),
    "bounced": mark("Mail came back from your address. Sign in again to confirm it."),
    "complained": mark("Your provider told us that you do not want it. Choose a rhythm to take it up again."),
}
MOST_SAID = 50


@router.get("/me")
async def me(visit: Visiting, session: Reading, now: Now) -> Response:
    if visit.person is None:
        return RedirectResponse("/start", 303)
    person = await session.get_one(Person, visit.person.id)
    wording = visit.wording
    profile = await looking.profile_question(session, person)
    mail = await subscription.subscription_json(session, person, clock=datetime.now(UTC))
    asked = await takeaways.question(session, person, now=now)
    return await page(
        visit,
        "me.html",
        "me",
        headers=UNSTORED,
        person=person,
        known=[{"label": one.topic.label, "level": one.level} for one in profile.known] if profile else [],
        reach=wording.text(REACH_WORDS[profile.reach]) if profile else "",
        languages_wanted=[language_words(code, wording) for code in person.languages],
        purposes=[
            (name, wording.text(words), name in (person.purposes or USUAL_PURPOSES))
            for name, words in PURPOSE_WORDS.items()
        ],
        feeds=[
            {"key": one.key, "name": one.name, "kind": wording.text(FEED_WORDS[one.kind])}
            for one in await feeds.feeds_of(session, person)
        ],
        feed_kinds=[(kind, wording.text(FEED_WORDS[kind])) for kind in ("picks", "saved", "near")],
        mail=mail,
        mail_state=wording.text(STATE_WORDS[mail["state"]]),
        rhythms=[(name, wording.text(words)) for name, words in RHYTHM_WORDS.items()],
        tokens=await tokens.all_tokens(session, *TOKEN_KINDS, person_id=person.id),
        this_token=tokens.id_of(visit.token) if visit.token is not None else "",
        hidden=await hiding.all_hidden(session, person),
        said=await _said(session, visit, person),
        question=asked,
        question_topics=await takeaways.offered(session, asked.event) if asked is not None else (),
        learned=[
            one | {"label": label_of(one["topic"]) if one["topic"] else None}
            for one in await takeaways.told(session, person)
        ],
    )


async def _said(session: AsyncSession, visit: Visit, person: Person) -> list[dict[str, Any]]:
    rows = await session.exec(
        select(Feedback, Event)
        .join(Event, col(Event.id) == Feedback.event_id)
        .where(Feedback.person_id == person.id)
        .order_by(col(Feedback.given_at).desc())
        .limit(MOST_SAID)
    )
    return [
        {
            "event": event.key,
            "title": event.title,
            "when": when_words(event, visit.wording, with_year=True),
            "kind": given.kind,
            "words": visit.wording.text(KIND_WORDS[given.kind]),
        }
        for given, event in rows
    ]


async def _own(session: AsyncSession, visit: Visit) -> Person:
    if visit.person is None:
        raise Problem(401, "this belongs to somebody")
    return await session.get_one(Person, visit.person.id)


@router.post("/me/wishes")
async def change_wishes(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    """Change what the picks are allowed to be for."""
    wanted = [name for name in (await read_form(request)).get("purpose", []) if name in PURPOSE_WORDS]
    async with database.writing() as session:
        person = await _own(session, visit)
        person.purposes = [] if set(wanted) == USUAL_PURPOSES else wanted
        person.profile_version += 1
        await feeds.renew(session, person, now=now)
    return led_on(request, "/me#wishes", visit.wording.text("Kept. This week's picks are made anew."))


@router.post("/me/mail")
async def change_mail(request: Request, visit: Visiting, database: Data, chosen: Chosen) -> Response:
    form = await read_form(request)
    rhythm, weekday, hour, pause = (form.get(name, [""])[-1] for name in ("rhythm", "weekday", "hour", "pause"))
    if rhythm not in subscription.RHYTHMS or weekday not in map(str, range(1, 8)) or hour not in map(str, range(24)):
        raise Problem(422, "choose a rhythm, a weekday and an hour")
    wish = {"rhythm": rhythm, "weekday": int(weekday), "hour": int(hour)}
    weeks = int(pause) if pause.isdecimal() and int(pause) <= subscription.LONGEST_PAUSE else None
    async with database.writing() as session:
        person = await _own(session, visit)
        person.language = person.language or visit.wording.language
        wanted = await subscription.ask(session, person, wish, clock=datetime.now(UTC), pause_weeks=weeks)
        address = subscription.unproven(wanted, person)
        asked = await address_change.ask(session, person, address) if address is not None else None
    answer = led_on(request, "/me#mail", visit.wording.text("Kept."))
    if asked is not None:
        answer.background = BackgroundTask(deliver, address_change.mail_for(asked, chosen, visit.wording), chosen)
    return answer


@router.post("/me/tokens")
async def make_token(request: Request, visit: Visiting, database: Data) -> Response:
    form = await read_form(request)
    label = " ".join(form.get("label", [""])[-1].split())[:LONGEST]
    scopes = [scope for scope in tokens.SCOPES if scope in form.get("scope", [])]
    if not label or not scopes:
        words = visit.wording.text("A token needs a name and something it may do.")
        return led_on(request, "/me#tokens", words, is_good=False)
    async with database.writing() as session:
        person = await _own(session, visit)
        if len(await tokens.all_tokens(session, *TOKEN_KINDS, person_id=person.id)) >= MOST_TOKENS:
            raise Problem(409, f"a person has at most {MOST_TOKENS} tokens; end one first")
        secret = await tokens.issue(session, "api", person_id=person.id, label=label, scopes=scopes)
    return await page(visit, "token.html", "me", headers=UNSTORED, label=label, secret=secret)


@router.post("/me/tokens/{id}/end")
async def end_token(request: Request, visit: Visiting, id: str, database: Data) -> Response:  # noqa: A002
    async with database.writing() as session:
        person = await _own(session, visit)
        token = await tokens.called(session, id, person_id=person.id)
        if token is None or token.kind not in TOKEN_KINDS:
            raise Problem(404, "you have no such token")
        tokens.end(token)
    return led_on(request, "/me#tokens", visit.wording.text("“{name}” no longer works.", name=token.label))


@router.post("/me/hidden/show")
async def show_again(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    form = await read_form(request)
    kind, subject = (form.get(name, [""])[-1] for name in ("kind", "subject"))
    if kind not in ("topic", "community"):
        raise Problem(422, "`kind` is topic or community")
    async with database.writing() as session:
        person = await _own(session, visit)
        await hiding.show_again(session, person, "topic" if kind == "topic" else "community", subject)
        await feeds.renew(session, person, now=now)
    return led_on(request, "/me#hidden", visit.wording.text("It may be picked for you again."))


@router.post("/me/learned")
async def tell_what_was_learned(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    form = await read_form(request)
    key, learned, to_tell, topic, again = (
        form.get(name, [""])[-1].strip() for name in ("event", "learned", "to_tell", "topic", "again")
    )
    async with database.writing() as session:
        person = await _own(session, visit)
        event = (await session.exec(select(Event).where(Event.key == key))).one_or_none()
        if event is None:
            raise Problem(404, "there is no such event")
        if "later" in form:
            await takeaways.ask(session, person, event)
            return led_on(request, "/me")
        changed = await takeaways.tell(
            session,
            person,
            event,
            learned=learned[:2000],
            to_tell=to_tell[:2000],
            would_go_again={"yes": True, "no": False}.get(again),
            topic=topic or None,
        )
        await feeds.renew(session, person, now=now)
    said = all_retold(changed, visit.wording) or [visit.wording.text("Kept.")]
    return led_on(request, "/me#learned", *said)


@router.post("/me/learned/back")
async def take_back_what_was_learned(request: Request, visit: Visiting, database: Data, now: Now) -> Response:
    key = (await read_form(request)).get("event", [""])[-1]
    async with database.writing() as session:
        person = await _own(session, visit)
        event = (await session.exec(select(Event).where(Event.key == key))).one_or_none()
        changed = await takeaways.take_back(session, person, event) if event is not None else None
        if changed is None:
            raise Problem(404, "nothing was told of this event")
        await feeds.renew(session, person, now=now)
    return led_on(request, "/me#learned", *all_retold(changed, visit.wording))


@router.get("/me/export.json")
async def export_me(visit: Visiting, session: Reading) -> Response:
    person = await _own(session, visit)
    told = orjson.dumps(await export.export(session, person), option=orjson.OPT_INDENT_2)
    headers = {**UNSTORED, "Content-Disposition": 'attachment; filename="adjacent.json"'}
    return Response(told, headers=headers, media_type="application/json")


@router.post("/me/delete")
async def delete_me(request: Request, visit: Visiting, database: Data, chosen: Chosen) -> Response:
    if "sure" not in await read_form(request):
        words = visit.wording.text("Nothing was deleted: tick the box that says you are sure.")
        return led_on(request, "/me#delete", words, is_good=False)
    async with database.writing() as session:
        person = await _own(session, visit)
        email = person.email
        await people.delete_person(session, person)
    answer = led_on(request, "/", visit.wording.text("Everything kept about you is deleted."))
    forget_session(answer, settings_of(request).base_url)
    if email is not None:  # its mails go when the rows are gone
        answer.background = BackgroundTask(mailer.forget, email, chosen)
    return answer
