"""Which city a name means, offline, and which a venue's words mean."""

from __future__ import annotations

import pytest

from app.events.venue_cities import city_of, is_one_city
from app.places import UnknownPlace, find_city
from scrapers import Venue


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Nashville", "Nashville, TN, US"),
        ("München", "Munich, DE"),
        ("Muenchen", "Munich, DE"),
        ("Saint Louis, MO", "St. Louis, MO, US"),
        ("St. Louis", "St. Louis, MO, US"),
        ("Springfield, Illinois, USA", "Springfield, IL, US"),
        ("Saint-Denis, Réunion", "Saint-Denis, RE"),
        ("St Paul, MN", "Saint Paul, MN, US"),
        ("Genève", "Geneva, CH"),
        ("Bruxelles", "Brussels, BE"),
        ("Venezia", "Venice, IT"),
        ("Ciudad de México", "Mexico City, MX"),
        ("東京", "Tokyo, JP"),
        ("Київ", "Kyiv, UA"),
        ("Αθήνα", "Athens, GR"),
        ("San Antonio", "San Antonio, TX, US"),  # others are called so abroad
        ("Ft. Worth", "Fort Worth, TX, US"),
    ],
)
def test_city_is_found_however_it_is_spelled(name: str, label: str) -> None:
    assert find_city(name).label == label


def test_name_of_several_cities_says_which_there_are() -> None:
    with pytest.raises(UnknownPlace, match=r"Saint Louis.*St\. Louis, MO, US; Saint-Louis, SN; .*Write one of these"):
        find_city("Saint Louis")


@pytest.mark.parametrize(
    ("city", "country", "address", "label"),
    [
        ("Wien", "AT", None, "Vienna, AT"),
        ("1010 Wien", None, None, "Vienna, AT"),
        ("Wien, 1010", "Österreich", None, "Vienna, AT"),
        ("大阪市", "JP", None, "Osaka, JP"),
        ("75011 Paris", "FR", None, "Paris, FR"),
        ("Paris 11e", "France", None, "Paris, FR"),
        ("Lyon Cedex 3", "FR", None, "Lyon, FR"),
        ("Praha 1", "CZ", None, "Prague, CZ"),
        ("København NV", "Denmark", None, "Copenhagen, DK"),
        ("111 22 Stockholm", "SE", None, "Stockholm, SE"),
        ("London SE1 9GF", "UK", None, "London, GB"),
        ("Dublin D02 X285", "IE", None, "Dublin, IE"),
        ("Budapest XIII.", "HU", None, "Budapest, HU"),
        ("Munich, Bavaria", "DE", None, "Munich, DE"),
        ("Portland ME", None, None, "Portland, ME, US"),
        ("Portland", "US", "5 Elm St, Portland, ME 04101", "Portland, ME, US"),
        ("Columbus", "US", "1 Main St, Columbus, OH 43215", "Columbus, OH, US"),
        ("Springfield", None, "9 Oak Rd, Springfield, Illinois", "Springfield, IL, US"),
        ("London", None, "1 King St, London, ON N6A 1A1", "London, CA"),
        ("Newcastle", None, "1 Hunter St, Newcastle NSW 2300", "Newcastle, AU"),
    ],
)
def test_venue_is_found_in_its_city_however_it_is_written(
    city: str, country: str | None, address: str | None, label: str
) -> None:
    found = city_of(Venue(city=city, country=country, address=address))
    assert found is not None
    assert found.label == label


@pytest.mark.parametrize(
    ("city", "country"), [("Columbus", "US"), ("Paris, Ontario", None), ("Nowhere 1", "CZ"), ("", None)]
)
def test_venue_that_may_be_elsewhere_is_in_no_city(city: str, country: str | None) -> None:
    assert city_of(Venue(city=city, country=country)) is None


def test_city_is_one_in_any_language() -> None:
    assert is_one_city(Venue(city="Wien", country="AT"), Venue(city="Vienna", country="Austria"))
    assert not is_one_city(Venue(city="Linz", country="AT"), Venue(city="Vienna", country="AT"))
    assert not is_one_city(Venue(city="Vienna", country="US"), Venue(city="Vienna", country="AT"))
