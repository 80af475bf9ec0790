"""The place that a calendar's line of free text names."""

from __future__ import annotations

import pytest
from pace import within

from scrapers import Venue
from scrapers.locations import read_venue, tells_of_both_ways, without_online_part


@pytest.mark.parametrize(
    ("line", "venue"),
    [
        (
            "Paper Mill, Am Kai 7, 20457 Hamburg, Germany",
            Venue("Paper Mill", "Am Kai 7, 20457 Hamburg", "Hamburg", "Germany"),
        ),
        (
            "Ink House @ 12 Elm Street, Nashville, Tennessee 37203 United States",
            Venue("Ink House", "12 Elm Street, Nashville, Tennessee 37203", "Nashville", "United States"),
        ),
        (
            "Mill Hall\nUferweg 5\n20457Hamburg\nDeutschland",
            Venue("Mill Hall", "Uferweg 5, 20457Hamburg", "Hamburg", "Deutschland"),
        ),
        ("Bowling Green, Kentucky", Venue(address="Bowling Green, Kentucky", city="Bowling Green")),
        ("St. Cloud, MN", Venue(address="St. Cloud, MN", city="St. Cloud")),
        ("St Bride", Venue("St Bride")),
        ("Room 4 - 9:30am - 12:30pm", Venue("Room 4")),
        ("Museum of India", Venue("Museum of India")),
        *(
            (line, None)
            for line in ("TBA", "to be confirmed", "[private]", "See website", "19:00", "jo@library.example")
        ),
    ],
)
def test_line_gives_the_venue_it_names(line: str, venue: Venue | None) -> None:
    assert read_venue(line) == venue


@pytest.mark.parametrize(
    ("location", "parts"),
    [
        ("Library, Munich and online (Zoom)", ("Library, Munich", True)),
        ("Hub 21 / via Google Meet", ("Hub 21", True)),
        ("Rathaus, Wien, Online", ("Rathaus, Wien", True)),
        ("Online", ("Online", False)),
        ("Online Cafe, Main Street 5, Munich", ("Online Cafe, Main Street 5, Munich", False)),
        ("Zoom, Carl-Benz-Straße 21, Frankfurt", ("Zoom, Carl-Benz-Straße 21, Frankfurt", False)),
    ],
)
def test_place_that_is_online_too_keeps_its_name(location: str, parts: tuple[str, bool]) -> None:
    assert without_online_part(location) == parts


@pytest.mark.parametrize(
    ("title", "description", "is_both"),
    [
        ("Hybrid meetup: letterpress", "", True),
        ("Letterpress (hybrid)", "", True),
        ("Letterpress", "Join us in person or via https://zoom.us/j/99", True),
        ("Buchdruck", "Vor Ort und online", True),
        ("Letterpress", "Online and in person.", True),
        ("Hybrid roses for the garden", "", False),
        ("Online dating", "Come in person", False),
        ("Letterpress", "Register online. We meet in person.", False),
    ],
)
def test_only_an_invitation_both_ways_is_hybrid(title: str, description: str, is_both: bool) -> None:
    assert tells_of_both_ways(title, description) == is_both


def test_page_of_blanks_in_a_location_costs_nothing() -> None:
    with within(1):
        assert without_online_part("Hall" + " " * 60_000) == ("Hall" + " " * 60_000, False)
