"""The pages over HTTP: what every state says, and what strangers' words can and cannot do."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from service import BASE_URL, MUNICH, NOW, Service, draft
from shown import BROWSER, CHOIR, Shown, show, told
from sqlmodel import col, select

from app.api.doors import session_cookie
from app.collecting import first_start, frontier, tallies
from app.models import Event, FeedEntry, Person, Setting, Source
from app.people import tokens
from app.web.rendering import POLICY
from recommender.catalogue import load_catalogue
from recommender.topic_worth import rank_topics
from scrapers import EventDraft, Organizer, Venue, Window, read_here

BERLIN = ZoneInfo("Europe/Berlin")
KNOW = "/?know=UX+design&reach=far"


async def choir(service: Service, **fields) -> str:
    """Store one event about choirs and return its key."""
    made = dataclasses.replace(draft("a", "Sing a bug report"), **fields)
    keys = await service.store(made, topics={"a": CHOIR})
    return keys["a"]


# The front page


async def test_front_page_explains_itself_and_shows_an_example_before_anything_is_typed(service: Service) -> None:
    catalogue = load_catalogue()
    best = catalogue.topics[int(rank_topics({"computer-networks": 3, "voip": 3}).argmax())]
    await service.store(draft("a"), topics={"a": {best.slug: 0.9}})
    page = await show(service, "/")
    assert page.status == 200
    assert page.one("h1") == "Rooms next door to what you know"
    assert page.one("label[for=know]") == "What do you know?"
    assert page.one(".caption") == "For example, around networks and telephony"
    assert " ".join(page.words("svg.map-wide text.knows tspan")) == "Computer networking VoIP and telephony"
    assert page.one("#events-title") == "For example: 1 event for somebody in networks and telephony"
    assert page.words(".keep") == []  # no calendar of somebody else's picks
    assert len(page.links(".tries a")) == 5
    for _, href in page.links(".tries a"):
        assert (await show(service, href)).words(".chips li")


async def test_answer_carries_the_policy_and_nothing_from_elsewhere(service: Service) -> None:
    await choir(service, url="https://choir.example/sing")
    page = await show(service, KNOW)
    assert page.headers["Content-Security-Policy"] == POLICY
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert [node.attributes["src"] for node in page.tree.css("script[src], img[src], iframe[src]")] == [
        node.attributes["src"] for node in page.tree.css('script[src^="/static/"]')
    ]
    assert all((node.attributes["href"] or "").startswith("/") for node in page.tree.css("link"))
    assert not page.tree.css("[style], style, [onclick]")


async def test_page_has_one_main_heading_and_headings_in_order(service: Service) -> None:
    key = await choir(service)
    for address in ("/", KNOW, f"/e/{key}", "/sources", "/sign-in", "/nothing"):
        page = await show(service, address)
        levels = [int(node.tag[1]) for node in page.tree.css("h1, h2, h3, h4")]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        html = page.tree.css_first("html")
        assert html is not None
        assert html.attributes["lang"] == "en"


async def test_pick_shows_when_where_why_and_how_to_keep_it(service: Service) -> None:
    key = await choir(
        service,
        starts_at=datetime(2026, 12, 3, 18, 30, tzinfo=BERLIN),
        ends_at=datetime(2026, 12, 3, 20, 30, tzinfo=BERLIN),
        zone="Europe/Berlin",
        mode="in_person",
        venue=MUNICH,
        url="https://www.choir.example/sing",
        price="free",
        organizer=Organizer("Songs at work"),
    )
    page = await show(service, f"{KNOW}&near=48.137,11.575")
    assert page.one("#events-title") == "1 event worth an evening"
    assert page.one(".date") == "Thu3Dec"
    assert (page.one(".pick .from"), page.one(".pick .to")) == ("UX design", "Choir")
    assert page.links(".pick h3 a") == [
        ("Sing a bug report", f"/e/{key}?know=UX+design&near=48.137%2C11.575&reach=far")
    ]
    assert page.one(".pick .meta") == "Thu 3 Dec, 18:30–20:30 · Songs at work · Studio, Munich · free"
    assert page.one(".pick .reason").startswith("You know UX design.")
    assert page.words(".pick .evidence li")
    assert page.links(".pick .acts a") == [
        ("Add to calendar: Sing a bug report", f"/api/v1/events/{key}.ics?entry=true"),
        ("At choir.example: Sing a bug report", "https://www.choir.example/sing"),
    ]
    lit = page.tree.css_first("svg.map-wide a .dot.lit")
    assert lit is not None
    assert lit.parent is not None
    assert lit.parent.attributes["href"] == f"#event-{key}"


@pytest.mark.parametrize(
    ("fields", "meta"),
    [
        ({}, "Wed 2 Dec, 12:00"),
        ({"ends_at": NOW + timedelta(days=3)}, "Wed 2 Dec, 12:00 – Fri 4 Dec, 12:00"),
        ({"ends_at": NOW + timedelta(days=1, hours=14)}, "Wed 2 Dec, 12:00–02:00"),
        (
            {"starts_at": datetime(2026, 12, 5, tzinfo=BERLIN), "zone": "Europe/Berlin", "all_day": True},
            "Sat 5 Dec, all day",
        ),
        (
            {
                "starts_at": datetime(2026, 12, 5, tzinfo=BERLIN),
                "ends_at": datetime(2026, 12, 7, tzinfo=BERLIN),
                "zone": "Europe/Berlin",
                "all_day": True,
            },
            "Sat 5 Dec – Sun 6 Dec, all day",
        ),
        (
            {"starts_at": datetime(2026, 12, 5, 19, tzinfo=BERLIN), "zone": "Europe/Berlin", "mode": "online"},
            "Sat 5 Dec, 19:00 CET · online",
        ),
        ({"mode": "hybrid", "venue": Venue(name="Hall")}, "Wed 2 Dec, 12:00 UTC · Hall and online"),
        ({"price": "12 EUR", "venue": Venue(city="Graz")}, "Wed 2 Dec, 12:00 · Graz · 12 EUR"),
    ],
    ids=["no end", "days", "past midnight", "one day", "two days", "online", "hybrid", "price"],
)
async def test_card_tells_time_and_place_in_plain_words(service: Service, fields: dict, meta: str) -> None:
    await choir(service, **fields)
    assert (await show(service, KNOW)).one(".pick .meta") == meta


@pytest.mark.parametrize(
    ("status", "words"),
    [("tentative", "Not certain yet"), ("rescheduled", "New date"), ("moved_online", "Moved online")],
)
async def test_card_says_what_is_special_about_an_event(service: Service, status: str, words: str) -> None:
    await choir(service, status=status)
    assert (await show(service, KNOW)).words(".pick .alarm") == [words]


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
async def test_events_that_do_not_take_place_are_no_picks_but_keep_their_page(service: Service, status: str) -> None:
    key = await choir(service, status=status)
    page = await show(service, KNOW)
    assert page.one("#events-title") == "Nothing worth an evening yet"
    assert (await show(service, f"/e/{key}")).one(".notice").startswith(status.capitalize() + ".")


async def test_no_events_at_all_is_said_and_the_map_is_not_empty(service: Service) -> None:
    page = await show(service, "/?know=UX+design")
    assert page.one("#events-title") == "Nothing worth an evening yet"
    assert page.words(".empty > p:first-child") == ["There is no event in the next 21 days."]
    assert page.words(".hero-map .caption") == ["No topic around it has events here and now."]
    assert len(page.tree.css("svg.map-wide .speck")) >= 10
    assert page.links(".empty .acts a") == [
        ("Look 60 days ahead", "/?know=UX+design&days=60"),
        ("Look farther out", "/?know=UX+design&reach=far"),
    ]


async def test_nothing_in_reach_offers_to_widen_the_search(service: Service) -> None:
    await choir(service, venue=MUNICH, mode="in_person")
    page = await show(service, "/?know=UX+design&near=52.5,13.4&within=25&mode=in_person&reach=far&days=60")
    assert page.words(".empty > p:first-child") == ["There is no event in the next 60 days within 25 km of 52.5,13.4."]
    assert [words for words, _ in page.links(".empty .acts a")] == ["Without filters", "Look farther away"]


async def test_events_that_are_all_inside_are_told_from_no_events(service: Service) -> None:
    await service.store(draft("a"), topics={"a": {"ux-design": 0.9}})
    page = await show(service, "/?know=UX+design")
    assert page.words(".empty > p:first-child") == [
        "There are events in the next 21 days, but none that is honestly next door to what you know."
    ]


async def test_unknown_topic_offers_what_may_have_been_meant_and_keeps_the_rest(service: Service) -> None:
    page = await show(service, "/?know=JavaScript&know=nurssing&near=Munich")
    assert page.words(".chips li span") == ["JavaScript"]
    assert page.one(".ask .problem") == "We know no topic called “nurssing”. Did you mean: Nursing?"
    (_, href), *_ = page.links(".ask .problem a")
    assert href == "/?know=JavaScript&know=Nursing&near=Munich"
    assert (await show(service, href)).words(".chips li span") == ["JavaScript", "Nursing"]


async def test_unknown_topic_without_a_likely_one_says_what_to_try(service: Service) -> None:
    page = await show(service, "/?know=qqxxzz")
    assert page.one(".ask .problem") == "We know no topic called “qqxxzz”. Try a plainer word for it."


async def test_input_of_any_length_and_script_is_shown_as_text(service: Service) -> None:
    for words in (
        "x" * 300,
        "ש" * 300,
        "مرحبا بالعالم",
        "\u202egnitset",
        "🎻" * 80,
        "<b>bold</b>",
        "%00",
        "' OR 1=1 --",
    ):
        page = await show(service, "/", params={"know": words, "near": words})
        assert page.status == 200
        told = page.one(".ask .problem bdi").removesuffix("…")
        assert (len(told) > 50 and words.startswith(told)) or told == words or "\u202e" in words or words == "%00"
        assert not page.tree.css(".problem b")


async def test_very_long_input_is_cut(service: Service) -> None:
    page = await show(service, "/", params={"know": "y" * 5000})
    assert page.one(".ask .problem bdi") == "y" * 59 + "…"


async def test_ambiguous_place_lists_the_places(service: Service) -> None:
    page = await show(service, "/?know=UX+design&near=Springfield")
    assert page.one("#place-problem").startswith("Several places are called Springfield. Which one do you mean?")
    links = page.links("#place-problem a")
    assert ("Springfield, MO, US", "/?know=UX+design&near=Springfield%2C+MO%2C+US") in links
    for _, href in links:
        assert not (await show(service, href)).tree.css("#place-problem")
    near = page.tree.css_first("#near")
    assert near is not None
    assert near.attributes["aria-describedby"] == "place-problem"


async def test_unknown_place_says_so_and_still_shows_events(service: Service) -> None:
    await choir(service)
    page = await show(service, f"{KNOW}&near=Nowhereville")
    assert page.one("#place-problem").startswith("We know no city of 15,000 or more people called Nowhereville")
    assert len(page.tree.css(".pick")) == 1


async def test_demonstration_city_is_a_place(service: Service) -> None:
    page = await show(service, "/?know=UX+design&near=port+ellery")
    assert not page.tree.css("#place-problem")


async def test_sixty_topics_are_shown_and_more_are_not_read(service: Service) -> None:
    await choir(service)
    labels = [topic.label for topic in load_catalogue().topics[:80] if "," not in topic.label]
    page = await show(service, "/", params={"know": labels, "reach": "far"})
    assert page.status == 200
    assert 55 <= len(page.words(".chips li")) <= 60
    assert page.words("svg.map-wide text.knows")[-1].startswith("and ")
    assert len(page.one("head title")) < 200


async def test_chips_remove_one_topic_and_keep_everything_else(service: Service) -> None:
    kept = "near=Munich&within=10&days=7&mode=in_person&hours=evening&language=de&reach=far&free=yes"
    page = await show(service, f"/?know=JavaScript:4&know=Nursing&{kept}")
    assert page.links(".chips a") == [("×", f"/?know=Nursing&{kept}"), ("×", f"/?know=JavaScript%3A4&{kept}")]
    hidden = [(one.attributes["name"], one.attributes["value"]) for one in page.tree.css(".ask input[type=hidden]")]
    assert hidden == [
        ("know", "JavaScript:4"),
        ("know", "Nursing"),
        ("near", "Munich"),
        ("within", "10"),
        ("days", "7"),
        ("mode", "in_person"),
        ("hours", "evening"),
        ("language", "de"),
        ("reach", "far"),
        ("free", "yes"),
    ]


async def test_several_topics_may_be_typed_at_once(service: Service) -> None:
    page = await show(service, "/", params={"know": "JavaScript, Nursing; typography"})
    assert page.words(".chips li span") == ["JavaScript", "Nursing", "Typography"]


async def test_all_topics_stand_in_a_table_behind_one_line(service: Service) -> None:
    await choir(service)
    page = await show(service, KNOW)
    rows = page.words("#topic-choir > *")
    assert (rows[0], rows[-1]) == ("Choir", "1")
    assert page.one("details.all-topics summary") == f"Show {len(page.tree.css('tbody tr'))} topics"
    assert page.links("#topic-choir a") == [("Choir", "/start?know=UX+design&know=Choir&reach=far")]


async def test_styles_and_scripts_are_kept_for_good(service: Service) -> None:
    page = await show(service, "/")
    for node in page.tree.css("link[href^='/static/'], script[src^='/static/']"):
        answer = await service.client.get(node.attributes.get("href") or node.attributes.get("src") or "")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


# The calendar


async def test_calendar_is_made_of_the_question_and_its_address_shown_once(service: Service) -> None:
    await choir(service)
    page = Shown(
        await service.client.post(
            "/start",
            data={
                "know": ["UX design:4"],
                "near": "Munich",
                "within": "100",
                "reach": "far",
                "days": "14",
                "mode": "in_person",
                "calendar": "yes",
            },
        )
    )
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert page.one("h1") == "Your calendar is ready"
    address = page.tree.css_first("#address")
    assert address is not None
    url = address.attributes["value"] or ""
    assert re.fullmatch(re.escape(BASE_URL) + r"/f/adj_f_[\w-]{43}\.ics", url)
    assert dict(page.links(".acts a"))["Apple, Thunderbird and most apps"] == url.replace("http", "webcal")
    async with service.database.reading() as session:
        (person,) = await session.exec(select(Person))
    assert (person.within_km, person.reach, person.days, person.online) == (100.0, "far", 14, False)
    assert (person.place or "").startswith("Munich")
    feed = await service.client.get(url)
    assert feed.status_code == 200
    assert feed.headers["Content-Type"].startswith("text/calendar")


async def test_calendar_holds_the_picks_of_the_page(service: Service) -> None:
    key = await choir(service)
    await service.client.post("/start", data={"know": "UX design", "reach": "far", "calendar": "yes"})
    async with service.database.reading() as session:
        held = await session.exec(select(Event.key).join(FeedEntry, col(FeedEntry.event_id) == Event.id))
        assert list(held) == [key]


async def test_calendar_of_nothing_is_refused(service: Service) -> None:
    page = Shown(await service.client.post("/start", data={"know": "qqxxzz", "calendar": "yes"}))
    assert (page.status, page.one("h1")) == (422, "Nothing to keep yet")


# An event's own page


async def test_event_page_tells_everything_known_and_who_said_it(service: Service) -> None:
    other = "https://other.example/all.ics"
    made = draft(
        "a",
        "Sing a bug report",
        ends_at=NOW + timedelta(days=1, hours=2),
        mode="in_person",
        venue=MUNICH,
        url="https://choir.example/sing",
        description="Bring a bug.\n\nWe bring the tune.",
        organizer=Organizer("Songs at work", "https://choir.example"),
        language="en",
    )
    key = (await service.store(made, topics={"a": CHOIR}))["a"]
    await service.store(dataclasses.replace(made, uid="b", description="", price="12 EUR"), source=other)
    page = await show(service, f"/e/{key}")
    facts = dict(zip(page.words(".facts dt"), page.words(".facts dd"), strict=True))
    assert facts["When"] == "Wed 2 Dec 2026, 12:00–14:00 (UTC)"
    assert facts["Where"] == "Studio, Hof 3, Munich"
    assert (facts["How"], facts["By"], facts["Price"]) == ("in person", "Songs at work", "12 EUR")
    assert page.words(".prose p") == ["Bring a bug.", "We bring the tune."]
    assert page.links(".tags a") == [("Choir", "/events?topic=choir")]
    acts = page.links(".acts a")
    assert (acts[0], acts[-1]) == (
        ("Add to calendar", f"/api/v1/events/{key}.ics?entry=true"),
        ("At choir.example", "https://choir.example/sing"),
    )
    told_by = {
        row[0]: row[1] for row in ([told(cell) for cell in tr.css("th, td")] for tr in page.tree.css("tbody tr"))
    }
    assert set(told_by) == {"https://calendar.example/a.ics", other}
    assert "description" in told_by["https://calendar.example/a.ics"]
    assert told_by[other] == "price"


async def test_event_page_introduces_itself_to_other_sites(service: Service) -> None:
    key = await choir(service, description="Bring a bug. " * 40)
    page = await show(service, f"/e/{key}")
    properties = {node.attributes["property"]: node.attributes["content"] for node in page.tree.css("meta[property]")}
    assert properties.pop("og:description", "").startswith("Wed 2 Dec 2026, 12:00 · Bring a bug.")
    assert properties == {
        "og:type": "website",
        "og:site_name": "Adjacent",
        "og:title": "Sing a bug report",
        "og:url": f"{BASE_URL}/e/{key}",
    }
    (alternate,) = page.tree.css("link[rel=alternate]")
    assert alternate.attributes["href"] == f"/api/v1/events/{key}.ics"


PLAIN = EventDraft(
    uid="a",
    title="Sing a bug report",
    starts_at=datetime(2026, 12, 3, 18, 30, tzinfo=BERLIN),
    ends_at=datetime(2026, 12, 3, 20, 30, tzinfo=BERLIN),
    zone="Europe/Berlin",
    mode="in_person",
    url="https://choir.example/sing",
    venue=Venue("Studio", "Hof 3, 80331 Munich", "Munich", "DE", 48.137, 11.575),
    organizer=Organizer("Songs at work", "https://choir.example"),
    categories=("music", "bugs"),
    language="en",
    price="12 EUR",
    description="Bring a bug.\n\nWe bring the tune & coffee.",
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ends_at": None, "price": "free", "organizer": Organizer("Songs at work")},
        {
            "price": "10–25 EUR",
            "venue": Venue("Hall", "5 Elm St, Nashville, TN 37203", "Nashville", "US", 36.16, -86.78),
            "zone": "America/Chicago",
        },
        {"price": "pay what you can", "categories": (), "description": "", "language": None},
        {"mode": "online", "venue": None, "online_url": "https://meet.example/room", "zone": "Asia/Kolkata"},
        {"mode": "hybrid", "online_url": "https://meet.example/room"},
        {"status": "cancelled"},
        {"status": "postponed"},
        {"status": "rescheduled"},
        {"status": "tentative"},
        {"status": "moved_online", "mode": "online", "venue": None, "online_url": "https://meet.example/room"},
        {
            "all_day": True,
            "starts_at": datetime(2026, 12, 5, tzinfo=BERLIN),
            "ends_at": datetime(2026, 12, 7, tzinfo=BERLIN),
        },
        {"title": "שירה </script> & \"codes\" '🎻'", "language": "he"},
    ],
    ids=lambda changes: "-".join(map(str, changes)) or "all",
)
async def test_event_page_reads_back_as_the_event_it_shows(service: Service, changes: dict) -> None:
    fields = dict(changes)
    if "zone" in fields:
        zone = ZoneInfo(fields["zone"])
        fields["starts_at"], fields["ends_at"] = PLAIN.starts_at.astimezone(zone), PLAIN.starts_at.astimezone(zone)
        fields["ends_at"] += timedelta(hours=1)
    made = dataclasses.replace(PLAIN, **fields)
    key = (await service.store(made))["a"]
    url = f"{BASE_URL}/e/{key}"
    answer = await service.client.get(url)
    reading = read_here(
        answer.content,
        url=url,
        content_type=answer.headers["Content-Type"],
        window=Window(NOW, NOW + timedelta(days=30)),
        zone=ZoneInfo("UTC"),
    )
    (back,) = reading.events
    assert dataclasses.replace(back, uid="a", source="") == made
    assert reading.problems == ()


INJECTIONS = (
    "</script><script>alert(1)</script>",
    "</SCRIPT ><img src=x onerror=alert(1)>",
    "<!--<script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "</title><base href=//evil.example/>",
    '\\u003c/script\\u003e\\"<style>*{}</style>',
)


@pytest.mark.parametrize("payload", INJECTIONS)
async def test_words_of_strangers_stay_words(service: Service, payload: str) -> None:
    made = draft(
        "a",
        f"T {payload}",
        description=f"D {payload}",
        venue=Venue(name=f"V {payload}", city=payload),
        organizer=Organizer(f"O {payload}"),
        categories=(payload,),
        price=payload,
        language=payload,
        status="tentative",
    )
    key = (await service.store(made, topics={"a": CHOIR}))["a"]
    for address in (f"/e/{key}", KNOW):
        page = await show(service, address)
        assert page.status == 200
        scripts = page.tree.css("script")
        assert [node.attributes.get("type") or "nice" for node in scripts] == (
            ["application/ld+json", "nice"] if address != KNOW else ["nice"]
        )
        assert not page.tree.css("img, style, base, [onload], [onerror], [onmouseover]")
        assert len(page.tree.css("svg")) == (1 if address != KNOW else 3)
        assert f"T {' '.join(payload.split())}" in page.one(".pick h3 a" if address == KNOW else "article h1")
        if address != KNOW:
            assert json.loads(scripts[0].text())["name"] == f"T {payload}"


async def test_merged_event_leads_to_the_one_it_was_merged_into(service: Service) -> None:
    keys = await service.store(draft("a"), draft("b", "Another", days=2), draft("c", "A third", days=3))
    async with service.database.writing() as session:
        rows = {row.key: row for row in await session.exec(select(Event))}
        rows[keys["a"]].merged_into = rows[keys["b"]].id
        rows[keys["b"]].merged_into = rows[keys["c"]].id
    answer = await service.client.get(f"/e/{keys['a']}")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"/e/{keys['c']}")


async def test_withdrawn_event_says_so_and_asks_not_to_be_found(service: Service) -> None:
    key = await choir(service)
    async with service.database.writing() as session:
        (event,) = await session.exec(select(Event))
        event.deleted_at = NOW
    page = await show(service, f"/e/{key}")
    assert page.one(".notice").startswith("Its source no longer lists this event.")
    robots = page.tree.css_first("meta[name=robots]")
    assert robots is not None
    assert robots.attributes["content"] == "noindex"
    (script,) = page.tree.css("script[type]")
    assert json.loads(script.text())["eventStatus"] == "https://schema.org/EventCancelled"


async def test_event_in_another_language_and_script_is_marked_as_such(service: Service) -> None:
    key = await choir(service, title="ערב שירה", language="he")
    heading = (await show(service, f"/e/{key}")).tree.css_first("article h1")
    assert heading is not None
    assert (heading.attributes["dir"], heading.attributes["lang"]) == ("auto", "he")


async def test_page_without_an_hour_or_place_leaves_them_out(service: Service) -> None:
    key = await choir(service)
    page = await show(service, f"/e/{key}")
    assert page.words(".facts dt") == ["When"]


# Errors for people, problems for machines


@pytest.mark.parametrize(
    ("address", "status", "title"),
    [
        ("/nothing", 404, "Nothing is here"),
        ("/e/nothing", 404, "No such event"),
        ("/ops", 401, "Please sign in"),
        ("/say", 405, "This address takes no such request"),
        ("/sources?after=x", 422, "That does not fit"),
    ],
)
async def test_errors_are_pages_for_people(service: Service, address: str, status: int, title: str) -> None:
    page = await show(service, address)
    assert (page.status, page.one("h1")) == (status, title)
    assert page.headers["Content-Security-Policy"] == POLICY
    assert page.links("main a.button") == [("To the events", "/")]


async def test_errors_stay_problems_for_machines(service: Service) -> None:
    program = {"accept": "text/calendar"}
    for address, headers in (("/nothing", {}), ("/api/v1/nothing", BROWSER), ("/f/adj_f_x.ics", program)):
        answer = await service.client.get(address, headers=headers)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_refused_method_still_names_those_that_work(service: Service) -> None:
    assert (await service.client.get("/say", headers=BROWSER)).headers["Allow"] == "POST"


async def test_who_is_no_operator_hears_how_to_become_one(service: Service) -> None:
    page = await show(service, "/ops")
    assert "link that the service prints when it starts" in page.one("main")
    guest = await service.guest()
    refused = Shown(await service.client.get("/ops", headers={**BROWSER, **guest}))
    assert (refused.status, refused.one("h1")) == (403, "This is for operators")


# Operating


async def signed_in(service: Service) -> None:
    (line,) = [line for line in service.announced if line.startswith("Sign in")]
    answer = await service.client.post(line.removeprefix("Sign in as operator: "))
    assert answer.status_code == 303


async def test_sign_in_link_shows_a_button_and_works_once(service: Service) -> None:
    (link,) = [line.removeprefix("Sign in as operator: ") for line in service.announced if "/sign-in/" in line]
    for _ in range(3):  # scanners and previews
        assert (await service.client.head(link)).status_code == 200
        assert (await show(service, link)).one("main button") == "Sign in"
    answer = await service.client.post(link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/ops")
    assert answer.headers["Set-Cookie"].startswith(f"{session_cookie(BASE_URL)}=adj_s_")
    assert {"HttpOnly", "SameSite=lax"} <= set(answer.headers["Set-Cookie"].split("; "))
    assert (await show(service, "/ops")).one("h1") == "Operate"
    assert (await service.client.post(link)).status_code == 410
    assert (await show(service, link)).one("h1") == "This link no longer works"


async def test_signing_out_ends_the_session_everywhere(service: Service) -> None:
    await signed_in(service)
    cookie = dict(service.client.cookies)
    assert (await service.client.post("/sign-out")).headers["Location"] == "/"
    service.client.cookies.update(cookie)  # a copy of it
    assert (await show(service, "/ops")).status == 401


async def test_sign_in_page_explains_the_link_to_strangers_and_skips_itself_for_operators(service: Service) -> None:
    page = await show(service, "/sign-in")
    assert page.one("h1").startswith("Sign in")
    assert "Sign in as operator:" in page.one("pre")
    await signed_in(service)
    assert (await service.client.get("/sign-in")).headers["Location"] == "/ops"


async def test_operator_adds_sources_and_hears_what_became_of_each(service: Service) -> None:
    await signed_in(service)

    async def add(*urls: str) -> str:
        data = {"url": list(urls)}
        return Shown(await service.client.post("/ops/sources", data=data, follow_redirects=True)).one(".notice")

    assert await add("https://a.example/x.ics") == "1 added; read within a minute."
    assert await add("https://a.example/x.ics") == "Nothing added. 1 known already."
    assert await add("javascript:alert(1)") == "Nothing added. 1 refused: no http(s) address."
    assert (
        await add("https://b.example/", "ftp://c.example/")
        == "1 added; read within a minute. 1 refused: no http(s) address."
    )
    assert not (await show(service, "/ops")).words(".notice")  # told once
    page = await show(service, "/ops")
    assert page.words(".plain li") == ["new https://b.example/", "new https://a.example/x.ics"]
    numbers = dict(zip(page.words(".numbers dt"), page.words(".numbers dd"), strict=True))
    assert numbers["sources"] == "2"


async def test_chart_tells_of_failed_fetches_of_sources_that_are_well_again(service: Service) -> None:
    await signed_in(service)
    today = datetime.now(UTC).date()
    async with service.database.writing() as session:
        for days in (0, 3, 3, 40):
            await tallies.count(session, "failed", today - timedelta(days=days))
    page = await show(service, "/ops")
    (chart,) = page.tree.css("svg.chart")
    assert chart.attributes["aria-label"] == "In 30 days 0 new events and 0 changes; 3 fetches failed."
    assert len(chart.css(".bar.failed")) == 2


async def test_bundled_live_sources_are_fetched_only_once_chosen(service: Service) -> None:
    await signed_in(service)
    first = first_start.live_sources()[0]
    page = await show(service, "/ops")
    boxes = page.tree.css("#live input[type=checkbox]")
    assert len(boxes) == len(first_start.live_sources())
    assert not page.tree.css("table input[checked]")
    page = Shown(await service.client.post("/ops/live-sources", data={"url": first.url}, follow_redirects=True))
    (checked,) = page.tree.css("table input[checked]")
    assert checked.attributes["value"] == first.url
    assert "disabled" in checked.attributes


async def test_demonstration_goes_with_one_click(service: Service) -> None:
    async with service.database.writing() as session:
        await frontier.add_source(session, "https://calendar.example/a.ics", is_demo=True)
        session.add(Setting(name=first_start.DEMO_SETTING, value="loaded"))
    await choir(service)
    assert (await show(service, "/")).one(".demo p").startswith("Port Ellery is invented")
    assert not (await show(service, "/")).tree.css(".demo form")
    await signed_in(service)
    assert (await show(service, "/")).one(".demo button") == "Remove the demonstration"
    assert (await service.client.post("/ops/demonstration/remove")).status_code == 303
    page = await show(service, "/")
    assert not page.tree.css(".demo")
    assert page.one("#events-title") == "Nothing worth an evening yet"
    assert (await show(service, "/sources")).one(".lead").startswith("0 sources.")


@pytest.mark.parametrize("path", ["/ops/sources", "/ops/live-sources", "/ops/demonstration/remove"])
async def test_strangers_change_nothing(service: Service, path: str) -> None:
    assert (await service.client.post(path, data={"url": "https://a.example/"})).status_code == 401
    async with service.database.reading() as session:
        assert not list(await session.exec(select(Source)))


async def test_page_of_another_site_cannot_write_with_the_cookie(service: Service) -> None:
    await signed_in(service)
    answer = await service.client.post(
        "/ops/sources", data={"url": "https://a.example/"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


async def test_sources_are_counted_and_shown_a_page_at_a_time(service: Service) -> None:
    async with service.database.writing() as session:
        await frontier.add_sources(session, [f"https://s{number:03}.example/" for number in range(203)])
    first = await show(service, "/sources")
    assert first.one(".lead").startswith("203 sources.")
    assert len(first.tree.css("tbody tr")) == 200
    ((words, href), *_) = first.links("nav[aria-label=Pages] a")
    assert words == "Next 200"
    second = await show(service, href)
    assert len(second.tree.css("tbody tr")) == 3
    assert second.links("nav[aria-label=Pages] a") == [("First page", "/sources")]


async def test_failing_source_says_what_is_wrong(service: Service) -> None:
    async with service.database.writing() as session:
        source = await frontier.add_source(session, "https://s.example/<b>")
        source.state = "failing"
    page = await show(service, "/sources")
    assert page.one(".state-failing") == "failing"
    assert "https://s.example/<b>" in page.one("tbody th")


async def test_expired_sign_in_link_is_refused(service: Service) -> None:
    async with service.database.writing() as session:
        secret = await tokens.issue(session, "sign_in", scopes=["operator"], lives=timedelta(seconds=-1))
    page = await show(service, f"/sign-in/{secret}")
    assert (page.status, page.one("h1")) == (410, "This link no longer works")
