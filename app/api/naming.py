"""Topics, places and web addresses as people write them; what names none is answered with what may have been meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.api.mistakes import Part, in_body
from app.api.problems import Problem, unfit, unknown_topics
from app.places import City, Spot, UnknownPlace, cities_like, find_city, find_spot
from app.topic_names import UnknownTopic
from scrapers.text import clean_url


@contextmanager
def topics_named(part_of: Callable[[str], Part]) -> Iterator[None]:
    """Answer for labels inside that name no topic with the Problem that points to each of them."""
    try:
        yield
    except UnknownTopic as error:
        raise unknown_topics(error, part_of) from error


def spot_named(text: str, part: Part) -> Spot:
    """Return the point a city's name or `LAT,LON` stands for."""
    try:
        return find_spot(text)
    except UnknownPlace as error:
        raise _unknown_place(text, part, error) from error


def city_named(text: str, part: Part) -> City:
    try:
        return find_city(text)
    except UnknownPlace as error:
        raise _unknown_place(text, part, error) from error


def _unknown_place(text: str, part: Part, error: UnknownPlace) -> Problem:
    return unfit(part, str(error), kind="unknown-place", candidates=[city.label for city in cities_like(text)])


def web_address(text: str) -> str:
    """Return the address that is fetched for the `url` somebody sent."""
    url = clean_url(text.replace("webcal://", "https://", 1) if text.startswith("webcal://") else text)
    if url is None:
        raise unfit(in_body("url"), f"{text!r} is no http(s) or webcal address")
    return url
