"""The neighbourhood as a picture: what you know is a disc, topics with events lie around it, a line says from where.

No physics and no chance: the radius is the distance, the angle belongs to the topic it is reached from, so the map does
not jump between visits. Drawn in Python as SVG; the same facts stand in a table beside it for those who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from markupsafe import Markup, escape

from app.web.labels import Box, Spot, lines_of, spots_around, text_width
from recommender.reach import REACHES, Reach

GAP = 0.05  # of the radius, between the disc and the ring
STRAY = 0.30  # of a band's width: how far a dot may stand from the middle of its band
FONT_STEPS = (1.0, 0.92, 0.84, 0.76)  # sizes tried for the labels in the disc
MOST_NAMES = 5  # lines in a disc whose topics do not fit one beside the other
NODE = 2.6  # radius of the point in the disc from which lines start
MARGIN = 3.0  # around the whole picture


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
    is_picked: bool = False  # a pick is about it: lit wherever it lies


@dataclass(frozen=True, slots=True)
class Size:
    """What one drawing of the map measures, in SVG units."""

    name: str
    width: float
    height: float
    radius: float  # of the farthest band
    core: float  # of the disc
    font: float

    def band(self, reach: Reach) -> tuple[float, float]:
        """Return the inner and outer radius of a band."""
        start = self.core + GAP * self.radius
        step = (self.radius - start) / len(REACHES)
        place = REACHES.index(reach)
        return start + place * step, start + (place + 1) * step


WIDE = Size("wide", width=720, height=580, radius=252, core=104, font=13.0)
NARROW = Size("narrow", width=390, height=384, radius=158, core=72, font=12.0)


@dataclass(slots=True)
class _Taken:
    """What is drawn already, where labels and dots cannot go."""

    size: Size
    boxes: list[Box] = field(default_factory=list)
    lines: list[tuple[float, float]] = field(default_factory=list)  # points on lit lines: better not written over

    def has_room(self, box: Box) -> bool:
        edge_x, edge_y = self.size.width / 2 - MARGIN, self.size.height / 2 - MARGIN
        return (
            box.left > -edge_x
            and box.right < edge_x
            and box.top > -edge_y
            and box.bottom < edge_y
            and box.distance_from_origin() > self.size.core + MARGIN
            and not any(box.overlaps(other) for other in self.boxes)
        )

    def is_clear(self, box: Box) -> bool:
        return not any(box.holds(x, y) for x, y in self.lines)


@dataclass(frozen=True, slots=True)
class _Placed:
    dot: Dot
    is_lit: bool
    x: float
    y: float
    angle: float
    spot: Spot | None


@lru_cache(maxsize=256)
def draw(known: tuple[Known, ...], dots: tuple[Dot, ...], reach: Reach, size: Size) -> Markup:
    """Return the map as an SVG element, hidden from screen readers, which get the table.

    Dots come in order of importance: one that finds no room with its label is left out, unless a pick is about it.
    """
    sectors = _sectors(known, dots)
    placed = _place(dots, sectors, reach, size)
    parts = [
        f'<svg class="map map-{size.name}" viewBox="0 0 {size.width:g} {size.height:g}" aria-hidden="true" focusable="false">',
        f'<g transform="translate({size.width / 2:g} {size.height / 2:g})">',
        f'<circle class="horizon" r="{size.radius:g}"/>',
        _ring(reach, size),
        f'<circle class="core" r="{size.core:g}"/>',
        *(_line(one, sectors, size) for one in sorted(placed, key=lambda one: one.is_lit) if one.dot.events),
        *_core_names(known, sectors, size),
        *(_topic(one) for one in placed),
        "</g></svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 (every text in it went through escape)


def is_lit(dot: Dot, reach: Reach) -> bool:
    """Whether a topic has events and lies where the dial looks, or is that of a pick."""
    return dot.events > 0 and (dot.is_picked or REACHES.index(dot.reach) <= REACHES.index(reach))


def dot_radius(events: int) -> float:
    return 2.2 if events == 0 else min(3.0 + 1.7 * math.sqrt(events), 14.0)  # area, not diameter, grows with events


def _sectors(known: Sequence[Known], dots: Sequence[Dot]) -> dict[str, tuple[float, float]]:
    """Return for each known topic the span of angles (radians, clockwise from the top) its dots share."""
    counts = {one.slug: sum(dot.reached_from == one.slug for dot in dots) for one in known}
    bare = 0.7 if len(known) <= MOST_NAMES else 0.0  # room for its name, even if nothing is reached from it
    weights = {slug: bare + math.sqrt(count) for slug, count in counts.items()}
    total = sum(weights.values()) or 1.0
    spans, start = {}, 0.0
    for slug, weight in weights.items():
        end = start + 2 * math.pi * weight / total
        spans[slug] = (start, end)
        start = end
    return spans


def _point(angle: float, radius: float) -> tuple[float, float]:
    return radius * math.sin(angle), -radius * math.cos(angle)


def _place(dots: Sequence[Dot], sectors: dict[str, tuple[float, float]], reach: Reach, size: Size) -> list[_Placed]:
    """Give each dot a place in its sector and band, and its label one beside it; the lit ones choose first."""
    slots = _slots(dots, sectors, reach)
    taken = _Taken(size)
    placed = []
    for dot in sorted(dots, key=lambda dot: (not is_lit(dot, reach), dot.events == 0)):
        lit = is_lit(dot, reach)
        one = _first_free(dot, slots[dot.slug], taken, lit=lit, size=size)
        if one is not None:
            radius = dot_radius(dot.events)
            taken.boxes.append(Box.around(one.x, one.y, radius + 1.5))
            if one.spot is not None:
                taken.boxes.append(one.spot.box)
            if lit:
                taken.lines += list(_points_on(_curve(one, sectors, size)))
            placed.append(one)
    return placed


def _slots(
    dots: Sequence[Dot], sectors: dict[str, tuple[float, float]], reach: Reach
) -> dict[str, tuple[float, float]]:
    """Return for each dot the angle it would like to have, and how wide its part of the sector is.

    Lit and other dots are each spread over the whole sector, so that the longer, bolder labels find room.
    """
    slots = {}
    for slug, (start, end) in sectors.items():
        mine = []
        for lit in (True, False):
            group = sorted(
                (dot for dot in dots if dot.reached_from == slug and is_lit(dot, reach) == lit),
                key=lambda dot: dot.slug,
            )
            mine += [((place + 0.5) / len(group), dot.slug) for place, dot in enumerate(group)]
        for place, (_, name) in enumerate(sorted(mine)):
            part = (end - start) / len(mine)
            slots[name] = (start + part * (place + 0.5), part)
    return slots


def _first_free(dot: Dot, slot: tuple[float, float], taken: _Taken, *, lit: bool, size: Size) -> _Placed | None:
    """Return the dot where it and its label have room, best of all without a lit line running through the label."""
    second_best = bare = None
    radius = dot_radius(dot.events)
    font = size.font if lit else size.font * 0.88
    variants = lines_of(dot.label)
    for angle, x, y in _positions(dot, slot, size):
        if not taken.has_room(Box.around(x, y, radius + 1.5)):
            continue
        bare = bare or _Placed(dot, lit, x, y, angle, None)
        for lines in variants:
            for spot in spots_around(x, y, radius, lines, font=font, is_bold=lit):
                if not taken.has_room(spot.box):
                    continue
                one = _Placed(dot, lit, x, y, angle, spot)
                if taken.is_clear(spot.box):
                    return one
                second_best = second_best or one
    return second_best or (bare if dot.is_picked else None)


def _positions(dot: Dot, slot: tuple[float, float], size: Size) -> Iterator[tuple[float, float, float]]:
    """Yield angle, x and y of places in a dot's band, the middle of its slot first."""
    inner, outer = size.band(dot.reach)
    angle, part = slot
    part = min(part, 0.7)
    for turn in (0.0, 0.25, -0.25, 0.5, -0.5, 0.8, -0.8, 1.2, -1.2):
        for stray in (0.0, STRAY, -STRAY):
            turned = angle + turn * part
            yield turned, *_point(turned, (inner + outer) / 2 + stray * (outer - inner))


