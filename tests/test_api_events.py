"""The event list: every filter, the order, paging while events arrive, one event, and the calendar of it all."""

from __future__ import annotations

from datetime import timedelta

import httpx
import icalendar
import pytest
from service import MUNICH, NOW, Service, draft
from sqlmodel import select

from app.api.shapes import events as shapes
from app.events.ingest import Changes, store, stored_versions
from app.models import Event, Source
from scrapers import Organizer, Venue

pytest_plugins = ("databases",)

EVENTS = "/api/v1/events"
AUGSBURG = Venue(name="Hof", city="Augsburg", country="DE", lat=48.371, lon=10.898)
FIJI = Venue(name="Hall", city="Suva", country="FJ", lat=-18.14, lon=178.44)
SAMOA = Venue(name="Fale", city="Apia", country="WS", lat=-13.83, lon=-171.77)


on_both_databases = pytest.mark.usefixtures("database_url")  # where SQL differs; elsewhere SQLite stands for both


async def titles(service: Service, query: str) -> list[str]:
    answer = await service.client.get(f"{EVENTS}?{query}")
    assert answer.status_code == 200, answer.text
    shapes.EventList.model_validate(answer.json())
    return [event["title"] for event in answer.json()["data"]]


async def test_list_shows_upcoming_events_by_start(service: Service) -> None:
    await service.store(
        draft("past", "Past", days=-1), draft("b", "Second", days=2), draft("a", "First", days=1, venue=MUNICH)
    )
    answer = await service.client.get(EVENTS)
    assert answer.json()["data"][0] == {
        "id": answer.json()["data"][0]["id"],
        "title": "First",
        "starts_at": "2026-12-02T12:00:00+00:00",
        "ends_at": None,
        "zone": "UTC",
        "all_day": False,
        "status": "confirmed",
        "mode": "unknown",
        "url": None,
        "online_url": None,
        "venue": {
            "name": "Studio",
            "address": "Hof 3",
            "city": "Munich",
            "country": "DE",
            "lat": 48.137,
            "lon": 11.575,
        },
        "organizer": {"name": None, "url": None},
        "community": None,
        "topics": [],
        "purpose": {},
        "categories": [],
        "language": None,
        "price": None,
        "is_free": None,
        "description": "",
        "sequence": 0,
        "updated_at": NOW.isoformat(),
        "deleted": False,
        "merged_into": None,
    }
    assert [event["title"] for event in answer.json()["data"]] == ["First", "Second"]
    assert answer.json()["meta"] == {"count": 2, "count_is_lower_bound": False, "updated_at": NOW.isoformat()}
    assert answer.json()["links"] == {"self": "http://adjacent.test/api/v1/events", "next": None, "prev": None}


async def test_what_takes_one_value_is_not_given_two(service: Service) -> None:
    for address in (
        f"{EVENTS}?near=Munich&near=Paris",
        f"{EVENTS}.ics?lang=en&lang=de&topic=Chess&topic=React",
        "/embed?q=a&q=b",
    ):
        answer = await service.client.get(address)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["parameter"] in address) == (422, True)
        assert error["message"] == "is given more than once; only mode, source, topic take several values"


async def test_start_and_end_bound_the_first_moment(service: Service) -> None:
    await service.store(*(draft(str(day), f"Day {day}", days=day) for day in (-2, 1, 2, 3)))
    assert await titles(service, "start=2026-11-01") == ["Day -2", "Day 1", "Day 2", "Day 3"]
    assert await titles(service, "start=2026-12-03T12:00:00Z&end=2026-12-04T12:00:00Z") == ["Day 2"]
    assert await titles(service, "end=2026-12-03") == ["Day 1", "Day 2"]  # a date includes its day


async def test_bare_times_are_read_in_tz(service: Service) -> None:
    await service.store(draft("noon", "Noon", days=1))
    assert await titles(service, "start=2026-12-02T12:00:00&tz=Europe/Berlin") == ["Noon"]
    assert await titles(service, "start=2026-12-02T13:30:00&tz=Europe/Berlin") == []
    assert await titles(service, "start=2026-12-02T13:00:00%2B01:00") == ["Noon"]
    assert await titles(service, "start=2026-12-02T13:00:00+01:00") == ["Noon"]  # "+" is a space in addresses
    assert await titles(service, "start=2026-12-02t12:00z") == ["Noon"]


