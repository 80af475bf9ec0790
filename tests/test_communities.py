"""Communities: told by calendars and by files, alive or not, and picked one step outside what somebody knows."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from origin import Origin
from selectolax.lexbor import LexborHTMLParser
from service import MUNICH, NOW, Service, draft
from sqlmodel import col, select

from app.api.shapes import communities as shapes
from app.collecting import collect, frontier, registry
from app.collecting.frontier import add_source
from app.community import activity
from app.community.told_rhythm import told_rhythm
from app.models import Community, Event, FetchState, Source
from recommender.catalogue import load_catalogue
from scrapers import Page, Window, read_here
from scrapers.fetch import Fetcher

pytest_plugins = ("databases",)

COMMUNITIES = "/api/v1/communities"
REPOSITORY = "https://lists.example/main.zip"
CHAT = """name = "Bridge Builders"
kind = "hashtag chat"
url = "https://bridges.example/chat"
about = "An hour about one bridge."
topics = ["UX design"]
online = true
channel = "#bridgechat"
join = ["Search for #bridgechat."]

[[meets]]
first = 2026-01-07T20:00:00
zone = "Europe/London"
rhythm = "FREQ=WEEKLY;BYDAY=WE"
minutes = 60
"""
SLACK = """name = "Colour Theorists"
kind = "slack"
url = "https://colour.example/"
about = "Where painters and front-end people talk about colour."
topics = ["Colour theory of nobody", "Drawing"]
online = true
join = ["Ask for an invitation."]
"""


async def read_from(service: Service, files: dict[str, str], *, now: datetime = NOW) -> Source:
    """Collect an archive of these community files."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as packed:
        for name, text in files.items():
            packed.writestr(f"main/communities/{name}.toml", text)
    page = Page(REPOSITORY, body.getvalue())
    async with service.database.writing() as session:
        source = await add_source(session, REPOSITORY)
    reading = read_here(page.body, url=page.url, window=Window.ahead(now))
    await collect.keep(service.database, source, page, reading, now=now)
    await activity.renew(service.database, now=now)
    return source


async def a_group(service: Service, name: str, days: tuple[int, ...], *, topic: str = "ux-design") -> str:
    """Let a group in Munich meet on these days from NOW; return its key."""
    ids = await service.store(
        *(draft(f"{name}{day}", f"{name} {day}", days=day, venue=MUNICH) for day in days),
        source=f"https://{name}.example/",
        topics={f"{name}{day}": {topic: 0.9} for day in days if topic},
    )
    async with service.database.writing() as session:
        community = Community(
            key=f"{name}-1a2b3c",
            name=name,
            url=f"https://{name}.example/",
            lat=MUNICH.lat,
            lon=MUNICH.lon,
            updated_at=NOW - timedelta(days=1),
        )
        session.add(community)
        await session.flush()
        for event in await session.exec(select(Event)):
            if event.key in ids.values():
                event.community_id = community.id
        source = (await session.exec(select(Source).where(Source.url == f"https://{name}.example/"))).one()
        source.community_id = community.id
    return f"{name}-1a2b3c"


async def shown(service: Service, key: str) -> dict[str, Any]:
    answer = await service.client.get(f"{COMMUNITIES}/{key}")
    shapes.CommunityAnswer.model_validate(answer.json())
    return dict(answer.json()["data"])


async def test_group_shows_its_rhythm_last_and_next_event(service: Service) -> None:
    key = await a_group(service, "printers", (-20, -13, -6, 1, 8))
    assert await activity.renew(service.database, now=NOW) == 1
    data = await shown(service, key)
    assert (data["cadence"], data["upcoming"], data["last_active_at"], data["join"]) == (
        "every Wednesday",
        2,
        "2026-11-25",
        "https://printers.example/",
    )
    assert data["next_event"]["title"] == "printers 1"
    assert data["topics"] == [{"slug": "ux-design", "label": "UX design", "weight": 0.9}]
    told = data["activity"]
    assert (told["label"], told["next_on"], told["is_guess"], told["alive"]) == ("regular", "2026-12-02", False, 1.0)
    assert told["weeks"][-3:] == [1, 1, 1]
    of_it = (await service.client.get(f"/api/v1/events?community={key}")).json()
    assert [event["community"] for event in of_it["data"]] == [{"id": key, "name": "printers"}] * 2
    assert (await service.client.get(f"{COMMUNITIES}/nobody-000000")).status_code == 404


