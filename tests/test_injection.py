"""What somebody writes into an event stays text: in a calendar, a frame, a mail, a table, JSON and news feeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import icalendar
import orjson
import pytest
from postbox import Taken
from selectolax.lexbor import LexborHTMLParser, LexborNode
from service import BASE_URL, NOW

from app.api.embed import widget
from app.calendars import calendar_feed, event_table, syndication
from app.calendars.event_table import COLUMNS, FORMULA_STARTS
from app.calendars.syndication import Channel
from app.mail import letter
from app.mail.letter_facts import Facts
from app.mail.mail_links import Links
from app.mail.message import build
from app.models import Community, Event, Person
from app.picking.slates import Shown
from app.queries.event_forms import event_json
from app.queries.listing import Listed
from app.words.wording import wording_of

PAYLOADS = {
    "line ends": "Talk\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil@evil.example",
    "property": "Talk\nATTENDEE:mailto:evil@evil.example\nATTACH:http://evil.example/",
    "escapes": "Talk\\nDESCRIPTION:x\\;\\,\\\\\\",
    "other line ends": "Talk\x0bEND:VEVENT\x0c\x85\u2028\u2029BEGIN:VALARM",
    "command": "=cmd|' /C calc'!A0",
    "formula": '\t\r\n@SUM(1+1)*HYPERLINK("http://evil.example")',
    "wide formula": "＝1+1",
    "script": "</title></style></script><script>alert(1)</script>",
    "attribute": "\"'><img src=x onerror=alert(1)> onload=alert(1)",
    "markup": "]]><evil xmlns='x'/><![CDATA[<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;&#0;",
    "template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "reordered": "Invoice \u202efdp.exe\u202c \u2066hidden\u2069 \u200f\ufeff",
    "controls": "Talk\x00\x01\x08\x1b[31m\x7f\x9b\ufffe\uffff",
    "surrogates": "Talk \ud800 \udfff",
    "address": "javascript:alert(document.domain)//",
    "lengthy": "ein sehr langer Titel, " * 400 + "ü" * 800,
    "mail header": "Talk\r\n\tBcc: evil@evil.example\n\nX-Spam: no",
    "encoded word": "=?utf-8?q?Talk=0D=0ABcc:_evil@evil.example?= =?utf-8?b?DQpCY2M6IGV2aWxAZXZpbC5leGFtcGxl?=",
    "quoted parameter": 'Talk";X="^n^\'":mailto:evil@evil.example;VALUE=URI',
    "semicolon table": 'Talk";=1+1;"\n=1+1',
    "signed formula": "-2+3+cmd|' /C calc'!A0",
    "format": "%(title)s %s %n {title} {0.__class__} {number} $title",
    "entities": "&lt;img src=x onerror=alert(1)&gt;&#60;script&#62;&amp;lt;script&amp;gt;",
    "office comment": "<!--[if gte mso 9]><xml><![endif]--><!-- --!><script>alert(1)</script>",
    "style": "}*{background:url(//evil.example/a)}/*</style>",
}
ADDRESSES = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>",
    "//evil.example",
    "http://a\r\nX: y",
    " \x01java\tscript:alert(1)",
    "vbscript:msgbox(1)",
)
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    *("List-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Precedence", "Auto-Submitted", "Content-Language"),
}
CHANNEL = Channel("Adjacent", "Events", BASE_URL, f"{BASE_URL}/api/v1/events.rss", 1)
hostile = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)


def event_of(text: str, **changes: Any) -> Listed:
    """Return an event that says `text` wherever somebody else's words may stand."""
    event = Event(
        id=1,
        key="k5xw2v3nqt7mzb4c",
        title=text,
        starts_at=NOW + timedelta(days=1),
        zone="Europe/Berlin",
        description=f"{text} first\n{text}",
        venue_name=text,
        address=text,
        city=text,
        country=text,
        organizer_name=text,
        organizer_url=text,
        url=text,
        online_url=text,
        price=text,
        language="en",
        categories=[text],
        created_at=NOW,
        updated_at=NOW,
        **changes,
    )
    community = Community(id=1, key="c", name=text, updated_at=NOW)
    return Listed(event, (("typography", 0.9),), community)


def is_text(value: str) -> bool:
    """Whether a string holds no control character but newline and tab, and nothing that reorders it."""
    return all(sign.isprintable() or sign in "\n\t\xa0" for sign in value)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def elements_of(markup: str) -> list[LexborNode]:
    root = LexborHTMLParser(markup).root
    assert root is not None
    return [node for node in root.traverse() if node.tag and not node.tag.startswith("-")]


@hostile
def test_calendar_holds_one_event_and_its_own_properties(payload: str) -> None:
    head = calendar_feed.header(payload, payload)
    body = calendar_feed.calendar(head, [event_of(payload)], base_url=BASE_URL, reasons={1: payload})
    lines = body.split(b"\r\n")
    assert all(len(line) <= 75 and is_text(line.decode()) and b"\n" not in line for line in lines)
    calendar = icalendar.Calendar.from_ical(body)
    (event,) = calendar.walk("VEVENT")
    assert [part.name for part in calendar.walk()] == ["VCALENDAR", "VEVENT"]
    assert calendar.errors == event.errors == []
    assert set(event) == {
        "UID",
        "DTSTAMP",
        "CREATED",
        "LAST-MODIFIED",
        "SEQUENCE",
        "DTSTART",
        "SUMMARY",
        "DESCRIPTION",
        "URL",
        "LOCATION",
        "CATEGORIES",
        "STATUS",
        "TRANSP",
        "X-MICROSOFT-CDO-BUSYSTATUS",
    }
    assert str(event["url"]) == f"{BASE_URL}/e/k5xw2v3nqt7mzb4c"


