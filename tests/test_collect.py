"""Rounds against a real origin: what goes wrong stays with its source and takes no event away; on both databases."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from origin import Asked, Origin, answer, raw, truncated_gzip
from service import NOW
from sqlalchemy import text
from sqlmodel import col, select

from app.collecting import collect, frontier, series, tallies
from app.collecting.page_reading import HORIZON
from app.db import Database
from app.events import ingest, removal
from app.events.changes import BATCH
from app.models import Community, Event, EventVersion, FetchState, Host, Series, Source
from scrapers import stable_digest
from scrapers.fetch import Fetcher

pytest_plugins = ("databases",)

WEEK = timedelta(days=7)
LOGIN = "<html><title>Sign in</title><form><input name=user><input type=password name=pass></form></html>"


def calendar(*events: str, name: str = "Reading club") -> str:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", f"X-WR-CALNAME:{name}", *events, "END:VCALENDAR")
    return "\r\n".join(lines) + "\r\n"


def event(uid: str, start: datetime, *more: str, title: str = "") -> str:
    lines = ("BEGIN:VEVENT", f"UID:{uid}", f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"SUMMARY:{title or uid}", *more)
    return "\r\n".join((*lines, "END:VEVENT"))


def season(count: int, prefix: str = "evening") -> list[str]:
    return [event(f"{prefix}-{number}", NOW + timedelta(days=1 + number)) for number in range(count)]


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as origin:
        yield origin


@pytest.fixture
async def fetcher(origin: Origin) -> AsyncIterator[Fetcher]:
    async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
        yield fetcher


async def add(database: Database, *urls: str) -> list[int]:
    async with database.writing() as session:
        return [row.id or 0 for row in await frontier.add_sources(session, urls)]


async def round_(
    database: Database, fetcher: Fetcher, ids: Sequence[int], *, now: datetime = NOW
) -> list[tuple[str, str | None]]:
    """Collect and return each outcome's state and code, in the order of the sources."""
    outcomes = {one.url: one for one in (await collect.collect(database, fetcher, ids, now=lambda: now)).outcomes}
    return [(one.state, one.code) for _, one in sorted(outcomes.items())]


async def shown(database: Database) -> dict[str, Event]:
    """Return the events people see, by title."""
    async with database.reading() as session:
        rows = await session.exec(select(Event).where(col(Event.deleted_at).is_(None)))
        return {row.title: row for row in rows}


async def starts(database: Database) -> list[tuple[datetime, str]]:
    async with database.reading() as session:
        rows = await session.exec(select(Event).where(col(Event.deleted_at).is_(None)).order_by(col(Event.starts_at)))
        return [(row.starts_at, row.title) for row in rows]


async def source_and_state(database: Database, source_id: int) -> tuple[Source, FetchState]:
    async with database.reading() as session:
        return await session.get_one(Source, source_id), await session.get_one(FetchState, source_id)


TROUBLES = {
    "forbidden": "forbidden",
    "error": "server_error",
    "empty": "vanishing",
    "login": "login_page",
    "cut": "truncated",
    "garbage": "unknown_format",
}


def spoil(origin: Origin, path: str, trouble: str, good: str) -> None:
    match trouble:
        case "forbidden":
            origin.serve(path, status=403)
        case "error":
            origin.serve(path, status=500)
        case "empty":
            origin.serve(path, calendar(), content_type="text/calendar")
        case "login":
            origin.serve(path, LOGIN, content_type="text/calendar")
        case "cut":
            origin.handle(path, raw(truncated_gzip(good.encode())))
        case _:
            origin.serve(
                path, b"\x93" + random.Random(path).randbytes(3000).replace(b"<", b""), content_type="text/calendar"
            )