async def test_activity_that_stays_the_same_changes_nothing(service: Service) -> None:
    key = await a_group(service, "printers", (-13, -6, 1))
    await activity.renew(service.database, now=NOW)
    before = await shown(service, key)
    assert await activity.renew(service.database, now=NOW) == 0
    assert await shown(service, key) == before


async def test_community_is_introduced_as_soon_as_its_first_events_are_tagged(service: Service) -> None:
    key = await a_group(service, "printers", (-13, -6, 1))
    assert await activity.introduce(service.database, now=NOW) == 1
    before = await shown(service, key)
    assert ([topic["slug"] for topic in before["topics"]], before["state"]) == (["ux-design"], "regular")
    await a_group(service, "untagged", (1,), topic="")
    assert await activity.introduce(service.database, now=NOW) == 0  # the hourly round tells of those
    assert await shown(service, key) == before


async def test_communities_are_listed_by_name_and_paged(service: Service) -> None:
    for name in ("delta", "alpha", "charlie", "bravo"):
        await a_group(service, name, (1,))
    first = (await service.client.get(f"{COMMUNITIES}?limit=3")).json()
    shapes.CommunityList.model_validate(first)
    second = (await service.client.get(first["links"]["next"])).json()
    names = [one["name"] for one in (*first["data"], *second["data"])]
    assert names == ["alpha", "bravo", "charlie", "delta"]
    assert first["meta"]["count"] == 4
    found = (await service.client.get(f"{COMMUNITIES}?q=RAV")).json()["data"]
    assert [one["name"] for one in found] == ["bravo"]


async def test_communities_are_found_by_kind_topic_and_life(service: Service) -> None:
    await a_group(service, "weekly", (-13, -6, 1))
    await a_group(service, "silent", tuple(range(-300, -200, 7)), topic="drawing")
    await read_from(service, {"chat": CHAT})

    async def found(query: str) -> list[str]:
        answer = await service.client.get(f"{COMMUNITIES}?{query}")
        assert answer.status_code == 200
        return [one["name"] for one in answer.json()["data"]]

    assert await found("kind=hashtag chat") == ["Bridge Builders"]
    assert await found("topic=UX design") == ["Bridge Builders", "weekly"]
    assert await found("resting=true") == ["silent"]
    assert await found("resting=false") == ["Bridge Builders", "weekly"]
    assert await found("online=true") == ["Bridge Builders"]
    assert (await service.client.get(f"{COMMUNITIES}?topic=Nonsensology")).status_code == 422