@pytest.mark.parametrize(("topic", "title"), [("C++", "Templates"), ("C%2B%2B", "Templates"), ("C", "Pointers")])
async def test_topic_may_end_in_signs_that_are_spaces_in_addresses(service: Service, topic: str, title: str) -> None:
    topics = {"a": {"cpp": 0.9}, "b": {"c": 0.9}}
    await service.store(draft("a", "Templates"), draft("b", "Pointers"), topics=topics)
    assert await titles(service, f"topic={topic}") == [title]


@on_both_databases
async def test_words_find_titles_and_descriptions(service: Service) -> None:
    await service.store(
        draft("a", "Letterpress evening"), draft("b", "Evening walk", description="Old letterpress shops"), draft("c")
    )
    assert sorted(await titles(service, "q=letterpress")) == ["Evening walk", "Letterpress evening"]
    assert await titles(service, "q=letterpress+shops") == ["Evening walk"]
    for unasked in ("", "+", "%20%20"):  # a search field nobody wrote in
        assert len(await titles(service, f"q={unasked}")) == 3
    for odd in ('"', "a AND", "NEAR(", "*", "-", "(", "'", "%25"):
        assert isinstance(await titles(service, f"q={odd}"), list)


@on_both_databases
async def test_topics_are_found_by_label_alias_or_slug_and_any_of_them_counts(service: Service) -> None:
    await service.store(
        draft("a", "Types"),
        draft("b", "Hooks", days=2),
        draft("c", "Other"),
        topics={"a": {"typography": 0.9}, "b": {"react": 0.8}},
    )
    assert await titles(service, "topic=typography") == ["Types"]
    assert await titles(service, "topic=React&topic=Typography") == ["Types", "Hooks"]
    refused = await service.client.get(f"{EVENTS}?topic=Reactt")
    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/unknown-topic"
    assert "React" in refused.json()["suggestions"]
    unlike = await service.client.get(f"{EVENTS}?topic=xqzw")
    assert unlike.json()["detail"] == "no topic is called 'xqzw'; GET /api/v1/topics?q=… finds what there is."


@on_both_databases
async def test_mode_status_language_price_purpose_community_and_source_filter(service: Service) -> None:
    await service.store(
        draft("a", "Online talk", mode="online", language="en-GB", price="free", status="confirmed"),
        draft("b", "Hall talk", days=2, mode="in_person", language="de", price="12 EUR", status="cancelled"),
        draft("c", "Silent", days=3, mode="hybrid"),
    )
    await service.store(draft("d", "Elsewhere", days=4), source="https://other.example/")
    async with service.database.writing() as session:
        for event in await session.exec(select(Event)):
            event.purpose = {"Online talk": {"learn": 0.7, "sell": 0.3}, "Hall talk": {"sell": 0.6, "learn": 0.4}}.get(
                event.title, {}
            )
    assert await titles(service, "mode=online") == ["Online talk"]
    assert await titles(service, "mode=online&mode=hybrid") == ["Online talk", "Silent"]
    assert await titles(service, "status=cancelled") == ["Hall talk"]
    assert await titles(service, "lang=en") == ["Online talk"]
    assert await titles(service, "lang=en-GB") == ["Online talk"]
    assert await titles(service, "free=true") == ["Online talk"]
    assert await titles(service, "free=false") == ["Hall talk"]
    assert await titles(service, "purpose=learn") == ["Online talk"]
    assert await titles(service, "purpose=sell") == ["Hall talk"]
    assert await titles(service, "source=2") == ["Elsewhere"]
    assert await titles(service, "source=1&source=2") == ["Online talk", "Hall talk", "Silent", "Elsewhere"]
    assert await titles(service, "community=nobody-123abc") == []


@on_both_databases
async def test_near_finds_a_circle_and_bbox_a_box(service: Service) -> None:
    await service.store(
        draft("m", "Munich", venue=MUNICH),
        draft("a", "Augsburg", days=2, venue=AUGSBURG),
        draft("f", "Suva", days=3, venue=FIJI),
        draft("s", "Apia", days=4, venue=SAMOA),
        draft("n", "Nowhere", days=5),
    )
    assert await titles(service, "near=Munich&radius_km=20") == ["Munich"]
    assert await titles(service, "near=48.14,11.58&radius_km=80") == ["Munich", "Augsburg"]
    assert await titles(service, "bbox=10,48,12,49") == ["Munich", "Augsburg"]
    assert await titles(service, "bbox=170,-20,-170,-10") == ["Suva", "Apia"]  # across the antimeridian
    assert await titles(service, "near=-16,180&radius_km=1500") == ["Suva", "Apia"]


