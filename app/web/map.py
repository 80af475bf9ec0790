"""The neighbourhood as a picture: what you know is a disc, topics with events lie around it, a line says from where.

Drawn in Python as SVG; the same facts stand in a table beside it for those who cannot see it.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup, escape

from app.web.disc import names_in_disc
from app.web.labels import LINE, LabelSpot
from app.web.layout import (
    NARROW,
    NODE,
    WIDE,
    Dot,
    Known,
    Placed,
    Sectors,
    Size,
    curve_to,
    dot_radius,
    is_lit,
    place,
    point_at,
    sectors_of,
)
from recommender.reach import REACHES, Reach

__all__ = ["NARROW", "WIDE", "Dot", "Known", "Size", "dot_radius", "draw", "is_lit"]


@lru_cache(maxsize=256)
def draw(
    known: tuple[Known, ...], dots: tuple[Dot, ...], reach: Reach, size: Size, more: str = "and {number} more"
) -> Markup:
    """Return the map as an SVG element, hidden from screen readers, which get the table.

    Dots come in order of importance: one that finds no room with its label is left out, unless a pick is about it.
    `more` says how many known topics find no room in the disc.
    """
    sectors = sectors_of(known, dots)
    placed = place(dots, sectors, reach, size)
    parts = [
        f'<svg class="map map-{size.name}" viewBox="0 0 {size.width:g} {size.height:g}" aria-hidden="true" focusable="false">',
        f'<g transform="translate({size.width / 2:g} {size.height / 2:g})">',
        f'<circle class="horizon" r="{size.radius:g}"/>',
        _ring(reach, size),
        f'<circle class="core" r="{size.core:g}"/>',
        *(_line(one, sectors, size) for one in sorted(placed, key=lambda one: one.is_lit) if one.dot.events),
        *_nodes(sectors, size),
        *(_text(spot, "knows") for spot in names_in_disc(known, sectors, size, more)),
        *(_topic(one) for one in placed),
        "</g></svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 (every text in it went through escape)


def _ring(reach: Reach, size: Size) -> str:
    inner, outer = size.band(REACHES[0])[0], size.band(reach)[1]
    return f'<circle class="ring" r="{(inner + outer) / 2:.1f}" stroke-width="{outer - inner:.1f}"/>'


def _line(one: Placed, sectors: Sectors, size: Size) -> str:
    (x0, y0), (x1, y1), (x2, y2) = curve_to(one, sectors, size)
    name = "why lit" if one.is_lit else "why"
    return f'<path class="{name}" d="M{x0:.1f} {y0:.1f}Q{x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f}"/>'


def _topic(one: Placed) -> str:
    dot = one.dot
    name = "speck" if dot.events == 0 else "dot lit" if one.is_lit else "dot"
    told = dot.told or dot.label
    drawn = f'<circle class="{name}" cx="{one.x:.1f}" cy="{one.y:.1f}" r="{dot_radius(dot.events):.1f}"/>'
    if one.spot is not None:
        drawn += _text(one.spot, "name lit" if one.is_lit else "name")
    # Titles are tooltips here; links are for pointers, since the table offers the same to everybody.
    return (
        f'<a href="{escape(dot.href)}" tabindex="-1"><title>{escape(told)}</title>{drawn}</a>'
        if dot.href
        else f"<g><title>{escape(told)}</title>{drawn}</g>"
    )


def _text(spot: LabelSpot, name: str) -> str:
    first = spot.y - (len(spot.lines) - 1) * spot.font * LINE / 2
    spans = "".join(
        f'<tspan x="{spot.x:.1f}" y="{first + number * spot.font * LINE:.1f}">{escape(line)}</tspan>'
        for number, line in enumerate(spot.lines)
    )
    return f'<text class="{name}" text-anchor="{spot.anchor}" font-size="{spot.font:.1f}">{spans}</text>'


def _nodes(sectors: Sectors, size: Size) -> list[str]:
    """Draw the points in the disc from which lines start."""
    return [
        '<circle class="node" cx="{:.1f}" cy="{:.1f}" r="{:g}"/>'.format(
            *point_at((start + end) / 2, size.core - 2.5 * NODE), NODE
        )
        for start, end in sectors.values()
        if end > start
    ]