@pytest.mark.usefixtures("database_url")
async def test_communities_are_found_by_place_words_and_several_values(service: Service) -> None:
    async with service.database.writing() as session:
        for place, (name, kind, about, lat, lon) in enumerate(
            (
                ("Buchbinder", "group", "Leinen und Leim", 48.14, 11.58),
                ("Café Größe", "slack", "ÉTUDES of type", 48.77, 9.18),
                ("Drift", "forum", "Fiji and Samoa", -17.0, 179.9),
                ("Elsewhere", "group", "100% online_only", None, None),
            )
        ):
            session.add(
                Community(
                    key=f"c-{place}",
                    name=name,
                    kind=kind,
                    description=about,
                    lat=lat,
                    lon=lon,
                    language=("de", "fr-CA", None, "en")[place],
                    updated_at=NOW - timedelta(days=place),
                )
            )

    async def found(query: str) -> list[str]:
        answer = await service.client.get(f"{COMMUNITIES}?{query}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["meta"]["count"] == len(answer.json()["data"])
        return [one["name"] for one in answer.json()["data"]]

    assert await found("near=Munich") == ["Buchbinder"]
    assert await found("near=48.14,11.58&radius_km=250") == ["Buchbinder", "Café Größe"]
    assert await found("bbox=9,48,10,49") == ["Café Größe"]
    assert await found("bbox=179,-20,-179,-10") == ["Drift"]  # across the antimeridian
    assert await found("kind=slack&kind=forum") == ["Café Größe", "Drift"]
    assert await found("lang=fr") == ["Café Größe"]
    assert await found("updated_since=2026-11-30T12:00:00Z") == ["Buchbinder", "Café Größe"]
    assert await found("q=etudes TYP") == await found("q=GRÖßE") == await found("q=cafe") == ["Café Größe"]
    assert await found("q=100%25") == await found("q=online_only") == ["Elsewhere"]
    assert await found("q=%25") == await found("q=_") == []
    everything = (await service.client.get(COMMUNITIES)).json()
    assert everything["meta"]["updated_at"] == NOW.isoformat()
    assert (await service.client.get(f"{COMMUNITIES}?lang=xx")).json()["meta"]["updated_at"] is None


async def test_files_become_communities_with_dates_like_any_other(service: Service) -> None:
    source = await read_from(service, {"chat": CHAT, "slack": SLACK})
    listed = (await service.client.get(COMMUNITIES)).json()["data"]
    assert [(one["name"], one["kind"], one["cadence"], one["upcoming"]) for one in listed] == [
        ("Bridge Builders", "hashtag chat", "every Wednesday", 52),
        ("Colour Theorists", "slack", None, 0),
    ]
    chat = listed[0]
    assert (chat["channel"], chat["join_steps"], chat["checked_at"]) == (
        "#bridgechat",
        ["Search for #bridgechat."],
        None,
    )
    events = (await service.client.get(f"/api/v1/events?community={chat['id']}&limit=1")).json()["data"]
    assert (events[0]["title"], events[0]["mode"], events[0]["starts_at"]) == (
        "Bridge Builders",
        "online",
        "2026-12-02T20:00:00+00:00",
    )
    async with service.database.reading() as session:
        state = await session.get_one(FetchState, source.id)
        kept = await session.get_one(Source, source.id)
    assert kept.state == "ok"
    assert [(problem["code"], problem["subject"]) for problem in state.problems] == [("unknown_topic", "slack")]


async def test_file_that_goes_ends_its_community(service: Service) -> None:
    await read_from(service, {"chat": CHAT, "slack": SLACK})
    await read_from(service, {"chat": CHAT.replace("An hour", "Two hours")}, now=NOW + timedelta(hours=1))
    listed = (await service.client.get(COMMUNITIES)).json()["data"]
    assert [(one["name"], one["description"]) for one in listed] == [("Bridge Builders", "Two hours about one bridge.")]


async def test_file_that_goes_takes_its_dates_along_and_one_that_is_broken_keeps_them(service: Service) -> None:
    walk = SLACK.replace("Colour Theorists", "Night walkers") + CHAT[CHAT.index("\n[[meets]]") :]
    await read_from(service, {"chat": CHAT, "walk": walk})
    broken = walk.replace('kind = "slack"', "kind = slack")
    source = await read_from(service, {"slack": SLACK, "walk": broken}, now=NOW + timedelta(hours=1))
    listed = (await service.client.get(COMMUNITIES)).json()["data"]
    assert [one["name"] for one in listed] == ["Colour Theorists", "Night walkers"]
    async with service.database.reading() as session:
        ahead = await session.exec(select(Event.title).where(col(Event.deleted_at).is_(None)))
        assert set(ahead) == {"Night walkers"}
        state = await session.get_one(FetchState, source.id)
    assert [(one["code"], one["subject"]) for one in state.problems][:1] == [("broken_toml", "communities/walk.toml:2")]


async def test_removed_source_takes_its_communities_along(service: Service) -> None:
    source = await read_from(service, {"chat": CHAT, "slack": SLACK})
    operator = await service.operator()
    assert (await service.client.delete(f"/api/v1/sources/{source.id}", headers=operator)).status_code == 204
    assert (await service.client.get(COMMUNITIES)).json()["data"] == []


async def picked(service: Service, **question: Any) -> list[dict[str, Any]]:
    answer = await service.client.post("/api/v1/recommendations/communities", json=question)
    assert answer.status_code == 200
    shapes.CommunityPicks.model_validate(answer.json())
    return list(answer.json()["data"])


async def test_living_communities_outside_are_picked_with_a_reason(service: Service) -> None:
    await a_group(service, "sketchers", (-20, -13, -6, 1))
    await a_group(service, "coders", (-20, -13, -6, 1), topic="javascript")
    await a_group(service, "silent", tuple(range(-300, -200, 7)))
    await activity.renew(service.database, now=NOW)
    (pick,) = await picked(service, know={"JavaScript": 4, "React": 4}, near="Munich")
    assert (pick["community"]["name"], pick["path"][-1]) == ("sketchers", "UX design")
    assert pick["path"][0] in ("JavaScript", "React")
    assert pick["reason"]
    assert pick["evidence"]
    assert await picked(service, know={"JavaScript": 4}, near="Hamburg") == []


async def test_those_that_live_come_before_those_nobody_has_looked_at(service: Service) -> None:
    for name, topic in (("sketchers", "drawing"), ("typesetters", "typography")):
        await a_group(service, name, (-20, -13, -6, 1), topic=topic)
    await activity.renew(service.database, now=NOW)
    await read_from(service, {"chat": CHAT, "slack": SLACK.replace("Drawing", "Data visualisation")})
    question = {"know": {"JavaScript": 4, "React": 4}, "near": "Munich", "limit": 3}
    first = [(pick["community"]["state"] == "unchecked") for pick in await picked(service, **question)]
    assert first == [False, False, True]
    everything = [
        pick["community"]["state"] == "unchecked" for pick in await picked(service, **question | {"limit": 9})
    ]
    assert everything == [False, False, True, True]


async def test_page_shows_those_next_door_first_and_says_what_nobody_has_checked(service: Service) -> None:
    await a_group(service, "sketchers", (-20, -13, -6, 1))
    await read_from(service, {"chat": CHAT})
    await activity.renew(service.database, now=NOW)
    shown = await service.client.get("/communities?know=JavaScript&near=Munich", headers={"Accept": "text/html"})
    tree = LexborHTMLParser(shown.text)
    assert [one.text(strip=True) for one in tree.css(".communities")[0].css("h3, .path .to")] == [
        *("UX design", "sketchers"),
        *("UX design", "Bridge Buildersunchecked"),
    ]
    assert tree.css(".communities")[0].css_first(".reason").text().startswith("You know JavaScript.")
    silent = await service.client.get("/communities?q=sketch&know=JavaScript", headers={"Accept": "text/html"})
    assert len(LexborHTMLParser(silent.text).css(".communities")) == 1  # who looks for one by name is shown that
    states = {one["name"]: one["state"] for one in (await service.client.get(COMMUNITIES)).json()["data"]}
    assert states == {"Bridge Builders": "unchecked", "sketchers": "regular"}


async def test_next_meeting_stands_on_the_day_it_has_there(service: Service) -> None:
    await read_from(service, {"chat": CHAT.replace("Europe/London", "America/New_York")})
    shown = await service.client.get("/communities", headers={"Accept": "text/html"})
    (card,) = LexborHTMLParser(shown.text).css(".community")
    assert card.css_first("p .hint").text() == "Wed 2 Dec"  # two in the morning of Thursday in Munich


async def test_chat_is_picked_wherever_one_lives_unless_online_is_unwanted(service: Service) -> None:
    await read_from(service, {"chat": CHAT})
    assert [one["community"]["name"] for one in await picked(service, know=["JavaScript"], near="Hamburg")] == [
        "Bridge Builders"
    ]
    assert await picked(service, know=["JavaScript"], near="Hamburg", online=False) == []


async def test_hidden_community_and_topic_are_not_among_mine(service: Service) -> None:
    await read_from(service, {"chat": CHAT})
    me = await service.guest(know={"JavaScript": 4})

    async def mine() -> list[str]:
        answer = await service.client.get("/api/v1/me/communities", headers=me)
        shapes.CommunityPickList.model_validate(answer.json())
        return [one["community"]["name"] for one in answer.json()["data"]]

    assert await mine() == ["Bridge Builders"]
    hidden = {"kind": "topic", "subject": "UX design"}
    assert (await service.client.post("/api/v1/me/hidden", json=hidden, headers=me)).status_code < 300
    assert await mine() == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=WEEKLY;BYDAY=TH", "every Thursday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;WKST=MO", "every second Tuesday"),
        ("BYDAY=3TH;FREQ=MONTHLY", "on the third Thursday of the month"),
        ("freq=monthly;byday=-1mo", "on the last Monday of the month"),
        ("FREQ=MONTHLY;BYDAY=5TH", None),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1TH", None),
        ("FREQ=MONTHLY;BYMONTH=1,2;BYDAY=3SA", None),
        ("FREQ=WEEKLY;BYDAY=MO,WE", None),
        ("FREQ=WEEKLY;INTERVAL=9;BYDAY=MO", None),
        ("FREQ=DAILY", None),
        ("RRULE", None),
    ],
)
def test_rhythm_of_a_file_has_words_where_it_is_plain(rule: str, words: str | None) -> None:
    told = told_rhythm(rule)
    assert (told and told.words) == words


