"""Step 7 for eyes: say what you know, see the map, read the picks, take the calendar along. No account, no script needed."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app import calendar_feed, feeds, people, picks, queries, topic_map
from app.api.access import Chosen, Data, Now, Reading
from app.api.problems import Problem
from app.web import map as drawing
from app.web.question import Question, read_question
from app.web.rendering import page
from app.web.words import REACH_WORDS, card_of, facts_of, host_of, status_words, when_words
from recommender.catalogue import load_catalogue

router = APIRouter(include_in_schema=False)

EXAMPLES = (
    ("JavaScript and design", ("JavaScript", "UX design")),
    ("nursing", ("Nursing", "Health care")),
    ("accounting", ("Accounting", "Finance")),
    ("painting and teaching", ("Painting", "Teaching")),
    ("networks and telephony", ("Networking", "VoIP")),
)
MOST_DOTS = 26  # more cannot be labelled
MOST_ROWS = 40
LARGEST_FORM = 20_000  # bytes


@router.get("/")
async def home(request: Request, session: Reading, now: Now) -> HTMLResponse:
    question = read_question(parse_qs(request.url.query))
    # Who has said nothing yet sees how it would be for somebody else, another one each week.
    example = None if question.known else EXAMPLES[now.isocalendar().week % len(EXAMPLES)]
    seen = question if example is None else question.with_known(example[1])
    wish = seen.wish()
    listed = await picks.candidates(session, wish, now=now)
    found = await picks.picks_among(session, listed, wish, now=now)
    shown = topic_map.draw(wish, Counter(slug for item in listed for slug, _ in item.topics))
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
        examples=[(words, _example(question, labels)) for words, labels in EXAMPLES],
        place_problem=question.place_problem,
        near=question.near,
        within=question.within,
        days=question.days,
        online=question.online,
        reach=question.reach,
        reaches=list(REACH_WORDS.items()),
        picks=[card_of(pick) for pick in found],
        empty_words=_empty_words(seen, has_candidates=bool(listed)),
        widen=_widen(question),
        has_events=bool(listed),
        rows=_rows(question, shown),
        **_maps(seen, shown),
    )


def _example(question: Question, labels: tuple[str, ...]) -> str:
    return question.address(known=question.with_known(labels).known)


def _unknown(question: Question, label: str) -> dict[str, object]:
    near = load_catalogue().suggest(label)
    return {"label": label, "suggestions": [(name, question.address(add=name)) for name in near]}


def _maps(question: Question, shown: topic_map.TopicMap) -> dict[str, Any]:
    known = [drawing.Known(one.topic.slug, one.topic.label) for one in question.known]
    dots = [
        drawing.Dot(
            slug=topic.slug,
            label=topic.label,
            reached_from=topic.source or known[0].slug,
            reach=topic.reach,
            events=topic.events,
            href="#map-table",
        )
        for topic in (*shown.ring, *shown.far)[:MOST_DOTS]
        if known
    ]
    return {
        "map_wide": drawing.draw(known, dots, question.reach, drawing.WIDE),
        "map_narrow": drawing.draw(known, dots[: MOST_DOTS // 2], question.reach, drawing.NARROW),
    }


def _rows(question: Question, shown: topic_map.TopicMap) -> list[dict[str, object]]:
    catalogue = load_catalogue()
    return [
        {
            "label": topic.label,
            "href": question.address(add=topic.label),
            "reached_from": catalogue[topic.source].label if topic.source else "–",
            "distance": REACH_WORDS[topic.reach].lower(),
            "events": topic.events,
        }
        for topic in (*shown.ring, *shown.far)[:MOST_ROWS]
    ]


def _empty_words(question: Question, *, has_candidates: bool) -> str:
    where = f" within {question.within} km of {question.near}" if question.spot else ""
    if not has_candidates:
        return f"There is no event in the next {question.days} days{where}."
    return f"There are events in the next {question.days} days{where}, but none that is honestly next door to what you know."


def _widen(question: Question) -> list[tuple[str, str]]:
    offers = []
    if question.days < 60:
        offers.append(("Look 60 days ahead", question.address(days=60)))
    if question.spot and question.within < 250:
        offers.append(("Look farther away", question.address(within=250)))
    if question.reach != "far":
        offers.append(("Look farther out", question.address(reach="far")))
    return offers


@router.post("/calendar")
async def make_calendar(request: Request, database: Data, now: Now, chosen: Chosen) -> HTMLResponse:
    """Make a guest with a personal calendar of what the form tells, and show its address once."""
    question = read_question(await read_form(request))
    if not question.known:
        return await _trouble(request, "Nothing to make a calendar of", "Say first what you know.", 422)
    async with database.writing() as session:
        person, _ = await people.make_guest(session)
        people.settle(person, question.spot)
        person.within_km, person.online, person.reach = float(question.within), question.online, question.reach
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


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return a form's values; raises Problem for what is none or too large."""
    body = await request.body()
    if len(body) > LARGEST_FORM:
        raise Problem(413, f"a form here has at most {LARGEST_FORM} bytes")
    try:
        return parse_qs(body.decode("utf-8"), max_num_fields=1000)
    except ValueError as error:
        raise Problem(400, "the form is not UTF-8 or has too many fields") from error


@router.get("/e/{key}")
async def event_page(request: Request, key: str, session: Reading) -> HTMLResponse:
    event = await queries.event_by_key(session, key)
    while event is not None and event.merged_into is not None:
        event = await session.get(type(event), event.merged_into)
    if event is None:
        return await _trouble(request, "No such event", "The address is wrong, or the event was removed.", 404)
    listed = (await queries.with_topics(session, [event]))[0]
    told = queries.event_json(listed)
    return await page(
        request,
        "event.html",
        event=told,
        community=listed.community,
        when=when_words(event),
        facts=facts_of(listed),
        topics=told["topics"],
        status_words=status_words(event),
        host=host_of(event.url),
        paragraphs=[part for part in event.description.split("\n\n") if part.strip()],
        versions=await queries.versions_of(session, event),
    )


@router.get("/sources")
async def sources_page(request: Request, session: Reading, now: Now) -> HTMLResponse:
    return await page(request, "sources.html", "sources", healths=await queries.source_healths(session, now=now))


async def _trouble(request: Request, title: str, words: str, status: int) -> HTMLResponse:
    return await page(request, "trouble.html", title=title, words=words, status=status)
