"""Templates into answers: what every page is given, and the policy browsers hold it to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.api.access import database_of, is_operator, settings_of, token_of
from app.first_start import is_demonstration
from app.web.assets import asset

# Everything a page needs comes from here; what strangers wrote can load and run nothing.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["asset"] = asset


async def page(
    request: Request,
    template: str,
    here: str = "",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **facts: Any,
) -> HTMLResponse:
    """Render a template; `here` names the entry of the navigation it belongs to."""
    database = database_of(request)
    async with database.reading() as session:
        token = await token_of(request, session)
    body = _templates.get_template(template).render(
        base_url=settings_of(request).base_url,
        here=here,
        is_operator=is_operator(token),
        is_signed_in=token is not None,
        is_demo=await is_demonstration(database),
        **facts,
    )
    sent = {"Content-Security-Policy": POLICY, "Cache-Control": "private, no-cache", "Vary": "Cookie, Accept"}
    return HTMLResponse(body, status, {**sent, **(headers or {})})


async def trouble(
    request: Request,
    status: int,
    title: str,
    words: str,
    *,
    sign_in: bool = False,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a page that says what went wrong, and how to sign in where that would help."""
    return await page(
        request, "trouble.html", status=status, headers=headers, title=title, words=words, sign_in=sign_in
    )
