"""Keeping what somebody said without an account: whoever acts becomes a guest, known by a cookie until they sign in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import Request
from fastapi.responses import Response
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import settings_of
from app.api.limits import address_of, count
from app.api.me import GUESTS_AN_HOUR
from app.api.sign_in import remember_session
from app.models import Person
from app.people import people, tokens
from app.web.question import Question
from app.web.visit import LANGUAGE_COOKIE, Visit

A_YEAR = timedelta(days=365)  # a guest has no other way back than this browser


async def somebody(session: AsyncSession, visit: Visit) -> tuple[Person, str | None]:
    """Return who acts, to be written to; with the secret of a session where they have just become a guest."""
    if visit.person is not None:
        return await session.get_one(Person, visit.person.id), None
    count(visit.request, "guests", address_of(visit.request), an_hour=GUESTS_AN_HOUR)
    person = await people.make_person(session)
    if LANGUAGE_COOKIE in visit.request.cookies:
        person.language = visit.wording.language
    scopes = list(visit.token.scopes) if visit.token is not None and visit.is_operator else []
    secret = await tokens.issue(session, "session", person_id=person.id, label="browser", scopes=scopes, lives=A_YEAR)
    return person, secret


async def learn(session: AsyncSession, person: Person, question: Question) -> None:
    """Write down what a question says about who asks; the caller remakes the slate."""
    people.settle(person, question.spot)
    person.within_km, person.days = float(question.within), question.days
    person.online = question.mode != "in_person"
    person.languages = [question.language] if question.language else []
    person.free_only = question.free
    if question.reach != (question.home or person).reach:
        person.reach, person.reach_chosen_at = question.reach, datetime.now(UTC)
    await people.set_expertise(session, person, question.levels)


def remember(request: Request, answer: Response, secret: str | None) -> None:
    if secret is not None:
        remember_session(answer, secret, settings_of(request).base_url, lives=A_YEAR)
