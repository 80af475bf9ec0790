"""Community files: what they tell, what is said of broken ones, and that one never takes down the others."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest
from pace import within

from scrapers import CommunityDraft, Link, Problem, Reading, Unreadable, Window, read, read_here
from scrapers.platforms import feeds_of_address

WINDOW = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 10, tzinfo=UTC))
CHAT = """# Bridges, every week
name = "Bridge Builders"
kind = "hashtag chat"
url = "https://bridges.example/chat"
about = "An hour about one bridge."
topics = ["Civil engineering", "Teaching"]
online = true
channel = "#bridgechat"
join = ["Search for #bridgechat.", "Answer the questions Q1 to Q5 with it."]
openness = "everyone"
purpose = "exchange"
seen_in = "https://lists.example/chats"

[[links]]
label = "Archive"
url = "https://bridges.example/archive"

[[meets]]
first = 2026-01-07T20:00:00
zone = "Europe/London"
rhythm = "FREQ=WEEKLY;BYDAY=WE"
minutes = 60
except = [2026-12-23]
"""
CIRCLE = """name = "Thursday Breakfast"
kind = "thinking circle"
url = "https://breakfast.example/"
about = "Porridge and one question."
topics = ["Philosophy"]
city = "Cork"
country = "IE"
join = ["Come to the bakery."]

[[meets]]
first = 2026-12-03T06:30:00
zone = "Europe/Dublin"
rhythm = "FREQ=WEEKLY;BYDAY=TH;COUNT=2"
venue = "Old Bakery"
address = "3 Quay Street"

