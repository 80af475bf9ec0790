"""Topics, places and web addresses as people write them; what names none is answered with what may have been meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from app.api.mistakes import Part, in_body
from app.api.problems import Problem, unfit, unknown_topics
from app.places import City, Spot, UnknownPlace, cities_like, find_city, find_spot
from app.topic_names import PLAIN_LEVEL, UnknownTopic, resolve_known, topic_called
from app.words.topic_words import topic_named
from recommender.catalogue import Topic, load_catalogue
from scrapers.text import clean_url


@contextmanager
def topics_named(part_of: Callable[[str], Part]) -> Iterator[None]:
    """Answer for labels inside that name no topic with the Problem that points to each of them."""
    try:
        yield
    except UnknownTopic as error:
        raise unknown_topics(error, part_of) from error


def topic_meant(name: str) -> Topic:
    """Return the topic that a label, alias, slug or name in any of our languages stands for; raises UnknownTopic."""
    return topic_named(name) or topic_called(name)


class Labels(dict[str, int]):
    """Levels of topics that were sent as a plain list, which holds them by number."""

    def __init__(self, sent: Sequence[str]) -> None:
        super().__init__(dict.fromkeys(sent, PLAIN_LEVEL))
        self.sent = sent


def known_topics(know: Mapping[str, int]) -> dict[str, int]:
    """Return slug → level of what somebody says in a body's `know`; raises the Problem for what names no topic."""
    catalogue = load_catalogue()
    told: dict[str, int] = {}
    for name, level in know.items():
        # What the catalogue itself knows by a name may depend on the others.
        foreign = topic_named(name) if catalogue.resolve(name) is None else None
        label = foreign.label if foreign is not None else name
        told[label] = max(level, told.get(label, 0))
    with topics_named(lambda label: in_body("know", know.sent.index(label) if isinstance(know, Labels) else label)):
        return resolve_known(told)


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
