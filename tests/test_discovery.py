"""What an address offers: its own events first, the best of what it leads to else, and never a neighbour's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from origin import Origin

from app.collecting.discovery import AddressList, Found, NothingFound, Tried, examine
from scrapers.discover import Candidate
from scrapers.fetch import Fetcher

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HTML = "text/html; charset=utf-8"
MARKED_UP = (
    '<script type="application/ld+json">{"@type": "Event", "name": "Low tide walk", "startDate": "2026-12-05"}</script>'
)


def calendar(*titles: str) -> str:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}@tide.example\r\nDTSTART:2026120{number}T170000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"
        for number, title in enumerate(titles, start=1)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n"


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin() as running:
        yield running


@pytest.fixture
async def client(origin: Origin) -> AsyncIterator[Fetcher]:
    async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
        yield fetcher


async def found_at(client: Fetcher, address: str) -> Found:
    found = await examine(client, address, zone=BERLIN, now=NOW)
    assert isinstance(found, Found)
    return found


async def test_page_with_events_stays_and_its_calendar_is_proposed(origin: Origin, client: Fetcher) -> None:
    origin.serve("/", f'<html>{MARKED_UP}<a href="/all.ics">Subscribe</a>', content_type=HTML)
    found = await found_at(client, origin.url())
    assert (found.url, found.why, found.tried) == (origin.url(), "", ())
    assert [draft.title for draft in found.reading.events] == ["Low tide walk"]
    assert found.alternatives == (Candidate(origin.url("/all.ics"), "calendar link “Subscribe”"),)
    assert origin.paths == ["/robots.txt", "/"]


async def test_page_without_events_gives_way_to_the_calendar_it_declares(origin: Origin, client: Fetcher) -> None:
    origin.serve(
        "/",
        '<html><link rel="alternate" type="text/calendar" href="/all.ics"><a href="/other.ics">Other</a>',
        content_type=HTML,
    )
    origin.serve("/all.ics", calendar("Walk", "Talk"), content_type="text/calendar")
    found = await found_at(client, origin.url())
    assert (found.url, found.why, found.reading.kind, found.reading.listed) == (
        origin.url("/all.ics"),
        "calendar the page declares",
        "icalendar",
        2,
    )
    assert [each.url for each in found.alternatives] == [origin.url("/other.ics")]
    assert [(each.url, each.code) for each in found.tried] == [(origin.url(), "no_events")]


async def test_calendar_is_found_behind_a_page_called_events(origin: Origin, client: Fetcher) -> None:
    origin.serve("/", '<html><a href="/whats-on/">What\'s on</a>', content_type=HTML)
    links = '<a href="feed.ics">iCal</a> <a href="https://neighbour.example/all.ics">Friends</a>'
    origin.serve("/whats-on/", f"<html>{links}", content_type=HTML)
    origin.serve("/whats-on/feed.ics", calendar("Walk"), content_type="text/calendar")
    found = await found_at(client, origin.url())
    assert (found.url, found.why) == (origin.url("/whats-on/feed.ics"), "calendar link “iCal”")
    assert found.alternatives == (
        Candidate("https://neighbour.example/all.ics", "calendar link “Friends”", is_elsewhere=True),
    )


async def test_pages_are_looked_behind_only_once(origin: Origin, client: Fetcher) -> None:
    origin.serve("/", '<html><a href="/a/events">Events</a>', content_type=HTML)
    origin.serve("/a/events", '<html><a href="/b/calendar">Calendar</a>', content_type=HTML)
    with pytest.raises(NothingFound) as caught:
        await examine(client, origin.url(), zone=BERLIN, now=NOW)
    assert [each.url for each in caught.value.tried] == [origin.url(), origin.url("/a/events")]
    assert "/b/calendar" not in origin.paths


async def test_candidates_that_fail_are_passed_over_and_told(origin: Origin, client: Fetcher) -> None:
    links = '<a href="/gone.ics">Old</a><a href="/private/a.ics">Members</a><a href="/in.ics">Login</a><a href="/good/x.ics">All</a>'
    origin.serve("/", f"<html>{links}", content_type=HTML)
    origin.serve("/robots.txt", "User-agent: *\nDisallow: /private/\n", content_type="text/plain")
    origin.serve("/private/a.ics", calendar("Secret"), content_type="text/calendar")
    origin.serve("/in.ics", '<html><form><input name=p type="password"></form>', content_type=HTML)
    origin.serve("/good/x.ics", calendar("Walk"), content_type="text/calendar")
    found = await found_at(client, origin.url())
    assert found.url == origin.url("/good/x.ics")
    assert [(each.url, each.code) for each in found.tried] == [
        (origin.url(), "no_events"),
        (origin.url("/gone.ics"), "not_found"),
        (origin.url("/private/a.ics"), "robots"),
        (origin.url("/in.ics"), "login_page"),
    ]
    assert found.alternatives == ()
    assert "/private/a.ics" not in origin.paths


async def test_calendar_of_somebody_else_is_only_proposed(origin: Origin, client: Fetcher) -> None:
    origin.serve(
        "/", '<html>Our friends: <a href="https://neighbour.example/all.ics">their events</a>', content_type=HTML
    )
    with pytest.raises(NothingFound) as caught:
        await examine(client, origin.url(), zone=BERLIN, now=NOW)
    assert caught.value.alternatives == (
        Candidate("https://neighbour.example/all.ics", "calendar link “their events”", is_elsewhere=True),
    )
    assert "https://neighbour.example/all.ics" in str(caught.value)
    assert [each.code for each in caught.value.tried] == ["no_events"]


async def test_groups_of_a_directory_are_only_proposed(origin: Origin, client: Fetcher) -> None:
    groups = "".join(f'<a href="https://www.meetup.com/group-{name}/">{name}</a>' for name in ("one", "two"))
    origin.serve("/", f"<html>{groups}", content_type=HTML)
    with pytest.raises(NothingFound) as caught:
        await examine(client, origin.url(), zone=BERLIN, now=NOW)
    assert [(each.url, each.is_elsewhere) for each in caught.value.alternatives] == [
        ("https://www.meetup.com/group-one/events/ical/", True),
        ("https://www.meetup.com/group-two/events/ical/", True),
    ]


async def test_feed_behind_redirects_is_read_where_it_ends(origin: Origin, client: Fetcher) -> None:
    origin.serve("/old", status=302, headers={"Location": "/feeds/old"})
    origin.serve("/feeds/old", status=301, headers={"Location": "/feeds/new.ics"})
    origin.serve("/feeds/new.ics", calendar("Walk"), content_type="text/calendar")
    found = await found_at(client, origin.url("/old"))
    assert (found.url, found.page.url, found.reading.listed) == (origin.url("/old"), origin.url("/feeds/new.ics"), 1)


async def test_webcal_address_is_examined_as_it_is(origin: Origin, client: Fetcher) -> None:
    origin.serve("/a", calendar("Walk"), content_type="text/calendar")
    found = await found_at(client, f"webcal://{origin.host}/a")
    assert (found.url, found.reading.listed) == (f"webcal://{origin.host}/a", 1)


async def test_calendar_without_events_is_better_than_nothing(origin: Origin, client: Fetcher) -> None:
    origin.serve("/", '<html><a href="/empty.ics">Subscribe</a><a href="/events/">Events</a>', content_type=HTML)
    origin.serve("/empty.ics", calendar(), content_type="text/calendar")
    found = await found_at(client, origin.url())
    assert (found.url, found.reading.listed) == (origin.url("/empty.ics"), 0)


async def test_calendar_with_events_is_better_than_an_empty_one(origin: Origin, client: Fetcher) -> None:
    origin.serve("/", '<html><a href="/empty.ics">Old</a><a href="/b/new.ics">New</a>', content_type=HTML)
    origin.serve("/empty.ics", calendar(), content_type="text/calendar")
    origin.serve("/b/new.ics", calendar("Walk"), content_type="text/calendar")
    found = await found_at(client, origin.url())
    assert found.url == origin.url("/b/new.ics")
    assert [each.url for each in found.alternatives] == [origin.url("/empty.ics")]
    assert Tried(origin.url("/empty.ics"), "nothing_listed", "it can be read, but lists no event") in found.tried


async def test_login_page_is_called_one(origin: Origin, client: Fetcher) -> None:
    origin.serve("/", "<html><form><input type=password></form>", content_type=HTML)
    with pytest.raises(NothingFound) as caught:
        await examine(client, origin.url(), zone=BERLIN, now=NOW)
    assert caught.value.tried == (
        Tried(origin.url(), "login_page", "it asks for a password; a public address is needed"),
    )


async def test_address_that_answers_nothing_tells_why(origin: Origin, client: Fetcher) -> None:
    with pytest.raises(NothingFound) as caught:
        await examine(client, origin.url("/missing"), zone=BERLIN, now=NOW)
    assert [each.code for each in caught.value.tried] == ["not_found"]
    assert "answers 404 Not Found" in str(caught.value)


async def test_list_of_addresses_is_a_list(origin: Origin, client: Fetcher) -> None:
    origin.serve("/all.txt", "https://one.example/a.ics\nhttps://two.example/b.ics\n", content_type="text/plain")
    assert await examine(client, origin.url("/all.txt"), zone=BERLIN, now=NOW) == AddressList(
        ("https://one.example/a.ics", "https://two.example/b.ics")
    )


async def test_page_of_many_links_costs_few_requests(origin: Origin, client: Fetcher) -> None:
    links = "".join(f'<a href="/{number}/all.ics">{number}</a>' for number in range(40))
    origin.serve("/", f"<html>{links}", content_type=HTML)
    with pytest.raises(NothingFound):
        await examine(client, origin.url(), zone=BERLIN, now=NOW)
    assert len(origin.paths) == 9  # robots.txt and eight addresses


async def test_squarespace_page_is_asked_for_its_data(origin: Origin, client: Fetcher) -> None:
    markup = '<html><script src="https://static1.squarespace.com/a.js"></script><body class="collection-type-events">'
    event = '{"id": "a", "title": "Loud", "startDate": 1796410800000, "endDate": 1796414400000, "fullUrl": "/on/loud"}'
    origin.serve("/on", markup, content_type=HTML)
    origin.serve(
        "/on?format=json",
        f'{{"website": {{"timeZone": "Europe/London"}}, "collection": {{"typeName": "events"}}, "upcoming": [{event}]}}',
        content_type="application/json",
    )
    found = await found_at(client, origin.url("/on"))
    assert (found.url, found.reading.kind, found.reading.listed) == (origin.url("/on?format=json"), "squarespace", 1)
