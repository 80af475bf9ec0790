"""Search, the calendar, communities, and what an event's page says beyond the event."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service import MUNICH, NOW, Service, draft
from shown import BROWSER, CHOIR, Shown, show
from sqlmodel import select
from test_web_languages import evening

from app.models import Community, CommunityTopic, Report
from app.places import Spot
from app.queries import totals
from app.web.calendar_links import event_links
from app.web.charts import Series, chart, year_strip
from app.web.distances import distances
from app.web.question import read_question, tidied
from app.web.search import month_of, read_position, read_search, week_of
from app.words.wording import wording_of

ENGLISH = wording_of("en")


async def some(service: Service) -> dict[str, str]:
    return await service.store(
        draft("a", "Sing a bug report", venue=MUNICH, mode="in_person", language="de", price="free"),
        draft("b", "Clay for beginners", days=2, mode="online", language="en"),
        draft("c", "Sing again", days=9, venue=MUNICH, mode="in_person"),
        topics={"a": CHOIR, "b": {"ux-design": 0.8}, "c": CHOIR},
    )


# Search


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["Sing a bug report", "Clay for beginners", "Sing again"]),
        ("q=sing", ["Sing a bug report", "Sing again"]),
        ("topic=choir&mode=in_person", ["Sing a bug report", "Sing again"]),
        ("topic=Choir", ["Sing a bug report", "Sing again"]),
        ("topic=nonsense", []),
        ("language=en", ["Clay for beginners"]),
        ("near=48.137,11.575&within=5", ["Sing a bug report", "Sing again"]),
        ("free=yes", ["Sing a bug report"]),
        ("q=%00", ["Sing a bug report", "Clay for beginners", "Sing again"]),
        ("q=unheard", []),
    ],
)
async def test_search_finds_what_is_asked(service: Service, query: str, titles: list[str]) -> None:
    await some(service)
    page = await show(service, f"/events?{query}")
    assert [words for words, _ in page.links(".rows a")] == titles
    assert bool(page.tree.css(".empty")) == (not titles)
    # Programs are led to the same events, calendars also to those of the last month.
    forms = {href.partition("?")[0].rpartition("/")[2]: href for _, href in page.links(".subscribe .hint a")}
    if "nonsense" in query:
        assert forms == {}
        return
    assert list(forms) == ["events.rss", "events.atom", "feed.json", "events.csv"]
    found = (await service.client.get(forms["feed.json"])).json()["items"]
    assert [item["title"].partition(" · ")[0] for item in found] == titles
    address = page.tree.css("#address")[0].attributes["value"]
    assert address is not None
    assert address.partition("?")[2].startswith("start=-30d")
    calendar = (await service.client.get(address)).text
    assert re.findall(r"SUMMARY:(.*)\r", calendar) == titles


async def test_facets_count_what_is_found_and_lead_to_it(service: Service) -> None:
    await some(service)
    page = await show(service, "/events?q=sing")
    assert dict(page.links(".facets a"))["Choir"] == "/events?q=sing&topic=choir"
    assert "Choir 2" in page.words(".facets li")
    chosen = await show(service, "/events?q=sing&topic=choir")
    assert (chosen.one(".facets .on"), dict(chosen.links(".facets .on"))["Choir"]) == ("Choir", "/events?q=sing")


async def test_facets_of_more_than_are_counted_tell_no_numbers(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some(service)
    monkeypatch.setattr("app.web.events.SHOWN", 1)
    monkeypatch.setattr(totals, "COUNTED", 2)
    page = await show(service, "/events")
    assert "2 events or more" in page.words(".found h2")
    assert page.words(".facets li")[:2] == ["Choir", "UX design"]


async def test_list_goes_on_where_it_ended(service: Service) -> None:
    await service.store(*(draft(f"{number:02}", f"Evening {number:02}", days=1 + number / 100) for number in range(35)))
    first = await show(service, "/events")
    assert (first.words(".found h2")[0], len(first.tree.css(".rows li"))) == ("35 events", 30)
    (_, more) = first.links("a[rel=next]")[0]
    assert [words for words, _ in (await show(service, more)).links(".rows a")] == [
        f"Evening {n}" for n in range(30, 35)
    ]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("", False), ("~", False), ("2026-12-01~3", False), ("x~1", False), ("2026-12-01T12:00:00+00:00~7", True)],
)
def test_position_that_makes_no_sense_is_the_beginning(text: str, is_one: bool) -> None:
    assert (read_position(text) is not None) == is_one


async def test_week_and_month_show_events_on_their_days(service: Service) -> None:
    await some(service)
    week = await show(service, "/events?view=week")
    days = dict(zip(week.words(".week h3"), week.words(".week > li"), strict=True))
    assert list(days) == ["Mon 30", "Tue 1", "Wed 2", "Thu 3", "Fri 4", "Sat 5", "Sun 6"]
    assert "Sing a bug report" in days["Wed 2"]
    month = await show(service, "/events?view=month")
    assert month.one(".views h2") == "December 2026"
    assert len(month.tree.css(".month td")) == 35
    assert dict(month.links(".views a[rel=next]"))["Later"] == "/events?view=month&day=2027-01-01"
    assert (await show(service, "/events?view=month&day=2027-01-01")).one(".views h2") == "January 2027"


@given(st.dates(date(1971, 1, 1), date(2199, 12, 31)))
@settings(max_examples=60, deadline=None)
def test_months_are_whole_weeks_that_hold_each_of_their_days_once(day: date) -> None:
    weeks = month_of(day)
    days = [one for week in weeks for one in week]
    assert all(week[0].isoweekday() == 1 and len(week) == 7 for week in weeks)
    assert [one for one in days if (one.year, one.month) == (day.year, day.month)] == [
        day.replace(day=1) + timedelta(days=place) for place in range(sum(one.month == day.month for one in days))
    ]
    assert day in week_of(day)


@pytest.mark.parametrize("day", ["x", "0001-01-01", "9999-12-31", "2026-02-30"])
def test_day_that_is_none_is_today(day: str) -> None:
    assert read_search({"day": [day], "view": ["month"]}).day == ""


# The question in the address


@given(
    st.dictionaries(
        st.sampled_from(
            ["know", "near", "within", "days", "mode", "hours", "language", "free", "reach", "level.choir", "x"]
        ),
        st.lists(
            st.sampled_from(
                ["", "Choir", "UX design:5", "qqx", "a, b", "25", "yes", "online", "weekend", "far", "\u202e", "Munich"]
            ),
            min_size=1,
            max_size=3,
        ),
    )
)
@settings(max_examples=20, deadline=None)
def test_tidied_address_says_the_same_and_is_tidy(values: dict[str, list[str]]) -> None:
    from urllib.parse import parse_qs, urlsplit

    question = read_question(values)
    address = tidied(question, "/start", values) or question.whole_address("/start")
    again = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert read_question(again) == question
    assert tidied(read_question(again), "/start", again) is None


# An event's page


async def test_event_page_gives_the_reason_to_who_asks_and_the_way_back(service: Service) -> None:
    keys = await some(service)
    page = await show(service, f"/e/{keys['a']}?know=UX+design&reach=far")
    assert page.one(".why-you .to") == "Choir"
    assert page.one(".why-you .reason").startswith("You know UX design.")
    assert page.links(".back a") == [("← Your picks", "/?know=UX+design&reach=far")]
    inside = await show(service, f"/e/{keys['a']}?know=Choir")
    assert inside.one(".why-you .reason") == "It lies inside what you know already, so it is no step outside."
    assert not (await show(service, f"/e/{keys['a']}")).tree.css(".why-you")


async def test_event_page_shows_what_lies_beside_it(service: Service) -> None:
    keys = await some(service)
    page = await show(service, f"/e/{keys['a']}")
    assert next(words for words, _ in page.links(".beside a")) == "Sing again"


async def test_mistake_is_reported_and_put_aside(service: Service) -> None:
    keys = await some(service)
    answer = await service.client.post(f"/e/{keys['a']}/report", data={"what": "time", "words": "It\nis  at 7"})
    assert answer.headers["Location"] == f"/e/{keys['a']}"
    async with service.database.reading() as session:
        (report,) = await session.exec(select(Report))
    assert (report.kind, report.words) == ("time", "It is at 7")
    assert (await service.client.post(f"/e/{keys['a']}/report", data={"what": "weather"})).status_code == 422
    headers = await service.operator()
    page = Shown(await service.client.get("/ops", headers={**BROWSER, **headers}))
    assert page.one("#reports q") == "It is at 7"
    await service.client.post(f"/ops/reports/{report.id}", headers=headers)
    assert not Shown(await service.client.get("/ops", headers={**BROWSER, **headers})).tree.css("#reports")


async def test_purpose_is_corrected_by_an_operator(service: Service) -> None:
    keys = await some(service)
    headers, address = await service.operator(), f"/api/v1/events/{keys['a']}"
    before = (await service.client.get(address)).json()["data"]["updated_at"]
    unknown = await service.client.post(f"/ops/purposes/{keys['a']}", data={"purpose": "fun"}, headers=headers)
    assert unknown.status_code == 422
    answer = await service.client.post(f"/ops/purposes/{keys['a']}", data={"purpose": "social"}, headers=headers)
    assert answer.headers["Location"] == "/ops#purposes"
    event = (await service.client.get(address)).json()["data"]
    assert (event["purpose"], event["updated_at"] > before) == ({"social": 1.0}, True)


def test_calendar_links_carry_title_hours_and_address() -> None:
    links = event_links(evening(venue_name="Studio", city="Munich"), "https://adjacent.example/e/k")
    assert links.google_url == (
        "https://calendar.google.com/calendar/render?action=TEMPLATE&text=T&dates=20261203T173000Z%2F20261203T193000Z"
        "&details=https%3A%2F%2Fadjacent.example%2Fe%2Fk&location=Studio%2C+Munich"
    )
    assert links.outlook_url == (
        "https://outlook.live.com/calendar/0/action/compose?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent&subject=T"
        "&startdt=2026-12-03T17%3A30%3A00Z&enddt=2026-12-03T19%3A30%3A00Z&body=https%3A%2F%2Fadjacent.example%2Fe%2Fk"
        "&location=Studio%2C+Munich"
    )


# Communities


async def test_communities_are_listed_with_how_they_meet_and_resting_ones_only_when_asked_for(service: Service) -> None:
    weeks = [0] * 51 + [1, 1]
    async with service.database.writing() as session:
        alive = Community(
            key="choir-1",
            name="Songs at work",
            city="Munich",
            join_steps=["Come to a rehearsal"],
            url="javascript:alert(1)",
            activity={"label": "regular", "words": "every Tuesday", "weeks": weeks, "last_on": "2026-11-24"},
            updated_at=NOW,
        )
        session.add_all(
            [alive, Community(key="gone-1", name="Gone", activity={"label": "ended", "weeks": []}, updated_at=NOW)]
        )
        await session.flush()
        session.add(CommunityTopic(community_id=alive.id, topic="choir", weight=0.9))
    page = await show(service, "/communities")
    assert page.words(".community h3") == ["Songs at work"]
    assert page.one(".community .meta") == "group · Munich · every Tuesday"
    assert len(page.tree.css(".strip .met")) == 2
    assert (await show(service, "/communities?resting=yes&q=gone")).words(".community h3 a") == ["Gone"]
    assert (await show(service, "/communities?topic=Choir")).words(".community h3") == ["Songs at work"]
    assert (await show(service, "/communities?topic=nonsense")).words(".community h3") == []
    own = await show(service, "/communities/choir-1")
    assert own.words(".event-side ol li") == ["Come to a rehearsal"]
    assert "javascript:" not in own.source
    assert own.links(".event-main .tags a") == [("Choir", "/events?topic=choir")]
    assert (await show(service, "/communities/nothing")).status == 404


# Small drawings


def test_strip_draws_a_bar_a_week_and_says_it_in_words() -> None:
    svg = str(year_strip([0, 2, 1], '3 "meetings"'))
    assert svg.count("<rect") == 3
    assert svg.count('class="met"') == 2
    assert 'aria-label="3 &#34;meetings&#34;"' in svg


def test_chart_of_nothing_and_of_one_day_can_be_drawn() -> None:
    for counts in ([], [0], [3], [0, 5, 1]):
        svg = str(chart([f"day {n}" for n in range(len(counts))], [Series("added", "new", counts)], "told"))
        assert svg.count("<line") == 1
        assert svg.count('class="bar added"') == sum(count > 0 for count in counts)


def test_chart_gives_each_row_its_own_scale() -> None:
    svg = str(
        chart(
            ["a", "b"], [Series("added", "new", [4000, 0]), Series("failed", "failing", [0, 2])], "told", ENGLISH.number
        )
    )
    heights = re.findall(r'class="bar (\w+)"[^>]* height="([\d.]+)"', svg)
    assert heights == [("added", "38.0"), ("failed", "38.0")]
    assert "4,000" in svg


def test_distances_keep_direction_and_leave_out_what_is_farther() -> None:
    centre = Spot(48.0, 11.0, "here")
    svg = str(distances(centre, 100, [(48.45, 11.0), (48.0, 11.6), (48.0, 11.6), (52.0, 11.0)], ENGLISH))
    assert svg.count('class="there"') == 2  # two lie in one place, one is too far
    assert 'class="there" cx="0" cy="-59"' in svg  # north is up


# What strangers ask alike


async def test_what_strangers_ask_again_is_answered_from_memory_until_an_event_changes(service: Service) -> None:
    await some(service)
    address = "/?know=UX+design&reach=far"
    assert (await show(service, address)).words("#topic-choir > *")[-1] == "2"
    (key,) = service.app.state.sights
    await show(service, address)
    assert list(service.app.state.sights) == [key]
    await service.store(draft("d", "Hum along", days=3), topics={"d": CHOIR})
    assert (await show(service, address)).words("#topic-choir > *")[-1] == "3"
    assert len(service.app.state.sights) == 2
