"""Step 5, what is read of an event: its texts, as words for tagging and purpose and as one text for the embedder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from recommender.heads import hashed, word_counts
from recommender.names import Words, words_of

MAX_WORDS = 150  # of the description; what an event is about is said at its beginning
TITLE_WORDS = 3.0  # a word of the title or the group counts as much as three of the description


@dataclass(frozen=True, slots=True)
class EventText:
    """What tagging reads of an event."""

    title: str
    text: str
    group: str = ""  # the community's name
    categories: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # titles of other events of the community, where they are known


@dataclass(frozen=True)
class Part:
    words: Words

    @cached_property
    def hashed(self) -> list[int]:
        return hashed(self.words)


@dataclass(frozen=True, slots=True)
class Reading:
    """The parts of a text as words."""

    title: Part
    group: Part
    categories: Part
    text: Part

    def counts(self) -> dict[int, float]:
        names = [(part.hashed, TITLE_WORDS) for part in (self.title, self.group, self.categories)]
        return word_counts([*names, (self.text.hashed, 1.0)])


@lru_cache(maxsize=512)  # tagging and purpose read the same texts one after the other
def read(text: EventText) -> Reading:
    return Reading(
        *(Part(words_of(part, MAX_WORDS)) for part in (text.title, text.group, "\n".join(text.categories), text.text))
    )


def embedded_text(text: EventText) -> str:
    """Return what an embedder reads of an event: its names first, since only the beginning is read."""
    return "\n".join(part for part in (text.title, text.group, " ".join(text.categories), text.text) if part)
