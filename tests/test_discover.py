"""From an address to the feeds behind it: lists of addresses, platforms, declared, linked and embedded calendars."""

from __future__ import annotations

from pathlib import Path

import pytest
from pace import within

from scrapers.discover import Candidate, candidates, is_source_list, parse_source_list, unlisted_lines
from scrapers.draft import Page

BEVY_QUERY = (
    "status=Live&page_size=50&order=start_date"
    "&fields=title,start_date,end_date,event_type_title,url,description_short,venue_name,venue_city"
)
HTML = "text/html; charset=utf-8"


def page(url: str, markup: str = "<html></html>", content_type: str | None = HTML) -> Page:
    return Page(url, markup.encode(), content_type)


def feeds(url: str, markup: str = "<html></html>") -> list[str]:
    return [candidate.url for candidate in candidates(page(url, markup))]


def test_source_list_holds_each_address_once_in_its_order() -> None:
    body = b"""\xef\xbb\xbf# Our town
https://one.example/a.ics   # with a remark
webcal://two.example/b.ics

http://three.example/c\tName\ttopic
https://two.example/b.ics
javascript:alert(1)
not an address
https://user:secret@four.example/
https://one.example/a.ics#today
"""
    assert parse_source_list(body) == [
        "https://one.example/a.ics",
        "webcal://two.example/b.ics",
        "http://three.example/c",
    ]


def test_source_list_of_opml_gives_every_xml_url() -> None:
    body = b"""<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<opml version="2.0"><body>
  <outline text="Clubs"><outline text="a &gt; b" type="rss" xmlUrl="https://one.example/feed?a=1&amp;b=2"/>
  <outline xmlurl='https://two.example/feed'/></outline>
  <outline text="no feed" htmlUrl="https://three.example/"/><outline xmlUrl="file:///etc/passwd"/>
</body></opml>"""
    assert parse_source_list(body) == ["https://one.example/feed?a=1&b=2", "https://two.example/feed"]


def test_source_list_of_nothing_but_comments_is_empty() -> None:
    assert parse_source_list(b"# nothing yet\n\n") == []


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"# ours\nhttps://one.example/a.ics\nhttps://two.example/b.ics\n", "text/plain", True),
        (b"https://one.example/a.ics\n", None, True),
        (b'<?xml version="1.0"?><opml version="2.0"/>', "text/xml", True),
        (b"BEGIN:VCALENDAR\r\nURL:https://one.example/\r\nEND:VCALENDAR\r\n", "text/plain", False),
        (b"https://one.example/a.ics\n", "text/html", False),
        (b"https://one.example/ is where\nwe meet\nevery week\n", "text/plain", False),
        (b"# only a remark\n", "text/plain", False),
        (b"", "text/plain", False),
    ],
)
def test_source_list_is_known_by_its_lines(body: bytes, content_type: str | None, expected: bool) -> None:
    assert is_source_list(Page("https://lists.example/all", body, content_type)) is expected


@pytest.mark.parametrize(
    ("address", "feed"),
    [
        ("https://www.meetup.com/knitters-of-oslo/", "https://www.meetup.com/knitters-of-oslo/events/ical/"),
        ("https://www.meetup.com/de-DE/knitters/events/300/", "https://www.meetup.com/knitters/events/ical/"),
        ("https://lu.ma/calendar/cal-AbCdEf123456", "https://api.lu.ma/ics/get?entity=calendar&id=cal-AbCdEf123456"),
        (
            "https://calendar.google.com/calendar/embed?src=tide%40group.calendar.google.com&ctz=Europe/Oslo",
            "https://calendar.google.com/calendar/ical/tide%40group.calendar.google.com/public/basic.ics",
        ),
        (
            "https://calendar.google.com/calendar/u/0?cid=dGlkZUBncm91cC5jYWxlbmRhci5nb29nbGUuY29t",
            "https://calendar.google.com/calendar/ical/tide%40group.calendar.google.com/public/basic.ics",
        ),
        (
            "https://www.google.com/calendar/render?cid=webcal://tide.example/all.ics",
            "https://tide.example/all.ics",
        ),
        ("https://teamup.com/ksabcdef123456", "https://ics.teamup.com/feed/ksabcdef123456/0.ics"),
        ("https://tockify.com/tide.club/agenda", "https://tockify.com/api/feeds/ics/tide.club"),
        ("https://www.trumba.com/calendars/tide-club", "https://www.trumba.com/calendars/tide-club.ics"),
        (
            "https://tide.libcal.com/calendar?cid=4711&t=d",
            "https://tide.libcal.com/ical_subscribe.php?src=p&cid=4711",
        ),
        (
            "https://cloud.example/index.php/apps/calendar/p/AbC123/Talks",
            "https://cloud.example/remote.php/dav/public-calendars/AbC123/?export",
        ),
        (
            "https://outlook.office365.com/owa/calendar/a@tide.example/b/calendar.html",
            "https://outlook.office365.com/owa/calendar/a@tide.example/b/calendar.ics",
        ),
        ("https://tide-oh.whofi.com/calendar/", "https://tide-oh.whofi.com/calendar/ical"),
        ("https://indico.tide.example/category/12/", "https://indico.tide.example/export/categ/12.ics?from=-7d"),
    ],
)
def test_address_on_known_platform_leads_to_its_calendar(address: str, feed: str) -> None:
    assert feeds(address) == [feed]


