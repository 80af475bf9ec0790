"""The quality benchmark: every part of the recommender against its baselines, on people and texts it never saw."""

from __future__ import annotations

from pathlib import Path

from recommender.learn.measure_adjacency import measure_groups, measure_self_tags, measure_unasked, measure_wishes
from recommender.learn.measure_cadence import measure_cadence
from recommender.learn.measure_city import measure_city
from recommender.learn.measure_drift import measure_drift
from recommender.learn.measure_slates import measure_exploring, measure_inside, measure_slates
from recommender.learn.measure_texts import measure_texts
from recommender.metrics import Result

PARTS = (
    measure_wishes,
    measure_drift,
    measure_unasked,
    measure_self_tags,
    measure_groups,
    measure_city,
    measure_slates,
    measure_exploring,
    measure_inside,
    measure_texts,
    measure_cadence,
)


def evaluate(folder: Path) -> list[Result]:
    """Measure all parts on a folder of data."""
    return [result for part in PARTS for result in part(folder)]
