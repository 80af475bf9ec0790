"""Where everything on the map stands: topics in bands by their distance, in the direction of what they are reached from.

No physics and no chance: the radius is the distance, the angle belongs to the topic it is reached from, so the map does
not jump between visits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.web.labels import Box, LabelSpot, lines_of, spots_around
from recommender.reach import REACHES, Reach

GAP = 0.05  # of the radius, between the disc and the ring
STRAY = 0.30  # of a band's width: how far a dot may stand from the middle of its band
MOST_NAMES = 5  # topics that are named each in its own place in the disc
NODE = 2.6  # radius of the point in the disc from which lines start
MARGIN = 3.0  # around the whole picture


Sectors = Mapping[str, tuple[float, float]]  # slug of a known topic → the angles its dots share, in radians


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
    told: str = ""  # the tooltip; the label where empty


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
class Placed:
    dot: Dot
    is_lit: bool
    x: float
    y: float
    angle: float
    spot: LabelSpot | None


def is_lit(dot: Dot, reach: Reach) -> bool:
    """Whether a topic has events and lies where the dial looks, or is that of a pick."""
    return dot.events > 0 and (dot.is_picked or REACHES.index(dot.reach) <= REACHES.index(reach))


def dot_radius(events: int) -> float:
    return 2.2 if events == 0 else min(3.0 + 1.7 * math.sqrt(events), 14.0)  # area, not diameter, grows with events


def sectors_of(known: Sequence[Known], dots: Sequence[Dot]) -> Sectors:
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


def point_at(angle: float, radius: float) -> tuple[float, float]:
    return radius * math.sin(angle), -radius * math.cos(angle)


def place(dots: Sequence[Dot], sectors: Sectors, reach: Reach, size: Size) -> list[Placed]:
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
                taken.lines += list(_points_on(curve_to(one, sectors, size)))
            placed.append(one)
    return placed


def _slots(dots: Sequence[Dot], sectors: Sectors, reach: Reach) -> Sectors:
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


def _first_free(dot: Dot, slot: tuple[float, float], taken: _Taken, *, lit: bool, size: Size) -> Placed | None:
    """Return the dot where it and its label have room, best of all without a lit line running through the label."""
    second_best = bare = None
    radius = dot_radius(dot.events)
    font = size.font if lit else size.font * 0.88
    variants = lines_of(dot.label)
    for angle, x, y in _positions(dot, slot, size):
        if not taken.has_room(Box.around(x, y, radius + 1.5)):
            continue
        bare = bare or Placed(dot, lit, x, y, angle, None)
        for lines in variants:
            for spot in spots_around(x, y, radius, lines, font=font, is_bold=lit):
                if not taken.has_room(spot.box):
                    continue
                one = Placed(dot, lit, x, y, angle, spot)
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
            yield turned, *point_at(turned, (inner + outer) / 2 + stray * (outer - inner))


Curve = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


def curve_to(one: Placed, sectors: Sectors, size: Size) -> Curve:
    """Return the points of a quadratic curve that leaves the disc at its sector's middle and bends around it."""
    start, end = sectors[one.dot.reached_from]
    middle = (start + end) / 2
    # Where the tangents at both ends meet lies the farther out, the farther the ends are apart.
    away = min(1.1 / max(math.cos((one.angle - middle) / 2), 0.1), 1.75)
    return (
        point_at(middle, size.core - 2.5 * NODE),
        point_at((one.angle + middle) / 2, size.core * away),
        (one.x, one.y),
    )


def _points_on(curve: Curve) -> Iterator[tuple[float, float]]:
    (x0, y0), (x1, y1), (x2, y2) = curve
    for step in range(1, 10):
        t = step / 10
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        yield a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2
