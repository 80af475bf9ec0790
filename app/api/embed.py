"""/embed: the event list as a small page that other sites put into a frame. No script, nothing from elsewhere.

It speaks the language of who looks at it, unless the site that shows it chose one.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, select_autoescape
from pydantic import Field

from app.api.access import Chosen, Data, Now
from app.api.answers import PUBLIC, alternates
from app.api.exports import find
from app.api.parameters import SAID_ONCE, Selection
from app.api.problems import declared
from app.api.spoken import told_in, wording_asked
from app.calendars.calendar_feed import is_off
from app.queries.event_forms import place_words
from app.queries.listing import Listed
from app.words.event_words import is_foreign, price_words, status_words
from app.words.when import when_words
from app.words.wording import LANGUAGES, Wording, wording_for
from scrapers.text import one_line

PATH = "/embed"
router = APIRouter(tags=["events"], dependencies=[SAID_ONCE])

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: .75rem }
ol { list-style: none; margin: 0; padding: 0 }
li { border-top: 1px solid #8886; padding: .5rem 0 }
li:first-child { border-top: 0 }
a { color: inherit; font-weight: 600; overflow-wrap: anywhere }
p { margin: .1rem 0; overflow-wrap: anywhere }
.off a { text-decoration: line-through }
footer { border-top: 1px solid #8886; padding-top: .5rem; font-size: .85em }
"""
# Any site may frame it: there is nothing to click that does anything here, and no cookie is looked at.
POLICY = "default-src 'none'; style-src 'sha256-{}'; frame-ancestors *; base-uri 'none'; form-action 'none'"
PAGE = """<!doctype html>
<html lang="{{ language }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="{{ scheme }}"><title>{{ title }}</title>
<style>{{ style | safe }}</style></head>
<body>
{% if events %}
<ol>
{% for one in events %}
<li{% if one.is_off %} class="off"{% endif %}><a href="{{ one.page }}" target="_blank" rel="noopener"
{%- if one.language %} lang="{{ one.language }}"{% endif %}>{{ one.title }}</a>
<p><time datetime="{{ one.starts_at }}">{{ one.when }}</time>{% if one.status %} · {{ one.status }}{% endif %}</p>
{% if one.facts %}<p>{{ one.facts }}</p>{% endif %}
</li>
{% endfor %}
</ol>
{% else %}
<p>{{ nothing }}</p>
{% endif %}
<footer><a href="{{ home }}" target="_blank" rel="noopener">{{ title }}</a>{% if more %} · {{ more }}{% endif %}</footer>
</body>
</html>
"""


Theme = Literal["auto", "light", "dark"]


class EmbedQuery(Selection):
    limit: int = Field(10, ge=1, le=50, description="How many at most.")
    title: str = Field("Adjacent", max_length=100, description="Name of the list.")
    language: Literal[LANGUAGES] | None = Field(  # type: ignore[valid-type]
        None,
        description="Of the page itself; that of `Accept-Language` if not given. Events stay in theirs: see `lang`.",
    )
    theme: Theme = Field(
        "auto", description="Light or dark, as the site around it is; `auto` follows the system of who looks at it."
    )


@router.get(
    PATH,
    operation_id="embed_events",
    summary="Events as a page to put into a frame",
    response_class=Response,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}, "description": "HTML"}, **declared(422)},
)
async def embed_events(
    request: Request, asked: Annotated[EmbedQuery, Query()], database: Data, now: Now, chosen: Chosen
) -> Response:
    """The same filters as the list; `<iframe src="…/embed?topic=typography&near=Munich"></iframe>`."""
    found = await find(request, asked, database, now=now, limit=asked.limit)
    wording = wording_for(asked.language) if asked.language is not None else wording_asked(request)
    body = widget(asked.title, found.events, found.count, chosen.base_url, wording, theme=asked.theme)
    links = {"Link": ", ".join(alternates(request))}
    return _framed(body, headers={"Cache-Control": PUBLIC, **links, **told_in(wording)})


def refusal(status: int, words: str, base_url: str) -> Response:
    """Return a page that says in the frame, to whoever put it there, what is wrong with its address."""
    body = _page().render(
        style=STYLE, language="en", scheme="light dark", title="Adjacent", home=f"{base_url}/", nothing=words, events=[]
    )
    return _framed(body, status=status, headers={"Cache-Control": "no-store"})


def _framed(body: str, *, status: int = 200, headers: Mapping[str, str]) -> Response:
    style = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    doors = {"Content-Security-Policy": POLICY.format(style), "Cross-Origin-Resource-Policy": "cross-origin"}
    return HTMLResponse(body, status, {**doors, **headers})


def widget(
    title: str, events: Sequence[Listed], count: int, base_url: str, wording: Wording, *, theme: Theme = "auto"
) -> str:
    """Return a page of these events out of `count`."""
    others = count - len(events)
    html: str = _page().render(
        style=STYLE,
        language=wording.language,
        scheme="light dark" if theme == "auto" else theme,
        title=one_line(title),
        home=f"{base_url}/",
        nothing=wording.text("Nothing that lies ahead fits."),
        more=wording.text("and {number} more", number=wording.number(others)) if others else "",
        events=[_shown(one, base_url, wording) for one in events],
    )
    return html


def _shown(listed: Listed, base_url: str, wording: Wording) -> dict[str, Any]:
    event = listed.event
    place = place_words(event) or (wording.text("online") if event.mode == "online" else "")
    when = when_words(event, wording, with_year=True)
    if not (event.all_day or place):  # where there is a place, its clock is meant
        when = f"{when} ({event.zone})"
    facts = (place, listed.held_by, price_words(event, wording))
    return {
        "title": one_line(event.title),
        "language": event.language if is_foreign(event, wording) else None,
        "page": f"{base_url}/e/{event.key}",
        "starts_at": event.starts_at.isoformat(),
        "when": when,
        "facts": " · ".join(one_line(fact) for fact in facts if fact),
        "status": status_words(event, wording),
        "is_off": is_off(event),
    }


@cache
def _page() -> Any:
    return Environment(autoescape=select_autoescape(default_for_string=True), trim_blocks=True).from_string(PAGE)
