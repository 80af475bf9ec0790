"""RSS and Atom whose items are events."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from zoneinfo import ZoneInfo

import feedparser
import pytest

from scrapers import EventDraft, Organizer, Problem, Unreadable, Venue, Window, read_here
from scrapers.charset import decode
from scrapers.feed_items import parse_feed
from scrapers.feeds import looks_like_feed
from scrapers.graph import literal

WINDOW = Window(datetime(2026, 11, 25, tzinfo=UTC), datetime(2027, 11, 25, tzinfo=UTC))
VIENNA = ZoneInfo("Europe/Vienna")
URL = "https://feeds.example/events.rss"
NAMESPACES = (
    'xmlns:ev="http://purl.org/rss/1.0/modules/event/" xmlns:xcal="urn:ietf:params:xml:ns:xcal"'
    ' xmlns:mec="http://webnus.net/rss/mec/" xmlns:gd="http://schemas.google.com/g/2005"'
)


def read_items(items: str):
    feed = f'<?xml version="1.0"?><rss version="2.0" {NAMESPACES}><channel><title>Town &amp; hall</title>{items}</channel></rss>'
    return read_here(feed.encode(), url=URL, content_type="application/rss+xml", window=WINDOW, zone=VIENNA)


def test_item_with_event_module_is_an_event():
    reading = read_items(
        """<item>
        <title>Reading &amp;amp; tea</title><link>/reading</link><guid>r-1</guid><category>books</category>
        <description>&lt;p&gt;Bring a &lt;b&gt;book&lt;/b&gt;.&lt;/p&gt;</description>
        <pubDate>Tue, 01 Sep 2026 08:00:00 GMT</pubDate>
        <ev:startdate>2026-12-01T18:00:00</ev:startdate><ev:enddate>2026-12-01T20:00:00</ev:enddate>
        <ev:location>Hall, Linz</ev:location><ev:organizer>The library</ev:organizer>
        </item>"""
    )
    assert reading.events == (
        EventDraft(
            uid="r-1@20261201T170000Z",
            title="Reading & tea",
            starts_at=datetime(2026, 12, 1, 18, tzinfo=VIENNA),
            ends_at=datetime(2026, 12, 1, 20, tzinfo=VIENNA),
            zone="Europe/Vienna",
            mode="in_person",
            url="https://feeds.example/reading",
            venue=Venue("Hall", "Linz", "Linz"),
            organizer=Organizer("The library"),
            categories=("books",),
            description="Bring a book.",
            source=URL,
        ),
    )
    assert (reading.kind, reading.name, reading.listed) == ("rss", "Town & hall", 1)


@pytest.mark.parametrize(
    ("fields", "start", "end"),
    [
        ("<xcal:dtstart>20261202T170000Z</xcal:dtstart>", "2026-12-02T18:00:00+01:00", None),
        (
            """<mec:startDate>2026-12-03</mec:startDate><mec:startHour>6:00 pm</mec:startHour>
            <mec:endDate>2026-12-03</mec:endDate><mec:endHour>8:30 pm</mec:endHour>""",
            "2026-12-03T18:00:00+01:00",
            "2026-12-03T20:30:00+01:00",
        ),
        (
            '<gd:when startTime="2026-12-04T17:00:00Z" endTime="2026-12-04T18:00:00Z"/>',
            "2026-12-04T18:00:00+01:00",
            "2026-12-04T19:00:00+01:00",
        ),
        ("<startDate>Sat, 05 Dec 2026 17:00:00 GMT</startDate>", "2026-12-05T18:00:00+01:00", None),
        (
            "<ev:startdate>2026-12-06</ev:startdate><ev:enddate>2026-12-07</ev:enddate>",
            "2026-12-06T00:00:00+01:00",
            "2026-12-08T00:00:00+01:00",
        ),
        (
            "<e:start_date>2026-12-08</e:start_date><e:start_time>18:30</e:start_time>",
            "2026-12-08T18:30:00+01:00",
            None,
        ),
        (
            "<ev:startdate>2026-12-09T18:00</ev:startdate><georss:point>36.16 -86.78</georss:point>",
            "2026-12-09T18:00:00-06:00",
            None,
        ),
    ],
    ids=["xcal", "mec", "google", "bare", "days", "apart", "there"],
)
def test_start_and_end_are_read_in_every_dialect(fields: str, start: str, end: str | None):
    (draft,) = read_items(f"<item><title>A</title>{fields}</item>").events
    assert (draft.starts_at.isoformat(), draft.ends_at and draft.ends_at.isoformat()) == (start, end)


def test_item_with_marked_up_event_inside_is_an_event():
    reading = read_items(
        """<item><title>Flight day</title><link>https://a.example/1</link><category>air</category><description><![CDATA[
        <div class="h-event"><b class="p-name">Flight day</b>
        <time class="dt-start" datetime="2026-12-01T11:00:00.0000000+01:00">soon</time>
        <span class="p-location">Tower</span></div>]]></description></item>"""
    )
    (draft,) = reading.events
    assert (draft.title, draft.starts_at, draft.venue, draft.url, draft.categories) == (
        "Flight day",
        datetime(2026, 12, 1, 11, tzinfo=VIENNA),
        Venue(name="Tower"),
        "https://a.example/1",
        ("air",),
    )


@pytest.mark.parametrize(
    ("place", "mode", "online_url", "venue"),
    [
        ("Online", "online", None, None),
        ("https://meet.google.com/abc", "online", "https://meet.google.com/abc", None),
        ("Hall, Linz, Austria", "in_person", None, Venue("Hall", "Linz", "Linz", "Austria")),
    ],
)
def test_place_of_an_item_is_a_venue_or_a_meeting(place: str, mode: str, online_url: str | None, venue: Venue | None):
    (draft,) = read_items(
        f"<item><title>A</title><ev:startdate>2026-12-01</ev:startdate><ev:location>{place}</ev:location></item>"
    ).events
    assert (draft.mode, draft.online_url, draft.venue) == (mode, online_url, venue)


def test_posts_are_no_events():
    with pytest.raises(Unreadable) as caught:
        read_items("<item><title>News</title><pubDate>Tue, 01 Dec 2026 08:00:00 GMT</pubDate></item>")
    assert (caught.value.code, caught.value.message) == (
        "no_events",
        "no post of the 1 in this feed says when anything takes place",
    )


def test_undated_item_is_told_and_left_out():
    reading = read_items("<item><title>Soon</title><ev:startdate>next week</ev:startdate></item>")
    assert (reading.events, reading.problems) == (
        (),
        (Problem("no_start", "Soon", "'next week' is no date; left out"),),
    )


def test_feed_without_items_is_a_valid_empty_one():
    reading = read_items("")
    assert (reading.kind, reading.listed, reading.problems) == ("rss", 0, ())


def test_atom_is_read_like_rss():
    feed = f"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}><title>T</title>
    <entry><title>A</title><id>urn:a</id><link href="https://a.example/a"/>
    <ev:startdate>2026-12-01T18:00:00+01:00</ev:startdate></entry></feed>"""
    reading = read_here(feed.encode(), url=URL, window=WINDOW, zone=VIENNA)
    assert (reading.kind, [draft.uid for draft in reading.events]) == ("atom", ["urn:a@20261201T170000Z"])