def _ring(reach: Reach, size: Size) -> str:
    inner, outer = size.band(REACHES[0])[0], size.band(reach)[1]
    return f'<circle class="ring" r="{(inner + outer) / 2:.1f}" stroke-width="{outer - inner:.1f}"/>'


Curve = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


def _curve(one: _Placed, sectors: dict[str, tuple[float, float]], size: Size) -> Curve:
    """Return the points of a quadratic curve that leaves the disc at its sector's middle and bends around it."""
    start, end = sectors[one.dot.reached_from]
    middle = (start + end) / 2
    # Where the tangents at both ends meet lies the farther out, the farther the ends are apart.
    away = min(1.1 / max(math.cos((one.angle - middle) / 2), 0.1), 1.75)
    return (
        _point(middle, size.core - 2.5 * NODE),
        _point((one.angle + middle) / 2, size.core * away),
        (one.x, one.y),
    )


def _points_on(curve: Curve) -> Iterator[tuple[float, float]]:
    (x0, y0), (x1, y1), (x2, y2) = curve
    for step in range(1, 10):
        t = step / 10
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        yield a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2


def _line(one: _Placed, sectors: dict[str, tuple[float, float]], size: Size) -> str:
    (x0, y0), (x1, y1), (x2, y2) = _curve(one, sectors, size)
    name = "why lit" if one.is_lit else "why"
    return f'<path class="{name}" d="M{x0:.1f} {y0:.1f}Q{x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f}"/>'


