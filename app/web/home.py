"""Step 7 for eyes: this week's picks around what somebody knows, with the map they come from. No account, no script needed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from app.api.access import Now, Reading
from app.web import looking
from app.web.filters import filters
from app.web.kept_sights import sight_of
from app.web.question import Question, read_question, tidied
from app.web.rendering import page
from app.web.visit import Visiting
from app.words.wording import Wording, mark

router = APIRouter(include_in_schema=False)

EXAMPLES = (
    (mark("JavaScript and design"), ("JavaScript", "UX design")),
    (mark("nursing"), ("Nursing", "Health care")),
    (mark("accounting"), ("Accounting", "Finance")),
    (mark("painting and teaching"), ("Painting", "Teaching")),
    (mark("networks and telephony"), ("Computer networking", "VoIP and telephony")),
)


@router.get("/")
async def home(request: Request, visit: Visiting, session: Reading, now: Now) -> Response:
    wording = visit.wording
    values = parse_qs(request.url.query, keep_blank_values=True)
    question = read_question(values, await looking.profile_question(session, visit.person))
    if (address := tidied(question, "/", values)) is not None:
        return RedirectResponse(address, 303)
    # Who has said nothing yet sees how it would be for somebody else, another one each week.
    example = None if question.known else EXAMPLES[now.isocalendar().week % len(EXAMPLES)]
    seen = question if example is None else question.with_known(example[1])
    sight = await sight_of(visit, session, seen, now=now)
    return await page(
        visit,
        "home.html",
        "home",
        question=question,
        known=_chips(question),
        unknown=looking.unknown_topics(question, "/"),
        example=wording.text(example[0]) if example else None,
        examples=[
            (wording.text(words), question.address(known=question.with_known(labels).known))
            for words, labels in EXAMPLES
        ],
        places=[(name, question.address(near=name)) for name in question.places],
        filters=filters(seen, wording),
        cards=sight.cards,
        headline=_headline(len(sight.cards), wording.text(example[0]) if example else None, wording),
        mixture=looking.mixture(sight.cards, seen, wording),
        empty_words=looking.empty_words(seen, wording, has_candidates=sight.has_candidates),
        widen=looking.widenings(question, wording, "/"),
        around=sight.around,
        start=question.address("/start"),
        communities=question.address("/communities"),
    )


def _headline(number: int, example: str | None, wording: Wording) -> str:
    if example is None or not number:
        return looking.headline(number, wording)
    return wording.plural(
        "For example: {number} event for somebody in {field}",
        "For example: {number} events for somebody in {field}",
        number,
        field=example,
    )


def _chips(question: Question) -> list[dict[str, Any]]:
    return [
        {
            "label": one.topic.label,
            "level": one.level,
            "without": question.address(known=[other for other in question.known if other != one]),
        }
        for one in question.known
    ]
