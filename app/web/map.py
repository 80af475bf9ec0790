"""The neighbourhood as a picture: what you know is a disc, topics with events lie around it, a line says from where.

No physics and no chance: the radius is the distance, the angle belongs to the topic it is reached from, so the map does
not jump between visits. Drawn in Python as SVG; the same facts stand in a table beside it for those who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from recommender.reach import REACHES, Reach

CORE = 0.40  # of the outer radius: the disc of what is known
BANDS: dict[Reach, float] = {"next-door": 0.52, "one-step": 0.67, "two-steps": 0.82, "far": 0.95}
BAND_WIDTH = 0.15
LETTER = 0.56  # mean width of a letter, in units of the font size
LONG_LABEL = 17  # characters from which a label takes two lines
LABEL_GAP = 4.0


@dataclass(frozen=True, slots=True)
class Known:
    slug: str
    label: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A topic with events near, or one that shows what else lies around (events 0)."""

    slug: str
    label: str
    reached_from: str  # slug of a known topic
    reach: Reach
    events: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """What one drawing of the map measures, in SVG units."""

    width: float
    height: float
    font: float
    name: str

    @property
    def radius(self) -> float:
        return min(self.width * 0.36, self.height * 0.46)


WIDE = Size(720, 560, 13.0, "wide")
NARROW = Size(390, 420, 12.0, "narrow")


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        return not (
            self.right < other.left or other.right < self.left or self.bottom < other.top or other.bottom < self.top
        )


@dataclass(frozen=True, slots=True)
class _Placed:
    dot: Dot
    x: float
    y: float
    angle: float
    size: float


def draw(known: Sequence[Known], dots: Sequence[Dot], reach: Reach, size: Size) -> Markup:
    """Return the map as an SVG element; hidden from screen readers, which get the table."""
    width, height, radius = size.width, size.height, size.radius
    sectors = _sectors(known, dots)
    placed = _place(dots, sectors, size)
    parts = [
        f'<svg class="map map-{size.name}" viewBox="0 0 {width:g} {height:g}" aria-hidden="true" focusable="false">',
        f'<g transform="translate({width / 2:g} {height / 2:g})">',
        _ring(reach, radius),
        f'<circle class="core" r="{CORE * radius:.1f}"/>',
    ]
    parts += [_line(one, sectors, radius, is_lit=_is_lit(one.dot, reach)) for one in placed]
    parts += [_mark(one, is_lit=_is_lit(one.dot, reach)) for one in placed]
    parts += _core_labels(known, sectors, size)
    parts += _labels(placed, reach, size)
    parts.append("</g></svg>")
    return Markup("".join(parts))  # noqa: S704 (every text in it went through escape)


def _is_lit(dot: Dot, reach: Reach) -> bool:
    return dot.events > 0 and dot.reach == reach


def _sectors(known: Sequence[Known], dots: Sequence[Dot]) -> dict[str, tuple[float, float]]:
    """Return for each known topic the span of angles (radians, clockwise from the top) its dots share."""
    weights = {one.slug: 1.0 + math.sqrt(sum(dot.reached_from == one.slug for dot in dots)) for one in known}
    total = sum(weights.values()) or 1.0
    spans, start = {}, 0.0
    for slug, weight in weights.items():
        end = start + 2 * math.pi * weight / total
        spans[slug] = (start, end)
        start = end
    return spans


def _point(angle: float, radius: float) -> tuple[float, float]:
    return radius * math.sin(angle), -radius * math.cos(angle)


def _place(dots: Sequence[Dot], sectors: dict[str, tuple[float, float]], size: Size) -> list[_Placed]:
    """Spread each known topic's dots over its sector; neighbours in angle differ in radius, so labels find room."""
    placed = []
    for slug, (start, end) in sectors.items():
        mine = sorted((dot for dot in dots if dot.reached_from == slug), key=lambda dot: dot.label)
        for position, dot in enumerate(mine):
            angle = start + (end - start) * (position + 0.5) / len(mine)
            wobble = BAND_WIDTH * 0.28 * (1 if position % 2 else -1)
            x, y = _point(angle, size.radius * (BANDS[dot.reach] + wobble))
            # Area, not diameter, grows with the number of events.
            placed.append(_Placed(dot, x, y, angle, 2.2 if dot.events == 0 else 3.4 + 1.7 * math.sqrt(dot.events)))
    return placed


def _ring(reach: Reach, radius: float) -> str:
    middle = BANDS[reach] * radius
    return f'<circle class="ring" r="{middle:.1f}" stroke-width="{BAND_WIDTH * radius:.1f}"/>'


def _line(one: _Placed, sectors: dict[str, tuple[float, float]], radius: float, *, is_lit: bool) -> str:
    if one.dot.events == 0:
        return ""
    start, end = sectors[one.dot.reached_from]
    from_x, from_y = _point((start + end) / 2, CORE * radius * 0.98)
    bend_x, bend_y = _point((one.angle + (start + end) / 2) / 2, radius * (CORE + 0.10))
    name = "why lit" if is_lit else "why"
    return f'<path class="{name}" d="M{from_x:.1f} {from_y:.1f}Q{bend_x:.1f} {bend_y:.1f} {one.x:.1f} {one.y:.1f}"/>'


