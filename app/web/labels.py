"""Where words may stand in a drawing: how wide they are at most, how they break, and the places around a point."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LINE = 1.1  # line height, in font sizes
BREAK_FROM = 12  # characters from which a label may take two lines
LONGEST_LINE = 24  # characters; what is longer ends in an ellipsis
BOLD = 1.13  # how much wider bold letters are

# Widths of letters in units of the font size, from the widest of the common system fonts (Verdana, DejaVu Sans): pages
# bring no font of their own, and in narrower ones labels only gain room.
_WIDTHS = (
    ("iljI.,:;'|! ", 0.33),
    ("ftr()[]-/", 0.42),
    ("mwMWOQ@%&", 0.93),
    ("ABCDEFGHKLNPRSTUVXYZ+=<>", 0.73),
)
_WIDTH_OF = {letter: width for letters, width in _WIDTHS for letter in letters}


@lru_cache(maxsize=4096)
def text_width(text: str, font: float, *, is_bold: bool = False) -> float:
    """Return how wide a line is at most, in the units of the font size."""
    letters = sum(
        _WIDTH_OF.get(letter, 1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.64) for letter in text
    )
    return letters * font * (BOLD if is_bold else 1.0)


@lru_cache(maxsize=4096)
def lines_of(label: str) -> tuple[tuple[str, ...], ...]:
    """Return the ways to write a label, the best first: on one line, or broken in two near its middle."""
    words = label.split()
    if len(label) < BREAK_FROM or len(words) < 2:
        return ((_shortened(label),),)
    cuts = [(abs(len(" ".join(words[:cut])) - len(label) / 2), cut) for cut in range(1, len(words))]
    cut = min(cuts)[1]
    broken = (_shortened(" ".join(words[:cut])), _shortened(" ".join(words[cut:])))
    if len(label) > LONGEST_LINE:
        return (broken,)
    return ((label,), broken) if len(label) < 18 else (broken, (label,))


def _shortened(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, x: float, y: float, radius: float) -> Box:
        return cls(x - radius, y - radius, x + radius, y + radius)

    def wider(self, margin: float) -> Box:
        return Box(self.left - margin, self.top, self.right + margin, self.bottom)

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, x: float, y: float) -> bool:
        return self.left < x < self.right and self.top < y < self.bottom

    def distance_from_origin(self) -> float:
        x = max(self.left, -self.right, 0.0)
        y = max(self.top, -self.bottom, 0.0)
        return math.hypot(x, y)

    def farthest_from_origin(self) -> float:
        return math.hypot(max(-self.left, self.right), max(-self.top, self.bottom))


@dataclass(frozen=True, slots=True)
class LabelSpot:
    """A place for a label: its lines, the x they are anchored at, the baseline of their middle, and what they cover."""

    lines: tuple[str, ...]
    x: float
    y: float
    anchor: str  # SVG text-anchor
    font: float
    box: Box

    @classmethod
    def centred(cls, x: float, y: float, lines: tuple[str, ...], font: float, *, is_bold: bool) -> LabelSpot:
        width = max(text_width(line, font, is_bold=is_bold) for line in lines)
        half = len(lines) * font * LINE / 2
        return cls(lines, x, y + font * 0.35, "middle", font, Box(x - width / 2, y - half, x + width / 2, y + half))


def spots_around(
    x: float, y: float, radius: float, lines: tuple[str, ...], *, font: float, is_bold: bool
) -> Iterator[LabelSpot]:
    """Yield the places of a label around a dot, outward from the middle of the drawing first."""
    width = max(text_width(line, font, is_bold=is_bold) for line in lines)
    half = len(lines) * font * LINE / 2
    gap = radius + 4.0

    def beside(side: int, rise: float) -> LabelSpot:
        left = x + gap if side > 0 else x - gap - width
        middle = y + rise * (half + radius * 0.5)
        box = Box(left, middle - half, left + width, middle + half)
        return LabelSpot(lines, x + side * gap, middle + font * 0.35, "start" if side > 0 else "end", font, box)

    def over(direction: int) -> LabelSpot:
        return LabelSpot.centred(x, y + direction * (gap + half), lines, font, is_bold=is_bold)

    out, away = (1 if x >= 0 else -1), (1 if y >= 0 else -1)
    if abs(x) < 0.35 * abs(y):
        yield over(away)
    yield beside(out, 0.0)
    yield from (beside(out, 0.8 * away), over(away), beside(out, -0.8 * away))
    yield from (beside(-out, 0.0), beside(-out, 0.8 * away), over(-away))
