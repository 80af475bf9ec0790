"""The shapes of answers, for OpenAPI and for tests; what is sent is built by `queries.event_forms` and `picks`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.people.feedback import Kind
from recommender.reach import Reach
from scrapers.draft import Mode, Status


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Meta(Shape):
    count: int
    count_is_lower_bound: bool
    updated_at: datetime | None


class Links(Shape):
    self: str
    next: str | None
    prev: str | None


class Venue(Shape):
    name: str | None
    address: str | None
    city: str | None
    country: str | None
    lat: float | None
    lon: float | None


class Named(Shape):
    name: str | None
    url: str | None


class CommunityName(Shape):
    id: str
    name: str


class EventTopic(Shape):
    slug: str
    label: str
    weight: float


class Event(Shape):
    id: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    all_day: bool
    status: Status
    mode: Mode
    url: str | None
    online_url: str | None
    venue: Venue
    organizer: Named
    community: CommunityName | None
    topics: list[EventTopic]
    purpose: dict[str, float]
    categories: list[str]
    language: str | None
    price: str | None
    is_free: bool | None
    description: str
    sequence: int
    updated_at: datetime
    deleted: bool
    merged_into: str | None  # the id of the event that stands for this one


class SourceVersion(Shape):
    version: int
    source: str
    uid: str
    recurrence_id: str | None
    title: str
    starts_at: datetime
    url: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    withdrawn_at: datetime | None
    why: str | None  # it is one event with those before it


class EventStep(Shape):
    at: datetime
    source: str | None  # that gave reason to; None: a person
    changed: dict[str, list[Any]]  # field → before, after


class WholeEvent(Event):
    provenance: dict[str, str]
    purpose_phrases: list[str]
    sources: list[SourceVersion]
    history: list[EventStep]  # oldest first


class EventAnswer(Shape):
    data: WholeEvent


class FeedItem(Shape):
    id: str
    url: str
    external_url: str | None = None
    title: str
    content_text: str
    date_published: datetime
    date_modified: datetime
    tags: list[str] = []
    language: str | None = None
    event: Event = Field(alias="_event")


class JsonFeed(Shape):
    """JSON Feed 1.1; `_event` is the event as the list shows it."""

    version: Literal["https://jsonfeed.org/version/1.1"]
    title: str
    home_page_url: str
    feed_url: str
    description: str
    items: list[FeedItem]


class EventList(Shape):
    data: list[Event]
    meta: Meta
    links: Links


class Topic(Shape):
    slug: str
    label: str
    domain: str
    field: str
    aliases: list[str]
    neighbours: list[str]
    gloss: str


class TopicAnswer(Shape):
    data: Topic


class TopicList(Shape):
    data: list[Topic]
    meta: Meta
    links: Links


class AdjacentTopic(Shape):
    slug: str
    label: str
    domain: str
    score: float


class AdjacentList(Shape):
    data: list[AdjacentTopic]
    meta: Meta
    links: Links


class NextEvent(Shape):
    id: str
    title: str
    starts_at: datetime


class Grounds(Shape):
    """Why something was picked."""

    topic: str | None  # slug of the one that carries it; None where the catalogue has lost it
    path: list[str]
    reach: Reach
    score: float
    reason: str
    evidence: list[str]
    distance_km: float | None


class Pick(Grounds):
    event: Event
    topics: list[str]
    explorative: bool  # shown to find out rather than because it is sure


class PickList(Shape):
    data: list[Pick]


class LeftOutEvent(Shape):
    event: NextEvent
    code: str
    sentence: str


class SlateMeta(Meta):
    week: str
    left_out: list[LeftOutEvent] | None = None


class Why(Shape):
    code: str
    sentence: str


class Standing(Shape):
    event: str
    week: str | None
    pick: Pick | None
    left_out: Why | None


class StandingAnswer(Shape):
    data: Standing


class Slate(Shape):
    data: list[Pick]
    meta: SlateMeta
    links: Links


class Guest(Shape):
    id: str
    token: str


class GuestAnswer(Shape):
    data: Guest


class Asked(Shape):
    expires_in: int  # seconds


class AskedAnswer(Shape):
    data: Asked


class SignedIn(Shape):
    id: str | None  # an operator's link need not be anybody's
    token: str
    expires_at: datetime
    merged: bool  # a guest was joined with somebody known already


class SignedInAnswer(Shape):
    data: SignedIn


class Token(Shape):
    id: str
    kind: Literal["api", "session"]
    label: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenList(Shape):
    data: list[Token]
    meta: Meta
    links: Links


class NewToken(Token):
    token: str


class NewTokenAnswer(Shape):
    data: NewToken


class PreviewedEvent(Shape):
    title: str
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    all_day: bool
    status: Status
    mode: Mode
    url: str | None


class ReadingProblem(Shape):
    code: str
    subject: str
    message: str


class ProposalState(Shape):
    id: int
    state: Literal["proposed", "accepted", "refused"]


class Preview(Shape):
    url: str  # what would be collected from
    why: str  # what that is to the page asked about; empty for the page itself
    name: str | None
    kind: str
    listed: int
    upcoming: int
    events: list[PreviewedEvent]
    problems: list[ReadingProblem]
    proposal: ProposalState | None
    source: int | None  # where it is collected from already


class PreviewAnswer(Shape):
    data: Preview


class Proposal(Shape):
    id: int
    url: str
    state: Literal["proposed", "accepted", "refused"]
    name: str | None
    kind: str
    listed: int
    events: list[PreviewedEvent]
    proposed_at: datetime
    decided_at: datetime | None
    source: int | None


class Contributed(Shape):
    id: int
    state: Literal["proposed", "accepted", "refused"]
    name: str
    kind: Literal["event", "community"]
    events: list[dict[str, str]]  # its next dates


class ContributionAnswer(Shape):
    data: Contributed


class ProposalAnswer(Shape):
    data: Proposal


class ProposalList(Shape):
    data: list[Proposal]
    meta: Meta
    links: Links


class Action(Shape):
    id: int
    at: datetime
    token: str | None  # None: on the command line
    action: str
    subject: str


class ActionList(Shape):
    data: list[Action]
    meta: Meta
    links: Links


class Known(Shape):
    slug: str
    label: str
    level: int


class Person(Shape):
    id: str
    email: str | None
    zone: str
    near: str | None
    lat: float | None
    lon: float | None
    within_km: float
    online: bool
    reach: Reach
    chosen_reach: Reach
    days: int
    languages: list[str]
    purposes: list[str]
    free_only: bool
    know: list[Known]
    created_at: datetime


class LastDigest(Shape):
    week: str
    state: Literal["due", "sending", "sent", "unknown", "failed", "skipped", "bounced"]
    at: datetime


class Subscription(Shape):
    state: Literal["on", "paused", "off", "no-address", "unconfirmed", "unsubscribed", "bounced", "complained"]
    rhythm: Literal["weekly", "fortnightly", "monthly", "worthwhile", "off"]
    weekday: int
    hour: int
    zone: str
    language: str
    next_at: datetime | None
    paused_until: datetime | None
    email: str | None
    last: LastDigest | None


class SubscriptionAnswer(Shape):
    data: Subscription


class PersonAnswer(Shape):
    data: Person


class FeedbackGiven(Shape):
    event: str
    kind: Kind
    note: str | None
    changed: list[str]


class FeedbackAnswer(Shape):
    data: FeedbackGiven


class HiddenThing(Shape):
    kind: Literal["topic", "community"]
    subject: str
    name: str
    hidden_at: datetime


class HiddenList(Shape):
    data: list[HiddenThing]
    meta: Meta
    links: Links


class HidingChanged(Shape):
    kind: Literal["topic", "community"]
    subject: str
    name: str
    changed: list[str]


class HidingAnswer(Shape):
    data: HidingChanged


class Feed(Shape):
    id: str
    name: str
    kind: Literal["picks", "saved", "topic", "community", "near"]
    subject: str | None
    created_at: datetime


class FeedList(Shape):
    data: list[Feed]
    meta: Meta
    links: Links


class NewFeed(Feed):
    url: str
    webcal_url: str
    google_url: str
    outlook_url: str


class NewFeedAnswer(Shape):
    data: NewFeed


class Source(Shape):
    id: int
    url: str
    name: str | None
    kind: str
    state: Literal["new", "ok", "unchanged", "quiet", "failing", "gone", "paused"]
    state_since: datetime | None  # None: since it was added
    city: str | None
    zone: str
    events: int
    listed: int
    last_good_at: datetime | None
    last_fetch_at: datetime | None
    next_fetch_at: datetime | None  # None: paused, gone, or never fetched
    failures: int
    error_code: str | None
    error: str | None
    is_demo: bool


class SourceAnswer(Shape):
    data: Source


class SourceList(Shape):
    data: list[Source]
    meta: Meta
    links: Links


class Collected(Shape):
    state: Literal["fetched", "unchanged"]
    added: int
    changed: int
    cancelled: int
    merged: int


class CollectedAnswer(Shape):
    data: Collected


class MapTopic(Shape):
    slug: str
    label: str
    domain: str
    events: int
    source: str | None  # the known topic it is reached from
    reach: Reach
    score: float


class TopicMap(Shape):
    known: list[Known]
    ring: list[MapTopic]
    far: list[MapTopic]


class TopicMapAnswer(Shape):
    data: TopicMap