@pytest.mark.parametrize(
    "address",
    [
        "https://www.meetup.com/find/?source=EVENTS",
        "https://www.meetup.com/",
        "https://calendar.google.com/calendar/embed?src=en.norwegian%23holiday%40group.v.calendar.google.com",
        "https://calendar.google.com/calendar/render?action=TEMPLATE&text=One",
        "https://calendar.google.com/calendar/embed?src=%FF",
        "https://tide.libcal.com/calendar?cid=-1",
        "https://example.org/",
    ],
)
def test_address_that_stands_for_no_calendar_leads_nowhere(address: str) -> None:
    assert feeds(address) == []


@pytest.mark.parametrize(
    ("url", "markup", "feed"),
    [
        (
            "https://luma.com/tide",
            '<html><script>{"calendar":{"api_id":"cal-AbCdEf123456"}}</script>',
            "https://api.lu.ma/ics/get?entity=calendar&id=cal-AbCdEf123456",
        ),
        (
            "https://luma.com/oslo",
            '<html><script>{"place":{"api_id":"discplace-AbCdEf123456"}}</script>',
            "https://api.lu.ma/ics/get?entity=discover&id=discplace-AbCdEf123456",
        ),
        (
            "https://chapters.example/tide/",
            "<html><script>Globals.chapter_id = '642';</script>",
            f"https://chapters.example/api/event_slim/for_chapter/642/?{BEVY_QUERY}",
        ),
        (
            "https://forum.example/c/meet",
            '<html><meta name="generator" content="Discourse 3.5.0 - https://github.com/discourse/discourse">',
            "https://forum.example/discourse-post-event/events.ics",
        ),
        (
            "https://mobil.example/@tide_club",
            '<html><a href="https://joinmobilizon.org">Powered by Mobilizon</a>',
            "https://mobil.example/@tide_club/feed/ics",
        ),
        (
            "https://mobil.example/",
            '<html><a href="https://joinmobilizon.org">Powered by Mobilizon</a>',
            "https://mobil.example/feed/instance/ics",
        ),
        (
            "https://gancio.example/tag/cinema",
            '<html><a href="/feed/rss">RSS</a><a href="https://gancio.org">1.21</a>',
            "https://gancio.example/feed/ics/tag/cinema",
        ),
        (
            "https://gancio.example/",
            '<html><link rel="stylesheet" href="/a.css"><a href="/feed/rss">RSS</a><a href="https://gancio.org">1.21</a>',
            "https://gancio.example/feed/ics",
        ),
        (
            "https://tide.example/blog/agenda/",
            '<html><link rel="stylesheet" href="https://tide.example/blog/wp-content/plugins/the-events-calendar/a.css">',
            "https://tide.example/blog/events/?ical=1",
        ),
        (
            "https://events.uni.example/",
            '<html><script src="https://assets.localist.com/widget.js"></script>',
            "https://events.uni.example/calendar/1.ics",
        ),
        (
            "https://events.uni.example/",
            '<html><link rel="stylesheet" href="/livewhale/theme/core/styles.css">',
            "https://events.uni.example/live/ical/events",
        ),
        (
            "https://conf.example/category/3/",
            '<html><a href="https://getindico.io">Powered by Indico</a>',
            "https://conf.example/export/categ/3.ics?from=-7d",
        ),
    ],
)
def test_page_made_by_known_platform_leads_to_its_calendar(url: str, markup: str, feed: str) -> None:
    assert feeds(url, markup)[0] == feed


