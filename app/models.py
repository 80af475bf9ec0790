"""The tables: where a source's words, the event people see, and a person's choices are kept.

Instants are UTC; an event also keeps its IANA zone, and `all_day`. What several sources say of one occurrence stays in
`EventVersion`, one row a source; `Event` is what people see of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

Json = dict[str, Any]


class Row(SQLModel):
    """What all tables share."""

    model_config = {"defer_build": True}  # rows are not validated: the schemas that could took a sixth of this import


class Leased(Row):
    """Work that comes due: one worker at a time holds it, and renews its lease while at it (app.queue.leases)."""

    name: str = Field(primary_key=True)
    next_due: datetime = Field(index=True)
    lease_until: datetime | None = None
    holder: str | None = None  # None while it only waits in a queue
    attempts: int = 0  # since it last ended well
    error: str | None = None  # of the last attempt


class Host(Leased, table=True):
    """One web host (host:port): the unit of politeness. Its sources are walked one after another."""


class Chore(Leased, table=True):
    """Something the service does for itself from time to time (app.jobs)."""

    done_at: datetime | None = None


class Worker(Row, table=True):
    """A process that works behind the requests, while it lives."""

    name: str = Field(primary_key=True)
    started_at: datetime
    seen_at: datetime


ONCE = {"sqlite_autoincrement": True}  # a number that others may remember is given to no other row


class Source(Row, table=True):
    """An address events are collected from."""

    __table_args__ = ONCE

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True)
    host: str = Field(foreign_key="host.name", index=True)
    state: str = Field(default="new", index=True)  # new, ok, unchanged, quiet, failing, gone, paused
    kind: str = ""  # the reader that knows it
    name: str | None = None
    city: str | None = None  # fallback place for events without one
    country: str | None = None
    lat: float | None = None
    lon: float | None = None
    zone: str = "UTC"
    community_id: int | None = Field(default=None, foreign_key="community.id", index=True)
    is_demo: bool = Field(default=False, index=True)
    is_bundled: bool = False  # comes with Adjacent or was written into it: never fetched
    added_at: datetime
    state_since: datetime | None = None  # when it came to be in its state; None where that was not written down


class FetchState(Row, table=True):
    """How a source's fetches went. Apart from Source, so that "unchanged" touches one small row."""

    source_id: int = Field(sa_column=Column(ForeignKey("source.id", ondelete="CASCADE"), primary_key=True))
    next_fetch_at: datetime = Field(index=True)
    etag: str | None = None
    last_modified: str | None = None
    body_digest: str | None = None  # SHA-256 of the last body that was read well
    last_fetch_at: datetime | None = None
    last_good_at: datetime | None = None
    last_changed_at: datetime | None = None
    failures: int = 0  # in a row
    error_code: str | None = None
    error: str | None = None
    read_at: datetime | None = None  # when an answer was last read to its end, in the time of `now`
    listed: int = 0  # events in the last good answer, in the window or not
    vanishing_since: datetime | None = None  # since when a suspicious shrinking is held back
    vanishing_fetches: int = 0
    problems: list[Json] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class Community(Row, table=True):
    """A group, user group, association or chat that events come from."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # what the API and pages show
    source_id: int | None = Field(default=None, index=True)  # whose file tells of it; None for organisers of calendars
    file: str | None = None  # the file's name in that source
    name: str = Field(index=True)
    kind: str = "group"
    url: str | None = None
    description: str = ""
    join: str | None = None
    city: str | None = None
    country: str | None = None
    lat: float | None = None
    lon: float | None = None
    is_online: bool = False
    language: str | None = None
    join_steps: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    links: list[Json] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # label, url
    code_of_conduct: str | None = None  # its address
    cost: str | None = None
    openness: str | None = None  # everyone, on request, members
    channel: str | None = None  # of a chat: "#hashtag", a channel's name
    rhythm: str | None = None  # RFC 5545 RRULE, as the community tells it
    seen_in: str | None = None  # public source that names it
    checked_at: datetime | None = None  # its last good fetch; None: unchecked
    purpose: Json = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))  # learn, exchange, … → share
    activity: Json = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))  # inferred from its history
    text_digest: str = ""  # of what tagging reads
    tagged_digest: str | None = None  # text and model the topics were made from
    updated_at: datetime


class CommunityTopic(Row, table=True):
    """What a community is about; `topic` is a slug of the catalogue."""

    community_id: int = Field(sa_column=Column(ForeignKey("community.id", ondelete="CASCADE"), primary_key=True))
    topic: str = Field(primary_key=True, index=True)
    weight: float  # 0 … 1


class Series(Row, table=True):
    """A recurring event as its source wrote it, expanded again by a daily job as the window moves."""

    __table_args__ = (UniqueConstraint("source_id", "uid"),)

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(sa_column=Column(ForeignKey("source.id", ondelete="CASCADE"), nullable=False, index=True))
    uid: str
    digest: str
    definition: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    expanded_until: datetime = Field(index=True)


LISTED, MERGED = text("merged_into IS NULL AND deleted_at IS NULL"), text("merged_into IS NOT NULL")


class Event(Row, table=True):
    """One occurrence as people see it, composed from its versions."""

    __table_args__ = (
        Index("ix_event_upcoming", "starts_at", "id"),
        Index("ix_event_place", "lat", "lon"),
        Index("ix_event_updated", "updated_at", "id"),
        # What lists show, count and filter by, without a look at the rows themselves.
        Index(
            "ix_event_listed",
            *("starts_at", "id", "updated_at", "mode", "status", "is_free", "language", "lat", "lon"),
            sqlite_where=LISTED,
            postgresql_where=LISTED,
        ),
        Index("ix_event_merged", "merged_into", sqlite_where=MERGED, postgresql_where=MERGED),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # opaque and permanent; the local part of the calendar UID
    merged_into: int | None = Field(default=None, foreign_key="event.id")
    title: str
    starts_at: datetime
    ends_at: datetime | None = None
    zone: str = "UTC"
    all_day: bool = False
    status: str = "confirmed"
    mode: str = "unknown"
    url: str | None = None
    online_url: str | None = None
    venue_name: str | None = None
    address: str | None = None
    city: str | None = Field(default=None, index=True)
    country: str | None = None
    lat: float | None = None
    lon: float | None = None
    organizer_name: str | None = None
    organizer_url: str | None = None
    categories: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    language: str | None = None
    price: str | None = None
    is_free: bool | None = None
    description: str = ""
    community_id: int | None = Field(default=None, foreign_key="community.id", index=True)
    series_key: str | None = Field(default=None, index=True)  # equal for the occurrences of one recurring event
    provenance: Json = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))  # field → source address
    purpose: Json = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))  # learn, exchange, … → share
    purpose_phrases: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    welcomes: float = 0.0  # 0 … 1, signals that beginners and outsiders are welcome
    text_digest: str = ""  # of what tagging reads
    tagged_digest: str | None = Field(default=None, index=True)  # text and model the topics were made from
    sequence: int = 0  # RFC 5545 SEQUENCE: rises when time, place or status change
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None  # withdrawn by every source; kept as a tombstone


class EventVersion(Row, table=True):
    """What one source says of one occurrence: the draft, whole, and when it was seen."""

    # NOT NULL: with NULL in recurrence_id a UNIQUE key lets doubles through.
    __table_args__ = (UniqueConstraint("source_id", "uid", "recurrence_id"),)

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(sa_column=Column(ForeignKey("source.id", ondelete="CASCADE"), nullable=False, index=True))
    uid: str
    recurrence_id: str = ""
    event_id: int = Field(foreign_key="event.id", index=True)
    starts_at: datetime = Field(index=True)
    draft: Json = Field(sa_column=Column(JSON, nullable=False))
    digest: str
    first_seen_at: datetime
    last_seen_at: datetime
    withdrawn_at: datetime | None = None  # a complete answer no longer lists it
    why: str | None = None  # why it is the same event as the versions before it


class EventChange(Row, table=True):
    """What one step changed about an event as people see it; the latest few an event are kept."""

    id: int | None = Field(default=None, primary_key=True)
    event_id: int = Field(sa_column=Column(ForeignKey("event.id", ondelete="CASCADE"), nullable=False, index=True))
    at: datetime
    source: str | None = None  # address of the source that said so; None for what was done by hand
    fields: Json = Field(sa_column=Column(JSON, nullable=False))  # field → [before, after], long texts cut


class Verdict(Row, table=True):
    """Somebody's word that two versions are one event, or are not. It outlives both of them.

    They are named as their sources do, since ids end when a source is removed.
    """

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(index=True)  # its address
    uid: str
    recurrence_id: str
    other_source: str = Field(index=True)
    other_uid: str
    other_recurrence_id: str
    is_one: bool
    why: str = ""
    at: datetime


class EventTopic(Row, table=True):
    """What an event is about; `topic` is a slug of the catalogue."""

    event_id: int = Field(sa_column=Column(ForeignKey("event.id", ondelete="CASCADE"), primary_key=True))
    topic: str = Field(primary_key=True, index=True)
    weight: float  # 0 … 1


class Rendering(Row, table=True):
    """An event as lists and calendars show it. Triggers delete it when anything changes that it was made from."""

    event_id: int = Field(sa_column=Column(ForeignKey("event.id", ondelete="CASCADE"), primary_key=True))
    mark: str  # of what rendered it
    item: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # JSON
    component: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # VEVENT


class Embedding(Row, table=True):
    """Sentence embeddings by the text they were made from, so that a text is embedded once."""

    digest: str = Field(primary_key=True)  # SHA-256 of model id and text
    vector: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # float16


class Person(Row, table=True):
    """Someone picks are made for; a guest has no address."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    email: str | None = Field(default=None, unique=True)
    zone: str = "UTC"
    place: str | None = None  # as told: a city's name or "lat,lon"
    lat: float | None = None
    lon: float | None = None
    within_km: float = 50.0
    online: bool = True
    reach: str = "one-step"  # as chosen; feedback shifts it (app.people.feedback)
    reach_chosen_at: datetime  # feedback before this no longer shifts it
    days: int = 21
    language: str | None = None  # of pages and mails; None: what the browser asks for
    languages: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # of events; empty: any
    purposes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # asked for: sell, …
    free_only: bool = False
    created_at: datetime
    profile_version: int = 0  # rises with profile and feedback; a stored slate is made anew when it has


