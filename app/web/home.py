"""Step 7 for eyes: say what you know, see the map, read the picks, take the calendar along. No account, no script needed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from app import calendar_feed, feeds, people, picks, topic_map
from app.api.access import Chosen, Data, Now, Reading
from app.web import map as drawing
from app.web.forms import read_form
from app.web.question import DISTANCES, SPANS, Question, read_question
from app.web.rendering import page, trouble
from app.web.words import REACH_WORDS, card_of
from recommender.catalogue import load_catalogue

router = APIRouter(include_in_schema=False)

EXAMPLES = (
    ("JavaScript and design", ("JavaScript", "UX design")),
    ("nursing", ("Nursing", "Health care")),
    ("accounting", ("Accounting", "Finance")),
    ("painting and teaching", ("Painting", "Teaching")),
    ("networks and telephony", ("Computer networking", "VoIP and telephony")),
)
# More dots than these cannot all be labelled.
MOST_LIT = {"wide": 15, "narrow": 9}
MOST_OTHERS = {"wide": 14, "narrow": 5}
QUIET = 24  # topics without events that fill an empty map
MOST_ROWS = 200


@router.get("/")
async def home(request: Request, session: Reading, now: Now) -> HTMLResponse:
    question = read_question(parse_qs(request.url.query))
    # Who has said nothing yet sees how it would be for somebody else, another one each week.
    example = None if question.known else EXAMPLES[now.isocalendar().week % len(EXAMPLES)]
    seen = question if example is None else question.with_known(example[1])
    wish = seen.wish()
    listed = await picks.candidates(session, wish, now=now)
    found = await picks.picks_among(session, listed, wish, now=now)
    counted = Counter(slug for item in listed for slug, _ in item.topics)
    shown, maps = await asyncio.to_thread(_drawn, seen, counted, found)
    rows = _rows(seen, shown)
    return await page(
        request,
        "home.html",
        "home",
        known=[
            {
                "label": one.topic.label,
                "level": one.level,
                "without": question.address(known=[other for other in question.known if other != one]),
            }
            for one in question.known
        ],
        unknown=[_unknown(question, label) for label in question.unknown],
        example=example[0] if example else None,
        examples=[(words, question.address(known=question.with_known(labels).known)) for words, labels in EXAMPLES],
        place_problem=question.place_problem,
        places=[(name, question.address(near=name)) for name in question.places],
        near=question.near,
        within=question.within,
        distances=DISTANCES,
        days=question.days,
        spans=SPANS,
        online=question.online,
        reach=question.reach,
        reaches=list(REACH_WORDS.items()),
        picks=[card_of(pick) for pick in found],
        headline=_headline(len(found), example),
        empty_words=_empty_words(seen, has_candidates=bool(listed)),
        widen=_widen(question),
        is_lit=any(row["events"] for row in rows),
        rows=rows,
        maps=maps,
    )


def _headline(number: int, example: tuple[str, tuple[str, ...]] | None) -> str:
    if not number:
        return "Nothing worth an evening yet"
    events = f"{number} event{'s' if number != 1 else ''}"
    return f"For example: {events} for somebody in {example[0]}" if example else f"{events} worth an evening"


def _unknown(question: Question, label: str) -> dict[str, object]:
    near = load_catalogue().suggest(label)
    return {"label": label, "suggestions": [(name, question.address(add=name)) for name in near]}


def _drawn(
    question: Question, counted: Counter[str], found: Sequence[picks.Pick]
) -> tuple[topic_map.TopicMap, list[Markup]]:
    shown = topic_map.draw(question.wish(), counted, quiet=QUIET)
    known = tuple(drawing.Known(one.topic.slug, one.topic.label) for one in question.known)
    cards = {pick.topic: f"#event-{pick.listed.event.key}" for pick in reversed(found)}
    dots = [
        drawing.Dot(
            slug=topic.slug,
            label=topic.label,
            reached_from=topic.source or known[0].slug,
            reach=topic.reach,
            events=topic.events,
            href=cards.get(topic.slug, f"#topic-{topic.slug}"),
            is_picked=topic.slug in cards,
        )
        for topic in (*shown.ring, *shown.far)
    ]
    dots.sort(key=lambda dot: (not dot.is_picked, dot.events == 0))  # what the cards below are about comes first
    maps = []
    for size in (drawing.WIDE, drawing.NARROW):
        lit = [dot for dot in dots if drawing.is_lit(dot, question.reach)][: MOST_LIT[size.name]]
        others = [dot for dot in dots if not drawing.is_lit(dot, question.reach)][: MOST_OTHERS[size.name]]
        maps.append(drawing.draw(known, (*lit, *others), question.reach, size))
    return shown, maps


def _rows(question: Question, shown: topic_map.TopicMap) -> list[dict[str, Any]]:
    catalogue = load_catalogue()
    return [
        {
            "slug": topic.slug,
            "label": topic.label,
            "href": question.address(add=topic.label),
            "reached_from": catalogue[topic.source].label if topic.source else "–",
            "distance": REACH_WORDS[topic.reach].lower(),
            "events": topic.events,
        }
        for topic in sorted((*shown.ring, *shown.far), key=lambda topic: topic.events == 0)[:MOST_ROWS]
    ]


def _empty_words(question: Question, *, has_candidates: bool) -> str:
    where = f" within {question.within} km of {question.near}" if question.spot else ""
    if not has_candidates:
        return f"There is no event in the next {question.days} days{where}."
    return f"There are events in the next {question.days} days{where}, but none that is honestly next door to what you know."


def _widen(question: Question) -> list[tuple[str, str]]:
    offers = []
    if question.days < SPANS[-1]:
        offers.append((f"Look {SPANS[-1]} days ahead", question.address(days=SPANS[-1])))
    if question.spot and question.within < DISTANCES[-1]:
        offers.append(("Look farther away", question.address(within=DISTANCES[-1])))
    if question.reach != "far":
        offers.append(("Look farther out", question.address(reach="far")))
    if not question.online:
        offers.append(("Online too", question.address(online=True)))
    return offers


@router.post("/calendar")
async def make_calendar(request: Request, database: Data, now: Now, chosen: Chosen) -> HTMLResponse:
    """Make a guest with a personal calendar of what the form tells, and show its address once."""
    question = read_question(await read_form(request))
    if not question.known:
        return await trouble(request, 422, "Nothing to make a calendar of", "Say first what you know.")
    async with database.writing() as session:
        person, _ = await people.make_guest(session)
        people.settle(person, question.spot)
        person.within_km, person.online, person.reach = float(question.within), question.online, question.reach
        person.days = question.days
        person.reach_chosen_at = now
        await people.set_expertise(session, person, question.levels)
        feed, secret = await feeds.make_feed(session, person, "Adjacent", now=now)
        listed, _ = await feeds.feed_events(session, feed, now=now)
    answer = await page(
        request,
        "calendar.html",
        number=len(listed),
        known=[one.topic.label for one in question.known],
        links=calendar_feed.subscribe_links(f"{chosen.base_url}/f/{secret}.ics", "Adjacent"),
        back=question.address(),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
