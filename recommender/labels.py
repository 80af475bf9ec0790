"""How labels are compared, and what else people may mean by one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Words after a topic that say who or where, not what: "React developers", "chess club", "pottery class".
FOLLOWING = frozenset(
    word + ending
    for word in (
        *("beginner", "club", "coach", "community", "developer", "engineer", "enthusiast", "expert", "fan", "group"),
        *("instructor", "learner", "lesson", "lover", "manager", "meetup", "player", "professional", "programmer"),
        *("specialist", "student", "teacher", "trainer", "user", "workshop"),
    )
    for ending in ("", "s")
) | frozenset(("class", "classes", "entwickler", "gruppe", "kurs", "spieler", "stammtisch", "verein"))
SHORTEST_PLURAL = 5  # letters: "ants" is no plural of Ant, nor "cs" of C
WORD = re.compile(r"[^\W_]+")
SIGNS = (("&", " and "), ("c++", "cpp"), ("c#", "csharp"), ("f#", "fsharp"), (".net", " dotnet"))


def key(label: str) -> str:
    """Return the form in which labels are compared: case, accents, punctuation and spacing do not count.

    `C++`, `C#`, `F#` and `.NET` keep the signs that make them different topics.
    """
    return "".join(key_words(label))


def key_words(label: str) -> list[str]:
    text = label.casefold()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    for sign, name in SIGNS:
        if sign in text:
            text = text.replace(sign, name)
    return WORD.findall(text)


def tails(label: str) -> list[str]:
    """Return the key of a label from each of its words on, the whole first."""
    words = key_words(label)
    return ["".join(words[start:]) for start in range(len(words))]


def readings(label: str) -> Iterator[str]:
    """Yield the key of a label, then the keys of what people may mean by it, nearest first."""
    yield from _forms(key(label))
    words = re.split(r"[\s-]+", label.casefold().strip())
    while len(words) > 1:
        if words[0] == "the":
            words = words[1:]
        elif words[-1] in FOLLOWING:
            words = words[:-1]
        else:
            return
        yield from _forms(key(" ".join(words)))


def _forms(name: str) -> Iterator[str]:
    """Yield a key, the other grammatical number, and for German occupations the form for men: Biologin, Biologe."""
    yield name
    if len(name) < SHORTEST_PLURAL:
        return
    if name.endswith("es"):
        yield name[:-2]
    yield name[:-1] if name.endswith("s") else name + "s"
    stem = name.removesuffix("nen").removesuffix("in")
    if name.endswith(("in", "innen")):
        yield stem
        yield stem + "e"