def test_weeks_of_a_year_are_counted_from_the_day_they_are_told() -> None:
    today = datetime(2026, 11, 25, tzinfo=UTC).date()
    told = activity.activity_of([today - timedelta(days=ago) for ago in (1, 7, 8, 371)], today)
    assert (len(told["weeks"]), told["weeks"][-1], told["weeks"][-2], told["weeks"][0]) == (53, 2, 1, 1)


async def test_checking_asks_the_addresses_of_files_and_notes_which_answer(service: Service) -> None:
    async with Origin() as origin:
        origin.serve("/robots.txt", status=404)
        origin.serve("/chat", b"<html>Welcome")
        origin.serve("/gone", status=410)
        await read_from(
            service,
            {
                "chat": CHAT.replace("https://bridges.example/chat", origin.url("/chat")),
                "slack": SLACK.replace("https://colour.example/", origin.url("/gone")),
            },
        )
        async with Fetcher(allow_hosts=origin.allow_hosts) as fetcher:
            checked = await registry.check(service.database, fetcher, now=NOW)
    assert [(one.name, one.error is None) for one in checked] == [
        ("Bridge Builders", True),
        ("Colour Theorists", False),
    ]
    listed = (await service.client.get(COMMUNITIES)).json()["data"]
    assert [one["checked_at"] is None for one in listed] == [False, True]