async def test_twenty_sources_in_all_sorts_of_trouble_lose_no_event(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    good = {f"/{number:02}.ics": calendar(*season(4, f"club{number:02}")) for number in range(20)}
    for path, body in good.items():
        origin.serve(path, body, content_type="text/calendar")
    ids = await add(database, *map(origin.url, good))
    assert await round_(database, fetcher, ids) == [("fetched", None)] * 20
    before = await shown(database)
    assert len(before) == 80
    names = list(TROUBLES)
    for turn in range(len(names)):
        trouble = {path: names[(number + turn) % len(names)] for number, path in enumerate(good)}
        for path, body in good.items():
            spoil(origin, path, trouble[path], body)
        codes = [TROUBLES[trouble[path]] for path in good]
        assert await round_(database, fetcher, ids, now=NOW + timedelta(minutes=turn)) == [
            ("failed", code) for code in codes
        ]
        facts = [await source_and_state(database, one) for one in ids]
        assert [(source.state, state.error_code, bool(state.error)) for source, state in facts] == [
            ("failing", code, True) for code in codes
        ]
    assert await shown(database) == before
    for path, body in good.items():
        origin.serve(path, body, content_type="text/calendar")
    await round_(database, fetcher, ids)
    facts = [await source_and_state(database, one) for one in ids]
    assert {(source.state, state.error_code, state.failures, state.vanishing_fetches) for source, state in facts} <= {
        ("ok", None, 0, 0),
        ("unchanged", None, 0, 0),
    }
    assert await shown(database) == before


def markup(*days: int) -> str:
    """Return a page that tells of an evening each of these days from now."""
    evenings = "".join(
        f'<div class="h-event"><b class="p-name">Day {day}</b><time class="dt-start" '
        f'datetime="{(NOW + timedelta(days=day)).isoformat()}"></time></div>\n'
        for day in days
    )
    return f"<!doctype html><html><body>{evenings}</body></html>"


async def test_page_that_breaks_off_between_two_events_takes_none_away(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    whole = markup(9, 3, 7, 5)
    origin.serve("/", whole, content_type="text/html")
    ids = await add(database, origin.url("/"))
    for days, body, left in (
        (0, whole, {3, 5, 7, 9}),
        (1, whole[: whole.rindex("<div")], {3, 5, 7, 9}),
        (1, whole[: whole.rindex("<div")], {3, 5, 7, 9}),
        (1, markup(9, 3, 7), {3, 7, 9}),
    ):
        origin.serve("/", body, content_type="text/html")
        assert await round_(database, fetcher, ids, now=NOW + timedelta(days=days)) == [("fetched", None)]
        assert set(await shown(database)) == {f"Day {day}" for day in left}


async def test_one_broken_event_of_five_hundred_keeps_the_others(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    evenings = [event(f"e{number}", NOW + timedelta(hours=1 + number)) for number in range(500)]
    broken = [*evenings]
    broken[250] = "BEGIN:VEVENT\r\nUID:e250\r\nDTSTART:next Tuesday\r\nSUMMARY:e250\r\nEND:VEVENT"
    origin.serve("/a.ics", calendar(*broken))
    (source_id,) = await add(database, origin.url("/a.ics"))
    outcome = await collect.collect_source(database, fetcher, source_id, now=NOW)
    assert (outcome.state, outcome.counts) == ("fetched", ingest.Counts(added=499))
    _, state = await source_and_state(database, source_id)
    assert [(one["code"], one["subject"]) for one in state.problems] == [("bad_start", "e250")]
    # Whole, it is five hundred; broken again, it is still: its source did not call it off.
    for body, counts in ((evenings, ingest.Counts(added=1)), (broken, ingest.Counts())):
        origin.serve("/a.ics", calendar(*body))
        assert (await collect.collect_source(database, fetcher, source_id, now=NOW)).counts == counts
    assert len(await shown(database)) == 500


async def test_source_whose_storing_raises_does_not_stop_the_round(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    for path in ("/a.ics", "/b.ics", "/c.ics"):
        origin.serve(path, calendar(*season(2, path), name=path))
    ids = await add(database, *map(origin.url, ("/a.ics", "/b.ics", "/c.ics")))
    async with database.writing() as session:
        await session.exec(text(REFUSE_B[database.is_sqlite]))  # type: ignore[call-overload]
        if not database.is_sqlite:
            await session.exec(text(REFUSE_B_TRIGGER))  # type: ignore[call-overload]
    assert await round_(database, fetcher, ids) == [("fetched", None), ("failed", "internal"), ("fetched", None)]
    assert sorted(await shown(database)) == ["/a.ics-0", "/a.ics-1", "/c.ics-0", "/c.ics-1"]
    source, state = await source_and_state(database, ids[1])
    assert (source.state, source.community_id, state.failures, state.etag) == ("failing", None, 1, None)
    assert "no b here" in (state.error or "")


REFUSE_B = {
    True: """CREATE TRIGGER no_b BEFORE INSERT ON eventversion WHEN new.uid = '/b.ics-1'
        BEGIN SELECT RAISE(ABORT, 'no b here'); END""",
    False: """CREATE FUNCTION no_b() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF new.uid = '/b.ics-1' THEN RAISE EXCEPTION 'no b here'; END IF; RETURN new; END $$""",
}
REFUSE_B_TRIGGER = "CREATE TRIGGER no_b BEFORE INSERT ON eventversion FOR EACH ROW EXECUTE FUNCTION no_b()"


async def test_source_removed_or_paused_during_its_fetch_disturbs_nothing(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    ids = await add(database, *map(origin.url, ("/a.ics", "/b.ics", "/c.ics")))

    async def remove(_: Asked, writer: asyncio.StreamWriter) -> None:
        async with database.writing() as session:
            await removal.forget_source(session, await session.get_one(Source, ids[0]), now=NOW)
        writer.write(answer(200, {"Content-Length": "3"}, b"???"))

    async def pause(_: Asked, writer: asyncio.StreamWriter) -> None:
        async with database.writing() as session:
            (await session.get_one(Source, ids[1])).state = "paused"
        body = calendar(*season(1)).encode()
        writer.write(answer(200, {"Content-Length": str(len(body))}, body))

    origin.handle("/a.ics", remove)
    origin.handle("/b.ics", pause)
    origin.serve("/c.ics", calendar(*season(1)))
    assert await round_(database, fetcher, ids) == [("failed", "removed"), ("fetched", None), ("fetched", None)]
    source, _ = await source_and_state(database, ids[1])
    assert source.state == "paused"


async def test_unchanged_answer_costs_one_small_write(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", calendar(*season(3)), headers={"ETag": '"1"'})
    (source_id,) = await add(database, origin.url("/a.ics"))
    assert await round_(database, fetcher, [source_id]) == [("fetched", None)]
    async with database.writing() as session:
        before = list(await session.exec(select(EventVersion)))
    assert await round_(database, fetcher, [source_id], now=NOW + WEEK) == [("unchanged", None)]
    assert [asked.headers.get("if-none-match") for asked in origin.requests if asked.path == "/a.ics"] == [None, '"1"']
    source, state = await source_and_state(database, source_id)
    assert (source.state, state.etag, state.last_good_at == state.last_fetch_at) == ("unchanged", '"1"', True)
    async with database.reading() as session:
        assert list(await session.exec(select(EventVersion))) == before


async def test_same_body_without_validators_is_unchanged(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", calendar(*season(3)))
    ids = await add(database, origin.url("/a.ics"))
    assert [await round_(database, fetcher, ids) for _ in range(2)] == [[("fetched", None)], [("unchanged", None)]]


async def test_answer_that_lists_only_the_past_is_unchanged_too(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    origin.serve("/a.ics", calendar(event("long ago", NOW - timedelta(days=900))), headers={"ETag": '"1"'})
    ids = await add(database, origin.url("/a.ics"))
    assert [await round_(database, fetcher, ids) for _ in range(2)] == [[("fetched", None)], [("unchanged", None)]]


async def test_renewed_stamps_are_no_change(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    ids = await add(database, origin.url("/a.ics"))
    for stamp, state in (("20261201T120000Z", "fetched"), ("20261201T130000Z", "unchanged")):
        origin.serve("/a.ics", calendar(event("a", NOW + WEEK, f"DTSTAMP:{stamp}")))
        assert await round_(database, fetcher, ids) == [(state, None)]


async def test_unchanged_feed_shows_a_far_event_as_soon_as_the_horizon_reaches_it(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    starting = {days: f"In {days} days" for days in (1, 364, 366, 401, 480, 700)}
    far = [event(f"far-{days}", NOW + timedelta(days=days), title=title) for days, title in starting.items()]
    origin.serve("/a.ics", calendar(*far), headers={"ETag": '"1"'})
    ids = await add(database, origin.url("/a.ics"))
    for day in range(0, 400, frontier.LATEST.days):
        now = NOW + timedelta(days=day)
        ((state, _),) = await round_(database, fetcher, ids, now=now)
        assert state == ("fetched" if day % 35 == 0 else "unchanged")  # the first look after thirty days
        for later in (now, now + frontier.LATEST):  # until the next look
            within = {title for days, title in starting.items() if NOW + timedelta(days=days) < later + HORIZON}
            assert within <= set(await shown(database))
    assert set(await shown(database)) == set(starting.values())


async def test_page_without_events_says_where_they_may_stand(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    origin.serve("/", '<html><a href="/all.ics">Subscribe</a></html>', content_type="text/html")
    (source_id,) = await add(database, origin.url("/"))
    assert await round_(database, fetcher, [source_id]) == [("failed", "no_events")]
    _, state = await source_and_state(database, source_id)
    way_on = f"; it leads to {origin.url('/all.ics')} (calendar link “Subscribe”): try that address"
    assert (state.error or "").endswith(way_on)


async def test_permanent_redirect_moves_the_source(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/new.ics", calendar(*season(2)))
    origin.redirect("/old.ics", "/new.ics", status=301)
    origin.redirect("/for-now.ics", "/new.ics", status=302)
    moved, stays = await add(database, origin.url("/old.ics"), origin.url("/for-now.ics"))
    await round_(database, fetcher, [moved])
    await round_(database, fetcher, [stays])
    assert (await source_and_state(database, moved))[0].url == origin.url("/new.ics")
    assert (await source_and_state(database, stays))[0].url == origin.url("/for-now.ics")
    # Both tell of the same two evenings.
    assert len(await shown(database)) == 2


async def test_source_that_moved_is_followed_when_it_answers_not_modified(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    origin.serve("/old.ics", calendar(*season(2)), content_type="text/calendar", headers={"ETag": '"1"'})
    (source_id,) = await add(database, origin.url("/old.ics"))
    assert await round_(database, fetcher, [source_id]) == [("fetched", None)]
    origin.redirect("/old.ics", "/new.ics", status=301)
    origin.serve("/new.ics", calendar(*season(2)), content_type="text/calendar", headers={"ETag": '"1"'})
    assert await round_(database, fetcher, [source_id]) == [("unchanged", None)]
    assert (await source_and_state(database, source_id))[0].url == origin.url("/new.ics")


async def test_source_says_since_when_it_fares_as_it_does(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    async def state() -> tuple[str, datetime | None]:
        source, _ = await source_and_state(database, source_id)
        return source.state, source.state_since

    (source_id,) = await add(database, origin.url("/a.ics"))
    begun = datetime.now(UTC)
    origin.serve("/a.ics", calendar(*season(2)), content_type="text/calendar")
    await round_(database, fetcher, [source_id])
    name, well_since = await state()
    assert name == "ok"
    assert well_since is not None
    assert begun <= well_since <= datetime.now(UTC)
    await round_(database, fetcher, [source_id])
    assert await state() == ("unchanged", well_since)
    origin.serve("/a.ics", status=500)
    await round_(database, fetcher, [source_id])
    name, failing_since = await state()
    assert name == "failing"
    assert failing_since is not None
    assert failing_since > well_since
    await round_(database, fetcher, [source_id])
    assert await state() == ("failing", failing_since)
    origin.serve("/a.ics", status=410)
    await round_(database, fetcher, [source_id])
    name, gone_since = await state()
    assert name == "gone"
    assert gone_since is not None
    assert gone_since > failing_since


async def test_host_that_two_add_at_one_moment_is_one(database: Database) -> None:
    ids = await asyncio.gather(*(add(database, f"https://new.example/{number}.ics") for number in range(6)))
    assert len({one for (one,) in ids}) == 6
    async with database.reading() as session:
        assert [host.name for host in await session.exec(select(Host))] == ["new.example:443"]


async def test_source_that_moves_without_a_change_is_followed_too(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    origin.serve("/old.ics", calendar(*season(2)))
    (source_id,) = await add(database, origin.url("/old.ics"))
    await round_(database, fetcher, [source_id])
    keys = {one.key for one in (await shown(database)).values()}
    origin.serve("/new.ics", calendar(*season(2)))
    origin.redirect("/old.ics", "/new.ics", status=308)
    assert await round_(database, fetcher, [source_id]) == [("unchanged", None)]
    source, _ = await source_and_state(database, source_id)
    assert (source.url, source.state) == (origin.url("/new.ics"), "unchanged")
    origin.serve("/new.ics", calendar(*season(2), event("more", NOW + WEEK)))
    await round_(database, fetcher, [source_id])
    assert keys < {one.key for one in (await shown(database)).values()}


async def test_gone_ends_a_source_and_keeps_its_events(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", calendar(*season(2)))
    (source_id,) = await add(database, origin.url("/a.ics"))
    await round_(database, fetcher, [source_id])
    origin.serve("/a.ics", status=410)
    assert await round_(database, fetcher, [source_id]) == [("failed", "gone")]
    source, state = await source_and_state(database, source_id)
    assert (source.state, len(await shown(database))) == ("gone", 2)
    async with database.reading() as session:
        assert await frontier.due_sources(session, clock=state.next_fetch_at + WEEK) == []


RETRIES = [
    (503, "7200", (7200, 7201)),
    (429, "7200", (7200, 7201)),
    (503, None, (1800, 3600)),
    (500, "7200", (1800, 3600)),  # Retry-After is defined for 429 and 503 only
    (503, "99999999", (86400, 86401)),
]


async def test_retry_after_is_honoured(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    for number, (status, header, _) in enumerate(RETRIES):
        origin.serve(f"/{number}.ics", status=status, headers={"Retry-After": header} if header else {})
    ids = await add(database, *(origin.url(f"/{number}.ics") for number in range(len(RETRIES))))
    await round_(database, fetcher, ids)
    due = []
    for source_id, (_, _, (least, most)) in zip(ids, RETRIES, strict=True):
        source, state = await source_and_state(database, source_id)
        assert state.last_fetch_at is not None
        assert least <= (state.next_fetch_at - state.last_fetch_at).total_seconds() < most
        due.append(state.next_fetch_at)
    async with database.reading() as session:
        assert (await session.get_one(Host, source.host)).next_due == min(due)


def test_polling_follows_how_long_a_source_stayed_as_it_is() -> None:
    hours = [0, 4, 8, 24, 24 * 14, 24 * 60]
    assert [frontier.polling_interval(timedelta(hours=one)) / timedelta(hours=1) for one in hours] == [
        *(4, 4, 4, 12),
        *(168, 168),
    ]


def test_back_off_doubles_up_to_a_day_with_jitter() -> None:
    hours = timedelta(hours=1)
    assert [frontier.back_off(failures, 0.0) / hours for failures in (1, 2, 3, 4, 5, 6, 99)] == [
        *(0.5, 1, 2, 4),
        *(8, 12, 12),
    ]
    assert [frontier.back_off(failures, 0.5) / hours for failures in (1, 5, 6)] == [0.75, 12, 18]


async def test_shrinking_is_looked_at_again_within_a_day(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", calendar(*season(20)), headers={"ETag": '"1"'})
    (source_id,) = await add(database, origin.url("/a.ics"))
    await round_(database, fetcher, [source_id])
    async with database.writing() as session:
        state = await session.get_one(FetchState, source_id)
        state.last_changed_at = datetime.now(UTC) - timedelta(days=90)
    origin.serve("/a.ics", calendar(*season(20)[12:]), headers={"ETag": '"2"'})
    for number, (hours, outcome) in enumerate(
        [(1, ("failed", "vanishing")), (25, ("failed", "vanishing")), (50, ("fetched", None))], 1
    ):
        assert await round_(database, fetcher, [source_id], now=NOW + timedelta(hours=hours)) == [outcome]
        _, state = await source_and_state(database, source_id)
        assert state.vanishing_fetches == number % 3
        assert state.last_fetch_at is not None
        assert state.next_fetch_at - state.last_fetch_at <= timedelta(hours=24)
    # The first two evenings are over by then: past, they stay.
    assert sorted(await shown(database)) == sorted(f"evening-{number}" for number in (0, 1, *range(12, 20)))


WEEKLY = event(
    "weekly",
    datetime(2026, 12, 3, 18, tzinfo=UTC),
    "RRULE:FREQ=WEEKLY",
    "EXDATE:20271209T180000Z",
    title="Weekly reading",
)
MOVED = event("weekly", datetime(2027, 12, 17, 19, tzinfo=UTC), "RECURRENCE-ID:20271216T180000Z", title="Moved reading")


async def test_series_behind_an_unchanged_feed_goes_on(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", calendar(WEEKLY, MOVED), headers={"ETag": '"1"'})
    (source_id,) = await add(database, origin.url("/a.ics"))
    await round_(database, fetcher, [source_id])
    first = await starts(database)
    assert (len(first), first[0], first[-1]) == (
        52,
        (datetime(2026, 12, 3, 18, tzinfo=UTC), "Weekly reading"),
        (datetime(2027, 11, 25, 18, tzinfo=UTC), "Weekly reading"),
    )
    asked = len(origin.requests)
    assert await series.expand_all(database, now=NOW + timedelta(hours=23)) == 0
    for weeks, added in ((1, 1), (1, 0), (2, 0), (3, 1), (4, 1)):  # the 9th is left out, the 16th is the 17th
        assert await series.expand_all(database, now=NOW + weeks * WEEK) == added
    assert await starts(database) == [
        *first,
        (datetime(2027, 12, 2, 18, tzinfo=UTC), "Weekly reading"),
        (datetime(2027, 12, 17, 19, tzinfo=UTC), "Moved reading"),
        (datetime(2027, 12, 23, 18, tzinfo=UTC), "Weekly reading"),
    ]
    assert len(origin.requests) == asked
    async with database.reading() as session:
        versions = list(await session.exec(select(EventVersion)))
    assert ({one.uid for one in versions}, len({one.recurrence_id for one in versions})) == ({"weekly"}, 55)
    # A real look afterwards finds nothing new and nothing doubled, and a missing evening in the middle of it goes.
    origin.serve("/a.ics", calendar(WEEKLY.replace("EXDATE:", "EXDATE:20270107T180000Z,"), MOVED))
    outcome = await collect.collect_source(database, fetcher, source_id, now=NOW + 4 * WEEK)
    assert outcome.counts == ingest.Counts(cancelled=1)
    assert len(await starts(database)) == 54


async def test_series_of_a_source_that_is_gone_ends(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", calendar(WEEKLY))
    (source_id,) = await add(database, origin.url("/a.ics"))
    await round_(database, fetcher, [source_id])
    origin.serve("/a.ics", status=410)
    await round_(database, fetcher, [source_id])
    assert await series.expand_all(database, now=NOW + 8 * WEEK) == 0


async def test_series_that_cannot_be_expanded_leaves_the_others_going(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    for path in ("/a.ics", "/b.ics"):
        origin.serve(path, calendar(WEEKLY.replace("weekly", path).replace("Weekly", path)))
    ids = await add(database, origin.url("/a.ics"), origin.url("/b.ics"))
    await round_(database, fetcher, ids)
    async with database.writing() as session:
        row = (await session.exec(select(Series).where(Series.source_id == ids[0]))).one()
        row.definition = b"\0"
    assert await series.expand_all(database, now=NOW + WEEK) == 1


async def test_series_outlive_an_empty_answer(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", calendar(WEEKLY))
    (source_id,) = await add(database, origin.url("/a.ics"))
    await round_(database, fetcher, [source_id])
    origin.serve("/a.ics", calendar())
    assert await round_(database, fetcher, [source_id]) == [("failed", "vanishing")]
    assert await series.expand_all(database, now=NOW + WEEK) == 1


async def test_one_event_of_many_sources_of_a_round_is_one(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    evening = event("same", NOW + WEEK, "LOCATION:Studio\\, Hof 3", title="Evening of marbled paper")
    paths = [f"/{number}.ics" for number in range(8)]
    for path in paths:
        origin.serve(path, calendar(evening, *season(2, path), name=path))
    assert await round_(database, fetcher, await add(database, *map(origin.url, paths))) == [("fetched", None)] * 8
    assert len(await shown(database)) == 17


async def test_calendar_names_the_community_behind_it(database: Database, origin: Origin, fetcher: Fetcher) -> None:
    origin.serve("/a.ics", calendar(*season(2), name="Events - Reading club"))
    (source_id,) = await add(database, origin.url("/a.ics"))
    await round_(database, fetcher, [source_id])
    async with database.reading() as session:
        first = (await session.exec(select(Community))).one()
    assert (first.name, first.updated_at, {one.community_id for one in (await shown(database)).values()}) == (
        "Reading club",
        NOW,
        {first.id},
    )
    for name, updated_at in (("Events - Reading club", NOW), ("Reading circle", NOW + 2 * WEEK)):
        origin.serve("/a.ics", calendar(*season(2), event(name, NOW + 3 * WEEK), name=name))
        await round_(database, fetcher, [source_id], now=updated_at if updated_at != NOW else NOW + timedelta(hours=1))
        async with database.reading() as session:
            row = (await session.exec(select(Community))).one()
        assert (row.key, row.updated_at) == (first.key, updated_at)


ROUNDS_UNTIL_KILLED = """
import asyncio, sys
from datetime import datetime
from app.collecting import collect
from app.db import Database
from scrapers.fetch import Fetcher

async def main(url, host, now, count):
    name, port = host.split(":")
    database = Database(url)
    async with Fetcher(allow_hosts={(name, int(port))}) as fetcher:
        print("ready", flush=True)
        while True:
            await collect.collect(database, fetcher, range(1, int(count) + 1), now=lambda: datetime.fromisoformat(now))

asyncio.run(main(*sys.argv[1:]))
"""
KILLS = 23  # on each database
SIZES = (450, 30, 30, 30, 30, 30, 30, 30)  # the first one takes three transactions


def edition(source: int, number: int) -> str:
    """Return what a source says in its nth edition: an evening of each is new, one moved, one gone."""
    evenings = [
        event(
            f"{source}-{evening}",
            NOW + timedelta(hours=1 + evening, minutes=number if evening == number else 0),
            title=f"Edition {number}, evening {evening}",
        )
        for evening in range(number, number + SIZES[source])
    ]
    return calendar(*evenings, event(f"last-{source}", NOW + 50 * WEEK, title=f"Edition {number}, last"))


@pytest.mark.long
async def test_killed_rounds_lose_double_and_tear_nothing(database: Database, origin: Origin) -> None:
    chance = random.Random(20261125)
    paths = [f"/{number}.ics" for number in range(len(SIZES))]
    ids = await add(database, *map(origin.url, paths))
    torn = 0
    for number in range(KILLS):
        for source, path in enumerate(paths):
            origin.serve(path, edition(source, number), headers={"ETag": f'"{number}"'})
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", ROUNDS_UNTIL_KILLED, database.url, origin.host, NOW.isoformat(), str(len(ids))),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        await asyncio.sleep(chance.uniform(0.1, 1.2))
        process.kill()
        await process.wait()
        torn += await unfinished(database, origin, ids, number)
    assert torn > 0, "no kill came in the middle of a round; the moments are badly chosen"
    async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
        outcomes = await round_(database, fetcher, ids)
    assert {state for state, _ in outcomes} <= {"fetched", "unchanged"}
    assert await unfinished(database, origin, ids, KILLS - 1) == 0
    async with database.reading() as session:
        there = list(await session.exec(select(Event).where(col(Event.deleted_at).is_(None))))
        versions = list(await session.exec(select(EventVersion).where(col(EventVersion.withdrawn_at).is_(None))))
    assert len(there) == len(versions) == sum(SIZES) + len(SIZES)
    assert {one.event_id for one in versions} == {one.id for one in there}
    if database.is_sqlite:
        async with database.engine.connect() as connection:
            assert await connection.scalar(text("PRAGMA integrity_check")) == "ok"


async def unfinished(database: Database, origin: Origin, ids: Sequence[int], number: int) -> int:
    """Return how many sources still tell an older edition; none may tell parts of two, or claim what it lacks."""
    older = 0
    for index, source_id in enumerate(ids):
        async with database.reading() as session:
            rows = await session.exec(
                select(EventVersion).where(
                    EventVersion.source_id == source_id, col(EventVersion.withdrawn_at).is_(None)
                )
            )
            told = {row.uid: row.draft["title"].partition(",")[0] for row in rows}
            state = await session.get_one(FetchState, source_id)
        current = stable_digest(edition(index, number).encode())
        if state.body_digest == current:
            assert set(told.values()) == {f"Edition {number}"}
            assert len(told) == SIZES[index] + 1
        else:
            older += 1
            assert state.etag != f'"{number}"'
            assert SIZES[index] < BATCH or len(told) in (0, *range(200, SIZES[index] + 3))
            if SIZES[index] < BATCH:
                assert len(set(told.values())) <= 1
    return older


async def test_failed_fetches_stay_counted_by_day_when_the_source_is_well_again(
    database: Database, origin: Origin, fetcher: Fetcher
) -> None:
    ids = await add(database, origin.url("/a.ics"), origin.url("/b.ics"))
    begun = datetime.now(UTC).date()
    origin.serve("/a.ics", status=500)
    origin.serve("/b.ics", calendar(*season(20)), content_type="text/calendar")
    assert await round_(database, fetcher, ids) == [("failed", "server_error"), ("fetched", None)]
    origin.serve("/a.ics", calendar(*season(2)), content_type="text/calendar")
    origin.serve("/b.ics", calendar(), content_type="text/calendar")  # held back, since all would vanish
    assert await round_(database, fetcher, ids) == [("fetched", None), ("failed", "vanishing")]
    async with database.reading() as session:
        counted = await tallies.by_day(session, "failed", since=begun)
        assert sum(counted.values()) == 2
        assert await tallies.by_day(session, "failed", since=begun + timedelta(days=2)) == {}
