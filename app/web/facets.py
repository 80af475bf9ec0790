"""What narrows a search down: the commonest topics, languages and so on among what it finds, as links that choose or leave them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from app.queries.commonest import Subject, commonest
from app.topic_names import label_of
from app.web.search import Search
from app.words.event_words import MODE_WORDS, PURPOSE_WORDS, language_words
from app.words.topic_words import topic_words
from app.words.wording import Wording

MOST = 8  # values of a facet


@dataclass(frozen=True, slots=True)
class FacetValue:
    words: str
    count: int | None  # None where it was not counted
    is_on: bool
    href: str  # chooses the value, or leaves it


@dataclass(frozen=True, slots=True)
class Facet:
    label: str
    values: tuple[FacetValue, ...]


async def facets(
    session: AsyncSession, search: Search, wording: Wording, *, now: datetime, is_counted: bool
) -> list[Facet]:
    """Return, for each facet, its commonest values among what is found, with addresses that choose or leave each.

    How many events a value has is told where all that are found were counted.
    """
    found = await commonest(session, search.wanted(now), most=MOST)

    def values(subject: Subject, word: Callable[[str], str]) -> Iterator[tuple[str, str, int | None]]:
        for value, number in found[subject]:
            yield value, word(value), number if is_counted else None

    modes = {mode: wording.text(words) for mode, words in MODE_WORDS.items()}
    purposes = [(name, wording.text(words), None) for name, words in PURPOSE_WORDS.items()]
    told = (
        _facet(
            "topic",
            wording.text("Topic"),
            values("topic", lambda slug: topic_words(label_of(slug), wording)),
            search,
        ),
        _facet(
            "mode",
            wording.text("How"),
            (one for one in values("mode", lambda mode: modes.get(mode, "")) if one[1]),
            search,
        ),
        _facet(
            "language", wording.text("Language"), values("language", lambda code: language_words(code, wording)), search
        ),
        _facet("purpose", wording.text("People come"), purposes, search),
        _facet("free", wording.text("Price"), [("yes", wording.text("free"), None)], search),
    )
    return [facet for facet in told if facet.values]


def _facet(name: str, label: str, values: Iterable[tuple[str, str, int | None]], search: Search) -> Facet:
    chosen = getattr(search, name)
    return Facet(
        label,
        tuple(
            FacetValue(words, count, value == chosen, search.address(**{name: "" if value == chosen else value}))
            for value, words, count in values
        ),
    )
