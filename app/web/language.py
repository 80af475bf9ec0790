"""The switch between languages: remembered by the person who is signed in, else by a cookie."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.access import Data, settings_of
from app.api.problems import Problem
from app.models import Person
from app.web.forms import read_form
from app.web.visit import A_YEAR, LANGUAGE_COOKIE, Visiting, led_on, own_path
from app.words.wording import LANGUAGES

router = APIRouter(include_in_schema=False)


@router.post("/language")
async def choose_language(request: Request, visit: Visiting, database: Data) -> Response:
    form = await read_form(request)
    language = form.get("language", [""])[-1]
    if language not in LANGUAGES:
        raise Problem(422, f"`language` is one of {', '.join(LANGUAGES)}")
    if visit.person is not None:
        async with database.writing() as session:
            (await session.get_one(Person, visit.person.id)).language = language
    answer = led_on(request, own_path(form.get("back", [""])[-1]))
    answer.set_cookie(
        LANGUAGE_COOKIE,
        language,
        max_age=A_YEAR,
        httponly=True,
        samesite="lax",
        secure=settings_of(request).base_url.startswith("https://"),
    )
    return answer
