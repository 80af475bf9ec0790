"""/communities: groups, user groups, chats and forums: how they meet, whether they are alive, how one joins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from app import queries
from app.api.access import Now, Reading
from app.communities import Active, communities, community_by_key
from app.content_lines import link
from app.event_words import language_words
from app.retelling import retold
from app.topic_names import label_of
from app.topic_words import topic_named, topic_words
from app.web.rendering import page, trouble
from app.web.strips import year_strip
from app.web.visit import Visiting
from app.web.words import PURPOSE_WORDS, card_of, host_of
from app.when import day_words
from app.wording import Wording, mark

router = APIRouter(include_in_schema=False)

SHOWN = 40  # a page
NEXT = 6  # events of one community
KIND_WORDS: Mapping[str, str] = {
    "group": mark("group"),
    "user group": mark("user group"),
    "association": mark("association"),
    "forum": mark("forum"),
    "hashtag chat": mark("hashtag chat"),
    "mailing list": mark("mailing list"),
    "thinking circle": mark("thinking circle"),
}
OPENNESS_WORDS: Mapping[str, str] = {
    "everyone": mark("open to everyone"),
    "on request": mark("on request"),
    "members": mark("for members"),
}


class Asked(BaseModel):
    model_config = ConfigDict(extra="ignore")

    q: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""
    topic: Annotated[str, Field(max_length=100, pattern=r"^[^\x00]*$")] = ""
    where: str = ""  # online, in_person
    resting: str = ""
    after: Annotated[str, Field(max_length=300, pattern=r"^[^\x00]*$")] = ""
    beside: int = 0


@router.get("/communities")
async def list_communities(visit: Visiting, session: Reading, now: Now, asked: Annotated[Asked, Query()]) -> Response:
    """Those that are alive; the resting ones only when asked for."""
    topic = topic_named(asked.topic) if asked.topic.strip() else None
    found, count = await communities(
        session,
        now=now,
        limit=SHOWN + 1,
        words=asked.q.strip() or None,
        topic=topic.slug if topic else "?" if asked.topic.strip() else None,
        is_online={"online": True, "in_person": False}.get(asked.where),
        is_resting=None if asked.resting else False,
        beside=(asked.after, max(0, min(asked.beside, 2**62))) if asked.after else None,
    )
    shown = found[:SHOWN]
    return await page(
        visit,
        "communities.html",
        "communities",
        asked=asked,
        topic=topic_words(topic.label, visit.wording) if topic else asked.topic,
        count=count,
        communities=[card(one, visit.wording) for one in shown],
        next=(shown[-1].community.name, shown[-1].community.id) if len(found) > SHOWN else None,
        is_first=not asked.after,
    )


@router.get("/communities/{key}")
async def community_page(visit: Visiting, key: str, session: Reading, now: Now) -> Response:
    wording = visit.wording
    found = await community_by_key(session, key, now=now)
    if found is None:
        return await trouble(
            visit, 404, wording.text("No such community"), wording.text("The address is wrong, or it was removed.")
        )
    wanted = queries.EventFilter(start=now, community=found.community.key)
    coming = await queries.events(session, wanted, limit=NEXT)
    return await page(
        visit,
        "community.html",
        "communities",
        one=card(found, wording),
        community=found.community,
        code_of_conduct=link(found.community.code_of_conduct),
        join_links=[
            (told.get("label") or host_of(told["url"]), told["url"])
            for told in found.community.links
            if link(told.get("url"))
        ],
        openness=wording.text(OPENNESS_WORDS.get(found.community.openness or "", found.community.openness or "")),
        language=language_words(found.community.language, wording) if found.community.language else None,
        paragraphs=[part for part in found.community.description.split("\n\n") if part.strip()],
        coming=[card_of(event, wording) for event in coming],
    )


def card(active: Active, wording: Wording) -> dict[str, Any]:
    """Return what is shown of a community; what nobody knows is left out."""
    one, told = active.community, active.community.activity
    strongest = max(one.purpose, key=lambda name: one.purpose[name]) if one.purpose else ""
    weeks = told.get("weeks") or []
    met = sum(weeks)
    words = wording.plural("{number} meeting within a year", "{number} meetings within a year", met)
    last_on, next_on = told.get("last_on"), told.get("next_on")
    return {
        "key": one.key,
        "name": one.name,
        "kind": wording.text(KIND_WORDS.get(one.kind, one.kind)),
        "where": wording.text("online") if one.is_online else one.city,
        "url": link(one.url),
        "host": host_of(one.url),
        "join": link(one.join) or link(one.url),
        "cadence": retold(active.cadence, wording) if active.cadence else None,
        "is_resting": active.is_resting,
        "strip": year_strip(weeks, words) if met else None,
        "met": words if met else None,
        "last": day_words(date.fromisoformat(last_on), wording, with_year=True) if last_on else None,
        "next_on": day_words(date.fromisoformat(next_on), wording, with_year=True) if next_on else None,
        "is_guess": bool(told.get("is_guess")),
        "next": active.next_event,
        "upcoming": active.upcoming,
        "purpose": wording.text(PURPOSE_WORDS.get(strongest, "")),
        "topics": [(slug, topic_words(label_of(slug), wording)) for slug, _ in active.topics],
    }