def _topic(one: _Placed) -> str:
    dot = one.dot
    name = "speck" if dot.events == 0 else "dot lit" if one.is_lit else "dot"
    told = f"{dot.label}: {dot.events} event{'s' if dot.events != 1 else ''}" if dot.events else dot.label
    drawn = f'<circle class="{name}" cx="{one.x:.1f}" cy="{one.y:.1f}" r="{dot_radius(dot.events):.1f}"/>'
    if one.spot is not None:
        drawn += _text(one.spot, "name lit" if one.is_lit else "name")
    # Titles are tooltips here; links are for pointers, since the table offers the same to everybody.
    return (
        f'<a href="{escape(dot.href)}" tabindex="-1"><title>{escape(told)}</title>{drawn}</a>'
        if dot.href
        else f"<g><title>{escape(told)}</title>{drawn}</g>"
    )


def _text(spot: Spot, name: str) -> str:
    first = spot.y - (len(spot.lines) - 1) * spot.font * 0.55
    spans = "".join(
        f'<tspan x="{spot.x:.1f}" y="{first + number * spot.font * 1.1:.1f}">{escape(line)}</tspan>'
        for number, line in enumerate(spot.lines)
    )
    return f'<text class="{name}" text-anchor="{spot.anchor}" font-size="{spot.font:.1f}">{spans}</text>'


def _core_names(known: Sequence[Known], sectors: dict[str, tuple[float, float]], size: Size) -> list[str]:
    """Write what is known into the disc: each towards its sector where all fit, else as a list."""
    nodes = [
        '<circle class="node" cx="{:.1f}" cy="{:.1f}" r="{:g}"/>'.format(
            *_point((start + end) / 2, size.core - 2.5 * NODE), NODE
        )
        for start, end in sectors.values()
        if end > start
    ]
    for step in FONT_STEPS:
        spots = _towards_sectors(known, sectors, size, size.font * step)
        if spots is not None:
            return [*nodes, *(_text(spot, "knows") for spot in spots)]
    return [*nodes, *_list_of_names(known, size)]


def _towards_sectors(
    known: Sequence[Known], sectors: dict[str, tuple[float, float]], size: Size, font: float
) -> list[Spot] | None:
    """Return a spot for each known topic as near to its sector as the disc allows, or None where they do not all fit."""
    if len(known) > MOST_NAMES:
        return None
    room = size.core - 4.5 * NODE  # inside the points the lines start from
    spots: list[Spot] = []
    for one in known:
        start, end = sectors[one.slug]
        angle = (start + end) / 2
        spot = next(
            (
                spot
                for away in ((0.0,) if len(known) == 1 else (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3))
                for lines in lines_of(one.label)
                for spot in [Spot.centred(*_point(angle, room * away), lines, font, is_bold=True)]
                if spot.box.farthest_from_origin() < room
                and not any(spot.box.overlaps(other.box.wider(font)) for other in spots)
            ),
            None,
        )
        if spot is None:
            return None
        spots.append(spot)
    return spots


def _list_of_names(known: Sequence[Known], size: Size) -> list[str]:
    """Return the known topics one below the other, each made small enough for the disc, more than MOST_NAMES counted."""
    names = [one.label for one in known]
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], f"and {len(names) - MOST_NAMES + 1} more"]
    room = size.core - 4.5 * NODE
    height = min(size.font * 1.45, 2 * room / (len(names) + 0.5))
    written = []
    for number, name in enumerate(names):
        y = (number - (len(names) - 1) / 2) * height
        chord = 2 * math.sqrt(max(room**2 - (abs(y) + height / 2) ** 2, 1.0))
        font = min(size.font, height / 1.2)
        if text_width(name, font, is_bold=True) > chord:
            font = max(font * 0.76, font * chord / text_width(name, font, is_bold=True))
        while text_width(name, font, is_bold=True) > chord and len(name) > 2:
            name = name.removesuffix("…")[:-1].rstrip() + "…"  # noqa: PLW2901 (shortened until it fits)
        written.append(_text(Spot.centred(0.0, y, (name,), font, is_bold=True), "knows"))
    return written
