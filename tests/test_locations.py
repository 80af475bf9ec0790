"""The place that a calendar's line of free text names."""

from __future__ import annotations

import pytest

from scrapers import Venue
from scrapers.locations import read_venue


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
