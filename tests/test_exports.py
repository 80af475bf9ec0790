"""The event list in the forms other software reads: the same filters, one link to each other, whole and bounded."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import feedparser
import pytest
from selectolax.lexbor import LexborHTMLParser
from service import BASE_URL, MUNICH, NOW, Service, draft, serving

from app.api import exports
from app.api.list_names import list_name
from app.calendars.calendar_feed import subscribe_links
from app.queries.filters import EventFilter
from app.topic_names import label_of
from recommender.catalogue import load_catalogue
from scrapers import Organizer

API = "/api/v1"
FORMS = ("events", "events.ics", "events.rss", "events.atom", "feed.json", "events.csv")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path) as running:
        await running.store(
            draft(
                "a",
                "Letterpress evening",
                venue=MUNICH,
                zone="Europe/Berlin",
                ends_at=NOW + timedelta(days=1, hours=2),
                description="Bring ink.\nBeginners welcome.",
                url="https://press.example/evening?a=1&b=2",
                organizer=Organizer("Hand Press"),
                price="free",
            ),
            draft("b", "Fair of small presses", days=2.5, ends_at=NOW + timedelta(days=4.5), all_day=True),
            draft("c", "Chess", days=3, status="cancelled"),
            topics={"a": {"typography": 0.9}},
        )
        yield running


async def test_forms_lead_to_one_another_with_the_same_filters(service: Service) -> None:
    for form in FORMS:
        answer = await service.client.get(f"{API}/{form}?topic=typography&q=evening")
        assert answer.status_code == 200, answer.text
        links = [link for link in answer.headers["link"].split(", ") if 'rel="alternate"' in link]
        addresses = {link[1:].partition(">")[0] for link in links}
        others = {f"{API}/{other}" for other in FORMS if other != form} | {"/embed"}
        assert addresses == {f"{BASE_URL}{other}?topic=typography&q=evening" for other in others}
        for address in addresses:
            assert (await service.client.get(address)).status_code == 200


@pytest.mark.parametrize("form", [*FORMS[1:], "../../embed"])
async def test_every_form_takes_the_filters_and_refuses_what_is_none(service: Service, form: str) -> None:
    some = await service.client.get(f"{API}/{form}?q=chess")
    assert "Chess" in some.text
    assert "Letterpress" not in some.text
    assert (await service.client.get(f"{API}/{form}?bogus=1")).status_code == 422
    assert (await service.client.get(f"{API}/{form}?cursor=x")).status_code == 422


async def test_rss_tells_when_and_where(service: Service) -> None:
    answer = await service.client.get(f"{API}/events.rss")
    assert answer.headers["content-type"] == "application/rss+xml"
    feed = feedparser.parse(answer.content)
    assert (feed.bozo, feed.version) == (False, "rss20")
    first, second, third = feed.entries
    assert first.title == "Letterpress evening · Wed 2 Dec, 13:00"
    assert first.description == (
        "When: Wed 2 Dec 2026, 13:00–15:00 (Europe/Berlin)<br />Where: Studio, Hof 3, Munich<br />By: Hand Press<br />"
        'Price: free<br /><a href="https://press.example/evening?a=1&amp;b=2">'
        "https://press.example/evening?a=1&amp;b=2</a><br /><br />Bring ink.<br />Beginners welcome."
    )
    assert [tag.term for tag in first.tags] == ["Typography"]
    assert first.link == first.id
    assert first.link.startswith(f"{BASE_URL}/e/")
    assert (second.title, third.title) == ("Fair of small presses · Fri 4 Dec", "Cancelled: Chess · Fri 4 Dec, 12:00")
    item = ET.fromstring(answer.content).find(".//item")
    assert item is not None
    names = {"ev": "http://purl.org/rss/1.0/modules/event/", "xcal": "urn:ietf:params:xml:ns:xcal"}
    assert item.findtext("ev:startdate", namespaces=names) == "2026-12-02T13:00:00+01:00"
    assert item.findtext("ev:enddate", namespaces=names) == "2026-12-02T15:00:00+01:00"
    assert item.findtext("xcal:dtstart", namespaces=names) == "2026-12-02T13:00:00+01:00"
    assert item.findtext("xcal:location", namespaces=names) == "Studio, Hof 3, Munich"
    fair = ET.fromstring(answer.content).findall(".//item")[1]
    days = [fair.findtext(name, namespaces=names) for name in ("ev:startdate", "ev:enddate", "xcal:dtend")]
    assert days == ["2026-12-04", "2026-12-05", "2026-12-06"]
    market = draft("d", "Market", days=4.5, ends_at=NOW + timedelta(days=5.5), all_day=True)
    await service.store(market)
    (fair,) = ET.fromstring((await service.client.get(f"{API}/events.rss?q=market")).content).findall(".//item")
    days = [fair.findtext(name, namespaces=names) for name in ("ev:startdate", "ev:enddate", "xcal:dtend")]
    assert days == ["2026-12-06", "2026-12-06", None]


async def test_atom_tells_when_and_where(service: Service) -> None:
    answer = await service.client.get(f"{API}/events.atom?free=false")
    feed = feedparser.parse(answer.content)
    assert (feed.bozo, feed.version, feed.entries) == (False, "atom10", [])
    assert feed.feed.updated == "1970-01-01T00:00:00+00:00"  # an empty feed has no time, and the clock is none
    feed = feedparser.parse((await service.client.get(f"{API}/events.atom?q=evening")).content)
    (entry,) = feed.entries
    assert feed.feed.id == feed.feed.links[0].href == f"{BASE_URL}{API}/events.atom?q=evening"
    assert feed.feed.updated == entry.updated == NOW.isoformat()
    assert entry.title == "Letterpress evening · Wed 2 Dec, 13:00"
    assert entry.summary.startswith("When: Wed 2 Dec 2026, 13:00–15:00 (Europe/Berlin)\nWhere: Studio")
    assert [link.href for link in entry.links] == [entry.id, "https://press.example/evening?a=1&b=2"]


async def test_json_feed_holds_the_events_of_the_list(service: Service) -> None:
    answer = await service.client.get(f"{API}/feed.json")
    assert answer.headers["content-type"] == "application/feed+json"
    feed = answer.json()
    items = feed.pop("items")
    assert feed == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Adjacent",
        "home_page_url": f"{BASE_URL}/",
        "feed_url": f"{BASE_URL}{API}/feed.json",
        "description": "Events that the filters of this address find",
    }
    assert [item["_event"] for item in items] == (await service.client.get(f"{API}/events")).json()["data"]
    assert items[0] == {
        "id": items[0]["url"],
        "url": f"{BASE_URL}/e/{items[0]['_event']['id']}",
        "external_url": "https://press.example/evening?a=1&b=2",
        "title": "Letterpress evening · Wed 2 Dec, 13:00",
        "content_text": (
            "When: Wed 2 Dec 2026, 13:00–15:00 (Europe/Berlin)\nWhere: Studio, Hof 3, Munich\nBy: Hand Press\nPrice: free\n"
            "https://press.example/evening?a=1&b=2\n\nBring ink.\nBeginners welcome."
        ),
        "date_published": NOW.isoformat(),
        "date_modified": NOW.isoformat(),
        "tags": ["Typography"],
        "language": "en",
        "_event": items[0]["_event"],
    }


async def test_table_has_a_row_an_event(service: Service) -> None:
    answer = await service.client.get(f"{API}/events.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["title"], row["starts_at"], row["status"], row["topics"]) for row in rows] == [
        ("Letterpress evening", "2026-12-02T13:00:00+01:00", "confirmed", "Typography"),
        ("Fair of small presses", "2026-12-04T00:00:00+00:00", "confirmed", ""),
        ("Chess", "2026-12-04T12:00:00+00:00", "cancelled", ""),
    ]
    assert (rows[0]["lat"], rows[0]["all_day"], rows[0]["description"]) == (
        "48.137",
        "false",
        "Bring ink.\nBeginners welcome.",
    )


async def test_frame_may_stand_on_any_site_and_runs_nothing(service: Service) -> None:
    answer = await service.client.get("/embed?topic=typography&limit=1&title=In+print")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors *" in policy
    assert "x-frame-options" not in answer.headers
    page = LexborHTMLParser(answer.text)
    assert page.css("script, [style], img, iframe, form") == []
    assert [one.text(strip=True) for one in page.css("li a, li p, title")] == [
        "In print",
        "Letterpress evening",
        "Wed 2 Dec 2026, 13:00–15:00",
        "Studio, Hof 3, Munich · Hand Press · free",
    ]
    assert "2 more" in (await service.client.get("/embed?limit=1")).text
    empty = LexborHTMLParser((await service.client.get("/embed?q=nobody&theme=dark&language=de")).text)
    assert [one.text(strip=True) for one in empty.css("body > p")] == ["Nichts, was noch kommt, passt."]
    assert [one.attributes["content"] for one in empty.css("meta[name=color-scheme]")] == ["dark"]


async def test_frame_says_to_whoever_put_it_there_what_is_wrong_with_its_address(service: Service) -> None:
    answer = await service.client.get("/embed?tpoic=typography", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["cache-control"]) == (422, "no-store")
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers
    page = LexborHTMLParser(answer.text)
    assert [one.text() for one in page.css("body > p")] == ["tpoic: is unknown here; did you mean `topic`?"]
    program = await service.client.get("/embed?topic=Typografy")
    assert program.headers["content-type"] == "application/problem+json"


async def test_list_is_called_by_its_filters_in_every_form(service: Service) -> None:
    asked = (
        "topic=Typography&topic=chess&near=48.14,11.58&mode=online&mode=hybrid&free=true&lang=en&purpose=learn&q=ink"
    )
    name = "Adjacent: Typography, Chess · “ink” · free · online / in person and online · to learn · in English"
    calendar = (await service.client.get(f"{API}/events.ics?{asked}")).text.replace("\r\n ", "")
    assert f"NAME:{name.replace(',', chr(92) + ',')} · near 48.14\\,11.58\r\n" in calendar
    assert (await service.client.get(f"{API}/feed.json?{asked}")).json()["title"] == f"{name} · near 48.14,11.58"
    for form in ("events.rss", "events.atom"):
        feed = feedparser.parse((await service.client.get(f"{API}/{form}?near=Munich&start=-30d")).content)
        assert feed.feed.title == "Adjacent: near Munich, DE"


def test_name_of_a_list_is_of_one_line_and_bounded() -> None:
    topics = tuple(topic.slug for topic in load_catalogue().topics[:9])
    name = list_name(EventFilter(topics=topics, words="ink \n" * 90), "Letters\nand more")
    labels = ", ".join(label_of(slug) for slug in topics[:3])
    assert name == f"Adjacent: Letters and more · {labels}… · “{('ink ' * 15)[:59].rstrip()}…”"
    assert list_name(EventFilter(), None) == "Adjacent"


async def test_bounded_answer_says_so(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST", 2)
    told = "Events that the filters of this address find. The first 2 of 3; narrow the filters to see the others."
    feed = await service.client.get(f"{API}/feed.json")
    assert (feed.headers["x-total-count"], len(feed.json()["items"]), feed.json()["description"]) == ("3", 2, told)
    assert feedparser.parse((await service.client.get(f"{API}/events.rss")).content).feed.description == told
    assert told.replace(";", "\\;") in (await service.client.get(f"{API}/events.ics")).text.replace("\r\n ", "")


async def test_start_in_days_moves_with_the_clock_in_every_form(service: Service) -> None:
    await service.store(draft("w", "Last week", days=-7), draft("o", "A month ago", days=-31))
    for form in ("events", "events.ics", "events.csv"):
        recent = (await service.client.get(f"{API}/{form}?start=-30d")).text
        assert ("Last week" in recent, "A month ago" in recent, "Chess" in recent) == (True, False, True), form
        assert "Last week" not in (await service.client.get(f"{API}/{form}")).text
    listed = (await service.client.get(f"{API}/events?start=-30d")).json()["meta"]["count"]
    assert (await service.client.get(f"{API}/events.ics?start=-30d")).text.count("BEGIN:VEVENT") == listed == 4
    for start in ("-0d", "-999d"):
        assert (await service.client.get(f"{API}/events?start={start}")).status_code == 200
    for start in ("30d", "-d", "-1000d", "-3w", "-٣d"):
        assert (await service.client.get(f"{API}/events?start={start}")).status_code == 422
    assert (await service.client.get(f"{API}/events?end=-3d")).status_code == 422


def test_subscribe_links_stay_as_the_programs_take_them() -> None:
    links = subscribe_links("https://adjacent.example/f/adj_f_Zm9v.ics", "Picks & more")
    assert links.url == "https://adjacent.example/f/adj_f_Zm9v.ics"
    assert links.webcal_url == "webcal://adjacent.example/f/adj_f_Zm9v.ics"
    assert links.google_url == (
        "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Fadjacent.example%2Ff%2Fadj_f_Zm9v.ics"
    )
    assert links.outlook_url == (
        "https://outlook.live.com/calendar/0/addfromweb"
        "?url=https%3A%2F%2Fadjacent.example%2Ff%2Fadj_f_Zm9v.ics&name=Picks%20%26%20more"
    )
