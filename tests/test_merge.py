"""Which versions are one event, and what people see of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from service import MUNICH, NOW, draft

from app.events.measure_merging import measure_merging
from app.events.merge import Match, Title, canonical_url, same_event, title_of
from app.events.telling import Telling, compose, placed
from app.models import Source
from scrapers import EventDraft, Organizer, Venue

EVENING = draft("1", "Evening of marbled paper")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("title", "words", "marks"),
    [
        ("Monthly Meetup", "", ()),
        ("Meetup #42: Typography for cooks", "typography cooks", ("42",)),
        ("Dritter Abend der Buchbinder 2026", "dritter abend buchbinder", ("2026",)),
        ("CANCELLED: Clay & fire, 2nd round", "clay fire round", ("2nd",)),
        ("Printer's ink – Part II, Room B", "printers ink part room", ("2", "b")),
    ],
)
def test_title_tells_words_from_what_counts_parts(title: str, words: str, marks: tuple[str, ...]) -> None:
    assert title_of(title) == Title(frozenset(words.split()), marks)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://www.hall.example/e/1/?utm_source=mail&utm_campaign=x", "hall.example/e/1"),
        ("http://hall.example/e/1#tickets", "hall.example/e/1"),
        ("https://hall.example/show.php?lang=de&id=12&fbclid=x", "hall.example/show.php?id=12&lang=de"),
        ("https://hall.example/", None),
        ("https://hall.example/?utm_source=mail", None),
        (None, None),
    ],
)
def test_canonical_url_keeps_what_tells_pages_apart(url: str | None, canonical: str | None) -> None:
    assert canonical_url(url) == canonical


def changed(**fields: object) -> EventDraft:
    return replace(EVENING, uid="2", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (changed(), "at the same time and are called “Evening of marbled paper”"),
        (
            changed(title="Evening of Marbled Paper!", ends_at=NOW + timedelta(days=2)),
            "at the same time and are called “Evening of marbled paper” or “Evening of Marbled Paper!”",
        ),
        (
            changed(title="Marbled paper", venue=MUNICH, description="We marble."),
            "at the same time and are called “Evening of marbled paper” or “Marbled paper”",
        ),
        (
            changed(starts_at=EVENING.starts_at.astimezone(BERLIN)),
            "at the same time and are called “Evening of marbled paper”",
        ),
        (
            changed(all_day=True, starts_at=datetime(2026, 12, 2, tzinfo=UTC)),
            "on the same day and are called “Evening of marbled paper”",
        ),
    ],
)
def test_same_event_is_recognised_both_ways(other: EventDraft, reason: str) -> None:
    assert same_event(EVENING, other) == Match(f"both start {reason}")
    assert same_event(other, EVENING) is not None


@pytest.mark.parametrize(
    "other",
    [
        changed(starts_at=EVENING.starts_at + timedelta(minutes=30)),
        changed(title="Evening of folded paper"),
        changed(title="Paper"),
        changed(all_day=True, starts_at=datetime(2026, 12, 3, tzinfo=UTC)),
    ],
)
def test_different_events_stay_apart(other: EventDraft) -> None:
    assert same_event(EVENING, other) is None
    assert same_event(other, EVENING) is None


@pytest.mark.parametrize(
    ("title", "other", "is_one"),
    [
        ("Letterpress printing", "Letterpress printing!", True),
        ("Letterpress printing workshop", "Letterpress printing workshop for kids", False),  # perhaps another room
        ("Typography and letterpress printing", "Typography and letterpress printing – bring an apron", True),
        ("Letterpress printing", "Studio: Letterpress printing", True),  # its venue's name
        ("Letterpress printing", "Letterpress printing - Ink Club", True),  # its organiser's
        ("Color printing for centers", "Colour printing for centres", True),
        ("Letterpress printing – Part 1", "Letterpress printing – Part 2", False),
        ("Letterpress printing, Room A", "Letterpress printing, Room B", False),
        ("Letterpress printing, Track 1, 10K", "Letterpress printing, Track 1, 5K", False),
        ("Letterpress printing for beginners", "Letterpress printing for the advanced", False),
        ("Letterpress printing, morning group", "Letterpress printing, second group", False),
    ],
)
def test_titles_must_not_each_say_what_the_other_does_not(title: str, other: str, *, is_one: bool) -> None:
    here = draft("1", title, venue=Venue(name="Studio"), organizer=Organizer("Ink Club"))
    assert (same_event(here, draft("2", other)) is not None) == is_one


@pytest.mark.parametrize(
    ("fields", "others", "backing"),
    [
        ({}, {}, None),
        (
            {"venue": Venue(name="Union Hall")},
            {"venue": Venue(name="The Union Hall, Munich")},
            "take place at Union Hall",
        ),
        ({"venue": Venue(name="Union Hall")}, {"venue": Venue(name="Union Hall 2")}, None),
        ({"venue": Venue(name="Union Hall")}, {"venue": Venue(city="Munich")}, None),
        ({"organizer": Organizer("Ink Club")}, {"organizer": Organizer("INK CLUB")}, "are organised by Ink Club"),
        ({"organizer": Organizer("Ink Club")}, {"organizer": Organizer("Paper Club")}, None),
        ({"url": "https://ink.example/"}, {"url": "http://www.ink.example"}, "link to ink.example"),
    ],
)
def test_titles_that_tell_little_need_a_place_or_an_organiser(
    fields: dict[str, Any], others: dict[str, Any], backing: str | None
) -> None:
    match = same_event(draft("1", "Happy hour", **fields), draft("2", "Happy Hour", **others))
    assert match == (
        backing and Match(f"both start at the same time, are called “Happy hour” or “Happy Hour” and {backing}")
    )


def test_conference_of_one_name_on_one_day_in_one_town_is_one() -> None:
    munich, hamburg = Venue(city="Munich"), Venue(city="Hamburg")
    day = draft("1", "InkConf", all_day=True, venue=munich)
    assert same_event(day, draft("2", "InkConf", venue=munich)) is not None
    assert same_event(day, draft("2", "InkConf", venue=hamburg)) is None


def test_titles_every_group_uses_merge_nothing() -> None:
    assert same_event(draft("1", "Monthly meetup"), draft("2", "Monthly Meetup")) is None
    assert same_event(draft("1", "Python meetup"), draft("2", "Python meetup")) is None


@pytest.mark.shared
def test_merging_is_nearly_always_right_on_events_no_rule_was_made_on(shared: Path) -> None:
    measured = {(one.model, one.measure): one for one in measure_merging(shared / "adjacency")}
    precision, recall = measured["Adjacent", "precision"], measured["Adjacent", "recall"]
    assert (precision.low >= 0.99, recall.low >= 0.95) == (True, True)
    assert {model for model, _ in measured} == {"Adjacent", "one start and title", "one address"}


def test_one_address_makes_one_event_of_differing_titles() -> None:
    a = draft("1", "Typography", url="https://hall.example/e/1?utm_source=a")
    b = draft("2", "Typography for cooks", url="http://www.hall.example/e/1/")
    assert same_event(a, b) == Match("both link to hall.example/e/1 and start at the same time")
    assert same_event(a, replace(b, url="https://hall.example/e/2")) is None
    assert same_event(a, replace(b, title="Clay")) is None  # a page for a whole evening of talks
    listed = replace(a, url="https://hall.example/e?id=1"), replace(b, url="https://hall.example/e?id=2")
    assert same_event(*listed) is None


@pytest.mark.parametrize(
    ("here", "there", "is_one"),
    [
        (MUNICH, replace(MUNICH, name="The Studio", lat=48.1405), True),  # 400 m
        (MUNICH, replace(MUNICH, lat=48.16), False),
        (Venue(city="Munich"), Venue(city="munich"), True),
        (Venue(city="Munich"), Venue(city="Hamburg"), False),
        (MUNICH, Venue(name="Studio"), True),
        (MUNICH, None, True),
    ],
)
def test_places_speak_against_one_event(here: Venue, there: Venue | None, is_one: bool) -> None:
    assert (same_event(replace(EVENING, venue=here), changed(venue=there)) is not None) == is_one


def test_online_and_in_person_are_two_events() -> None:
    assert same_event(replace(EVENING, mode="online"), changed(mode="in_person")) is None
    assert same_event(replace(EVENING, mode="online"), changed(mode="hybrid")) is not None


def test_towns_that_stand_in_for_places_keep_chapters_apart() -> None:
    assert same_event(EVENING, changed(), apart_km=49) is not None
    assert same_event(EVENING, changed(), apart_km=51) is None
    linked = "https://hall.example/e/1"
    assert same_event(replace(EVENING, url=linked), changed(url=linked), apart_km=600) is not None


HOME = Source(
    url="https://a.example", host="a.example:443", added_at=NOW, city="Munich", country="DE", lat=48.137, lon=11.575
)


@pytest.mark.parametrize(
    ("told", "mode", "place"),
    [
        (MUNICH, "in_person", MUNICH),
        (None, "unknown", Venue(city="Munich", country="DE", lat=48.137, lon=11.575)),
        (Venue(name="Hof"), "unknown", Venue("Hof", None, "Munich", "DE", 48.137, 11.575)),
        (None, "online", None),
        (Venue(country="FR"), "unknown", Venue(country="FR")),
        (Venue(city="Nowhere-upon-Nothing"), "unknown", Venue(city="Nowhere-upon-Nothing")),
    ],
)
def test_placed_says_where_an_event_is(told: Venue | None, mode: str, place: Venue | None) -> None:
    assert placed(replace(EVENING, venue=told, mode=mode), HOME) == place  # type: ignore[arg-type]


def test_placed_finds_the_city_a_draft_names() -> None:
    place = placed(replace(EVENING, venue=Venue(name="Speicher", city="Hamburg", country="DE")), HOME)
    assert place is not None
    assert (place.name, round(place.lat or 0), round(place.lon or 0)) == ("Speicher", 54, 10)


def test_richest_version_leads_and_others_fill_what_it_leaves_open() -> None:
    rich = Telling(
        "https://a.example",
        replace(EVENING, description="We marble. " * 50, venue=Venue(city="Munich"), categories=("craft",)),
    )
    exact = Telling(
        "https://b.example",
        changed(
            title="Marbling",
            venue=MUNICH,
            price="free",
            organizer=Organizer("Club", "https://club.example/"),
            mode="in_person",
            categories=("paper", "craft"),
            ends_at=NOW + timedelta(days=1, hours=3),
            description="Short.",
        ),
    )
    fields, provenance = compose([exact, rich])
    assert compose([rich, exact]) == (fields, provenance)
    assert {field: (fields[field], provenance.get(field)) for field in fields} == {
        "title": ("Marbling", "https://b.example"),
        "starts_at": (EVENING.starts_at, "https://b.example"),
        "ends_at": (NOW + timedelta(days=1, hours=3), "https://b.example"),
        "zone": ("UTC", "https://b.example"),
        "all_day": (False, "https://b.example"),
        "status": ("confirmed", "https://b.example"),
        "url": (None, "https://b.example"),
        "online_url": (None, "https://b.example"),
        "language": (None, "https://b.example"),
        "price": ("free", "https://b.example"),
        "description": ("Short.", "https://b.example"),
        "mode": ("in_person", "https://b.example"),
        "venue_name": ("Studio", "https://b.example"),
        "address": ("Hof 3", "https://b.example"),
        "city": ("Munich", "https://b.example"),
        "country": ("DE", "https://b.example"),
        "lat": (48.137, "https://b.example"),
        "lon": (11.575, "https://b.example"),
        "organizer_name": ("Club", "https://b.example"),
        "organizer_url": ("https://club.example/", "https://b.example"),
        "categories": (["paper", "craft"], None),
        "is_free": (True, None),
    }


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
def test_called_off_by_one_is_called_off(status: str) -> None:
    off = Telling("https://b.example", changed(status=status))
    fields, provenance = compose([Telling("https://a.example", replace(EVENING, venue=MUNICH)), off])
    assert (fields["status"], provenance["status"], provenance["title"]) == (
        status,
        "https://b.example",
        "https://a.example",
    )


def test_hour_of_one_comes_before_the_day_of_another() -> None:
    day = replace(
        EVENING, all_day=True, starts_at=datetime(2026, 12, 2, tzinfo=BERLIN), venue=MUNICH, zone="Europe/Berlin"
    )
    hour = changed(ends_at=NOW + timedelta(days=1, hours=2))
    fields, provenance = compose([Telling("https://a.example", day), Telling("https://b.example", hour)])
    shown = (fields["title"], fields["starts_at"], fields["ends_at"], fields["zone"], fields["all_day"])
    assert shown == (day.title, hour.starts_at, hour.ends_at, "UTC", False)
    assert (provenance["starts_at"], provenance["venue_name"]) == ("https://b.example", "https://a.example")


@pytest.mark.parametrize(
    ("price", "is_free"),
    [
        (None, None),
        ("free", True),
        ("Eintritt frei", True),
        ("0", True),
        ("0,00 EUR", True),
        ("12 EUR", False),
        ("5–10 €", False),
        ("donation", None),
        ("sugar-free tasting 15 EUR", False),
    ],
)
def test_price_tells_whether_it_is_free(price: str | None, is_free: bool | None) -> None:
    assert compose([Telling("https://a.example", replace(EVENING, price=price))])[0]["is_free"] is is_free
