"""One event on a page of its own: all that is known of it, who said so, and the same for machines to collect."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app import queries
from app.api.access import Chosen, Reading
from app.models import Event
from app.web.rendering import page, trouble
from app.web.structured import structured
from app.web.words import facts_of, host_of, status_words, when_words, where_words

router = APIRouter(include_in_schema=False)

# Fields that are told together or not at all, in the order and words of the page.
TOLD = {
    "title": "title",
    "starts_at": "time",
    "status": "status",
    "venue_name": "place",
    "mode": "how",
    "url": "address",
    "online_url": "online address",
    "organizer_name": "organizer",
    "price": "price",
    "language": "language",
    "description": "description",
}
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LONGEST_SUMMARY = 200  # characters of a description that previews show


@router.get("/e/{key}")
async def event_page(request: Request, key: str, session: Reading, chosen: Chosen) -> Response:
    event = await queries.event_by_key(session, key)
    if event is None:
        return await trouble(request, 404, "No such event", "The address is wrong, or the event was removed for good.")
    (listed,) = await queries.with_topics(session, [event])
    if listed.merged_into is not None:
        return RedirectResponse(f"/e/{listed.merged_into}", 301)
    return await _shown(request, listed, session, chosen)


async def _shown(request: Request, listed: queries.Listed, session: Reading, chosen: Chosen) -> HTMLResponse:
    event = listed.event
    address = f"{chosen.base_url}/e/{event.key}"
    versions = await queries.versions_of(session, event)
    when = when_words(event, with_year=True)
    return await page(
        request,
        "event.html",
        event=queries.event_json(listed),
        address=address,
        language=event.language if event.language and LANGUAGE.fullmatch(event.language) else None,
        community=listed.community,
        when=when,
        facts=facts_of(listed),
        is_gone=event.deleted_at is not None,
        status_words=status_words(event),
        host=host_of(event.url),
        paragraphs=[part for part in event.description.split("\n\n") if part.strip()],
        summary=_summary(event, when),
        structured=structured(listed, address=address),
        versions=versions,
        told=_told(event),
    )


def _told(event: Event) -> Mapping[str, str]:
    """Return for each source which fields the page takes from it; "" for one that adds nothing."""
    told: defaultdict[str, list[str]] = defaultdict(list)
    for name, words in TOLD.items():
        if getattr(event, name) not in (None, "", "unknown"):
            told[event.provenance.get(name, "")].append(words)
    return defaultdict(str, {source: ", ".join(words) for source, words in told.items()})


def _summary(event: Event, when: str) -> str:
    words = " ".join(event.description.split())
    if len(words) > LONGEST_SUMMARY:
        words = words[:LONGEST_SUMMARY].rsplit(" ", 1)[0] + " …"
    return " · ".join(filter(None, (when, where_words(event), words)))
