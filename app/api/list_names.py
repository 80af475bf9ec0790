"""What a list of events is called in calendars and readers: by its filters, so that two can be told apart."""

from __future__ import annotations

from collections.abc import Iterator

from app.queries.filters import EventFilter
from app.topic_names import label_of
from app.words.event_words import MODE_WORDS, PURPOSE_WORDS, language_words
from app.words.wording import ENGLISH
from scrapers.text import one_line

SERVICE = "Adjacent"
MOST_TOPICS = 3
LONGEST = 60  # characters of what somebody wrote


def list_name(wanted: EventFilter, community: str | None) -> str:
    """Return the name: "Adjacent: Typography · near Munich, DE"; `community` is the name of the one that is asked for."""
    told = " · ".join(filter(None, _told(wanted, community)))
    return f"{SERVICE}: {told}" if told else SERVICE


def _told(wanted: EventFilter, community: str | None) -> Iterator[str]:
    if community is not None:
        yield _cut(community)
    topics = [label_of(slug) for slug in wanted.topics[:MOST_TOPICS]]
    yield ", ".join(topics) + ("…" if len(wanted.topics) > MOST_TOPICS else "")
    if wanted.words:
        yield f"“{_cut(wanted.words)}”"
    if wanted.free is not None:
        yield "free" if wanted.free else "not free"
    yield " / ".join(MODE_WORDS[mode] for mode in wanted.modes if mode in MODE_WORDS)
    if wanted.purpose:
        yield PURPOSE_WORDS[wanted.purpose]
    if wanted.language:
        yield f"in {language_words(wanted.language, ENGLISH)}"
    if wanted.near is not None:
        yield f"near {_cut(wanted.near.name)}"


def _cut(words: str) -> str:
    line = one_line(words)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
