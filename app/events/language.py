"""Which language an event is told in, where its source does not say: decided only when that is plain."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from threading import Lock

from py3langid.langid import MODEL_FILE, LanguageIdentifier

LETTERS = 20  # fewer say too little: names of products are no language
READ = 1000  # characters of the description
SURE = 0.7  # share of belief; of 7,145 English titles it tells 41 %, 99.7 % of them right (docs/decisions/0012)
# Those that gatherings are announced in; the model's dialects and dead languages only win by accident.
_CODES = """
ar bg bn ca cs cy da de el en es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka ko lt lv mk ms nl no pl pt ro ru sk
sl sq sr sv sw ta te th tl tr uk ur vi zh
"""
LANGUAGES = frozenset(_CODES.split())

_TURN = Lock()
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+|[#@]\w+")


def language_of(title: str, description: str) -> str | None:
    """Return the ISO 639 code of the language a text is in; None where it is too short or not plain."""
    return _language(_ADDRESS.sub(" ", f"{title}\n{description[:READ]}"))


@lru_cache(maxsize=4096)  # the occurrences of a series say the same
def _language(text: str) -> str | None:
    if sum(letter.isalpha() for letter in text) < LETTERS:
        return None
    language, belief = load().classify(text)
    return str(language) if belief >= SURE else None


def load() -> LanguageIdentifier:
    """Return the model, read once a process; that takes a second or two, so do it where nobody waits."""
    with _TURN:  # else all who come before it is read would read it
        return _read()


@cache
def _read() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
