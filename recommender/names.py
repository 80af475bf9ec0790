"""Step 5a, names: where a text calls a topic, or anything else in a list of phrases, by name.

Texts and names are compared word by word in the form of `catalogue.key`, so that case, accents and punctuation do not
count and "Node.js", "node js" and "NodeJS" are one name. The longest name at a place wins: in "machine learning" there
is no mention of machines.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from recommender.catalogue import key

LONGEST_NAME = 6  # words
# Web and mail addresses name hosts, not subjects.
ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\w+", re.IGNORECASE)
TAG = re.compile(r"<[a-zA-Z/!][^<>]{0,500}>")
# A name does not reach over these: "Java, Script" are two.
BREAK = re.compile(r"[,;:!?()\[\]{}|\n\r\t\"“”„«»•·…]|\.(?=\s|$)|\s[-–—/]+\s|[–—]")
# "R.A.R.E." and "A.I." are one word each; taken apart, the first would name R and AR.
WORD = re.compile(r"(?<!\w)(?:[A-Z]\.)+[A-Z](?!\w)|\.?\w+(?:\+\+|#(?!\w))?|&")
# "George R. R. Martin" and "Dr. R. Smith" do not name R. After a small word, as in "all about R. Bring …", a letter may.
INITIALS = re.compile(r"((?:^|[.,:;(\n]|\b[A-Z][\w'’]*)\s*)(?<![\w.])(?:[A-Z]\.\s+)+(?=[A-Z])")


class Run(NamedTuple):
    """Words that no punctuation parts."""

    text: str  # verbatim
    words: tuple[str, ...]
    keys: tuple[str, ...]  # of the words

    def written(self, start: int, end: int) -> str:
        """Return the words from start to end, exclusive, as they stand in the text."""
        spans = [word.span() for word in islice(WORD.finditer(self.text), end)]
        return self.text[spans[start][0] : spans[end - 1][1]]


class Words(NamedTuple):
    runs: tuple[Run, ...]


class Mention(NamedTuple):
    """A name found in a text."""

    value: int  # what the name stands for
    name: str  # its key
    run: Run
    start: int  # among the words of the run
    end: int

    @property
    def written(self) -> str:
        return self.run.written(self.start, self.end)


@lru_cache(maxsize=1 << 16)
def word_key(word: str) -> str:
    return key(word)


def words_of(text: str, limit: int | None = None) -> Words:
    """Return the first `limit` words of a text, addresses and mark-up left out."""
    if "<" in text:
        text = TAG.sub("\n", text)
    if "&" in text:
        text = html.unescape(text)
    if "://" in text or "@" in text or "www." in text:
        text = ADDRESS.sub("\n", text)
    if ". " in text:
        text = INITIALS.sub(r"\1", text)
    runs: list[Run] = []
    left = limit if limit is not None else len(text)
    for part in BREAK.split(text):
        found = tuple(WORD.findall(part)[:left])
        if found:
            runs.append(Run(part, found, tuple(map(word_key, found))))
            left -= len(found)
            if left <= 0:
                break
    return Words(tuple(runs))


class Names:
    """Names and what each stands for; finding them costs one look-up a word and length."""

    def __init__(self, names: Iterable[tuple[str, int]]) -> None:
        """Take names as written and their values; of two equal names the first counts."""
        self.values: dict[str, int] = {}
        self._capital: set[str] = set()
        self._accented: set[str] = set()
        for name, value in names:
            name_key = key(name)
            if not name_key:
                continue
            is_new = name_key not in self.values
            self.values.setdefault(name_key, value)
            # "IT", "AR" and "FIRST" are everyday words in small letters, and "thé" is an article without its accent.
            for kept, holds in ((self._capital, is_acronym(name)), (self._accented, is_accented(name))):
                if holds and is_new:
                    kept.add(name_key)
                elif not holds:
                    kept.discard(name_key)
        # Names are kept without spaces, so any number of words may make one; what begins none ends the search.
        self._beginnings = {name[:end] for name in self.values for end in range(1, len(name) + 1)}

    def mentions(self, words: Words) -> Iterator[Mention]:
        """Yield the names in a text from left to right, the longest at each place; they do not overlap."""
        values, beginnings = self.values, self._beginnings
        for run in words.runs:
            keys = run.keys
            start = 0
            while start < len(keys):
                if keys[start] not in beginnings:  # most words begin no name
                    start += 1
                    continue
                joined, end, name = "", start, ""
                for stop, word in enumerate(keys[start : start + LONGEST_NAME], start + 1):
                    joined += word
                    if joined not in beginnings:
                        break
                    if joined in values and self._is_spelled(joined, run.words[start:stop]):
                        end, name = stop, joined
                if end > start:
                    yield Mention(values[name], name, run, start, end)
                    start = end
                else:
                    start += 1

    def _is_spelled(self, name: str, written: tuple[str, ...]) -> bool:
        if name in self._capital and not all(word.isupper() or not word.isalpha() for word in written):
            return False
        return name not in self._accented or not all(map(str.isascii, written))


def is_acronym(name: str) -> bool:
    return name.isupper() and len(name) <= 5


def is_accented(name: str) -> bool:
    return not name.isascii()
