"""Templates into answers: what every page is given, and the policy browsers hold it to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from app.api.access import database_of, settings_of
from app.collecting.first_start import is_demonstration
from app.web.assets import asset
from app.web.visit import Visit, forget_notice, visit_of
from app.words.topic_words import topic_words
from app.words.when import ago, day_words
from app.words.wording import LANGUAGES, wording_of

# Everything a page needs comes from here; what strangers wrote can load and run nothing.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


TEMPLATES = Path(__file__).parent / "templates"


@cache
def _templates(language: str) -> Environment:
    """Return the templates in one language: texts are looked up when a template runs, so each has its own globals."""
    wording = wording_of(language)
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        bytecode_cache=_compiled(),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["ext.i18n.trimmed"] = True
    templates.install_gettext_translations(wording.translations, newstyle=True)  # type: ignore[attr-defined]
    templates.globals |= {
        "asset": asset,
        "wording": wording,
        "languages": [(one, wording_of(one).locale.get_display_name() or one) for one in LANGUAGES],
        "day_words": lambda moment, **options: day_words(moment, wording, **options),
        "ago": lambda moment, now: ago(moment, now, wording),
    }
    templates.filters["number"] = wording.number
    templates.filters["day"] = lambda moment: day_words(date.fromisoformat(moment[:10]), wording, with_year=True)
    templates.filters["topic"] = lambda label: topic_words(label, wording)
    return templates


def _compiled() -> FileSystemBytecodeCache | None:
    """Return where compiled templates wait for the next start, as modules do; None where nothing may be written."""
    folder = TEMPLATES / "__pycache__"
    try:
        folder.mkdir(exist_ok=True)
    except OSError:  # an image whose files are read-only
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


async def page(
    visit: Visit,
    template: str,
    here: str = "",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **facts: Any,
) -> HTMLResponse:
    """Render a template; `here` names the entry of the navigation it belongs to."""
    request = visit.request
    body = (
        _templates(visit.wording.language)
        .get_template(template)
        .render(
            base_url=settings_of(request).base_url,
            here=here,
            current=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            visit=visit,
            is_demo=await is_demonstration(database_of(request)),
            **facts,
        )
    )
    sent = {
        "Content-Security-Policy": POLICY,
        "Cache-Control": "private, no-cache",
        "Content-Language": visit.wording.language,
        "Vary": "Cookie, Accept, Accept-Language",
    }
    answer = HTMLResponse(body, status, {**sent, **(headers or {})})
    if visit.notice is not None:
        forget_notice(answer)
    return answer


async def trouble(
    visit: Visit,
    status: int,
    title: str,
    words: str,
    *,
    sign_in: bool = False,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page that says what went wrong, and how to sign in where that would help."""
    return await page(visit, "trouble.html", status=status, headers=headers, title=title, words=words, sign_in=sign_in)


async def visit_now(request: Request) -> Visit:
    """Return who looks, for answers that are made outside of a route."""
    async with database_of(request).reading() as session:
        return await visit_of(request, session)
