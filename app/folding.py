"""Texts as searches compare them: without case, accents of Latin letters and signs."""

from __future__ import annotations

import re
import unicodedata

ACCENTS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
SIGNS = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """Return a text's words, parted by one space; PostgreSQL's function `search_words` (migration 0006) does the same."""
    plain = ACCENTS.sub("", unicodedata.normalize("NFD", text.lower()))
    return SIGNS.sub(" ", unicodedata.normalize("NFC", plain)).strip()
