"""/start: say what you know, where and when, and watch the map change; nothing is kept before its last button."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.background import BackgroundTask

from app.account import signing
from app.api.access import Chosen, Data, Now, Reading
from app.api.limits import at_most
from app.api.sign_in import ASKED_AN_HOUR, deliver
from app.calendars import feeds
from app.web import calendars, keeping, looking
from app.web.filters import filters
from app.web.forms import read_form
from app.web.kept_sights import sight_of
from app.web.question import MOST_KNOWN, read_question, tidied
from app.web.rendering import page, trouble
from app.web.visit import Visiting, led_on
from app.words.wording import mark

router = APIRouter(include_in_schema=False)

FIRST_PICKS = 3  # shown beside the map while somebody still types
LEVEL_WORDS = (mark("a little"), mark("some"), mark("well"), mark("very well"), mark("I could teach it"))


@router.get("/start")
async def start(request: Request, visit: Visiting, session: Reading, now: Now) -> Response:
    values = parse_qs(request.url.query, keep_blank_values=True)
    question = read_question(values, await looking.profile_question(session, visit.person))
    if (address := tidied(question, "/start", values)) is not None:
        return RedirectResponse(address, 303)
    wording = visit.wording
    sight = await sight_of(visit, session, question, now=now) if question.known else None
    return await page(
        visit,
        "start.html",
        "start",
        question=question,
        known=[
            {
                "label": one.topic.label,
                "slug": one.topic.slug,
                "level": one.level,
                "without": question.address("/start", known=[other for other in question.known if other != one]),
            }
            for one in question.known
        ],
        most=MOST_KNOWN,
        levels=[wording.text(words) for words in LEVEL_WORDS],
        unknown=looking.unknown_topics(question, "/start"),
        places=[(name, question.address("/start", near=name)) for name in question.places],
        filters=filters(question, wording),
        sight=sight,
        cards=sight.cards[:FIRST_PICKS] if sight else [],
        headline=looking.headline(len(sight.cards), wording) if sight else "",
        mixture=looking.mixture(sight.cards, question, wording) if sight else "",
        empty_words=looking.empty_words(question, wording, has_candidates=sight.has_candidates) if sight else "",
        widen=looking.widenings(question, wording, "/start"),
        this=question.address("/start"),
    )


@router.post("/start", dependencies=[Depends(at_most(10 * ASKED_AN_HOUR, "start"))])
async def keep(request: Request, visit: Visiting, database: Data, now: Now, chosen: Chosen) -> Response:
    """Keep what was said: for the person who is here, else for a guest whom a cookie remembers. A mail only if asked for."""
    form = await read_form(request)
    async with database.reading() as session:
        question = read_question(form, await looking.profile_question(session, visit.person))
    wording = visit.wording
    if not question.known:
        return await trouble(visit, 422, wording.text("Nothing to keep yet"), wording.text("Say first what you know."))
    given = form.get("email", [""])[-1].strip()
    try:
        email = signing.normal_address(given) if given else None
    except signing.BadAddress:
        back = question.address("/start")
        return led_on(
            request, back, wording.text("This is no address mail can reach: {email}", email=given), is_good=False
        )
    async with database.writing() as session:
        person, secret = await keeping.somebody(session, visit)
        await keeping.learn(session, person, question)
        await feeds.renew(session, person, now=now)
        asked = await signing.ask(session, email, chosen) if email is not None else None
        if "calendar" in form:
            feed, feed_secret = await calendars.make(session, person, "picks", "", wording, now=now)
            shown = await calendars.shown_once(session, visit, feed, feed_secret, now=now)
            keeping.remember(request, shown, secret)
            return shown
    said = [wording.text("Kept. These are your picks of this week.")]
    if email is not None:
        said.append(
            wording.text("A mail is on its way to {email}: its link finds all this on every device.", email=email)
        )
    elif secret is not None:
        said.append(wording.text("This browser remembers you; no account was made."))
    answer = led_on(request, "/", *said)
    keeping.remember(request, answer, secret)
    if asked is not None:
        answer.background = BackgroundTask(deliver, signing.mail_for(asked, chosen, visit.wording), chosen)
    return answer