async def test_registry_is_loaded_once_and_never_fetched(service: Service) -> None:
    assert await registry.load(service.database, now=NOW) > 0
    assert await registry.load(service.database, now=NOW) == 0
    async with service.database.reading() as session:
        (source,) = await session.exec(select(Source))
        assert await frontier.due_sources(session, clock=datetime.now(UTC) + timedelta(days=30)) == []
    assert (source.is_bundled, source.is_demo) == (True, False)


def test_registry_names_its_sources_and_spans_many_fields() -> None:
    reading = read_here(
        registry.archive(sorted(registry.FOLDER.glob("*.toml"))), url=registry.ADDRESS, window=Window.ahead(NOW)
    )
    assert reading.problems == ()
    catalogue = load_catalogue()
    topics = [catalogue.resolve(label) for one in reading.communities for label in one.topics]
    assert [one.key for one in reading.communities if one.seen_in is None] == []
    assert None not in topics
    assert len(reading.communities) >= 40
    assert len({topic.domain for topic in topics if topic is not None}) >= 12


async def test_some_that_live_always_lie_a_step_outside(service: Service) -> None:
    for name, topic in (
        ("readers", "public-health"),
        ("doctors", "medicine"),
        ("choir", "choir"),
        ("coders", "python"),
    ):
        await a_group(service, name, (-20, -13, -6, 1), topic=topic)
    await activity.renew(service.database, now=NOW)
    found = await picked(service, know={"Nursing": 4}, near="Munich", limit=3)
    assert (found[0]["community"]["name"], found[0]["reach"]) == ("doctors", "next-door")
    assert {(pick["community"]["name"], pick["reach"]) for pick in found[1:]} == {("choir", "far"), ("coders", "far")}
    assert len(await picked(service, know={"Nursing": 4}, near="Munich", limit=4)) == 4  # there is room for all
