"""What an answer changes about what is stored, and what storing it leaves behind, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from service import MUNICH, NOW, draft
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.collecting import frontier
from app.db import Database
from app.events import ingest, removal
from app.events.changes import Changes, Known, Vanishing, compare, digest_of
from app.events.ingest import Counts
from app.events.inventories import FILES
from app.models import Community, Event, EventChange, EventVersion, Host, Source
from scrapers import CommunityDraft, EventDraft, Organizer, Problem, Reading, Venue

pytest_plugins = ("databases",)

READING_CLUB, TOWN_HALL = "https://reading.example/a.ics", "https://hall.example/all.ics"
BERLIN = ZoneInfo("Europe/Berlin")
A, B, C = draft("a", "Ink"), draft("b", "Paper", days=2), draft("c", "Glue", days=3)


def reading(*drafts: EventDraft, problems: Iterable[Problem] = (), last_start: datetime | None = None) -> Reading:
    last = last_start or max((one.starts_at for one in drafts), default=None)
    return Reading(events=drafts, problems=tuple(problems), last_start=last, listed=len(drafts))


def stored(*drafts: EventDraft, withdrawn: bool = False) -> dict[tuple[str, str], Known]:
    return {
        one.key: Known(number, number, one.starts_at, digest_of(one), withdrawn) for number, one in enumerate(drafts, 1)
    }


def season(count: int) -> list[EventDraft]:
    return [draft(f"s{number:02}", f"Evening {number}", days=1 + number) for number in range(count)]


def test_first_answer_adds_everything() -> None:
    assert compare(reading(A, B), {}, now=NOW, vanishing=Vanishing()) == Changes(added=(A, B))


def test_same_answer_changes_nothing() -> None:
    again = replace(A, source="https://elsewhere.example", warnings=("no_end",))
    assert compare(reading(again, B), stored(A, B), now=NOW, vanishing=Vanishing()) == Changes(seen=(1, 2))


def test_moved_event_is_changed_in_place() -> None:
    moved = replace(A, starts_at=A.starts_at + timedelta(days=7))
    changes = compare(reading(moved, B), stored(A, B), now=NOW, vanishing=Vanishing())
    assert changes == Changes(changed=((1, moved),), seen=(1, 2))


def test_complete_answer_takes_away_what_it_no_longer_lists() -> None:
    changes = compare(reading(A, C), stored(A, B, C), now=NOW, vanishing=Vanishing())
    assert changes == Changes(withdrawn=(2,), seen=(1, 3))


def test_past_events_are_never_taken_away() -> None:
    yesterday = draft("past", days=-0.5)
    assert compare(reading(A), stored(A, yesterday), now=NOW, vanishing=Vanishing()) == Changes(seen=(1,))


def test_list_of_the_next_ten_says_nothing_of_what_lies_beyond() -> None:
    events = season(30)
    changes = compare(reading(*events[:10]), stored(*events), now=NOW, vanishing=Vanishing())
    assert changes == Changes(seen=tuple(range(1, 11)))
    gone_within = compare(reading(*events[:4], *events[5:10]), stored(*events), now=NOW, vanishing=Vanishing())
    assert gone_within.withdrawn == (5,)


def test_events_beyond_a_listed_but_distant_one_are_taken_away() -> None:
    changes = compare(reading(A, last_start=NOW + timedelta(days=90)), stored(A, C), now=NOW, vanishing=Vanishing())
    assert changes.withdrawn == (2,)


@pytest.mark.parametrize(
    ("known", "gone", "is_held"),
    [(30, 5, False), (30, 6, False), (31, 6, False), (30, 7, True), (10, 5, False), (10, 6, True), (3, 2, False)],
)
def test_fuse_blows_at_more_than_a_fifth_and_more_than_five(known: int, gone: int, is_held: bool) -> None:
    events = season(known)
    changes = compare(reading(*events[gone:]), stored(*events), now=NOW, vanishing=Vanishing())
    assert (changes.held_back, len(changes.withdrawn)) == ((gone, 0) if is_held else (0, gone))


def test_suspicious_shrinking_is_believed_after_three_answers_and_two_days() -> None:
    events = season(20)
    few, known = reading(*events[10:]), stored(*events)
    first = compare(few, known, now=NOW, vanishing=Vanishing())
    assert (first.vanishing, first.withdrawn) == (Vanishing(NOW, 1), ())
    second = compare(few, known, now=NOW + timedelta(hours=24), vanishing=first.vanishing)
    assert (second.vanishing, second.withdrawn) == (Vanishing(NOW, 2), ())
    early = compare(few, known, now=NOW + timedelta(hours=47), vanishing=second.vanishing)
    assert (early.vanishing, early.withdrawn) == (Vanishing(NOW, 3), ())
    # 47 hours on, the first two evenings are over: past, they stay.
    third = compare(few, known, now=NOW + timedelta(hours=48), vanishing=second.vanishing)
    assert (third.vanishing, third.withdrawn) == (Vanishing(), tuple(range(2, 11)))


def test_two_days_alone_are_not_enough() -> None:
    events = season(20)
    late = compare(reading(*events[10:]), stored(*events), now=NOW, vanishing=Vanishing(NOW - timedelta(days=9), 1))
    assert late.vanishing == Vanishing(NOW - timedelta(days=9), 2)


def test_shrinking_is_forgotten_when_the_events_are_back() -> None:
    events = season(20)
    changes = compare(reading(*events), stored(*events), now=NOW, vanishing=Vanishing(NOW - timedelta(days=1), 2))
    assert changes == Changes(seen=tuple(range(1, 21)))


def test_empty_answer_is_held_however_few_events_there_were() -> None:
    changes = compare(reading(), stored(A), now=NOW, vanishing=Vanishing())
    assert changes == Changes(vanishing=Vanishing(NOW, 1), held_back=1)


def test_answer_that_ends_in_the_past_says_nothing_of_what_comes() -> None:
    over = draft("past", days=-0.5)
    assert compare(reading(over), stored(A), now=NOW, vanishing=Vanishing()) == Changes(added=(over,))


def test_only_event_replaced_by_another_goes_at_once() -> None:
    changes = compare(reading(C), stored(A), now=NOW, vanishing=Vanishing())
    assert changes == Changes(added=(C,), withdrawn=(1,))


def test_returned_event_is_told_as_changed() -> None:
    changes = compare(reading(A), stored(A, withdrawn=True), now=NOW, vanishing=Vanishing())
    assert changes == Changes(changed=((1, A),), seen=(1,))


def test_uids_made_up_at_every_request_double_nothing() -> None:
    renamed = tuple(replace(one, uid=f"{one.uid}-again") for one in (A, B, C))
    changes = compare(reading(*renamed), stored(A, B, C), now=NOW, vanishing=Vanishing())
    assert changes == Changes(changed=tuple(enumerate(renamed, 1)), seen=(1, 2, 3))


def test_two_events_of_one_content_keep_a_version_each() -> None:
    twice = (A, replace(A, uid="a2"))
    renamed = tuple(replace(one, uid=f"{one.uid}-again") for one in twice)
    assert compare(reading(*renamed), stored(*twice), now=NOW, vanishing=Vanishing()).changed == (
        (1, renamed[0]),
        (2, renamed[1]),
    )


@pytest.mark.parametrize("code", ["truncated", "script_broken", "more_pages"])
def test_answer_that_was_not_read_to_its_end_takes_nothing_away(code: str) -> None:
    partial = reading(C, problems=[Problem(code, READING_CLUB, "broken off")])
    assert compare(partial, stored(A, B, C), now=NOW, vanishing=Vanishing()) == Changes(seen=(3,))


def test_event_its_source_broke_stays() -> None:
    broken = [Problem("bad_start", "a", "left out")]
    assert compare(reading(C, problems=broken), stored(A, B, C), now=NOW, vanishing=Vanishing()).withdrawn == (2,)
    nameless = [*broken, Problem("bad_start", "", "the same of 30 more")]
    assert compare(reading(C, problems=nameless), stored(A, B, C), now=NOW, vanishing=Vanishing()).withdrawn == ()


def test_key_listed_twice_is_taken_once() -> None:
    assert compare(reading(A, replace(A, title="Other")), {}, now=NOW, vanishing=Vanishing()).added == (A,)


def test_changes_come_in_batches() -> None:
    parts = list(Changes(added=tuple(season(450)), withdrawn=(1, 2)).in_batches())
    assert [(len(part.added), part.withdrawn) for part in parts] == [(200, (1, 2)), (200, ()), (50, ())]
    assert list(Changes().in_batches()) == [Changes()]


def meetings(file: str, count: int) -> list[EventDraft]:
    return [draft(f"{file}/0", file, days=7 * week, recurrence_id=str(week)) for week in range(1, count + 1)]


def repository(*files: str, problems: Iterable[Problem] = ()) -> Reading:
    """Return what a repository tells of these community files, which name no dates."""
    communities = tuple(CommunityDraft(key, key, "group", "https://club.example/") for key in files)
    return replace(reading(problems=problems), kind=FILES, communities=communities)


def test_deleted_community_file_takes_all_its_dates_along() -> None:
    known = stored(*meetings("knitters", 52), *meetings("weavers", 2))
    changes = compare(repository("weavers", "dyers"), known, now=NOW, vanishing=Vanishing())
    # Both are meant: the file that is gone, and the one that names no dates any more.
    assert (len(changes.withdrawn), changes.held_back) == (54, 0)


def test_community_file_that_cannot_be_read_keeps_its_dates() -> None:
    known = stored(*meetings("knitters", 2), *meetings("weavers", 2), *meetings("dyers", 2))
    problems = [
        Problem("broken_toml", "communities/knitters.toml:3", "a text does not end"),
        Problem("too_large", "communities/weavers.toml", "more than 64 KB"),
    ]
    changes = compare(repository("spinners", problems=problems), known, now=NOW, vanishing=Vanishing())
    assert changes.withdrawn == (5, 6)


@pytest.mark.parametrize(("known", "gone", "is_held"), [(5, 4, False), (12, 5, False), (12, 6, True), (60, 12, False)])
def test_fuse_blows_where_many_community_files_go_at_once(known: int, gone: int, is_held: bool) -> None:
    files = [f"club{number}" for number in range(known)]
    versions = stored(*(meeting for file in files for meeting in meetings(file, 2)))
    changes = compare(repository(*files[gone:]), versions, now=NOW, vanishing=Vanishing())
    taken = 2 * known  # those that remain name no dates any more
    assert (changes.held_back, len(changes.withdrawn)) == ((taken, 0) if is_held else (0, taken))


# Storing


async def store(
    session: AsyncSession, drafts: Sequence[EventDraft], *, url: str = READING_CLUB, now: datetime = NOW, **home: object
) -> Counts:
    """Take a complete answer that lists these drafts in, as collecting does."""
    source = await frontier.add_source(session, url, **home)  # type: ignore[arg-type]
    known = await ingest.stored_versions(session, source.id or 0)
    changes = compare(reading(*drafts), known, now=now, vanishing=Vanishing())
    return await ingest.store(session, source, changes, now=now)


async def events(session: AsyncSession) -> list[Event]:
    return list(await session.exec(select(Event).order_by(col(Event.starts_at), col(Event.id))))


async def test_storing_again_changes_nothing(database: Database) -> None:
    for hours, counts in ((0, Counts(added=3)), (1, Counts()), (2, Counts())):
        async with database.writing() as session:
            assert await store(session, [A, B, C], now=NOW + timedelta(hours=hours)) == counts
    async with database.reading() as session:
        assert [(one.title, one.sequence, one.updated_at) for one in await events(session)] == [
            ("Ink", 0, NOW),
            ("Paper", 0, NOW),
            ("Glue", 0, NOW),
        ]


async def test_torn_storing_leaves_nothing_and_is_repeated_whole(database: Database) -> None:
    async def torn() -> None:
        async with database.writing() as session:
            await store(session, [A, B])
            raise RuntimeError("torn")

    with pytest.raises(RuntimeError, match="torn"):
        await torn()
    async with database.reading() as session:
        assert (await events(session), list(await session.exec(select(Source)))) == ([], [])
    async with database.writing() as session:
        assert await store(session, [A, B]) == Counts(added=2)


async def test_moved_event_keeps_its_id_and_raises_sequence(database: Database) -> None:
    moved = replace(A, starts_at=A.starts_at + timedelta(hours=1))
    retitled = replace(moved, description="Bring a pen.")
    async with database.writing() as session:
        await store(session, [A])
        (before,) = await events(session)
        key = before.key
        later = NOW + timedelta(hours=1)
        assert await store(session, [moved], now=later) == Counts(changed=1)
        (after,) = await events(session)
        assert (after.key, after.starts_at, after.sequence, after.updated_at) == (key, moved.starts_at, 1, later)
        await store(session, [retitled], now=later + timedelta(hours=1))
        assert (after.description, after.sequence, after.updated_at) == ("Bring a pen.", 1, NOW + timedelta(hours=2))


async def test_cancelled_event_stays_with_its_status(database: Database) -> None:
    async with database.writing() as session:
        await store(session, [A, B])
        assert await store(session, [replace(A, status="cancelled"), B]) == Counts(changed=1, cancelled=1)
        assert await store(session, [replace(A, status="cancelled", title="CANCELLED: Ink"), B]) == Counts(changed=1)
        ink = (await events(session))[0]
        assert (ink.status, ink.deleted_at, ink.sequence) == ("cancelled", None, 1)


async def test_event_no_longer_listed_becomes_a_tombstone_and_returns(database: Database) -> None:
    async with database.writing() as session:
        await store(session, [A, B, C])
        later = NOW + timedelta(hours=6)
        assert await store(session, [A, C], now=later) == Counts(cancelled=1)
        _, paper, _ = await events(session)
        assert (paper.title, paper.deleted_at, paper.sequence, paper.status) == ("Paper", later, 1, "confirmed")
        assert await store(session, [A, C], now=later + timedelta(hours=1)) == Counts()
        assert paper.deleted_at == later
        assert await store(session, [A, B, C], now=later + timedelta(hours=2)) == Counts(changed=1)
        assert [(one.title, one.deleted_at, one.sequence) for one in await events(session)] == [
            ("Ink", None, 0),
            ("Paper", None, 2),
            ("Glue", None, 0),
        ]


async def test_renamed_event_keeps_its_id(database: Database) -> None:
    async with database.writing() as session:
        await store(session, [A, B])
        keys = [one.key for one in await events(session)]
        await store(session, [replace(A, uid="x"), replace(B, uid="y")])
        assert [one.key for one in await events(session)] == keys
        assert set(await ingest.stored_versions(session, 1)) == {("x", ""), ("y", "")}
        # The uid comes back for another event: neither takes the other's place.
        other = draft("a", "Parchment", days=5)
        assert await store(session, [replace(A, uid="x"), replace(B, uid="y"), other]) == Counts(added=1)
        assert [one.title for one in await events(session)] == ["Ink", "Paper", "Parchment"]


RICH = draft(
    "1",
    "Evening of marbled paper",
    venue=MUNICH,
    url="https://reading.example/marbled",
    description="We marble. " * 20,
    organizer=Organizer("Reading club"),
)
POOR = draft(
    "x-1", "Evening of marbled paper!", price="5 EUR", ends_at=NOW + timedelta(days=1, hours=2), status="cancelled"
)


async def test_twins_of_two_sources_become_one_event_with_provenance_by_field(database: Database) -> None:
    async with database.writing() as session:
        await store(session, [RICH, B])
        key = (await events(session))[0].key
        assert await store(session, [POOR], url=TOWN_HALL) == Counts(added=1, cancelled=1, merged=1)
        marbled, paper = await events(session)
        assert (marbled.key, paper.title) == (key, "Paper")
        shown = (marbled.title, marbled.venue_name, marbled.price, marbled.ends_at, marbled.status, marbled.is_free)
        assert shown == (RICH.title, "Studio", "5 EUR", POOR.ends_at, "cancelled", False)
        told_by = {field: marbled.provenance[field] for field in ("title", "venue_name", "price", "ends_at", "status")}
        assert told_by == {
            "title": READING_CLUB,
            "venue_name": READING_CLUB,
            "price": TOWN_HALL,
            "ends_at": TOWN_HALL,
            "status": TOWN_HALL,
        }
        versions = list(await session.exec(select(EventVersion).where(EventVersion.event_id == marbled.id)))
        assert sorted((one.source_id, one.uid) for one in versions) == [(1, "1"), (2, "x-1")]
        # One source falls silent: the other's version remains and shows.
        assert await store(session, [draft("far", days=9)], url=TOWN_HALL) == Counts(added=1)
        assert (marbled.deleted_at, marbled.status, marbled.price) == (None, "confirmed", None)


async def test_parallel_sessions_stay_apart_whoever_tells_of_them(database: Database) -> None:
    first, second = draft("1", "Letterpress printing workshop"), draft("2", "Letterpress printing workshop")
    async with database.writing() as session:
        await store(session, [first, second])
        assert await store(session, [first, second], url=TOWN_HALL) == Counts(added=2, merged=2)
        assert len(await events(session)) == 2
        third = draft("3", "Letterpress printing workshop")
        assert await store(session, [first, second, third], url=TOWN_HALL) == Counts(added=1)
        assert len(await events(session)) == 3
        # The club hears of the third one: it is the third one's twin, not the first one's once more.
        assert await store(session, [first, second, third]) == Counts(added=1, merged=1)
        assert len(await events(session)) == 3


async def test_day_and_hour_of_one_event_merge_in_either_order(database: Database) -> None:
    zone = "Europe/Berlin"
    night = draft("1", "Long night of bookbinding", days=0.25, zone=zone)
    whole = replace(night, uid="2", all_day=True, starts_at=datetime(2026, 11, 30, 23, tzinfo=UTC))
    local = [replace(one, starts_at=one.starts_at.astimezone(BERLIN)) for one in (night, whole)]
    for number, (first, second) in enumerate((local, reversed(local))):
        async with database.writing() as session:
            await store(session, [first], url=f"https://a{number}.example/")
            assert (await store(session, [second], url=f"https://b{number}.example/")).merged == 1
            for one in (one for one in await events(session) if one.deleted_at is None):
                assert (one.starts_at, one.all_day) == (night.starts_at, False)  # the hour says more than the day
            for source in list(await session.exec(select(Source))):
                await removal.forget_source(session, source, now=NOW)


async def test_chapters_in_two_towns_are_not_merged(database: Database) -> None:
    opening = draft("1", "Opening of the marbled paper exhibition")
    towns = {"Munich": (48.137, 11.575), "Hamburg": (53.55, 9.99), "Dachau": (48.26, 11.43)}
    async with database.writing() as session:
        for city, (lat, lon) in towns.items():
            await store(session, [opening], url=f"https://{city}.example/", city=city, country="DE", lat=lat, lon=lon)
        assert [one.city for one in await events(session)] == ["Dachau", "Hamburg"]  # Dachau and Munich are one place


async def test_named_place_comes_before_the_town_of_a_richer_source(database: Database) -> None:
    lengthy = draft("1", "Evening of marbled paper", description="We marble. " * 200, url="https://a.example/1")
    async with database.writing() as session:
        await store(session, [lengthy], city="Munich", country="DE", lat=48.137, lon=11.575)
        await store(session, [replace(RICH, description="")], url=TOWN_HALL)
        (marbled,) = await events(session)
        assert (marbled.venue_name, marbled.provenance["venue_name"]) == ("Studio", TOWN_HALL)
        assert marbled.provenance["description"] == READING_CLUB


async def test_event_without_a_place_stands_in_its_sources_town(database: Database) -> None:
    online, abroad = draft("o", "On screen", mode="online"), draft("x", "Away", days=2, venue=Venue(country="FR"))
    async with database.writing() as session:
        await store(session, [A, online, abroad], city="Munich", country="DE", lat=48.137, lon=11.575)
        places = {one.title: (one.city, one.lat) for one in await events(session)}
    assert places == {"Ink": ("Munich", 48.137), "On screen": (None, None), "Away": (None, None)}


async def test_two_sources_that_tell_of_one_event_at_one_moment_make_one(database: Database) -> None:
    async def tell(number: int) -> Counts:
        async with database.writing() as session:
            return await store(session, [replace(RICH, uid=str(number))], url=f"https://source{number}.example/")

    assert sum((await asyncio.gather(*map(tell, range(6)))), Counts()) == Counts(added=6, merged=5)
    async with database.reading() as session:
        assert len(await events(session)) == 1


async def test_forgotten_source_leaves_what_others_tell_of(database: Database) -> None:
    async with database.writing() as session:
        await store(session, [RICH, B])
        await store(session, [POOR, C], url=TOWN_HALL)
        club = (await session.exec(select(Source).where(Source.url == READING_CLUB))).one()
        club.community_id = await community(session)
        assert await removal.forget_source(session, club, now=NOW) == 1
        marbled, paper, glue = await events(session)
        assert (marbled.title, marbled.venue_name, set(marbled.provenance.values())) == (POOR.title, None, {TOWN_HALL})
        assert [(one.title, one.deleted_at) for one in (paper, glue)] == [("Paper", NOW), ("Glue", None)]
        assert list(await session.exec(select(Community))) == []
        assert [host.name for host in await session.exec(select(Host))] == ["hall.example:443"]


async def community(session: AsyncSession) -> int:
    row = Community(key="reading-club", name="Reading club", updated_at=NOW)
    session.add(row)
    await session.flush()
    assert row.id is not None
    return row.id


async def test_source_added_again_finds_its_tombstones(database: Database) -> None:
    async with database.writing() as session:
        await store(session, [A, B])
        await store(session, [B], now=NOW + timedelta(minutes=1))  # A is a tombstone already
        keys = [one.key for one in await events(session)]
        source = (await session.exec(select(Source))).one()
        later = NOW + timedelta(hours=1)
        assert await removal.forget_source(session, source, now=later) == 2
    async with database.writing() as session:
        # SEQUENCE rises once: calendars that hold it must learn that it is off.
        assert [(one.key, one.deleted_at, one.updated_at, one.sequence) for one in await events(session)] == [
            (keys[0], NOW + timedelta(minutes=1), NOW + timedelta(minutes=1), 1),
            (keys[1], later, later, 1),
        ]
        assert [(one.source, one.fields) for one in await session.exec(select(EventChange))] == [
            (READING_CLUB, {"deleted_at": [None, (NOW + timedelta(minutes=1)).isoformat()]}),
            (READING_CLUB, {"deleted_at": [None, later.isoformat()]}),
        ]
        assert await store(session, [A, B], now=later) == Counts(added=2)
        assert [(one.key, one.deleted_at, one.sequence) for one in await events(session)] == [
            (keys[0], None, 2),
            (keys[1], None, 2),
        ]


async def test_stamps_rise_in_the_order_in_which_changes_come_to_be_seen(database: Database) -> None:
    seen: dict[str, datetime] = {}

    async def tell(number: int) -> None:
        began = NOW - timedelta(hours=number)  # the later one takes its turn, the earlier it began
        async with database.writing() as session:
            evening = draft(str(number), f"Evening {number}")
            await store(session, [evening], url=f"https://source{number}.example/", now=began)

    async def look() -> None:
        async with database.reading() as session:
            fresh = {one.key: one.updated_at for one in await events(session) if one.key not in seen}
        assert not fresh or not seen or min(fresh.values()) > max(seen.values())
        seen.update(fresh)

    telling = asyncio.gather(*map(tell, range(8)))
    while not telling.done():
        await look()
    await telling
    await look()
    assert len(seen) == len(set(seen.values())) == 8


async def test_thousand_events_are_stored_in_seconds(database: Database) -> None:
    async with database.writing() as session:
        source = await frontier.add_source(session, READING_CLUB)
        for part in Changes(added=tuple(season(1000))).in_batches():
            await ingest.store(session, source, part, now=NOW)
        assert len(await events(session)) == 1000


async def test_language_is_the_sources_word_or_the_texts(database: Database) -> None:
    told = draft("1", "Offener Abend der Buchbinder", description="Wir falten und heften, alle sind willkommen.")
    async with database.writing() as session:
        await store(session, [told, replace(told, uid="2", language="gsw"), draft("3", "Ink", days=2)])
        assert [one.language for one in await events(session)] == ["de", "gsw", None]


async def test_changed_version_is_matched_anew(database: Database) -> None:
    other = draft("x-1", "To be announced", days=A.starts_at.day - NOW.day + 30)
    async with database.writing() as session:
        await store(session, [A, B])
        await store(session, [other], url=TOWN_HALL)
        ink, _, unknown = await events(session)
        assert unknown.merged_into is None
        told = replace(other, title="An evening of ink and nibs", starts_at=A.starts_at)
        mine = replace(A, title="An evening of ink and nibs")
        await store(session, [mine, B])
        later = NOW + timedelta(hours=1)
        assert await store(session, [told], url=TOWN_HALL, now=later) == Counts(changed=1, merged=1)
        assert (unknown.merged_into, unknown.updated_at, unknown.sequence) == (ink.id, later, 1)
        versions = list(await session.exec(select(EventVersion).where(EventVersion.event_id == ink.id)))
        assert [version.uid for version in versions] == ["a", "x-1"]
        assert versions[1].why


async def test_versions_that_were_one_stay_one_when_one_source_moves_first(database: Database) -> None:
    title = "An evening of ink and nibs"
    ours, theirs = replace(A, title=title), replace(A, uid="x-1", title=title)
    async with database.writing() as session:
        await store(session, [ours])
        assert (await store(session, [theirs], url=TOWN_HALL)).merged == 1
        moved = replace(ours, starts_at=A.starts_at + timedelta(days=7))
        assert await store(session, [moved]) == Counts(changed=1)
        assert len([one for one in await events(session) if one.merged_into is None]) == 1
