"""Clauses for what lies in a box or around a point, by columns of latitude and longitude in degrees."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, func, or_

from app.places import EARTH_RADIUS_KM, Spot

Box = tuple[float, float, float, float]  # south, north, west, east
Degrees = SQLColumnExpression[Any]
RADIANS = math.pi / 180  # of a degree


def in_box(latitude: Degrees, longitude: Degrees, box: Box) -> ColumnElement[bool]:
    south, north, west, east = box
    is_between = latitude.between(south, north)
    if west < -180 or east > 180 or west > east:  # the box crosses the antimeridian
        west, east = (west + 180) % 360 - 180, (east + 180) % 360 - 180
        return and_(is_between, or_(longitude >= west, longitude <= east))
    return and_(is_between, longitude.between(west, east))


def in_circle(latitude: Degrees, longitude: Degrees, near: Spot, radius_km: float) -> ColumnElement[bool]:
    """Return the clause for a great-circle distance: the haversine formula (Sinnott 1984), doubled and with versines.

    Cosines are all it takes: not every SQLite has more functions than we give it (app.sqlite).
    """
    northwards = 1 - func.cos((latitude - near.lat) * RADIANS)
    eastwards = 1 - func.cos((longitude - near.lon) * RADIANS)
    along = math.cos(near.lat * RADIANS) * func.cos(latitude * RADIANS)
    angle = min(radius_km / EARTH_RADIUS_KM, math.pi)
    return northwards + along * eastwards <= 1 - math.cos(angle)
