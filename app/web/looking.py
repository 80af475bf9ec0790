"""What a question finds: the picks as cards, the map around them, and words for what there is and is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Feedback, Person
from app.people import feedback, people
from app.picking import picks, slates
from app.queries.listing import Listed
from app.web.cards import pick_card
from app.web.neighbourhood import Neighbourhood, neighbourhood
from app.web.question import DISTANCES, LIMIT, SPANS, KnownTopic, Question
from app.words.reach_words import MIXED_WORDS
from app.words.wording import Wording
from recommender.catalogue import load_catalogue
from recommender.reach import REACHES


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody sees who asks."""

    cards: list[dict[str, Any]]
    around: Neighbourhood
    has_candidates: bool  # whether there were events to pick from
    revision: int  # of the events it was found among


async def profile_question(session: AsyncSession, person: Person | None) -> Question | None:
    """Return what somebody's profile asks; None for who has said nothing yet."""
    if person is None:
        return None
    catalogue = load_catalogue()
    known = await people.expertise_of(session, person)
    told = sorted(known.items(), key=lambda item: (-item[1], item[0]))
    if not told:
        return None
    return Question(
        known=tuple(KnownTopic(catalogue[slug], level) for slug, level in told if slug in catalogue.index),
        near=person.place or "",
        spot=people.home_of(person),
        within=int(person.within_km),
        days=person.days,
        mode="any" if person.online else "in_person",
        language=person.languages[0] if len(person.languages) == 1 else "",
        free=person.free_only,
        reach=await feedback.shifted_reach(session, person),
    )


async def look(
    session: AsyncSession, question: Question, person: Person | None, *, now: datetime, wording: Wording
) -> Sight:
    """Find what a question asks for; who asks just what their profile says sees this week's picks."""
    profile = (
        await slates.wish_of(session, person, now=now) if person is not None and question.home is not None else None
    )
    wish = question.wish(profile)
    offered = await picks.offer(session, wish, now=now)
    said: Mapping[int, Collection[str]] = {}
    if person is not None and question.is_profile:
        told = [(shown.listed, shown.pick) for shown in await slates.current(session, person, now=now)]
    else:
        found = await picks.picks_from(session, offered, wish, now=now)
        told = [(pick.listed, slates.told(pick)) for pick in found]
    if person is not None:
        said = await said_of(session, person, [one for one, _ in told])
    asked = question.address("")
    cards = [
        pick_card(one, pick, wording, said=said.get(one.event.id or 0, ())) | {"asked": asked}
        for one, pick in told[:LIMIT]
    ]
    about = {str(pick["topic"]): f"#event-{one.event.key}" for one, pick in reversed(told) if "topic" in pick}
    around = await neighbourhood(question, wish, Counter(offered.counted()), about, wording)
    return Sight(cards, around, has_candidates=not offered.is_empty, revision=offered.ahead.revision)


async def said_of(session: AsyncSession, person: Person, shown: Sequence[Listed]) -> Mapping[int, Collection[str]]:
    """Return by event what somebody said of it."""
    rows = await session.exec(
        select(Feedback.event_id, Feedback.kind).where(
            Feedback.person_id == person.id, col(Feedback.event_id).in_([one.event.id for one in shown])
        )
    )
    said: dict[int, set[str]] = {}
    for event_id, kind in rows:
        said.setdefault(event_id, set()).add(kind)
    return said


def headline(number: int, wording: Wording) -> str:
    if not number:
        return wording.text("Nothing worth an evening yet")
    return wording.plural("{number} event worth an evening", "{number} events worth an evening", number)


def mixture(cards: Sequence[Mapping[str, Any]], question: Question, wording: Wording) -> str:
    """Say how far the picks lie, where and when was looked: "4 next door, 2 one step · near Munich · next 21 days"."""
    counted = Counter(card["reach"] for card in cards)
    steps = [wording.text(MIXED_WORDS[reach], number=counted[reach]) for reach in REACHES if counted[reach]]
    return " · ".join(filter(None, (", ".join(steps), *searched(question, wording))))


def searched(question: Question, wording: Wording) -> list[str]:
    """Return where and when was looked, part by part."""
    where = (
        wording.text("within {number} km of {place}", number=question.within, place=question.near)
        if question.spot is not None
        else ""
    )
    return [
        *filter(None, [where]),
        wording.plural("in the next day", "in the next {number} days", question.days),
    ]


def empty_words(question: Question, wording: Wording, *, has_candidates: bool) -> str:
    where = " ".join(searched(question, wording)[::-1])
    if not has_candidates:
        return wording.text("There is no event {where}.", where=where)
    return wording.text("There are events {where}, but none that is honestly next door to what you know.", where=where)


def widenings(question: Question, wording: Wording, path: str) -> list[tuple[str, str]]:
    """Return words and addresses of questions that may find more."""
    offers = []
    if question.is_narrowed:
        without = question.address(path, mode="any", hours="any", language="", free=False)
        offers.append((wording.text("Without filters"), without))
    if question.days < SPANS[-1]:
        words = wording.text("Look {number} days ahead", number=SPANS[-1])
        offers.append((words, question.address(path, days=SPANS[-1])))
    if question.spot and question.within < DISTANCES[-1]:
        offers.append((wording.text("Look farther away"), question.address(path, within=DISTANCES[-1])))
    if question.reach != "far":
        offers.append((wording.text("Look farther out"), question.address(path, reach="far")))
    return offers


def unknown_topics(question: Question, path: str) -> list[dict[str, object]]:
    """Return the labels that name no topic, with those that may be meant and the addresses that ask for them."""
    catalogue = load_catalogue()
    return [
        {
            "label": label,
            "suggestions": [(name, question.address(path, add=name)) for name in catalogue.suggest(label)],
        }
        for label in question.unknown
    ]
