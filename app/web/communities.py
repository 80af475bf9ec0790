"""/communities: groups, user groups, chats and forums: how they meet, whether they are alive, how one joins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Now, Reading
from app.community import communities
from app.community.communities import Active, community_by_key
from app.community.community_filter import CommunityFilter
from app.links import link
from app.picking import slates
from app.picking.community_picks import communities_for
from app.queries import listing
from app.queries.filters import EventFilter
from app.topic_names import label_of
from app.web import looking
from app.web.cards import card_of, host_of
from app.web.charts import year_strip
from app.web.question import read_question
from app.web.rendering import page, trouble
from app.web.visit import Visit, Visiting
from app.words.event_words import PURPOSE_WORDS, language_words
from app.words.reach_words import REACH_WORDS
from app.words.retelling import all_retold, retold
from app.words.topic_words import topic_named, topic_words
from app.words.when import day_words
from app.words.wording import Wording, mark

router = APIRouter(include_in_schema=False)

SHOWN = 40  # a page
NEXT_DOOR = 9  # that are shown to who says what they know: six that live, and three nobody has looked at
NEXT = 6  # events of one community
KIND_WORDS: Mapping[str, str] = {
    "slack": "Slack",
    "discord": "Discord",
    "matrix": "Matrix",
    "facebook group": mark("Facebook group"),
    "linkedin group": mark("LinkedIn group"),
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
async def list_communities(
    request: Request, visit: Visiting, session: Reading, now: Now, asked: Annotated[Asked, Query()]
) -> Response:
    """Those that are alive, the resting ones only when asked for; before them those next door to what a visitor knows,
    by their profile or by `?know=`.
    """
    topic = topic_named(asked.topic) if asked.topic.strip() else None
    is_all = asked == Asked()
    wanted = CommunityFilter(
        words=asked.q.strip() or None,
        topics=(topic.slug if topic else "?",) if asked.topic.strip() else (),
        is_online={"online": True, "in_person": False}.get(asked.where),
        is_resting=None if asked.resting else False,
    )
    beside = (asked.after, max(0, min(asked.beside, 2**62))) if asked.after else None
    found = await communities.find(session, wanted, now=now, limit=SHOWN + 1, beside=beside)
    shown = found.communities[:SHOWN]
    return await page(
        visit,
        "communities.html",
        "communities",
        asked=asked,
        topic=topic_words(topic.label, visit.wording) if topic else asked.topic,
        count=found.count,
        communities=[card(one, visit.wording) for one in shown],
        next=(shown[-1].community.name, shown[-1].community.id) if len(found.communities) > SHOWN else None,
        is_first=not asked.after,
        picks=await _picks(request, visit, session, now=now) if is_all else [],
    )


async def _picks(request: Request, visit: Visit, session: AsyncSession, *, now: datetime) -> list[dict[str, Any]]:
    values = parse_qs(request.url.query, keep_blank_values=True)
    question = read_question(values, await looking.profile_question(session, visit.person))
    if not question.known:
        return []
    profile = await slates.wish_of(session, visit.person, now=now) if visit.person is not None else None
    wish = replace(question.wish(profile), limit=NEXT_DOOR)
    wording = visit.wording
    return [
        card(pick.active, wording)
        | {
            "path": [topic_words(label, wording) for label in pick.path],
            "distance_words": wording.text(REACH_WORDS[pick.reach]),
            "purpose": "",
            "reason": retold(pick.reason, wording),
            "evidence": all_retold(pick.evidence, wording),
        }
        for pick in await communities_for(session, wish, now=now)
    ]


@router.get("/communities/{key}")
async def community_page(visit: Visiting, key: str, session: Reading, now: Now) -> Response:
    wording = visit.wording
    found = await community_by_key(session, key, now=now)
    if found is None:
        return await trouble(
            visit, 404, wording.text("No such community"), wording.text("The address is wrong, or it was removed.")
        )
    wanted = EventFilter(start=now, community=found.community.key)
    coming = await listing.events(session, wanted, limit=NEXT)
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
    one, told, coming = active.community, active.community.activity, active.next_event
    strongest = max(one.purpose, key=lambda name: one.purpose[name]) if one.purpose else ""
    weeks = told.get("weeks") or []
    met = sum(weeks)
    words = wording.plural("{number} meeting within a year", "{number} meetings within a year", met)
    last_on, next_on = active.last_active_on, told.get("next_on")
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
        "is_unchecked": active.is_unchecked,
        "strip": year_strip(weeks, words) if met and not active.is_unchecked else None,
        "met": words if met else None,
        "last": day_words(date.fromisoformat(last_on), wording, with_year=True) if last_on else None,
        "next_on": day_words(date.fromisoformat(next_on), wording, with_year=True) if next_on else None,
        "is_guess": bool(told.get("is_guess")),
        "next": coming,
        "next_day": day_words(coming.starts_at.astimezone(ZoneInfo(coming.zone)), wording) if coming else None,
        "upcoming": active.upcoming,
        "purpose": wording.text(PURPOSE_WORDS.get(strongest, "")),
        "topics": [(slug, topic_words(label_of(slug), wording)) for slug, _ in active.topics],
    }