@on_both_databases
async def test_near_pages_and_counts_what_is_in_the_circle_only(service: Service) -> None:
    corner = Venue(
        name="Corner", lat=48.137 + 0.17, lon=11.575 + 0.25
    )  # inside the box around 20 km, outside the circle
    await service.store(
        *(draft(f"in{n}", f"In {n}", days=n, venue=MUNICH) for n in range(1, 6)),
        *(draft(f"out{n}", f"Out {n}", days=n, venue=corner) for n in range(1, 6)),
    )
    query = "near=48.137,11.575&radius_km=20"
    assert await walk(service.client, f"{EVENTS}?{query}&limit=2") == [f"In {n}" for n in range(1, 6)]
    assert (await service.client.get(f"{EVENTS}?{query}&limit=2")).json()["meta"]["count"] == 5


async def test_unknown_place_is_refused_with_candidates(service: Service) -> None:
    unknown = (await service.client.get(f"{EVENTS}?near=Munch")).json()
    assert unknown["status"] == 422
    assert unknown["type"] == "/problems/unknown-place"
    assert "Munich, DE" in unknown["candidates"]
    ambiguous = (await service.client.get(f"{EVENTS}?near=Springfield")).json()
    assert len(ambiguous["candidates"]) > 1


@on_both_databases
async def test_changes_and_tombstones_can_be_followed(service: Service) -> None:
    await service.store(draft("a", "Old"), draft("b", "Moved"))
    later = NOW + timedelta(hours=1)
    await service.store(draft("b", "Moved", days=3), now=later)
    async with service.database.writing() as session:
        gone = (await session.exec(select(Event).where(Event.title == "Old"))).one()
        gone.deleted_at = gone.updated_at = later
    since = "updated_since=2026-12-01T12:30:00Z"
    assert await titles(service, since) == ["Moved"]
    answer = await service.client.get(f"{EVENTS}?{since}&include_deleted=true&sort=updated")
    assert [(event["title"], event["deleted"]) for event in answer.json()["data"]] == [("Old", True), ("Moved", False)]
    assert answer.json()["meta"]["updated_at"] == later.isoformat()


WRITTEN = {
    "a": "Café-Treffen für Übersetzer",
    "b": "C++ user group: front-end & back-end",
    "c": "Typography workshops 2026",
    "d": "Straße der Wörter – Ølund, Łódź",
    "e": "Ночь музеев и йога",
    "f": "O'Reilly night @ node.js",
    "g": "Crème brûlée für alle",
    "h": "Web3/AI meet-up (v2.0)",
}


@on_both_databases
async def test_words_are_found_alike_on_both_databases(service: Service) -> None:
    await service.store(*(draft(uid, title) for uid, title in WRITTEN.items()))
    uids = {title: uid for uid, title in WRITTEN.items()}
    asked = {
        "cafe": "a",
        "CAFÉ": "a",
        "ubersetzer": "a",
        "übersetzer": "a",
        "fur": "ag",
        "treffen": "a",
        "café-treffen": "a",
        "treffen-café": "",  # what a hyphen joins stands side by side
        "c++": "b",
        "front-end": "b",
        "end front": "b",
        "end-front": "",
        "workshop": "",  # whole words
        "worksho": "",
        "worksho*": "c",
        "typo* 2026": "c",
        "typ*graphy": "",
        "*": "",
        "straße": "d",
        "strasse": "",
        "ølund": "d",
        "łódź": "d",
        "ночь": "e",
        "НОЧЬ": "e",
        "йога": "e",
        "o'reilly": "f",
        "node.js": "f",
        "js.node": "",
        "brulee creme": "g",
        "web3": "h",
        "2.0": "",
        "v2.0": "h",
        "(ai)": "h",
        '"': "",
        "& -": "",
        "front & end": "b",
        "NEAR(front end)": "",
        "title:cafe": "",
    }
    found = {}
    for words in asked:
        answer = await service.client.get(EVENTS, params={"q": words})
        found[words] = "".join(sorted(uids[event["title"]] for event in answer.json()["data"]))
    assert found == asked


async def walk(client: httpx.AsyncClient, address: str | None, relation: str = "next") -> list[str]:
    seen = []
    while address:
        answer = (await client.get(address)).json()
        seen += [event["title"] for event in answer["data"]]
        address = answer["links"][relation]
    return seen


