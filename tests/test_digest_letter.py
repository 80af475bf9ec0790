"""What a mail says: picks on the reader's clock, what changed, what was said, whatever strangers wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from postbox import Taken
from readers import TUESDAY, add_reader, community, event, pick, show
from service import NOW, settings_in
from sqlmodel import select

from app.db import Database
from app.mail import introductions, letter, letter_facts
from app.mail.digest_sending import built_for, links_of, send_due
from app.mail.letter_facts import Facts
from app.mail.mail_links import Links
from app.mail.since_last_mail import Changed
from app.models import (
    CommunityTopic,
    Event,
    EventChange,
    Expertise,
    Feedback,
    Hidden,
    Person,
    ShownCommunity,
    Subscription,
)
from app.picking import slates
from app.picking.community_picks import communities_for
from app.picking.slates import Shown
from app.queries.listing import Listed
from app.words.when import when_for
from app.words.wording import wording_of

pytest_plugins = ("databases",)

LINKS = Links("https://adjacent.test", b"secret")
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def facts(*picks: tuple[Event, dict[str, Any]], zone: str = "Europe/Berlin", **fields: Any) -> Facts:
    person = Person(key="a" * 16, email="ada@example.org", zone=zone, created_at=NOW, reach_chosen_at=NOW)
    shown = tuple(Shown(Listed(one), told) for one, told in picks)
    return Facts(person, picks=shown, **fields)


def mail_of(told: Facts, tmp_path: Path) -> Taken:
    settings = settings_in(tmp_path)
    wish = Subscription(person_id=1)
    built = built_for(told, wish, "2026-W49", settings, links_of(settings), clock=NOW).built
    return Taken(built.return_path, built.to, built.content)


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("reader", "fields", "hours", "there"),
    [
        (BERLIN, {}, "Thu 3 Dec, 19:00–21:00", ""),
        (ZoneInfo("Europe/Paris"), {}, "Thu 3 Dec, 19:00–21:00", ""),  # another zone, the same hour
        (NEW_YORK, {}, "Thu 3 Dec, 19:00–21:00", "13:00 your time"),
        (NEW_YORK, {"mode": "online"}, "Thu 3 Dec, 13:00–15:00", "19:00 in Berlin"),
        (ZoneInfo("Pacific/Auckland"), {"mode": "online"}, "Fri 4 Dec, 07:00–09:00", "Thu 3 Dec, 19:00 in Berlin"),
        (BERLIN, {"ends_at": None}, "Thu 3 Dec, 19:00", ""),
        (BERLIN, {"ends_at": NOW}, "Thu 3 Dec, 19:00", ""),  # before it starts: no end
        (BERLIN, {"ends_at": NOW + timedelta(days=4, hours=5)}, "Thu 3 Dec, 19:00 – Sat 5 Dec, 18:00", ""),
    ],
)
def test_hours_are_told_on_the_clock_that_counts_and_on_the_other(
    reader: ZoneInfo, fields: dict[str, Any], hours: str, there: str
) -> None:
    told = when_for(event(2, **fields), reader, wording_of("en"))
    assert (told.hours, told.elsewhere) == (hours, there)


def test_whole_days_are_days_wherever_one_reads() -> None:
    first = datetime(2026, 12, 5, tzinfo=BERLIN)
    fair = event(2, starts_at=first.astimezone(UTC), ends_at=(first + timedelta(days=2)).astimezone(UTC), all_day=True)
    assert when_for(fair, ZoneInfo("Pacific/Kiritimati"), wording_of("en")).hours == "Sat 5 Dec – Sun 6 Dec, all day"
    ((item,), *_) = (letter.write(facts((fair, pick())), rhythm="weekly", links=LINKS).items,)
    assert parse_qs(urlsplit(item.google).query)["dates"] == ["20261205/20261207"]
    outlook = parse_qs(urlsplit(item.outlook).query)
    assert (outlook["startdt"], outlook["enddt"], outlook["allday"]) == (["2026-12-05"], ["2026-12-07"], ["true"])


def test_a_pick_tells_all_that_helps_to_decide() -> None:
    evening = event(2, price="12 EUR", language="de", organizer_name="Type Circle", address="Hof 3")
    (item,) = letter.write(facts((evening, pick())), rhythm="weekly", links=LINKS).items
    assert item.path == ("JavaScript", "Typography")
    assert item.facts == ("Studio, Munich", "3 km", "12 EUR", "German")
    assert (item.by, item.status, item.language) == ("Type Circle", None, "de")
    assert item.page == "https://adjacent.test/e/event2"
    assert item.calendar == "https://adjacent.test/api/v1/events/event2.ics?entry=true"
    assert item.google == (
        "https://calendar.google.com/calendar/render?action=TEMPLATE&text=Evening+2"
        "&dates=20261203T180000Z%2F20261203T200000Z&details=https%3A%2F%2Fadjacent.test%2Fe%2Fevent2"
        "&location=Studio%2C+Hof+3%2C+Munich"
    )
    assert item.outlook == (
        "https://outlook.live.com/calendar/0/action/compose?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent"
        "&subject=Evening+2&startdt=2026-12-03T18%3A00%3A00Z&enddt=2026-12-03T20%3A00%3A00Z"
        "&body=https%3A%2F%2Fadjacent.test%2Fe%2Fevent2&location=Studio%2C+Hof+3%2C+Munich"
    )


def test_subject_and_preview_come_from_the_picks() -> None:
    told = letter.write(facts((event(2), pick()), (event(3), pick("Bread baking"))), rhythm="weekly", links=LINKS)
    assert told.subject == "Evening 2, and 1 more"
    assert told.preview == "Typography, Bread baking · Thu 3 Dec, 19:00–21:00 · Studio, Munich"
    off = Changed(event(4, status="cancelled"), {"status": "confirmed"})
    assert letter.write(facts((event(2), pick()), changed=(off,)), rhythm="weekly", links=LINKS).subject == (
        "Cancelled: Evening 4 · and 1 for this week"
    )


def test_at_most_seven_picks_one_a_topic_none_twice_in_three_months() -> None:
    slate = [Shown(Listed(event(n, id=n, series_key=f"s{n}")), pick(f"Topic {n % 10}")) for n in range(1, 13)]
    chosen = letter_facts.choose(slate, {2}, {"s3"}, now=NOW)
    # 2 was mailed, 3 is another date of what was; 11 has the topic of 1, and 12 takes the place of 2.
    assert [shown.listed.event.id for shown in chosen] == [1, 4, 5, 6, 7, 8, 9]
    assert letter_facts.choose(slate[:1], set(), set(), now=NOW + timedelta(days=2)) == ()  # over
    off = Shown(Listed(event(1, id=1, status="cancelled")), pick())
    assert letter_facts.choose([off], set(), set(), now=NOW) == ()


async def test_a_mail_tells_what_changed_since_the_last_one(database: Database, tmp_path: Path) -> None:
    async with database.writing() as session:
        moved, place, off, old, again = event(3), event(4), event(5), event(6), event(7)
        await add_reader(session, slate=[(event(2), pick()), (again, pick("Bread baking"))])
        session.add_all([moved, place, off, old, community()])
        await session.flush()
        said = NOW - timedelta(days=2)
        for number, (one, kind) in enumerate(
            [(moved, "going"), (place, "saved"), (off, "going"), (old, "going"), (again, "too_close")]
        ):
            session.add(
                Feedback(person_id=1, event_id=one.id or 0, kind=kind, given_at=said + timedelta(minutes=number))
            )
        session.add(Feedback(person_id=1, event_id=moved.id or 0, kind="too_close", given_at=NOW))
        session.add(Hidden(person_id=1, kind="topic", subject="knitting", hidden_at=said))
        since = NOW - timedelta(hours=1)
        for one, changed in (
            (moved, {"starts_at": ["2026-12-01T18:00:00+00:00", "2026-12-04T18:00:00+00:00"]}),
            (place, {"venue_name": ["Hall", "Studio"]}),
            (off, {"status": ["confirmed", "cancelled"]}),
        ):
            session.add(EventChange(event_id=one.id or 0, at=since, fields=changed))
        # Told of before the person said that they go, or nothing anybody need know.
        session.add(EventChange(event_id=old.id or 0, at=NOW - timedelta(days=9), fields={"starts_at": ["a", "b"]}))
        session.add(EventChange(event_id=old.id or 0, at=since, fields={"description": ["a", "b"]}))
        off.status = "cancelled"
        person = await session.get_one(Person, 1)
        person.reach_chosen_at = NOW - timedelta(days=90)
        told = (await letter_facts.facts_of(session, [person], now=NOW, clock=NOW))[1]
    assert [(one.event.title, sorted(one.before)) for one in told.changed] == [
        ("Evening 3", ["starts_at"]),
        ("Evening 4", ["venue_name"]),
        ("Evening 5", ["status"]),
    ]
    assert {one.title for one in told.said.refused} == {"Evening 3", "Evening 7"}
    assert told.said.hidden == ("Knitting",)
    assert (told.said.reach_before, told.said.reach_after) == ("one-step", "two-steps")
    text = words(mail_of(told, tmp_path).part("plain"))
    assert "* New time: Evening 3, now Fri 4 Dec, 19:00–21:00" in text
    assert "* New place: Evening 4, now Studio, Munich, Sat 5 Dec, 19:00–21:00" in text
    assert "* Cancelled: Evening 5 (Sun 6 Dec, 19:00–21:00)" in text
    assert "now two steps, before one step" in text


async def test_what_was_told_is_not_told_again(database: Database, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, ADJACENT_MAIL_RATE="10000")
    async with database.writing() as session:
        person = await add_reader(session, slate=[(event(2), pick()), (event(9), pick("Bread baking"))])
        gone = event(3)
        session.add(gone)
        await session.flush()
        session.add(
            Feedback(person_id=1, event_id=gone.id or 0, kind="dismissed", given_at=TUESDAY - timedelta(days=1))
        )
    assert dict(await send_due(database, settings, now=NOW, clock=NOW)) == {"sent": 1}
    later = NOW + timedelta(days=7)
    async with database.writing() as session:
        both = [(await session.get_one(Event, number), pick(topic)) for number, topic in ((2, "Bread baking"),)]
        await show(session, person, [*both, (event(12), pick())], now=later)
    async with database.reading() as session:
        told = (await letter_facts.facts_of(session, [person], now=later, clock=later))[1]
    assert [shown.listed.event.title for shown in told.picks] == ["Evening 12"]
    assert (told.said.refused, told.is_first) == ((), False)


async def test_a_monthly_mail_holds_the_picks_of_its_month(database: Database) -> None:
    async with database.writing() as session:
        person = await add_reader(session, rhythm="monthly", slate=[(event(20), pick())])
        later = NOW + timedelta(days=14)
        await show(session, person, [(event(19), pick("Bread baking"))], now=later)
        wish = await session.get_one(Subscription, 1)
        wish.confirmed_at = NOW - timedelta(days=60)
        told = (await letter_facts.facts_of(session, [person], now=later, clock=later))[1]
    assert [shown.listed.event.title for shown in told.picks] == ["Evening 19", "Evening 20"]


HOSTILE = {
    "line breaks": {"title": "An evening\r\nBcc: all@example.org\n\nof\ttabs\u2028and separators"},
    "turned around": {
        "title": "\u202eمساء الخط العربي\u202c \u2067evening",
        "venue_name": "קפה\u202e",
        "language": "ar",
    },
    "10,000 characters": {"title": "long " * 2000, "description": "word " * 2000, "venue_name": "hall" * 2500},
    "markup": {"title": '<script>alert(1)</script> & "quotes" {{ 7 * 7 }} {% raw %}', "city": "<img src=x>"},
    "no place and no end": {"venue_name": None, "city": None, "ends_at": None, "mode": "unknown"},
    "no language there is": {"language": "x-klingon", "price": "‹free› beer\r\n"},
    "emoji and zeros": {"title": "🎨🎷 Jam \x00\x07 night", "organizer_name": "\x00"},
    "all day without an end": {"all_day": True, "ends_at": None},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_strangers_wrote_makes_a_good_mail(name: str, tmp_path: Path) -> None:
    evening = event(2, **HOSTILE[name])
    reason = "You know JavaScript.\r\n" + str(evening.title)
    taken = mail_of(facts((evening, pick(reason=reason, evidence=[reason, reason]))), tmp_path)
    mail, html, text = taken.mail, taken.part("html"), taken.part("plain")
    assert mail.defects == []
    assert mail["Bcc"] is None
    assert mail["To"] == "ada@example.org"
    assert len(taken.content) < 60_000
    assert max(len(line) for line in taken.content.split(b"\r\n")) <= 998
    assert html.count("<script") + html.count("<img") == 0
    assert "49" not in mail["Subject"]
    assert not set(text + html + mail["Subject"]) & set("\u202e\u2067\u2028\x00\x07")
    assert text.count("More: http://adjacent.test/e/event2") == 1


def test_who_knows_nothing_gets_no_mail() -> None:
    assert not letter_facts.is_worth_a_mail(facts(), "weekly")


async def test_a_person_without_expertise_is_skipped(database: Database, tmp_path: Path) -> None:
    async with database.writing() as session:
        await add_reader(session)
    settings = settings_in(tmp_path)
    assert dict(await send_due(database, settings, now=NOW, clock=NOW)) == {"skipped": 1}


async def test_one_community_is_introduced_another_one_each_week(database: Database, tmp_path: Path) -> None:
    async with database.writing() as session:
        person = await add_reader(session, slate=[(event(12), pick())], person={"lat": 48.1, "lon": 11.6})
        session.add(Expertise(person_id=1, topic="javascript", level=3))
        known = {
            "near": community(
                "Near",
                join="Come along on a Tuesday.",
                lat=48.2,
                lon=11.5,
                city="Munich",
                activity={"words": "every Tuesday"},
            ),
            "far": community("Far", lat=52.5, lon=13.4),
            "chat": community("Chat", is_online=True, kind="chat", description="Letters all day.\n\nCome in!"),
            "asleep": community("Asleep", is_online=True, activity={"label": "dormant"}),
            "unwanted": community("Unwanted", is_online=True),
            "closed": community("Closed", is_online=True, url=None),
        }
        session.add_all(known.values())
        await session.flush()
        for one in known.values():
            topic = "ux-design" if one.name == "Near" else "web-accessibility"
            session.add(CommunityTopic(community_id=one.id or 0, topic=topic, weight=0.9))
        session.add(Hidden(person_id=1, kind="community", subject="unwanted", hidden_at=NOW))
        told = []
        for weeks in range(3):
            now = NOW + timedelta(weeks=weeks)
            await show(session, person, [(await session.get_one(Event, 1), pick())] if weeks else [], now=now)
            await introductions.keep(session, await introductions.choose(session, [person], now=now))
            told.append((await letter_facts.facts_of(session, [person], now=now, clock=now))[1].community)
        names = [one.active.community.name for one in told if one]
        picked = await communities_for(session, await slates.wish_of(session, person, now=NOW), now=NOW)
        reasons = {one.active.community.name: one.reason for one in picked}
        assert all(one and one.reason == reasons[one.active.community.name] for one in told)
        assert sorted(names[:2]) == ["Chat", "Near"]
        assert names[2] == names[0]  # of all, it is longest ago
        whole = facts((event(3), pick()), community=told[names.index("Near")])
    text = words(mail_of(whole, tmp_path).part("plain"))
    assert (
        "Near · Munich You know JavaScript. One step from it lies UX design: making products understandable and pleasant"
        " to use. Meets every Tuesday. https://type.example/"
    ) in text
    assert "https://type.example/" in text


async def test_a_community_is_chosen_ahead_of_the_mail_and_anew_for_another_profile(database: Database) -> None:
    async with database.writing() as session:
        soon = {"next_at": NOW + timedelta(hours=3)}
        person = await add_reader(session, slate=[(event(12), pick())], **soon)
        await add_reader(session, "bea", slate=[(event(13), pick())], next_at=NOW + timedelta(days=2))
        session.add(Expertise(person_id=1, topic="javascript", level=3))
        for name in ("Chat", "Forum"):
            one = community(name, is_online=True)
            session.add(one)
            await session.flush()
            session.add(CommunityTopic(community_id=one.id or 0, topic="ux-design", weight=0.9))
    assert [await introductions.look_ahead(database, now=NOW, clock=NOW) for _ in range(2)] == [1, 0]
    async with database.writing() as session:
        (chosen,) = await session.exec(select(ShownCommunity))
        assert (chosen.person_id, chosen.week, chosen.pick["path"]) == (1, "2026-W49", ["JavaScript", "UX design"])
        first = (await introductions.introduced(session, [1], now=NOW))[1].active.community
        session.add(Hidden(person_id=1, kind="community", subject=first.key, hidden_at=NOW))
        (person,) = await session.exec(select(Person).where(Person.id == 1))
        person.profile_version += 1
        await show(session, person, [(event(14), pick())])
        await session.flush()
        assert await introductions.introduced(session, [1], now=NOW) == {}
    assert await introductions.look_ahead(database, now=NOW, clock=NOW) == 1
    async with database.writing() as session:
        second = (await introductions.introduced(session, [1], now=NOW))[1].active.community
        assert {first.name, second.name} == {"Chat", "Forum"}
        second.activity = {"label": "ended"}
        await session.flush()
        assert await introductions.introduced(session, [1], now=NOW) == {}
