"""/me/feeds: personal calendars, made, listed, given a new address, taken away."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlmodel.ext.asyncio.session import AsyncSession

from app.api.access import Chosen, FeedWritingPerson, Now, Reading, ReadingPerson, Writing
from app.api.answers import NO_PARAMETERS, PRIVATE, Listing, Name, Nothing, Text, list_answer, newest, private
from app.api.json_bodies import JsonRoute
from app.api.mistakes import in_body
from app.api.naming import topic_meant, topics_named
from app.api.problems import Problem, declared, unfit
from app.api.shapes import feeds as shapes
from app.calendars import feeds
from app.calendars.calendar_feed import subscribe_links
from app.community.communities import community_by_key
from app.models import Feed, Person
from app.people import people
from app.settings import Settings

router = APIRouter(prefix="/api/v1/me/feeds", tags=["me"], route_class=JsonRoute)

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]


class NewFeed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Picks on my phone"])
    kind: Literal["picks", "saved", "topic", "community", "near"] = Field(
        "picks", description="`near`: all events about topics next to what is known.", examples=["picks"]
    )
    topic: Text | None = Field(None, description="Label or slug, for kind `topic`.")
    community: Text | None = Field(None, description="Id, for kind `community`.")
    subject: Text | None = Field(
        None, description="Instead of `topic` or `community`, as answers name what a calendar is about."
    )

    @model_validator(mode="after")
    def _has_its_subject(self) -> NewFeed:
        for name in ("topic", "community"):
            if self.kind != name and getattr(self, name) is not None:
                raise ValueError(f"only kind {name!r} takes `{name}`")
        if self.kind not in {"topic", "community"}:
            if self.subject is not None:
                raise ValueError("only kinds 'topic' and 'community' take `subject`")
        elif (getattr(self, self.kind) is None) == (self.subject is None):
            raise ValueError(f"kind {self.kind!r} takes `{self.kind}`, or `subject` instead")
        return self

    @property
    def about(self) -> str | None:
        """What a calendar of a topic or a community is about, as it was sent."""
        return self.subject or self.topic or self.community


@router.get(
    "",
    operation_id="list_feeds",
    summary="List my calendars",
    response_model=shapes.FeedList,
    responses=declared(401, 403, 422),
)
async def list_feeds(request: Request, _: Annotated[Nothing, Query()], session: Reading, me: ReadingPerson) -> Response:
    """Their addresses are secrets and were shown once; `rotate` gives a new one."""
    rows = [people.feed_json(feed) for feed in await feeds.feeds_of(session, me)]
    return list_answer(
        request, Listing(rows=rows, count=len(rows), updated_at=newest(rows, "created_at")), cache=PRIVATE
    )


@router.post(
    "",
    operation_id="make_feed",
    dependencies=[NO_PARAMETERS],
    summary="Make a calendar to subscribe to",
    status_code=201,
    response_model=shapes.NewFeedAnswer,
    responses=declared(400, 401, 403, 409, 413, 415, 422),
)
async def make_feed(sent: NewFeed, session: Writing, me: FeedWritingPerson, now: Now, chosen: Chosen) -> Response:
    """The addresses are secrets and are shown once. Anybody who has one can read the calendar, and nothing else."""
    if await feeds.count_of(session, me) >= feeds.MOST:
        raise Problem(409, f"a person has at most {feeds.MOST} calendars; delete one first")
    subject = await _subject(session, sent, now=now)
    feed, token = await feeds.make_feed(session, me, sent.name, kind=sent.kind, subject=subject, now=now)
    return private({"data": _with_addresses(feed, token, chosen)}, status=201)


@router.post(
    "/{id}/rotate",
    operation_id="rotate_feed",
    summary="Give a calendar a new address",
    response_model=shapes.NewFeedAnswer,
    responses=declared(401, 403, 404, 422),
)
async def rotate_feed(
    id: Id,  # noqa: A002
    _: Annotated[Nothing, Query()],
    session: Writing,
    me: FeedWritingPerson,
    chosen: Chosen,
) -> Response:
    """For 14 days the old address serves one event that says it was replaced; then it answers 410."""
    feed = await _mine(session, me, id)
    return private({"data": _with_addresses(feed, await feeds.rotate(session, feed), chosen)})


@router.delete(
    "/{id}",
    operation_id="delete_feed",
    summary="Delete a calendar",
    status_code=204,
    responses=declared(401, 403, 404, 422),
)
async def delete_feed(id: Id, _: Annotated[Nothing, Query()], session: Writing, me: FeedWritingPerson) -> Response:  # noqa: A002
    await session.delete(await _mine(session, me, id))
    return Response(status_code=204)


async def _subject(session: AsyncSession, sent: NewFeed, *, now: datetime) -> str | None:
    """Return a topic's slug or a community's id; raises the Problem for what nobody knows."""
    if sent.about is None:
        return None
    part = in_body("subject" if sent.subject is not None else sent.kind)
    if sent.kind == "topic":
        with topics_named(lambda _: part):
            return topic_meant(sent.about).slug
    found = await community_by_key(session, sent.about, now=now)
    if found is None:
        raise unfit(part, f"no community has the id {sent.about!r}")
    return found.community.key


async def _mine(session: AsyncSession, me: Person, key: str) -> Feed:
    feed = await feeds.feed_called(session, me, key)
    if feed is None:
        raise Problem(404, f"you have no calendar with the id {key!r}")
    return feed


def _with_addresses(feed: Feed, token: str, chosen: Settings) -> dict[str, Any]:
    links = subscribe_links(f"{chosen.base_url}/f/{token}.ics", feed.name)
    return people.feed_json(feed) | {
        "url": links.url,
        "webcal_url": links.webcal_url,
        "google_url": links.google_url,
        "outlook_url": links.outlook_url,
    }
