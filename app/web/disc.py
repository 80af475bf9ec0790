"""The names of what somebody knows, inside the disc: each towards its sector where all fit, else as a list."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.web.labels import LabelSpot, lines_of, text_width
from app.web.layout import MOST_NAMES, NODE, Known, Sectors, Size, point_at

FONT_STEPS = (1.0, 0.92, 0.84, 0.76)  # sizes tried


def names_in_disc(known: Sequence[Known], sectors: Sectors, size: Size, more: str) -> list[LabelSpot]:
    """Return where each name stands; `more` says how many there are beyond those that fit ("and {number} more")."""
    for step in FONT_STEPS:
        spots = _towards_sectors(known, sectors, size, size.font * step)
        if spots is not None:
            return spots
    return _list_of_names(known, size, more)


def _towards_sectors(known: Sequence[Known], sectors: Sectors, size: Size, font: float) -> list[LabelSpot] | None:
    """Return a spot for each known topic as near to its sector as the disc allows, or None where they do not all fit."""
    if len(known) > MOST_NAMES:
        return None
    room = size.core - 4.5 * NODE  # inside the points the lines start from
    spots: list[LabelSpot] = []
    for one in known:
        start, end = sectors[one.slug]
        angle = (start + end) / 2
        spot = next(
            (
                spot
                for away in ((0.0,) if len(known) == 1 else (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3))
                for lines in lines_of(one.label)
                for spot in [LabelSpot.centred(*point_at(angle, room * away), lines, font, is_bold=True)]
                if spot.box.farthest_from_origin() < room
                and not any(spot.box.overlaps(other.box.wider(font)) for other in spots)
            ),
            None,
        )
        if spot is None:
            return None
        spots.append(spot)
    return spots


def _list_of_names(known: Sequence[Known], size: Size, more: str) -> list[LabelSpot]:
    """Return the known topics one below the other, each made small enough for the disc, more than MOST_NAMES counted."""
    names = [one.label for one in known]
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], more.format(number=len(names) - MOST_NAMES + 1)]
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
        written.append(LabelSpot.centred(0.0, y, (name,), font, is_bold=True))
    return written
