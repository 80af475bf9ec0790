"""/embed: the event list as a small page that other sites put into a frame. No script, nothing from elsewhere."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, select_autoescape
from pydantic import Field

from app.api.access import Chosen, Data, Now
from app.api.answers import PUBLIC, alternates
from app.api.exports import find
from app.api.parameters import SAID_ONCE, Selection
from app.api.problems import declared
from app.calendars import syndication
from app.calendars.calendar_feed import is_off
from app.queries.listing import Listed
from scrapers.text import one_line

router = APIRouter(tags=["events"], dependencies=[SAID_ONCE])

STYLE = """
:root { color-scheme: light dark }
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
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ title }}</title>
<style>{{ style | safe }}</style></head>
<body>
{% if events %}
<ol>
{% for one in events %}
<li{% if one.is_off %} class="off"{% endif %}><a href="{{ one.page }}" target="_blank" rel="noopener">{{ one.title }}</a>
<p><time datetime="{{ one.starts_at }}">{{ one.when }}</time>{% if one.is_off %} · cancelled{% endif %}</p>
{% if one.place %}<p>{{ one.place }}</p>{% endif %}
</li>
{% endfor %}
</ol>
{% else %}
<p>No events are known here.</p>
{% endif %}
<footer><a href="{{ home }}" target="_blank" rel="noopener">{{ title }}</a>{% if more %} · {{ more }} more{% endif %}</footer>
</body>
</html>
"""


class EmbedQuery(Selection):
    limit: int = Field(10, ge=1, le=50, description="How many at most.")
    title: str = Field("Adjacent", max_length=100, description="Name of the list.")


@router.get(
    "/embed",
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
    body = widget(asked.title, found.events, found.count, chosen.base_url)
    style = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    headers = {
        "Cache-Control": PUBLIC,
        "Content-Security-Policy": POLICY.format(style),
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Link": ", ".join(alternates(request)),
    }
    return HTMLResponse(body, headers=headers)


def widget(title: str, events: Sequence[Listed], count: int, base_url: str) -> str:
    """Return a page of these events out of `count`."""
    html: str = _page().render(
        style=STYLE,
        title=one_line(title),
        home=f"{base_url}/",
        more=count - len(events),
        events=[
            {
                "title": one_line(one.event.title),
                "page": f"{base_url}/e/{one.event.key}",
                "starts_at": one.event.starts_at.isoformat(),
                "when": syndication.when(one),
                "place": syndication.place(one),
                "is_off": is_off(one.event),
            }
            for one in events
        ],
    )
    return html


@cache
def _page() -> Any:
    return Environment(autoescape=select_autoescape(default_for_string=True), trim_blocks=True).from_string(PAGE)