@pytest.mark.parametrize("sort", ["start", "-start", "updated", "-updated"])
async def test_paging_goes_through_everything_once_and_back(service: Service, sort: str) -> None:
    await service.store(*(draft(f"e{n:02}", f"Event {n:02}", days=1 + n // 4) for n in range(23)))
    forwards = await walk(service.client, f"{EVENTS}?limit=5&sort={sort}")
    assert sorted(forwards) == [f"Event {n:02}" for n in range(23)]
    last = f"{EVENTS}?limit=5&sort={sort}"
    while address := (await service.client.get(last)).json()["links"]["next"]:
        last = address
    pages: list[list[str]] = []
    previous: str | None = last
    while previous:
        answer = (await service.client.get(previous)).json()
        pages.insert(0, [event["title"] for event in answer["data"]])
        previous = answer["links"]["prev"]
    assert [title for page in pages for title in page] == forwards


@on_both_databases
async def test_paging_neither_skips_nor_repeats_while_events_arrive(service: Service) -> None:
    await service.store(*(draft(f"e{n:02}", f"Event {n:02}", days=1 + n) for n in range(12)))
    seen, address, arrivals = [], f"{EVENTS}?limit=3", 0
    while address:
        answer = (await service.client.get(address)).json()
        seen += [event["title"] for event in answer["data"]]
        arrivals += 1
        await service.store(draft(f"new{arrivals}", f"Arrival {arrivals}", days=0.5))
        address = answer["links"]["next"]
    assert seen == [f"Event {n:02}" for n in range(12)]


async def test_link_header_names_the_same_pages_as_the_body(service: Service) -> None:
    await service.store(*(draft(f"e{n}", days=1 + n) for n in range(3)))
    answer = await service.client.get(f"{EVENTS}?limit=1")
    links = answer.json()["links"]
    assert answer.headers["link"].split(", ")[:3] == [
        f'<{links["self"]}>; rel="self"',
        f'<{links["next"]}>; rel="next"',
        '<http://adjacent.test/api/v1/events.ics>; rel="alternate"; type="text/calendar"',
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("bogus=1", "bogus"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("source=9999999999999", "source"),
        ("start=yesterday", "start"),
        ("end=20261203", "end"),
        ("end=2026-W49", "end"),
        ("start=0001-01-01T00:00:00%2B14:00", "start"),
        ("end=9999-12-31", "end"),
        ("tz=Mars/Olympus", "tz"),
        ("mode=telepathy", "mode"),
        ("status=maybe", "status"),
        ("purpose=fun", "purpose"),
        ("lang=e", "lang"),
        ("free=perhaps", "free"),
        ("radius_km=-1&near=Munich", "radius_km"),
        ("radius_km=nan&near=Munich", "radius_km"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=0,50,1,40", "bbox"),
        ("q=a%00b", "q"),
        ("sort=relevance", "sort"),
    ],
)
async def test_bad_parameter_is_refused_by_name(service: Service, query: str, parameter: str) -> None:
    answer = await service.client.get(f"{EVENTS}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


@pytest.mark.parametrize("cursor", ["x", "W10", "!!!!", "WyJzdGFydCIsImEiLDEsMF0", "ä", "a" * 400])
async def test_cursor_that_is_none_is_refused(service: Service, cursor: str) -> None:
    answer = await service.client.get(EVENTS, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-cursor")


async def test_cursor_of_another_order_is_refused(service: Service) -> None:
    await service.store(*(draft(f"e{n}", days=1 + n) for n in range(3)))
    following = (await service.client.get(f"{EVENTS}?limit=1")).json()["links"]["next"]
    answer = await service.client.get(f"{following}&sort=-start")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/bad-cursor")


async def test_event_shows_its_sources_and_where_each_field_comes_from(service: Service) -> None:
    ids = await service.store(draft("a", "Type walk through town", venue=MUNICH), source="https://one.example/a.ics")
    await service.store(
        draft("x", "Type walk through town", venue=MUNICH, description="Bring shoes", organizer=Organizer("Walkers")),
        source="https://two.example/b.ics",
    )
    answer = await service.client.get(f"{EVENTS}/{ids['a']}")
    shapes.EventAnswer.model_validate(answer.json())
    event = answer.json()["data"]
    assert event["description"] == "Bring shoes"
    assert event["provenance"]["description"] == "https://two.example/b.ics"
    assert [one["source"] for one in event["sources"]] == ["https://one.example/a.ics", "https://two.example/b.ics"]
    first, second = event["sources"]
    assert (first["why"], first["version"] < second["version"], bool(second["why"])) == (None, True, True)
    (step,) = event["history"]
    assert (step["source"], step["changed"]["description"]) == ("https://two.example/b.ics", ["", "Bring shoes"])
    assert (await service.client.get(f"{EVENTS}/aaaaaaaaaaaaaaaa")).status_code == 404


async def test_merged_event_leads_to_the_one_that_remains(service: Service) -> None:
    ids = await service.store(draft("a", "A"), draft("b", "B", days=2), draft("c", "C", days=3))
    async with service.database.writing() as session:
        events = {event.key: event for event in await session.exec(select(Event))}
        events[ids["a"]].merged_into = events[ids["b"]].id
        events[ids["b"]].merged_into = events[ids["c"]].id
    for ending in ("", ".ics"):
        answer = await service.client.get(f"{EVENTS}/{ids['a']}{ending}")
        assert (answer.status_code, answer.headers["location"]) == (301, f"{EVENTS}/{ids['c']}{ending}")
        assert answer.headers["cache-control"] == "public, max-age=60"  # people may part them again
    asked = await service.client.get(f"{EVENTS}/{ids['a']}.ics?cancelled=prefix")
    assert asked.headers["location"] == f"{EVENTS}/{ids['c']}.ics?cancelled=prefix"
    assert await titles(service, "") == ["C"]
    whole = (await service.client.get(f"{EVENTS}?include_deleted=true")).json()["data"]
    assert [(event["title"], event["deleted"], event["merged_into"]) for event in whole] == [
        ("A", True, ids["c"]),
        ("B", True, ids["c"]),
        ("C", False, None),
    ]
    calendar = icalendar.Calendar.from_ical((await service.client.get(f"{EVENTS}.ics?include_deleted=true")).content)
    assert [str(event["status"]) for event in calendar.walk("VEVENT")] == ["CANCELLED", "CANCELLED", "CONFIRMED"]


async def test_calendar_holds_the_whole_result_of_the_filters(service: Service) -> None:
    await service.store(
        *(draft(f"e{n:03}", f"Event {n:03}", days=1 + n / 10) for n in range(130)),
        draft("off", "Called off", days=20, status="cancelled"),
    )
    answer = await service.client.get("/api/v1/events.ics?q=Event")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert [str(event["summary"]) for event in found] == [f"Event {n:03}" for n in range(130)]
    one = icalendar.Calendar.from_ical((await service.client.get("/api/v1/events.ics?q=off")).content)
    assert [str(event["status"]) for event in one.walk("VEVENT")] == ["CANCELLED"]
    dropped = await service.client.get("/api/v1/events.ics?q=off&cancelled=drop")
    assert icalendar.Calendar.from_ical(dropped.content).walk("VEVENT") == []
    assert (await service.client.get("/api/v1/events.ics?limit=5")).status_code == 422
    (called_off,) = (await service.client.get("/api/v1/events?q=off")).json()["data"]
    alone = await service.client.get(f"/api/v1/events/{called_off['id']}.ics?cancelled=prefix")
    (shown,) = icalendar.Calendar.from_ical(alone.content).walk("VEVENT")
    assert (str(shown["summary"]), str(shown["status"])) == ("Cancelled: Called off", "CANCELLED")


async def test_calendar_is_the_same_bytes_until_something_changes(service: Service) -> None:
    await service.store(draft("a", "A talk"))
    first = await service.client.get("/api/v1/events.ics")
    assert (await service.client.get("/api/v1/events.ics")).content == first.content
    await service.store(draft("a", "A talk", days=2), now=NOW + timedelta(hours=1))
    second = await service.client.get("/api/v1/events.ics")
    assert second.headers["etag"] != first.headers["etag"]
    (before,), (after,) = (icalendar.Calendar.from_ical(one.content).walk("VEVENT") for one in (first, second))
    assert (before["uid"], before["sequence"], after["sequence"]) == (after["uid"], 0, 1)


async def test_withdrawn_event_leaves_lists_and_stays_reachable(service: Service) -> None:
    ids = await service.store(draft("a", "A"), draft("b", "B", days=2))
    async with service.database.writing() as session:
        source = await session.get_one(Source, 1)
        stored = await stored_versions(session, 1)
        await store(session, source, Changes(withdrawn=(stored["a", ""].id,)), now=NOW)
    assert await titles(service, "") == ["B"]
    assert (await service.client.get(f"{EVENTS}/{ids['a']}")).json()["data"]["deleted"] is True
