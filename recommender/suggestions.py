"""What an unknown label may have meant: misspelled names, names that begin so, names inside it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from recommender.labels import key, key_words, tails

CLOSE = 0.8  # share of letters in common from which a name may be a misspelling
SHORTEST_SLIP = 5  # letters: one slip away from a shorter word lies half of the language
SHORTEST_INSIDE = 4  # letters of a word inside a label, unless it is most of it
# Words that say nothing of what is meant.
FILLING = frozenset(
    ("and", "best", "for", "from", "good", "like", "more", "nothing", "other", "stuff", "that", "the", "things", "this")
)


class Suggestions:
    """Names, ordered so that the likely ones for a label are found without comparing it with all."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: set[str] = set()
        ends: set[tuple[str, str]] = set()  # every name from each of its words on, with the whole name
        for written in names:
            parts = tails(written)
            self._names.add(parts[0])
            ends |= {(part, parts[0]) for part in parts}
        self._tails = sorted(ends)
        # A slip of the fingers leaves the first letter or the last two in place.
        self._by_end: dict[tuple[int, str], list[str]] = defaultdict(list)
        for name in sorted(self._names):
            self._by_end[len(name), name[:1]].append(name)
            self._by_end[len(name), name[-2:]].append(name)

    def of(self, label: str) -> Iterator[tuple[str, float]]:
        """Yield keys of names that may be meant and a merit from 0 to 1; a name may come more than once."""
        wanted = key(label)
        if wanted in FILLING:
            return
        yield from self._misspelled(wanted)
        yield from self._begun(wanted)
        yield from self._inside(label)

    def _misspelled(self, wanted: str) -> Iterator[tuple[str, float]]:
        if len(wanted) < SHORTEST_SLIP:
            return
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)
        slack = 1 + len(wanted) // 8
        for size in range(len(wanted) - slack, len(wanted) + slack + 1):
            for name in {*self._by_end.get((size, wanted[:1]), ()), *self._by_end.get((size, wanted[-2:]), ())}:
                matcher.set_seq1(name)
                if matcher.quick_ratio() < CLOSE or (merit := matcher.ratio()) < CLOSE:
                    continue
                if slips(wanted, name) <= slack:
                    yield name, merit

    def _begun(self, wanted: str) -> Iterator[tuple[str, float]]:
        if len(wanted) < 3:  # two letters begin hundreds of names
            return
        for place in range(bisect_left(self._tails, (wanted, "")), len(self._tails)):
            tail, name = self._tails[place]
            if not tail.startswith(wanted):
                return
            # Beginnings of the whole name before those of a later word, the nearly complete first.
            yield name, (0.8 if tail == name else 0.7) + 0.2 * len(wanted) / len(name)

    def _inside(self, label: str) -> Iterator[tuple[str, float]]:
        words = key_words(label)
        for start in range(len(words)):
            for stop in range(len(words), start, -1):
                name = "".join(words[start:stop])
                share = len(name) / len("".join(words))
                if name in self._names and name not in FILLING and (len(name) >= SHORTEST_INSIDE or share > 0.5):
                    yield name, 0.6 + 0.3 * share
                    break


def slips(one: str, other: str) -> int:
    """Return how many letters were left out, put in, changed or swapped with the next (optimal string alignment)."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, meant in enumerate(other, 1):
            best = min(above[column] + 1, current[-1] + 1, above[column - 1] + (letter != meant))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == meant:
                best = min(best, before[column - 2] + 1)
            current.append(best)
        before, above = above, current
    return above[-1]
