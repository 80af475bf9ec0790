"""Which city a name means, offline."""

from __future__ import annotations

import pytest

from app.places import UnknownPlace, find_city


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
    ],
)
def test_city_is_found_however_it_is_spelled(name: str, label: str) -> None:
    assert find_city(name).label == label


def test_name_of_several_cities_says_which_there_are() -> None:
    with pytest.raises(UnknownPlace, match=r"Saint Louis.*St\. Louis, MO, US; Saint-Louis, SN; .*Write one of these"):
        find_city("Saint Louis")