def test_candidates_come_best_first_and_once() -> None:
    markup = """<!doctype html><html><head>
<link rel="alternate" type="application/rss+xml" title="Tide &raquo; Comments" href="/comments/feed/">
<link rel="alternate" type="application/rss+xml" title="Tide" href="/feed/">
<link rel="alternate" type="application/atom+xml" title="Tide events" href="/events.atom">
<link rel="alternate" type="text/calendar" title="All" href="/all.ics">
</head><body>
<a href="/kalender/">Kalender</a> <a href="/about">About</a> <a href="/agenda.pdf">Agenda</a>
<a href="https://www.meetup.com/tide-club">find us on Meetup</a>
<iframe src="https://calendar.google.com/calendar/embed?src=tide%40example.org"></iframe>
<a href="webcal://tide.example/walks"><span>Subscribe</span></a> <a href="all.ics">again</a>
</body></html>"""
    assert candidates(page("https://tide.example/", markup)) == [
        Candidate("https://tide.example/all.ics", "calendar the page declares"),
        Candidate(
            "https://calendar.google.com/calendar/ical/tide%40example.org/public/basic.ics",
            "public Google calendar, embedded",
        ),
        Candidate("https://tide.example/walks", "calendar link “Subscribe”"),
        Candidate("https://www.meetup.com/tide-club/events/ical/", "group on Meetup, linked"),
        Candidate("https://tide.example/events.atom", "Atom feed “Tide events”"),
        Candidate("https://tide.example/feed/", "RSS feed “Tide”"),
        Candidate("https://tide.example/kalender/", "page “Kalender”", "page"),
    ]


def test_references_follow_the_base_element_and_entities() -> None:
    markup = '<html><base href="/sub/"><a href="feed.ics?a=1&amp;b=2">Calendar</a>'
    assert feeds("https://tide.example/x", markup) == ["https://tide.example/sub/feed.ics?a=1&b=2"]


@pytest.mark.parametrize(
    "link",
    [
        "/events/?ical=1",
        "/events/?mec-ical-feed=1",
        "/?plugin=all-in-one-event-calendar&controller=ai1ec_exporter_controller&action=export_events",
        "/common/modules/iCalendar/iCalendar.aspx?catID=14&feed=calendar",
        "/ical_subscribe.php?src=p&cid=12",
        "/talks.ICS",
    ],
)
def test_link_to_a_calendar_is_known_by_its_address(link: str) -> None:
    assert feeds("https://tide.example/", f'<html><a href="{link}">Subscribe</a>') == [f"https://tide.example{link}"]


def test_webcal_link_stays_http_on_an_http_site() -> None:
    assert feeds("http://127.0.0.1:8099/", '<html><a href="webcal://127.0.0.1:8099/a">Subscribe</a>') == [
        "http://127.0.0.1:8099/a"
    ]


def test_files_of_single_events_are_not_proposed() -> None:
    row = "".join(f'<a href="/events/{number}.ics">add to calendar</a>' for number in range(9))
    assert feeds("https://tide.example/events", f'<html>{row}<a href="/feeds/all.ics">all</a>') == [
        "https://tide.example/feeds/all.ics"
    ]


def test_groups_that_a_group_page_recommends_are_not_proposed() -> None:
    markup = '<html><a href="https://www.meetup.com/others/">Others</a>'
    assert feeds("https://www.meetup.com/tide-club/", markup) == ["https://www.meetup.com/tide-club/events/ical/"]


@pytest.mark.parametrize("content_type", ["text/calendar", "application/json", "application/rss+xml", "text/plain"])
def test_page_that_is_itself_a_feed_leads_nowhere(content_type: str) -> None:
    assert candidates(page("https://tide.example/", '<a href="/all.ics">Calendar</a>', content_type)) == []


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 200_000,
        "<a " * 300_000,
        "<a href=x>" * 100_000,
        "<!--" * 250_000,
        "<a " + " ".join(f"a{number}=1" for number in range(100_000)) + ">",
        "<p><b><i><font>" * 60_000,
        "<iframe src=x>" * 60_000,
        "http://" * 150_000,
        "/apps/calendar/p/" * 60_000,
        '<html xmlUrl="' * 70_000,
    ],
)
def test_hostile_page_costs_little(markup: str) -> None:
    body = markup.encode()
    with within(1.5):
        candidates(Page("https://tide.example/", b"<html>" + body, HTML))
        is_source_list(Page("https://tide.example/", body, None))
        parse_source_list(b"<opml >" + body)


@pytest.mark.shared
def test_captured_pages_give_only_fetchable_addresses_and_never_fail(shared: Path) -> None:
    found = 0
    for path in sorted((shared / "corpus" / "html").iterdir())[::3]:
        for candidate in candidates(Page("https://site.example/a/b", path.read_bytes())):
            assert candidate.url.startswith(("http://", "https://"))
            found += candidate.kind == "feed"
    assert found > 20


def test_lines_without_an_address_are_named_with_their_numbers():
    text = b"# ours\nhttps://one.example/feed Group one\n\nhttps:/two.example\nthree\x00 words\n"
    assert unlisted_lines(text) == [(4, "https:/two.example"), (5, "three words")]
    opml = b'<opml>\n<outline xmlUrl="https://one.example/feed"/>\n<outline xmlUrl="file:///etc/passwd"/></opml>'
    assert unlisted_lines(opml) == [(3, "file:///etc/passwd")]