def _mark(one: _Placed, *, is_lit: bool) -> str:
    name = "speck" if one.dot.events == 0 else "dot lit" if is_lit else "dot"
    told = f"{one.dot.label}: {one.dot.events} events" if one.dot.events else one.dot.label
    circle = f'<circle class="{name}" cx="{one.x:.1f}" cy="{one.y:.1f}" r="{one.size:.1f}"><title>{escape(told)}</title></circle>'
    if not one.dot.href:
        return circle
    return f'<a href="{escape(one.dot.href)}" tabindex="-1">{circle}</a>'


def _lines_of(label: str) -> list[str]:
    """Break a long label in two near its middle."""
    words = label.split()
    if len(label) <= LONG_LABEL or len(words) < 2:
        return [label]
    cuts = [(abs(len(" ".join(words[:cut])) - len(label) / 2), cut) for cut in range(1, len(words))]
    cut = min(cuts)[1]
    return [" ".join(words[:cut]), " ".join(words[cut:])]


def _text(lines: Sequence[str], x: float, y: float, *, anchor: str, name: str, font: float) -> str:
    first = y - (len(lines) - 1) * font * 0.55
    spans = "".join(
        f'<tspan x="{x:.1f}" y="{first + number * font * 1.1:.1f}">{escape(line)}</tspan>'
        for number, line in enumerate(lines)
    )
    return f'<text class="{name}" text-anchor="{anchor}" font-size="{font:g}">{spans}</text>'


def _core_labels(known: Sequence[Known], sectors: dict[str, tuple[float, float]], size: Size) -> list[str]:
    """Write what is known into the disc: one in the middle, several towards their sectors, more than seven as a number."""
    core = CORE * size.radius
    if len(known) > 7:
        return [
            _text(
                [f"{len(known)} topics", "you know"], 0, size.font * 0.35, anchor="middle", name="knows", font=size.font
            )
        ]
    parts = []
    for one in known:
        start, end = sectors[one.slug]
        x, y = (0.0, 0.0) if len(known) == 1 else _point((start + end) / 2, core * 0.56)
        lines = _lines_of(one.label)
        room = 2 * core * (0.9 if len(known) == 1 else 0.62)
        longest = max(len(line) for line in lines)
        font = min(size.font, room / (longest * LETTER))
        parts.append(_text(lines, x, y + font * 0.35, anchor="middle", name="knows", font=font))
    return parts


def _labels(placed: Sequence[_Placed], reach: Reach, size: Size) -> list[str]:
    """Place labels greedily, the ring's first; one that finds no room is left to its dot's tooltip."""
    core = CORE * size.radius
    taken = [Box(-core * 0.72, -core * 0.72, core * 0.72, core * 0.72)]
    taken += [Box(one.x - one.size, one.y - one.size, one.x + one.size, one.y + one.size) for one in placed]
    edge = Box(-size.width / 2 + 2, -size.height / 2 + 2, size.width / 2 - 2, size.height / 2 - 2)
    parts = []
    order = sorted(placed, key=lambda one: (not _is_lit(one.dot, reach), one.dot.events == 0, -one.dot.events))
    for one in order:
        is_lit = _is_lit(one.dot, reach)
        font = size.font if is_lit else size.font * 0.86
        lines = _lines_of(one.dot.label)
        own = Box(one.x - one.size, one.y - one.size, one.x + one.size, one.y + one.size)
        for x, y, anchor, box in _spots(one, lines, font, is_bold=is_lit):
            inside = box.left > edge.left and box.right < edge.right and box.top > edge.top and box.bottom < edge.bottom
            if inside and not any(box.overlaps(other) for other in taken if other != own):
                taken.append(box)
                parts.append(_text(lines, x, y, anchor=anchor, name="name lit" if is_lit else "name", font=font))
                break
    return parts


def _spots(one: _Placed, lines: Sequence[str], font: float, *, is_bold: bool) -> list[tuple[float, float, str, Box]]:
    """Return where a label may stand, outward side first: x, baseline of its middle, anchor, its box."""
    width = max(len(line) for line in lines) * font * LETTER * (1.07 if is_bold else 1.0)
    tall = len(lines) * font * 1.1
    gap = one.size + LABEL_GAP
    middle = one.y + font * 0.35
    right = (one.x + gap, middle, "start", Box(one.x + gap, one.y - tall / 2, one.x + gap + width, one.y + tall / 2))
    left = (one.x - gap, middle, "end", Box(one.x - gap - width, one.y - tall / 2, one.x - gap, one.y + tall / 2))
    above_y, below_y = one.y - gap - tall / 2, one.y + gap + tall / 2
    above = (
        one.x,
        above_y + font * 0.35,
        "middle",
        Box(one.x - width / 2, above_y - tall / 2, one.x + width / 2, above_y + tall / 2),
    )
    below = (
        one.x,
        below_y + font * 0.35,
        "middle",
        Box(one.x - width / 2, below_y - tall / 2, one.x + width / 2, below_y + tall / 2),
    )
    sides = [right, left] if one.x >= 0 else [left, right]
    return [sides[0], above, below, sides[1]] if abs(one.y) > abs(one.x) else [sides[0], sides[1], above, below]


__all__ = ["NARROW", "REACHES", "WIDE", "Dot", "Known", "Size", "draw"]
