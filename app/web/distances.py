"""Where events are, as distances and directions from one point: a map without tiles from anybody."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from markupsafe import Markup, escape

from app.places import Spot, distance_km
from app.words.wording import Wording

SIDE, EDGE = 260.0, 118.0  # of the picture; of the outermost ring
RINGS = (0.5, 1.0)


def distances(centre: Spot, radius_km: float, points: Iterable[tuple[float, float]], wording: Wording) -> Markup:
    """Return a picture of points around a centre, north at the top; where several lie in one place the dot is larger."""
    found: Counter[tuple[float, float]] = Counter()
    for lat, lon in points:
        away = distance_km(centre.lat, centre.lon, lat, lon)
        if away <= radius_km:
            bearing = math.atan2((lon - centre.lon) * math.cos(math.radians(centre.lat)), lat - centre.lat)
            reach = EDGE * away / radius_km
            found[round(reach * math.sin(bearing)), round(-reach * math.cos(bearing))] += 1
    rings = "".join(
        f'<circle class="ring-line" r="{EDGE * part:.1f}"/>'
        f'<text x="4" y="{-EDGE * part - 3:.1f}">{escape(wording.text("{number} km", number=wording.number(round(radius_km * part, 1))))}</text>'
        for part in RINGS
    )
    dots = "".join(
        f'<circle class="there" cx="{x}" cy="{y}" r="{min(2.5 + math.sqrt(number), 9):.1f}"/>'
        for (x, y), number in sorted(found.items())
    )
    return Markup(  # noqa: S704 (numbers, and texts that went through escape)
        f'<svg class="places" viewBox="0 0 {SIDE:g} {SIDE + 16:g}" aria-hidden="true" focusable="false">'
        f'<g transform="translate({SIDE / 2:g} {SIDE / 2 + 14:g})">{rings}{dots}<circle class="here" r="4"/></g></svg>'
    )