[[meets]]
first = 2026-12-24
zone = "Europe/Dublin"
title = "Long breakfast"
"""


def told(text: str) -> Reading:
    return read_here(text.encode(), url="https://lists.example/bridge-builders.toml", window=WINDOW)


def archive(**files: str) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, text in files.items():
            packed.writestr(path.replace("__", "/") + ".toml", text)
    return body.getvalue()


def archived(body: bytes) -> Reading:
    return read_here(body, url="https://lists.example/main.zip", window=WINDOW)


def test_file_tells_a_community_and_its_dates() -> None:
    reading = told(CHAT)
    assert reading.communities == (
        CommunityDraft(
            key="bridge-builders",
            name="Bridge Builders",
            kind="hashtag chat",
            url="https://bridges.example/chat",
            description="An hour about one bridge.",
            topics=("Civil engineering", "Teaching"),
            is_online=True,
            language="en",
            channel="#bridgechat",
            join_steps=("Search for #bridgechat.", "Answer the questions Q1 to Q5 with it."),
            links=(Link("Archive", "https://bridges.example/archive"),),
            rhythm="FREQ=WEEKLY;BYDAY=WE",
            seen_in="https://lists.example/chats",
        ),
    )
    assert [f"{event.starts_at:%m-%d %H:%M}" for event in reading.events] == [
        "12-02 20:00",
        "12-09 20:00",
        "12-16 20:00",
        "12-30 20:00",
        "01-06 20:00",
    ]
    first = reading.events[0]
    assert (first.uid, first.title, first.mode) == ("bridge-builders/0", "Bridge Builders", "online")
    assert first.online_url == "https://bridges.example/chat"
    assert first.ends_at == datetime(2026, 12, 2, 21, tzinfo=UTC)
    assert first.categories == ("Civil engineering", "Teaching")
    assert "Channel: #bridgechat" in first.description
    assert (reading.kind, reading.listed, reading.problems) == ("community", 1, ())


def test_series_of_a_file_is_expanded_again_without_it() -> None:
    (series,) = told(CHAT).series
    later = Window(datetime(2027, 6, 1, tzinfo=UTC), datetime(2027, 6, 8, tzinfo=UTC))
    (event,) = read_here(series.definition, url="https://lists.example/", window=later).events
    assert (event.uid, event.starts_at) == ("bridge-builders/0", datetime(2027, 6, 2, 19, tzinfo=UTC))


def test_circle_meets_where_it_says() -> None:
    reading = told(CIRCLE)
    assert [(event.title, event.starts_at.isoformat(), event.mode) for event in reading.events] == [
        ("Thursday Breakfast", "2026-12-03T06:30:00+00:00", "in_person"),
        ("Thursday Breakfast", "2026-12-10T06:30:00+00:00", "in_person"),
        ("Long breakfast", "2026-12-24T00:00:00+00:00", "in_person"),
    ]
    venue = reading.events[0].venue
    assert venue is not None
    assert (venue.name, venue.address, venue.city) == ("Old Bakery", "3 Quay Street, Cork, IE", "Cork")
    assert reading.events[2].all_day


@pytest.mark.parametrize(
    ("before", "after", "code", "message"),
    [
        ('"Europe/London"', '"Europe/Londn"', "bad_community", ":20: 'zone': write an IANA name"),
        ('"hashtag chat"', '"cult"', "bad_community", ":3: 'kind': it should be 'group', 'user group'"),
        ("minutes =", "mins =", "bad_community", ":22: 'mins' is not known here"),
        ('topics = ["Civil engineering", "Teaching"]', "", "bad_community", ":1: 'topics' is missing: add it"),
        ("first =", "frist =", "bad_community", ":18: 'first' is missing: add it"),
        ("FREQ=WEEKLY;BYDAY=WE", "every week", "bad_community", ":21: 'rhythm': "),
        ('"https://bridges.example/archive"', '"javascript:alert(1)"', "bad_community", ":16: 'url': write an address"),
        ("except = [2026-12-23]", "except = [2026-12-", "broken_toml", "bridge-builders.toml:23: "),
        ("[[meets]]", "[meets]", "bad_community", ":18: 'meets': write [[meets]]"),
        ('topics = ["Civil engineering", "Teaching"]', 'topics = "Art"', "bad_community", ":6: 'topics': write a list"),
        ('topics = ["Civil engineering", "Teaching"]', "topics = []", "bad_community", ":6: 'topics' is empty"),
        ("first = 2026-01-07T20:00:00", 'first = "7 January"', "bad_community", ":19: 'first': write a local time"),
    ],
)
def test_mistake_is_told_with_its_line_and_a_remedy(before: str, after: str, code: str, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        told(CHAT.replace(before, after))
    assert caught.value.code == code
    assert message in caught.value.message


def test_archive_holds_many_and_broken_files_cost_themselves_alone() -> None:
    reading = archived(
        archive(
            repo__communities__chat=CHAT,
            repo__communities__circle=CIRCLE,
            repo__communities__worse=CHAT.replace("Europe/London", "Atlantis"),
            repo__communities__more__circle=CIRCLE,
            repo__pyproject='name = "not a community"',
        )
    )
    assert [one.key for one in reading.communities] == ["chat", "circle"]
    assert {event.uid for event in reading.events} == {"chat/0", "circle/0", "circle/1"}
    assert [event.starts_at for event in reading.events] == sorted(event.starts_at for event in reading.events)
    assert reading.problems == (
        Problem(
            "bad_community",
            "communities/worse.toml:20",
            "'zone': write an IANA name, such as Europe/Dublin; left out",
        ),
        Problem("double_name", "more/circle.toml", "another file is called circle.toml, too; rename one; left out"),
    )
    assert (reading.kind, reading.listed) == ("community", 3)


def test_communities_come_whole_through_the_guarded_door() -> None:
    body = archive(repo__communities__chat=CHAT, repo__communities__broken="name = ")
    assert read(body, url="https://lists.example/main.zip", window=WINDOW) == archived(body)


def test_archive_without_communities_is_unreadable() -> None:
    with pytest.raises(Unreadable) as caught:
        archived(archive(repo__pyproject='[project]\nname = "x"'))
    assert caught.value.code == "no_communities"


def test_archive_that_is_cut_is_unreadable() -> None:
    with pytest.raises(Unreadable) as caught:
        archived(archive(a=CHAT)[:-30])
    assert caught.value.code == "broken_archive"


def test_bomb_is_left_out_at_once() -> None:
    bomb = archive(communities__bomb=CHAT + "#" + "x" * 50_000_000, communities__chat=CHAT)
    with within(2):
        reading = archived(bomb)
    assert [one.key for one in reading.communities] == ["chat"]
    assert [(problem.code, problem.subject) for problem in reading.problems] == [("too_large", "communities/bomb.toml")]


def test_deep_nesting_is_told() -> None:
    with pytest.raises(Unreadable) as caught:
        told(CHAT + "x = " + "[" * 20_000)
    assert caught.value.code == "broken_toml"


@pytest.mark.parametrize(
    ("address", "archive_url"),
    [
        ("https://github.com/a/b", "https://codeload.github.com/a/b/zip/HEAD"),
        ("https://github.com/a/b.git", "https://codeload.github.com/a/b/zip/HEAD"),
        ("https://gitlab.com/a/b", "https://gitlab.com/a/b/-/archive/HEAD/b-HEAD.zip"),
        ("https://codeberg.org/a/b", "https://codeberg.org/a/b/archive/main.zip"),
    ],
)
def test_repository_stands_for_its_archive(address: str, archive_url: str) -> None:
    assert [feed.url for feed in feeds_of_address(address)] == [archive_url]
    assert list(feeds_of_address(f"{address}/issues/1")) == []
