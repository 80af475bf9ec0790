"""The clocks of a venue, told by its position or its address."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from scrapers import Venue
from scrapers.venue_zones import zone_of


@pytest.mark.parametrize(
    ("venue", "fallback", "zone"),
    [
        (Venue(lat=36.16, lon=-86.78), "UTC", "America/Chicago"),
        (Venue("Hall", "Hamburg", "Hamburg", "DE"), "UTC", "Europe/Berlin"),
        (Venue("Hall", country="Deutschland"), "America/Chicago", "Europe/Berlin"),
        (Venue("Hall", country="United Kingdom"), "UTC", "Europe/London"),
        (Venue("Hall", country="Japan"), "UTC", "Asia/Tokyo"),
        (Venue("Hall", city="Sevilla", country="España"), "UTC", "Europe/Madrid"),
        (Venue("Hall", city="Las Palmas", country="ES"), "Atlantic/Canary", "Atlantic/Canary"),
        (Venue("Hall", "5 Elm, Nashville, TN 37203", "Nashville", "US"), "UTC", "America/Chicago"),
        (Venue("Hall", "5 Elm, Knoxville, TN 37901", "Knoxville", "US"), "America/New_York", "America/New_York"),
        (Venue("Hall", "5 Elm St, Seattle, WA 98101"), "UTC", "America/Los_Angeles"),
        (Venue("Hall", "Seattle, WA", country="USA"), "UTC", "America/Los_Angeles"),
        (Venue("Hall", "Boise, Idaho"), "UTC", "America/Denver"),
        (Venue("Hall", "Perth, WA 6000, Australia", country="Australia"), "UTC", "Australia/Perth"),
        (Venue("Hall", "1 King St, Toronto, ON M5H 1A1", "Toronto", "Canada"), "UTC", "America/Toronto"),
        (Venue("Hall", city="São Paulo", country="BR"), "America/Sao_Paulo", "America/Sao_Paulo"),
        (Venue("Hall", city="Manaus", country="Brazil"), "UTC", "America/Manaus"),
        (Venue("Hall", city="Vienna"), "UTC", "Europe/Vienna"),
        (Venue("Hall", "Hamburg, DE"), "UTC", "UTC"),
        (Venue("Hall", city="Irkutsk", country="Atlantis"), "UTC", "UTC"),
        (Venue("Hall", "Am Kai 7, 20457 Hamburg", "Hamburg"), "UTC", "UTC"),
        (None, "Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_venue_tells_its_zone(venue: Venue | None, fallback: str, zone: str) -> None:
    assert zone_of(venue, ZoneInfo(fallback)) == ZoneInfo(zone)
