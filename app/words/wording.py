"""The languages people are spoken to in: texts, plurals and numbers as a language writes them.

Texts are looked up by their English words in `app/locale/*/LC_MESSAGES/adjacent.mo`; another language is another file
(docs/languages.md). English needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel import Locale
from babel.numbers import format_decimal, format_percent

CATALOGUES = Path(__file__).parents[1] / "locale"
DOMAIN = "adjacent"
SOURCE_LANGUAGE = "en"  # what the texts in code and templates are written in
LANGUAGES = (
    SOURCE_LANGUAGE,
    *sorted(path.parent.parent.name for path in CATALOGUES.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")),
)


def mark(message: str) -> str:
    """Return a text as it is, to be translated where it is used: catalogues are filled with what stands in here."""
    return message


@dataclass(frozen=True, slots=True)
class Wording:
    """One language: everything people read is worded by one of these."""

    locale: Locale
    translations: NullTranslations

    @property
    def language(self) -> str:
        return self.locale.language

    def text(self, message: str, **values: object) -> str:
        """Return a text in this language with `{name}` filled in."""
        told = self.translations.gettext(message) if message else ""
        return told.format(**values) if values else told

    def plural(self, one: str, many: str, number: int, **values: object) -> str:
        """Return the form of a text that goes with a number, which stands in it as `{number}`."""
        told = self.translations.ngettext(one, many, number)
        return told.format(number=self.number(number), **values)

    def number(self, value: float) -> str:
        """Return a number as it is written here: "12,345" or "12.345"; at most one digit behind the point."""
        return _number(value, self.language)

    def percent(self, share: float) -> str:
        return format_percent(share, locale=self.locale)

    def listed(self, parts: Sequence[str]) -> str:
        """Return parts in one line: "a, b and c"."""
        if len(parts) < 2:
            return "".join(parts)
        return self.text("{first} and {last}", first=", ".join(parts[:-1]), last=parts[-1])


@lru_cache(maxsize=4096)  # kilometres and counts repeat
def _number(value: float, language: str) -> str:
    return format_decimal(value, format="#,##0.#", locale=wording_of(language).locale)


@cache
def wording_of(language: str) -> Wording:
    """Return the wording of one of LANGUAGES."""
    translations: NullTranslations = NullTranslations()
    if language != SOURCE_LANGUAGE:
        with (CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
            translations = GNUTranslations(file)
    return Wording(Locale.parse(language), translations)


def wording_for(language: str | None) -> Wording:
    """Return the wording of a language somebody chose or asks for; English where they did not, or nobody translated."""
    return wording_of(language if language in LANGUAGES else SOURCE_LANGUAGE)


ENGLISH = wording_of(SOURCE_LANGUAGE)  # for readers whose language nobody knows


def preferred(accepted: str) -> str | None:
    """Return the language of LANGUAGES that an Accept-Language wants most; None where it names none (RFC 9110 §12.5.4)."""
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        name, _, weight = part.partition(";")
        language = name.strip().lower().split("-")[0]
        quality = _quality(weight)
        if quality > 0 and language in LANGUAGES:
            wanted.append((-quality, place, language))
    return min(wanted)[2] if wanted else None


def _quality(weight: str) -> float:
    name, _, value = weight.replace(" ", "").partition("=")
    if name != "q":
        return 1.0
    return float(value) if value.replace(".", "", 1).isdecimal() and value.isascii() else 0.0