def test_feed_that_declares_entities_is_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel/></rss>'
    with pytest.raises(Unreadable) as caught:
        read_here(bomb, url=URL, window=WINDOW)
    assert caught.value.code == "unsafe_xml"


@pytest.mark.parametrize(
    ("feed", "titles"),
    [
        ("<item><title>A &nbsp;&eacute;</title><ev:startdate>2026-12-01</ev:startdate></item>", ["A é"]),
        ("<item><title>A & B</title><ev:startdate>2026-12-01</ev:startdate></item>", ["A B"]),
        ("<item><title>&#x110000;A</title><ev:startdate>2026-12-01</ev:startdate></item><item>", ["\ufffdA"]),
    ],
    ids=["entities of HTML", "bare ampersand", "cut off"],
)
def test_feed_that_is_not_well_formed_is_read_as_far_as_it_goes(feed: str, titles: list[str]):
    reading = read_here(f"<rss {NAMESPACES}><channel>{feed}".encode(), url=URL, window=WINDOW)
    assert [draft.title for draft in reading.events] == titles


@pytest.mark.parametrize(
    "feed", ["<rss>", "<feed></feed>", "<rss><channel><title></title></channel></rss>", "<rss>" * 300]
)
def test_feed_without_anything_in_it_is_broken(feed: str):
    with pytest.raises(Unreadable) as caught:
        read_here(feed.encode(), url=URL, window=WINDOW)
    assert caught.value.code == "broken_feed"


def test_campus_labs_items_take_the_hour_from_their_text():
    reading = read_items(
        """<item><title>Kiln</title><link>https://a.example/1</link><description><![CDATA[
        <div class="h-event"><div class="p-name">Kiln</div><div class="p-description"><p>Bring <b>clay</b>.</p></div>
        <time class="dt-start dtstart" datetime="2026-12-01T11:00:00.0000000-05:00">x</time></div>]]></description>
        <start xmlns="events">Tue, 01 Dec 2026 16:00:00 GMT</start><end xmlns="events">Tue, 01 Dec 2026 17:00:00 GMT</end>
        <location xmlns="events">Yard</location><status xmlns="events">cancelled</status>
        <host xmlns="events">Clay club</host></item>"""
    )
    assert reading.events == (
        EventDraft(
            uid="https://a.example/1@20261201T160000Z",
            title="Kiln",
            starts_at=datetime(2026, 12, 1, 11, tzinfo=ZoneInfo("Etc/GMT+5")),
            ends_at=datetime(2026, 12, 1, 12, tzinfo=ZoneInfo("Etc/GMT+5")),
            zone="Etc/GMT+5",
            status="cancelled",
            mode="in_person",
            url="https://a.example/1",
            venue=Venue(name="Yard"),
            organizer=Organizer("Clay club"),
            description="Bring clay.",
            source=URL,
        ),
    )


@pytest.mark.shared
def test_items_are_those_that_feedparser_finds(shared: Path):
    compared, different = 0, []
    for path in sorted((shared / "corpus" / "feeds").iterdir()):
        text = decode(path.read_bytes(), None)
        if not looks_like_feed(text):
            continue
        oracle = feedparser.parse(
            io.BytesIO(text.encode()),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        feed = parse_feed(text)
        assert feed is not None
        for item, entry in zip_longest(feed.items, oracle.entries):
            compared += 1
            ours = (item.title, item.link, item.identity, set(item.categories))
            tags = {literal(tag.get("label") or tag.get("term")) for tag in entry.get("tags", [])}
            theirs = (literal(entry.get("title")), entry.get("link", ""), entry.get("id", ""), tags)
            if ours != theirs:
                different.append((path.name, ours, theirs))
    assert compared > 1_000
    assert different == []