@hostile
def test_frame_holds_no_element_of_others(payload: str) -> None:
    written = widget(payload, [event_of(payload)], 1, BASE_URL, wording_of("de"))
    page, elements = LexborHTMLParser(written), elements_of(written)
    allowed = {"html", "head", "meta", "title", "style", "body", "ol", "li", "a", "p", "time", "footer"}
    assert {node.tag for node in elements} <= allowed
    assert len(page.css("style")) == len(page.css("title")) == len(page.css("li")) == 1
    named = {name for node in elements for name in node.attributes}
    assert named <= {"lang", "charset", "name", "content", "href", "target", "rel", "datetime"}
    assert {node.attributes["href"] for node in page.css("a")} == {f"{BASE_URL}/", f"{BASE_URL}/e/k5xw2v3nqt7mzb4c"}
    assert is_text(page.text())


@hostile
def test_mail_holds_no_header_element_or_address_of_others(payload: str) -> None:
    person = Person(key="a" * 16, email="ada@example.org", created_at=NOW, reach_chosen_at=NOW)
    pick = {"topics": ["typography"], "path": ["JavaScript", "Typography"], "reach": "one-step", "score": 1.0}
    told = {**pick, "reason": payload, "evidence": [payload], "distance_km": None}
    facts = Facts(person, picks=(Shown(event_of(payload), told),))
    links = Links(BASE_URL, b"secret")
    message = letter.message_for(
        letter.write(facts, rhythm="weekly", links=links),
        facts,
        week="2026-W49",
        sender="Adjacent <adjacent@adjacent.test>",
        bounces_to=None,
        links=links,
    )
    built = build(message, now=NOW)
    mail = Taken(built.return_path, built.to, built.content)
    assert [mail.mail[name] for name in ("To", "From")] == ["ada@example.org", "Adjacent <adjacent@adjacent.test>"]
    assert set(mail.mail.keys()) <= HEADERS
    text, html = mail.part("plain"), mail.part("html")
    assert is_text(text.replace("\r\n", "\n"))
    for node in elements_of(html):
        assert node.tag not in ("script", "img", "iframe", "evil", "svg", "object", "form")
        assert not any(name.startswith("on") for name in node.attributes)
        assert urlsplit(node.attributes.get("href") or "").scheme in ("", "http", "https", "mailto")


@hostile
def test_table_holds_one_row_and_no_formula(payload: str) -> None:
    body = event_table.table([event_of(payload)], BASE_URL).decode()
    header, row = csv.reader(io.StringIO(body, newline=""), strict=True)
    assert tuple(header) == COLUMNS
    assert len(row) == len(COLUMNS)
    assert not [cell for cell in row if cell.startswith(FORMULA_STARTS) or not is_text(cell)]


@hostile
def test_json_holds_text_only(payload: str) -> None:
    listed = event_of(payload)
    for body in (orjson.dumps(event_json(listed)), syndication.json_feed(CHANNEL, [listed])):
        assert not [one for one in strings(orjson.loads(body)) if not is_text(one)]
    shown = event_json(listed)
    assert (shown["url"], shown["online_url"], shown["organizer"]["url"]) == (None, None, None)


@hostile
@pytest.mark.parametrize("write", [syndication.rss, syndication.atom])
def test_news_feed_is_well_formed_and_holds_no_element_of_others(payload: str, write: Any) -> None:
    root = ET.fromstring(write(CHANNEL, [event_of(payload)]))
    entries = [node for node in root.iter() if node.tag.rpartition("}")[2] in ("item", "entry")]
    assert len(entries) == 1
    names = {node.tag.rpartition("}")[2] for node in entries[0]}
    assert names <= {
        *("title", "link", "id", "guid", "pubDate", "published", "updated", "description", "summary", "category"),
        *("startdate", "location", "organizer", "dtstart", "status"),
    }
    assert not [node for node in entries[0] if len(node)]
    described = entries[0].find("description")
    if described is not None:  # is read as HTML
        assert {node.tag for node in elements_of(described.text or "")} <= {"html", "head", "body", "br"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_address_that_is_no_web_address_is_shown_nowhere(address: str) -> None:
    listed = event_of("Talk")
    listed.event.url = listed.event.online_url = address
    bodies = (
        calendar_feed.calendar(calendar_feed.header("x"), [listed], base_url=BASE_URL),
        widget("x", [listed], 1, BASE_URL, wording_of("en")).encode(),
        event_table.table([listed], BASE_URL),
        syndication.rss(CHANNEL, [listed]),
        syndication.atom(CHANNEL, [listed]),
        syndication.json_feed(CHANNEL, [listed]),
        orjson.dumps(event_json(listed)),
    )
    for body in bodies:
        assert address.partition("\r")[0].encode() not in body.replace(BASE_URL.encode(), b"")