class Expertise(Row, table=True):
    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True))
    topic: str = Field(primary_key=True)
    level: int = 3  # 1 a little … 5 a master


class Feedback(Row, table=True):
    __table_args__ = (UniqueConstraint("person_id", "event_id", "kind"),)

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True))
    event_id: int = Field(foreign_key="event.id", index=True)
    kind: str  # going, saved, dismissed, too_close, too_far, attended
    topic: str | None = None  # slug of the topic the pick was made for
    note: str | None = None
    given_at: datetime


class Hidden(Row, table=True):
    """What a person never wants picks of again."""

    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True))
    kind: str = Field(primary_key=True)  # topic, community
    subject: str = Field(primary_key=True)  # the topic's slug or the community's key
    hidden_at: datetime


class Takeaway(Row, table=True):
    """What a person brought back from an event they attended; nobody else reads it."""

    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True))
    event_id: int = Field(sa_column=Column(ForeignKey("event.id"), primary_key=True, index=True))
    asked_at: datetime | None = None
    told_at: datetime | None = None
    learned: str = ""
    to_tell: str = ""
    would_go_again: bool | None = None
    topic: str | None = None  # that became expertise through it


class ShownPick(Row, table=True):
    """A pick a person was shown: their slate of an ISO week, the same on every channel."""

    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True))
    week: str = Field(primary_key=True)  # 2026-W48
    event_id: int = Field(sa_column=Column(ForeignKey("event.id"), primary_key=True, index=True))
    rank: int
    pick: Json = Field(sa_column=Column(JSON, nullable=False))  # topic, topics, path, reach, score, reason, evidence
    sequence: int = 0  # of the event when it was shown
    profile_version: int
    shown_at: datetime
    withdrawn_at: datetime | None = None  # no longer in the slate; stays in calendars that hold it


