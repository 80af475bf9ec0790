"""The filters of a question, as the controls of a form show them: names, values, words, and which one is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.events.language import LANGUAGES as READ_LANGUAGES
from app.people.wishes import Hours
from app.web.question import DISTANCES, SPANS, Mode, Question
from app.words.event_words import language_words
from app.words.reach_words import REACH_WORDS
from app.words.wording import Wording, mark

MODE_CHOICES: Mapping[Mode, str] = {
    "any": mark("in person or online"),
    "in_person": mark("in person"),
    "online": mark("online"),
}
HOUR_CHOICES: Mapping[Hours, str] = {
    "any": mark("any day and hour"),
    "evening": mark("weekday evenings"),
    "daytime": mark("weekdays by day"),
    "weekend": mark("weekends"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Filters:
    reach: list[Choice]
    within: list[Choice]
    days: list[Choice]
    mode: list[Choice]
    hours: list[Choice]
    language: list[Choice]


def filters(question: Question, wording: Wording) -> Filters:
    distances = sorted({*DISTANCES, question.within})
    spans = sorted({*SPANS, question.days})
    languages = sorted((language_words(code, wording), code) for code in READ_LANGUAGES)
    return Filters(
        reach=_choices(((reach, wording.text(words)) for reach, words in REACH_WORDS.items()), question.reach),
        within=_choices(((str(km), wording.text("{number} km", number=km)) for km in distances), str(question.within)),
        days=_choices(
            ((str(days), wording.plural("{number} day", "{number} days", days)) for days in spans), str(question.days)
        ),
        mode=_choices(((mode, wording.text(words)) for mode, words in MODE_CHOICES.items()), question.mode),
        hours=_choices(((hours, wording.text(words)) for hours, words in HOUR_CHOICES.items()), question.hours),
        language=_choices(
            [("", wording.text("any language")), *((code, words) for words, code in languages)], question.language
        ),
    )


def _choices(offered: Iterable[tuple[str, str]], chosen: str) -> list[Choice]:
    return [Choice(value, words, value == chosen) for value, words in offered]