class ShownCommunity(Row, table=True):
    """The community a person is introduced to in an ISO week."""

    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True))
    week: str = Field(primary_key=True)
    community_id: int | None = Field(  # None: there was none to join
        default=None, sa_column=Column(ForeignKey("community.id", ondelete="CASCADE"), index=True)
    )
    pick: Json = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))  # topic, path, reach, score, …
    profile_version: int
    shown_at: datetime


class Feed(Row, table=True):
    """A personal calendar someone subscribed to; its address holds a token."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), nullable=False, index=True))
    name: str
    kind: str = "picks"  # picks, saved, topic, community, near
    subject: str | None = None  # the topic's slug or the community's key
    created_at: datetime


class FeedEntry(Row, table=True):
    """An event that entered a personal calendar: it stays, moves or is cancelled there, and is never re-rolled."""

    feed_id: int = Field(sa_column=Column(ForeignKey("feed.id", ondelete="CASCADE"), primary_key=True))
    event_id: int = Field(sa_column=Column(ForeignKey("event.id"), primary_key=True, index=True))
    reason: str = ""
    entered_at: datetime


class Token(Row, table=True):
    """A secret someone holds; only its SHA-256 is stored. The plain token starts with a prefix that names its kind."""

    digest: str = Field(primary_key=True)
    kind: str = Field(index=True)  # session, api, feed, unsubscribe, operator, sign_in
    person_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    )
    feed_id: int | None = Field(default=None, sa_column=Column(ForeignKey("feed.id", ondelete="CASCADE"), index=True))
    label: str = ""
    scopes: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class SignIn(Row, table=True):
    """A sign-in that was asked for by mail: its link is a token of kind sign_in, its code stands here."""

    digest: str = Field(sa_column=Column(ForeignKey("token.digest", ondelete="CASCADE"), primary_key=True))
    email: str = Field(index=True)
    code_mac: str  # HMAC under a key of the data folder: six digits behind a plain hash are soon tried out
    attempts: int = 0  # wrong codes
    asked_at: datetime


class Proposal(Row, table=True):
    """A page, event or community somebody wants in here; an operator decides."""

    __table_args__ = ONCE

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True)
    person_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    )
    state: str = Field(default="proposed", index=True)  # proposed, accepted, refused
    name: str | None = None
    kind: str = ""  # the reader that knows it
    listed: int = 0
    preview: list[Json] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # the next events
    details: Json | None = Field(default=None, sa_column=Column(JSON))  # of an event or community told by form
    proposed_at: datetime
    decided_at: datetime | None = None
    source_id: int | None = Field(default=None, sa_column=Column(ForeignKey("source.id", ondelete="SET NULL")))


class Report(Row, table=True):
    """What somebody says is wrong with an event; who said it is not kept."""

    id: int | None = Field(default=None, primary_key=True)
    event_id: int = Field(sa_column=Column(ForeignKey("event.id", ondelete="CASCADE"), nullable=False, index=True))
    kind: str  # time, off, twice, topic, purpose, other
    words: str = ""
    reported_at: datetime
    looked_at: datetime | None = None  # when an operator put it aside


class Audit(Row, table=True):
    """What an operator did, written in the transaction that did it; people stand here by id, never by address."""

    __table_args__ = ONCE

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    token_id: str | None = None  # as lists of tokens show it; None for the command line
    action: str  # source.add, proposal.accept …
    subject: str


class Subscription(Row, table=True):
    """How a person wants the weekly mail."""

    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True))
    rhythm: str = "weekly"  # weekly, fortnightly, monthly, worthwhile, off
    weekday: int = 2  # ISO: Monday is 1; in the person's zone, as the hour
    hour: int = 8
    next_at: datetime | None = Field(default=None, index=True)  # None: no mail is due by itself
    paused_until: datetime | None = None
    confirmed_at: datetime | None = None  # double opt-in
    ended_at: datetime | None = None
    end_reason: str | None = None  # unsubscribed, bounced, complained
    bounces: int = 0  # in a row
    bounced_at: datetime | None = None


class Digest(Row, table=True):
    """One weekly mail: at most one a person and ISO week."""

    person_id: int = Field(sa_column=Column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True))
    week: str = Field(primary_key=True)
    state: str = Field(index=True)  # due, sending, sent, unknown, failed, skipped, bounced (app.mail.digest)
    changed_at: datetime
    error: str | None = None
    message_id: str | None = None
    event_ids: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))  # of its picks
    asked_event_id: int | None = None  # what it asks to bring back from
    attempts: int = 0
    next_attempt_at: datetime | None = None


class Revision(Row, table=True):
    """How often what people read has changed. Triggers count, so that nobody who writes can forget to."""

    name: str = Field(primary_key=True)  # "events", "person/7", "feed/3"
    number: int = Field(default=0, sa_type=BigInteger)


class Tally(Row, table=True):
    """How often something happened on a day."""

    day: str = Field(primary_key=True)  # UTC, as in 2026-11-25
    kind: str = Field(primary_key=True)  # "failed": fetches
    number: int


class Setting(Row, table=True):
    """Small facts about the instance itself: the demonstration's state, job slots."""

    name: str = Field(primary_key=True)
    value: str
